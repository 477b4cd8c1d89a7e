//! Cases of following.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Place, put};
use crate::error::ReadError;
use crate::journal::{Cursor, Expect};
use crate::subscription::{Next, Subscription};
use crate::testing::sample::{commit, offered};

/// Long enough for any disk; nobody waits so long unless the test fails.
const LONG: Duration = Duration::from_secs(30);

fn next(subscription: &mut Subscription) -> u64 {
    match subscription.next_timeout(LONG).unwrap() {
        Next::Commit(stored) => stored.seq,
        other @ (Next::Timeout | Next::Closed) => panic!("expected a commit, got {other:?}"),
    }
}

/// First what was there, then what comes.
pub fn a_subscription_catches_up_and_goes_on(place: &mut Place) {
    let journal = place();
    (0..5).for_each(|number| _ = put(&*journal, offered(number)));
    let mut subscription = journal.subscribe(Cursor::at(2)).unwrap();
    assert_eq!([2, 3, 4], [(); 3].map(|()| next(&mut subscription)));
    assert_eq!(subscription.next_timeout(Duration::ZERO).unwrap(), Next::Timeout);
    put(&*journal, offered(5));
    assert_eq!(next(&mut subscription), 5);
    assert_eq!(subscription.cursor(), Cursor::at(6));
}

/// After everything was given.
pub fn a_subscription_ends_when_the_journal_closes(place: &mut Place) {
    let journal = place();
    let mut subscription = journal.subscribe(Cursor::START).unwrap();
    put(&*journal, offered(1));
    journal.close().unwrap();
    assert_eq!(next(&mut subscription), 0);
    assert_eq!(subscription.next_timeout(LONG).unwrap(), Next::Closed);
}

/// The step from catching up to live neither skips nor repeats.
pub fn a_subscription_sees_each_commit_once_under_load(place: &mut Place) {
    const COMMITS: u64 = 400;
    let journal = place();
    let writer = Arc::clone(&journal);
    let writing = thread::spawn(move || {
        let appends: Vec<_> =
            (0..COMMITS).map(|number| writer.append(offered(number), Expect::New)).collect();
        appends.into_iter().for_each(|append| _ = append.wait().unwrap());
    });
    let mut subscription = journal.subscribe(Cursor::START).unwrap();
    for seq in 0..COMMITS {
        assert_eq!(next(&mut subscription), seq);
    }
    writing.join().unwrap();
    assert_eq!(subscription.next_timeout(Duration::ZERO).unwrap(), Next::Timeout);
}

/// It simply comes later.
pub fn a_slow_subscriber_does_not_hold_the_writer_up(place: &mut Place) {
    let journal = place();
    let mut subscription = journal.subscribe(Cursor::START).unwrap();
    let appends: Vec<_> = (0..300)
        .map(|version| journal.append(commit(1, version, 1, 3_000), Expect::of(&commit(1, version, 1, 0))))
        .collect();
    for append in appends {
        append.wait().unwrap();
    }
    for seq in 0..300 {
        assert_eq!(next(&mut subscription), seq);
    }
}

/// Then only what comes.
pub fn a_subscription_may_begin_at_the_tail(place: &mut Place) {
    let journal = place();
    put(&*journal, offered(1));
    let mut subscription = journal.subscribe(journal.tail().unwrap()).unwrap();
    put(&*journal, offered(2));
    assert_eq!(next(&mut subscription), 1);
}

/// Like reading.
pub fn a_subscription_beyond_the_end_is_refused(place: &mut Place) {
    let journal = place();
    let refused = journal.subscribe(Cursor::at(1)).err();
    assert_eq!(refused, Some(ReadError::Beyond { wanted: 1, tail: 0 }));
}

/// Without blocking a thread.
pub fn a_subscription_can_be_awaited(place: &mut Place) {
    let journal = place();
    let mut subscription = journal.subscribe(Cursor::START).unwrap();
    let writer = Arc::clone(&journal);
    let writing = thread::spawn(move || {
        (0..20).for_each(|number| _ = put(&*writer, offered(number)));
        writer.close().unwrap();
    });
    let seen = futures::executor::block_on(async {
        let mut seen = Vec::new();
        while let Some(stored) = subscription.next().await {
            seen.push(stored.unwrap().seq);
        }
        seen
    });
    writing.join().unwrap();
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
}
