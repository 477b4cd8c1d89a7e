//! The disk is full: new calls are refused, running ones wait in bounded memory, nothing acknowledged is lost, and with
//! room everything goes on by itself. On a small file system of its own; where none may be mounted, that is said.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::ops::Range;
use std::time::{Duration, Instant};

use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::{all, put};
use callbox_store::testing::disk::SmallDisk;
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::verify::verify;
use callbox_store::{Append, AppendError, Expect, Journal, JournalReader, OpenError};

/// Room for a step of the write-ahead log, for sled, and for what sled wants to be left.
const BYTES: u64 = 24 * 1024 * 1024;

/// A disk, unless none can be mounted; then the test says so and ends.
fn disk() -> Option<SmallDisk> {
    match SmallDisk::mount(BYTES) {
        Ok(disk) => Some(disk),
        Err(why) => {
            let required = std::env::var_os("CALLBOX_REQUIRE_PEERS").is_some();
            assert!(!required || !rustix::process::getuid().is_root(), "no disk can be mounted: {why}");
            println!("SKIPPED, no small disk can be mounted here: {why}");
            None
        }
    }
}

fn open(disk: &SmallDisk) -> Result<SledJournal, OpenError> {
    let options =
        Options { sink_delay: Duration::from_millis(20), serve_readers: false, ..Options::default() };
    SledJournal::open(disk.path().join("store"), options)
}

fn append(journal: &SledJournal, number: u64, version: u64) -> Append {
    let commit = if version == 0 { offered(number) } else { commit(number, version, 1, 20_000) };
    let expect = Expect::of(&commit);
    journal.append(commit, expect)
}

/// Waits for what has no event of its own, within a bound.
fn until(what: &str, mut met: impl FnMut() -> bool) {
    let began = Instant::now();
    while !met() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        std::thread::yield_now();
    }
}

/// Fills the disk and appends to these calls until the journal notices; returns what waits, and the calls' next version.
fn run_full(disk: &SmallDisk, journal: &SledJournal, calls: Range<u64>) -> (Vec<(u64, Append)>, u64) {
    calls.clone().for_each(|number| _ = put(journal, offered(number)));
    disk.fill();
    let mut waiting = Vec::new();
    for version in 1..400 {
        waiting.extend(calls.clone().map(|number| (number, append(journal, number, version))));
        until("the queue is taken", || journal.stats().waiting < 64 || journal.refusal().is_some());
        if journal.refusal().is_some() {
            return (waiting, version + 1);
        }
    }
    panic!("the journal never notices that the disk is full");
}

#[test]
fn a_full_disk_is_waited_out() {
    let Some(disk) = disk() else { return };
    let journal = open(&disk).unwrap();
    for round in 0..3 {
        let (base, calls) = (journal.tail().unwrap(), 100 * round..100 * round + 10);
        let (mut waiting, version) = run_full(&disk, &journal, calls.clone());
        assert_eq!(journal.refusal(), Some(AppendError::Full));
        assert_eq!(append(&journal, 9_999, 0).wait(), Err(AppendError::Full), "no new calls");
        waiting.extend(calls.clone().map(|number| (number, append(&journal, number, version))));
        assert!(all(&journal, base).len() >= 10, "it is read meanwhile");

        disk.make_room();
        let count = waiting.len();
        for (_, append) in waiting {
            append.wait().unwrap();
        }
        until("it takes new calls", || journal.refusal().is_none());
        assert_eq!(all(&journal, base).len(), count + 10, "round {round}: all of it, once");
        calls.for_each(|number| _ = put(&journal, released(number, version + 1)));
    }
    journal.close().unwrap();
    drop(journal);
    sound(&disk);
}

fn sound(disk: &SmallDisk) {
    let report = verify(disk.path().join("store"), &mut |_| {}).unwrap();
    assert!(report.is_sound(), "{:?}", report.damages);
}

#[test]
fn closing_on_a_full_disk_loses_nothing_acknowledged() {
    let Some(disk) = disk() else { return };
    let journal = open(&disk).unwrap();
    let (waiting, _) = run_full(&disk, &journal, 0..8);
    let closed = journal.close();
    let outcomes: Vec<_> = waiting.into_iter().map(|(number, append)| (number, append.wait())).collect();
    if outcomes.iter().any(|(_, outcome)| outcome.is_err()) {
        assert!(closed.is_err(), "what waited could not be written, and closing says so");
    }
    drop(journal);

    let refused = open(&disk);
    if let Err(error) = &refused {
        assert!(error.to_string().contains("space"), "{error}");
    }
    drop(refused);
    disk.make_room();
    let journal = open(&disk).unwrap();
    for (number, position) in
        outcomes.into_iter().filter_map(|(number, outcome)| Some((number, outcome.ok()?)))
    {
        let stored = journal.read(call(number)).unwrap();
        assert!(stored.iter().any(|stored| stored.seq == position.seq), "call {number} at {position:?}");
    }
    put(&journal, offered(1_000));
    journal.close().unwrap();
    drop(journal);
    sound(&disk);
}
