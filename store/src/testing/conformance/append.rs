//! Cases of appending.

use std::sync::Arc;
use std::thread;

use super::{Place, all, put, refused};
use crate::error::AppendError;
use crate::journal::{Cursor, Expect, Position};
use crate::testing::sample::{call, commit, offered, released};

/// Global sequence numbers count events, not commits, from 0.
pub fn positions_are_gapless_and_count_events(place: &mut Place) {
    let journal = place();
    let sizes = [1, 3, 2, 5, 1];
    let positions: Vec<u64> =
        (0..).zip(sizes).map(|(number, events)| put(&*journal, commit(number, 0, events, 0)).seq).collect();
    assert_eq!(positions, [0, 1, 4, 6, 11]);
    assert_eq!(journal.tail().unwrap(), Cursor::at(12));
}

/// Two calls count independently.
pub fn versions_are_per_call(place: &mut Place) {
    let journal = place();
    for version in 0..3 {
        put(&*journal, commit(1, version, 1, 0));
        put(&*journal, commit(2, version * 2, 2, 0));
    }
    assert_eq!(journal.head(call(1)).unwrap().unwrap().version, 3);
    assert_eq!(journal.head(call(2)).unwrap().unwrap().version, 6);
}

/// A gap or a call that should exist is a conflict that names the actual version.
pub fn an_unexpected_version_is_a_conflict(place: &mut Place) {
    let journal = place();
    assert_eq!(refused(&*journal, commit(1, 4, 1, 0), Expect::At(4)), AppendError::Conflict { actual: 0 });
    put(&*journal, commit(1, 0, 2, 0));
    assert_eq!(refused(&*journal, commit(1, 3, 1, 0), Expect::At(3)), AppendError::Conflict { actual: 2 });
    assert_eq!(refused(&*journal, commit(1, 1, 1, 0), Expect::At(1)), AppendError::Conflict { actual: 2 });
    assert_eq!(journal.tail().unwrap(), Cursor::at(2), "nothing of it was written");
}

/// Whoever lost the answer may ask again.
pub fn a_repeated_append_returns_its_first_position(place: &mut Place) {
    let journal = place();
    let first = put(&*journal, offered(1));
    let second = put(&*journal, commit(1, 1, 2, 100));
    put(&*journal, released(1, 3));
    assert_eq!(put(&*journal, offered(1)), first);
    assert_eq!(put(&*journal, commit(1, 1, 2, 100)), second);
    assert_eq!(put(&*journal, released(1, 3)), Position { seq: 3 });
    assert_eq!(journal.tail().unwrap(), Cursor::at(5));
}

/// Also when the answer got lost with the process.
pub fn a_repetition_is_known_after_reopening(place: &mut Place) {
    let journal = place();
    put(&*journal, offered(1));
    let second = put(&*journal, commit(1, 1, 1, 10));
    drop(journal);
    let journal = place();
    assert_eq!(put(&*journal, commit(1, 1, 1, 10)), second);
    assert_eq!(put(&*journal, commit(1, 2, 1, 10)), Position { seq: 2 });
}

/// The same version with other content is another owner's commit.
pub fn another_commit_under_a_taken_version_is_a_conflict(place: &mut Place) {
    let journal = place();
    put(&*journal, offered(1));
    put(&*journal, commit(1, 1, 1, 0));
    let other = commit(1, 1, 1, 7);
    assert_eq!(refused(&*journal, other, Expect::At(1)), AppendError::Conflict { actual: 2 });
}

/// A caller needn't wait for one ack before it hands over the next commit.
pub fn appends_may_overtake_their_acks(place: &mut Place) {
    let journal = place();
    let appends: Vec<_> =
        (0..200).map(|version| journal.append(commit(1, version, 1, 50), at(version))).collect();
    let repeated = journal.append(commit(1, 120, 1, 50), Expect::At(120));
    let positions: Vec<u64> = appends.into_iter().map(|append| append.wait().unwrap().seq).collect();
    assert_eq!(positions, (0..200).collect::<Vec<_>>());
    assert_eq!(repeated.wait(), Ok(Position { seq: 120 }));
}

fn at(version: u64) -> Expect {
    if version == 0 { Expect::New } else { Expect::At(version) }
}

/// No events, or a version that isn't the expected one.
pub fn malformed_commits_are_refused(place: &mut Place) {
    let journal = place();
    let no_events = refused(&*journal, commit(1, 0, 0, 0), Expect::New);
    assert!(matches!(no_events, AppendError::Malformed { .. }), "{no_events}");
    let wrong_version = refused(&*journal, commit(1, 1, 1, 0), Expect::New);
    assert!(matches!(wrong_version, AppendError::Malformed { .. }), "{wrong_version}");
}

/// The limit is told, and the journal goes on.
pub fn a_commit_that_is_too_large_is_refused(place: &mut Place) {
    let journal = place();
    let limit = journal.caps().max_commit_bytes;
    let error = refused(&*journal, commit(1, 0, 1, limit), Expect::New);
    assert!(matches!(error, AppendError::TooLarge { limit: told, .. } if told == limit), "{error}");
    put(&*journal, commit(1, 0, 1, 10));
}

/// From an empty message to the largest, between small ones.
pub fn large_commits_survive_reopening(place: &mut Place) {
    let journal = place();
    let limit = journal.caps().max_commit_bytes - 1_000;
    let sizes = [0, 1, 3_900, 4_000, 4_096, 4_200, 8_192, 20_000, 65_536, limit, 5, limit, limit, 0];
    for (number, size) in (0..).zip(sizes) {
        put(&*journal, commit(number, 0, 2, size));
    }
    drop(journal);
    let journal = place();
    for (number, size) in (0..).zip(sizes) {
        let read = journal.read(call(number)).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].commit, commit(number, 0, 2, size));
    }
    assert_eq!(all(&*journal, Cursor::START).len(), sizes.len());
}

/// Closing is final for writers, not for readers, and may be repeated.
pub fn after_close_appends_are_refused(place: &mut Place) {
    let journal = place();
    put(&*journal, offered(1));
    let waiting = journal.append(commit(1, 1, 1, 0), Expect::At(1));
    journal.close().unwrap();
    assert_eq!(waiting.wait(), Ok(Position { seq: 1 }), "what waited was written");
    let error = refused(&*journal, commit(1, 2, 1, 0), Expect::At(2));
    assert!(matches!(error, AppendError::Unavailable { .. }), "{error}");
    assert_eq!(journal.read(call(1)).unwrap().len(), 2);
    journal.close().unwrap();
}

/// Concurrent callers with calls of their own never meet a conflict or a gap.
pub fn many_threads_may_append(place: &mut Place) {
    const THREADS: u64 = 8;
    const COMMITS: u64 = 25;
    let journal = place();
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let journal = Arc::clone(&journal);
            thread::spawn(move || {
                for version in 0..COMMITS {
                    put(&*journal, commit(number, version, 1, 300));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let seqs: Vec<u64> = all(&*journal, Cursor::START).iter().map(|stored| stored.seq).collect();
    assert_eq!(seqs, (0..THREADS * COMMITS).collect::<Vec<_>>());
    for number in 0..THREADS {
        assert_eq!(journal.head(call(number)).unwrap().unwrap().version, COMMITS);
    }
}

/// Versions and chain go on where they were, again and again.
pub fn a_call_may_go_on_after_reopening(place: &mut Place) {
    for version in 0..40 {
        let journal = place();
        put(&*journal, commit(1, version, 1, 30));
        put(&*journal, offered(100 + version));
    }
    let journal = place();
    assert_eq!(journal.read(call(1)).unwrap().len(), 40);
    assert_eq!(journal.head(call(1)).unwrap().unwrap().version, 40);
}
