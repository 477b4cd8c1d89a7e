//! Cases of reading.

use super::{Place, all, put};
use crate::chain;
use crate::error::ReadError;
use crate::journal::{Cursor, Journal};
use crate::testing::sample::{call, commit, offered, released};

/// Unknown is empty, not an error.
pub fn an_unknown_call_is_empty(place: &mut Place) {
    let journal = place();
    assert_eq!(journal.read(call(1)).unwrap(), []);
    assert_eq!(journal.head(call(1)).unwrap(), None);
    put(&*journal, offered(2));
    put(&*journal, released(2, 1));
    for number in [1, 3] {
        assert_eq!(journal.read(call(number)).unwrap(), []);
        assert_eq!(journal.head(call(number)).unwrap(), None);
    }
}

/// Whole calls of several commits, interleaved: released ones and live ones.
fn fill(journal: &dyn Journal, calls: u64) {
    (0..calls).for_each(|number| _ = put(journal, offered(number)));
    (0..calls).for_each(|number| _ = put(journal, commit(number, 1, 2, 700)));
    (0..calls).filter(|number| number % 3 != 0).for_each(|number| _ = put(journal, released(number, 3)));
}

/// One call's commits, equal to what was appended.
pub fn a_call_reads_back_in_order(place: &mut Place) {
    let journal = place();
    fill(&*journal, 20);
    let commits: Vec<_> = journal.read(call(7)).unwrap().into_iter().map(|stored| stored.commit).collect();
    assert_eq!(commits, [offered(7), commit(7, 1, 2, 700), released(7, 3)]);
    assert_eq!(journal.read(call(6)).unwrap().len(), 2);
}

/// The whole journal in global order, without a gap.
pub fn everything_reads_back_in_order(place: &mut Place) {
    let journal = place();
    fill(&*journal, 30);
    let mut next = Cursor::START;
    for stored in all(&*journal, Cursor::START) {
        assert_eq!(stored.seq, next.seq());
        next = Cursor::after(&stored);
    }
    assert_eq!(next, journal.tail().unwrap());
}

/// At the beginning of a commit, in its middle, at the tail.
pub fn a_cursor_may_stand_anywhere(place: &mut Place) {
    let journal = place();
    fill(&*journal, 12);
    let everything = all(&*journal, Cursor::START);
    for seq in 0..=journal.tail().unwrap().seq() {
        let from = Cursor::at(seq);
        let expected: Vec<_> =
            everything.iter().filter(|stored| Cursor::after(stored) > from).cloned().collect();
        assert_eq!(all(&*journal, from), expected, "from {seq}");
    }
}

/// Beyond the tail there is nothing to wait for.
pub fn a_cursor_beyond_the_end_is_refused(place: &mut Place) {
    let journal = place();
    put(&*journal, offered(1));
    assert_eq!(all(&*journal, Cursor::at(1)), []);
    assert_eq!(journal.read_all(Cursor::at(2)).err(), Some(ReadError::Beyond { wanted: 2, tail: 1 }));
}

/// In the order of their starts, whatever the order of their commits.
pub fn calls_are_listed_once_in_order(place: &mut Place) {
    let journal = place();
    for number in [5, 1, 9, 3, 7] {
        put(&*journal, offered(number));
    }
    for number in [1, 9] {
        put(&*journal, released(number, 1));
    }
    let calls: Vec<_> = journal.calls().unwrap().map(Result::unwrap).collect();
    assert_eq!(calls, [1, 3, 5, 7, 9].map(call));
    drop(journal);
    let journal = place();
    assert_eq!(journal.calls().unwrap().map(Result::unwrap).collect::<Vec<_>>(), calls);
}

/// Head and last commit agree, live or released.
pub fn the_head_is_version_and_chain(place: &mut Place) {
    let journal = place();
    fill(&*journal, 10);
    for (number, version) in [(3, 3), (4, 5)] {
        let head = journal.head(call(number)).unwrap().unwrap();
        assert_eq!(head.version, version);
        assert_eq!(head.hash, journal.read(call(number)).unwrap().last().unwrap().hash);
    }
}

/// Each link is the hash of the one before and the encoded commit.
pub fn the_chain_covers_what_was_before(place: &mut Place) {
    let journal = place();
    fill(&*journal, 5);
    for number in 0..5 {
        let mut link = chain::START;
        for stored in journal.read(call(number)).unwrap() {
            link = chain::link(&link, &callbox_events::schema::encode(&stored.commit).unwrap());
            assert_eq!(stored.hash, link);
        }
    }
}

/// The same answers before and after.
pub fn everything_is_there_after_reopening(place: &mut Place) {
    let journal = place();
    fill(&*journal, 50);
    let before = all(&*journal, Cursor::START);
    drop(journal);
    let journal = place();
    assert_eq!(all(&*journal, Cursor::START), before);
    for number in 0..50 {
        let expected: Vec<_> =
            before.iter().filter(|stored| stored.commit.call == call(number)).cloned().collect();
        assert_eq!(journal.read(call(number)).unwrap(), expected);
    }
}

/// More commits than any index row takes, among others.
pub fn a_call_of_many_commits_reads_back(place: &mut Place) {
    let journal = place();
    let mut appends = Vec::new();
    for version in 0..150 {
        let expect = crate::journal::Expect::of(&commit(1, version, 1, 0));
        appends.push(journal.append(commit(1, version, 1, 2_000), expect));
        appends.push(journal.append(offered(10 + version), crate::journal::Expect::New));
    }
    appends.into_iter().for_each(|append| _ = append.wait().unwrap());
    let versions: Vec<u64> =
        journal.read(call(1)).unwrap().iter().map(|stored| stored.commit.version).collect();
    assert_eq!(versions, (0..150).collect::<Vec<_>>());
}

/// By its start, not by its last commit.
pub fn the_latest_call_is_the_one_that_started_last(place: &mut Place) {
    let journal = place();
    assert_eq!(journal.latest().unwrap(), None);
    put(&*journal, offered(2));
    put(&*journal, offered(1));
    assert_eq!(journal.latest().unwrap(), Some(call(2)));
    put(&*journal, released(2, 1));
    assert_eq!(journal.latest().unwrap(), Some(call(2)));
}
