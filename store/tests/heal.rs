//! sled fails while the journal runs: appends go on, readers miss nothing, and sled is made again from the log.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::{all, put};
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::verify::verify;
use callbox_store::{Cursor, Journal, JournalReader};

/// Carries over at once, and keeps next to nothing in sled's cache: so that it has to read its file.
fn options() -> Options {
    Options {
        sink_bytes: 8 * 1024,
        sink_delay: Duration::from_millis(1),
        segment_bytes: 100 * 1024,
        cache_bytes: 64 * 1024,
        serve_readers: false,
        checkpoint_interval: Duration::ZERO,
        ..Options::default()
    }
}

fn db(dir: &Path) -> PathBuf {
    dir.join("log").join(format!("{:020}", 0)).join("db")
}

fn cut(file: &Path, parts: u64, of: u64) {
    let length = fs::metadata(file).unwrap().len();
    fs::File::options().write(true).open(file).unwrap().set_len(length * parts / of).unwrap();
}

/// A whole call, and a commit of the call that never ends.
fn write(journal: &SledJournal, number: u64) {
    put(journal, offered(number));
    put(journal, commit(number, 1, 2, 2_800));
    put(journal, released(number, 3));
    put(journal, commit(ENDLESS, number, 1, 100));
}

const ENDLESS: u64 = 1_000_000;

fn until(what: &str, mut met: impl FnMut() -> bool) {
    let began = Instant::now();
    while !met() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::yield_now();
    }
}

/// Everything that was appended for the calls before `calls` is there, in every way it can be asked for.
fn nothing_is_missing(journal: &dyn JournalReader, calls: u64) {
    let stored = all(journal, Cursor::START);
    assert_eq!(stored.len() as u64, calls * 4);
    let mut next = 0;
    for commit in &stored {
        assert_eq!(commit.seq, next, "gapless");
        next = Cursor::after(commit).seq();
    }
    for number in [0, calls / 3, calls - 1] {
        assert_eq!(journal.read(call(number)).unwrap().len(), 3, "call {number}");
    }
    assert_eq!(journal.read(call(ENDLESS)).unwrap().len() as u64, calls);
    assert_eq!(journal.head(call(ENDLESS)).unwrap().unwrap().version, calls);
    assert_eq!(journal.calls().unwrap().map(Result::unwrap).count() as u64, calls + 1);
    assert_eq!(journal.latest().unwrap(), Some(call(ENDLESS)));
}

fn sound(dir: &Path) {
    let report = verify(dir, &mut |_| {}).unwrap();
    assert_eq!(report.damages, []);
}

#[test]
fn a_sled_that_is_cut_off_while_it_is_open_is_made_again_and_nothing_stops() {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path(), options()).unwrap();
    let mut calls = 0;
    let mut more = |count: u64, journal: &SledJournal| {
        (calls..calls + count).for_each(|number| write(journal, number));
        calls += count;
        calls
    };
    more(300, &journal);
    for _ in 0..3 {
        let remade = journal.stats().remade;
        cut(&db(dir.path()), 1, 16);
        until("it is made again", || {
            let calls = more(10, &journal);
            assert_eq!(journal.refusal(), None, "new calls are taken all the time");
            nothing_is_missing(&journal, calls);
            journal.stats().remade > remade
        });
        nothing_is_missing(&journal, more(100, &journal));
    }
    let calls = more(1, &journal);
    journal.close().unwrap();
    assert!(!journal.stats().without_sled);
    drop(journal);
    sound(dir.path());
    nothing_is_missing(&SledJournal::open(dir.path(), options()).unwrap(), calls);
}

#[test]
fn a_sled_that_opens_after_damage_and_fails_later_is_made_again() {
    for part in 1..8 {
        let dir = tempfile::tempdir().unwrap();
        let journal = SledJournal::open(dir.path(), options()).unwrap();
        (0..200).for_each(|number| write(&journal, number));
        drop(journal);
        cut(&db(dir.path()), part, 8);
        let journal = SledJournal::open(dir.path(), options()).unwrap();
        (200..500).for_each(|number| write(&journal, number));
        nothing_is_missing(&journal, 500);
        journal.close().unwrap();
        drop(journal);
        nothing_is_missing(&SledJournal::open(dir.path(), options()).unwrap(), 500);
    }
}
