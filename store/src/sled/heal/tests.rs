//! sled takes no batch any more, as after "tried to serialize Uninitialized" in the field.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::journal::{Cursor, Journal, JournalReader};
use crate::sled::tree::Tree;
use crate::sled::{Options, SledJournal};
use crate::testing::conformance::{all, put};
use crate::testing::sample::{call, commit, offered, released};
use crate::verify::verify;

fn open(dir: &Path) -> SledJournal {
    let options = Options {
        sink_bytes: 8 * 1024,
        sink_delay: Duration::from_millis(1),
        segment_bytes: 100 * 1024,
        serve_readers: false,
        ..Options::default()
    };
    SledJournal::open(dir, options).unwrap()
}

fn sled(journal: &SledJournal) -> Arc<Tree> {
    let volumes = &journal.store.log.volumes;
    volumes.tree(&volumes.active().unwrap()).unwrap()
}

/// One whole call; three of its kind fill a batch.
fn write(journal: &SledJournal, number: u64) {
    put(journal, offered(number));
    put(journal, commit(number, 1, 2, 2_800));
    put(journal, released(number, 3));
}

fn holds(journal: &SledJournal, calls: u64) {
    let stored = all(journal, Cursor::START);
    assert_eq!(stored.len() as u64, calls * 3);
    assert!(stored.iter().zip(stored.iter().skip(1)).all(|(one, next)| Cursor::after(one).seq() == next.seq));
    for number in [0, calls / 2, calls - 1] {
        assert_eq!(journal.read(call(number)).unwrap().len(), 3, "call {number} of {calls}");
        assert_eq!(journal.head(call(number)).unwrap().unwrap().version, 5);
    }
    assert_eq!(journal.calls().unwrap().map(Result::unwrap).count() as u64, calls);
    assert_eq!(journal.latest().unwrap(), Some(call(calls - 1)));
}

fn until(what: &str, mut met: impl FnMut() -> bool) {
    let began = Instant::now();
    while !met() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
    }
}

#[test]
fn a_sled_that_takes_nothing_any_more_is_made_again_while_appends_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let mut calls = 0;
    for time in 1..=3 {
        (0..60).for_each(|_| {
            write(&journal, {
                calls += 1;
                calls - 1
            })
        });
        sled(&journal).fails.store(true, Ordering::Release);
        until("it is made again", || {
            write(&journal, calls);
            calls += 1;
            assert_eq!(journal.refusal(), None);
            journal.stats().remade >= time
        });
        holds(&journal, calls);
    }
    journal.close().unwrap();
    drop(journal);
    assert_eq!(verify(dir.path(), &mut |_| {}).unwrap().damages, []);
    holds(&open(dir.path()), calls);
}

#[test]
fn where_sled_cannot_be_made_again_the_log_serves_alone_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    (0..60).for_each(|number| write(&journal, number));
    let in_the_way = dir.path().join("log").join("new");
    fs::write(&in_the_way, "").unwrap();
    sled(&journal).fails.store(true, Ordering::Release);
    let mut calls = 60;
    until("it is given up", || {
        write(&journal, calls);
        calls += 1;
        journal.stats().without_sled
    });
    // More than memory is allowed to hold, so that the oldest are let go.
    let large = 20_000;
    for version in 0..700 {
        put(&journal, commit(large, version, 1, 40_000));
    }
    assert_eq!(journal.refusal(), None, "new calls are taken");
    assert_eq!(journal.read(call(large)).unwrap().len(), 700);
    assert_eq!(journal.read(call(calls - 1)).unwrap().len(), 3);
    assert_eq!(all(&journal, Cursor::START).len() as u64, calls * 3 + 700);
    journal.close().unwrap();
    drop(journal);
    fs::remove_file(in_the_way).unwrap();
    let journal = open(dir.path());
    assert_eq!(all(&journal, Cursor::START).len() as u64, calls * 3 + 700);
    assert_eq!(journal.read(call(large)).unwrap().len(), 700);
    drop(journal);
    assert_eq!(verify(dir.path(), &mut |_| {}).unwrap().damages, []);
}
