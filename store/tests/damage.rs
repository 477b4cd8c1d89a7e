//! Bytes are changed or cut off behind the store's back. The log is kept twice: what is damaged in one copy is read from
//! the other; what is damaged in both is told, and everything else stays readable. Nothing panics.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use callbox_store::repair::repair;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::put;
use callbox_store::testing::ruin::{by_call, contents, copy_of, flip, truncate};
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::verify::{Report, verify};
use callbox_store::wal;
use callbox_store::{OpenError, reader};

/// Enough for several of sled's segments.
const CALLS: u64 = 300;

fn fill(dir: &Path) {
    let journal = SledJournal::open(dir, Options::default()).unwrap();
    write(&journal);
}

fn write(journal: &SledJournal) {
    for number in 0..CALLS {
        put(journal, offered(number));
        put(journal, commit(number, 1, 2, if number == 9 { 50_000 } else { 2_800 }));
        if number % 5 != 0 {
            put(journal, released(number, 3));
        }
    }
}

/// Bytes that are flipped, one in each copy of the store.
const FLIPS: usize = 16;

const COMMITS: usize = 300 * 2 + 240;

fn tree(dir: &Path) -> PathBuf {
    dir.join("log").join(format!("{:020}", 0)).join("db")
}

fn segment(dir: &Path) -> PathBuf {
    wal::path(dir, 0)
}

fn check(dir: &Path) -> Report {
    verify(dir, &mut |_| {}).unwrap()
}

/// Whoever reads it, and however, gets everything.
fn nothing_is_lost(dir: &Path, sound: &[Vec<u8>], what: &str) {
    let reader = reader::open(dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(contents(&*reader).as_deref() == Ok(sound), "{what}: {:?}", contents(&*reader).err());
    assert_eq!(by_call(&*reader), Ok(sound.len()), "{what}");
    drop(reader);
    let journal =
        SledJournal::open(dir, Options::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(contents(&journal).as_deref() == Ok(sound), "{what}: {:?}", contents(&journal).err());
    assert_eq!(by_call(&journal), Ok(sound.len()), "{what}");
}

#[test]
fn a_sound_store_is_called_so() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let report = check(dir.path());
    assert_eq!(report.damages, []);
    assert_eq!(
        (report.calls, report.commits, report.events),
        (CALLS, COMMITS as u64, 3 * CALLS + 2 * (CALLS - CALLS / 5))
    );
    let journal = SledJournal::open(dir.path(), Options::default()).unwrap();
    assert_eq!(check(dir.path()), report, "through its writer too");
    drop(journal);
}

#[test]
fn a_flipped_byte_in_sled_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let sound = contents(&*reader::open(dir.path()).unwrap()).unwrap();
    let length = fs::metadata(tree(dir.path())).unwrap().len() as usize;
    assert!(length > 3 * 512 * 1024, "several segments of sled: {length}");
    let mut told = 0;
    for step in 0..FLIPS {
        let place = (length * step + step * 37) / FLIPS;
        let damaged = copy_of(dir.path());
        flip(&tree(damaged.path()), place);
        told += usize::from(!check(damaged.path()).is_sound());
        nothing_is_lost(damaged.path(), &sound, &format!("byte {place} of sled's file"));
    }
    println!("{told} of {FLIPS} told; the others were of no account");
    assert!(told > 0);
}

#[test]
fn a_flipped_byte_in_the_write_ahead_log_is_told_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let sound = contents(&*reader::open(dir.path()).unwrap()).unwrap();
    let length = fs::metadata(segment(dir.path())).unwrap().len() as usize;
    for step in 0..FLIPS {
        let place = (length * step + step * 37) / FLIPS;
        let damaged = copy_of(dir.path());
        flip(&segment(damaged.path()), place);
        let report = check(damaged.path());
        assert!(!report.is_sound(), "byte {place}");
        assert_eq!(report.commits, COMMITS as u64, "all of it is still there");
        nothing_is_lost(damaged.path(), &sound, &format!("byte {place} of the write-ahead log"));
    }
}

#[test]
fn what_is_damaged_in_both_copies_is_told_and_the_rest_goes_to_a_new_store() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let sound = contents(&*reader::open(dir.path()).unwrap()).unwrap();
    // sled's part is gone altogether, and a byte in the middle of the other one is wrong.
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    let length = fs::metadata(segment(dir.path())).unwrap().len() as usize;
    flip(&segment(dir.path()), length / 2);
    let report = check(dir.path());
    assert!(!report.is_sound() && report.commits > 0);
    let error = SledJournal::open(dir.path(), Options::default()).err().unwrap();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");

    let new = tempfile::tempdir().unwrap();
    let into = new.path().join("new");
    let repaired = repair(dir.path(), &into, &mut |_| {}).unwrap();
    assert_eq!(repaired.lost.len(), 1, "{:?}", repaired.lost);
    assert!(check(&into).is_sound());
    let saved: BTreeSet<Vec<u8>> = contents(&*reader::open(&into).unwrap()).unwrap().into_iter().collect();
    assert_eq!(saved.len() as u64, repaired.commits);
    let lost: Vec<_> = sound.iter().filter(|commit| !saved.contains(*commit)).collect();
    assert!((1..=3).contains(&lost.len()), "{} commits are lost", lost.len());
}

#[test]
fn a_truncated_file_loses_nothing_while_the_other_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let sound = contents(&*reader::open(dir.path()).unwrap()).unwrap();
    for file in [tree, segment] {
        let length = fs::metadata(file(dir.path())).unwrap().len();
        for kept in [0, 10, 100, length / 3, length / 2, length - 10_000, length - 1] {
            let damaged = copy_of(dir.path());
            let path = file(damaged.path());
            truncate(&path, kept);
            nothing_is_lost(damaged.path(), &sound, &format!("{} cut to {kept} of {length}", path.display()));
        }
    }
}

#[test]
fn a_directory_that_vanished_is_made_again_from_the_other_one() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let sound = contents(&*reader::open(dir.path()).unwrap()).unwrap();
    for name in ["log", "wal"] {
        let damaged = copy_of(dir.path());
        fs::remove_dir_all(damaged.path().join(name)).unwrap();
        assert!(!check(damaged.path()).is_sound(), "{name}");
        nothing_is_lost(damaged.path(), &sound, name);
        let journal = SledJournal::open(damaged.path(), Options::default()).unwrap();
        put(&journal, offered(CALLS + 1));
        drop(journal);
        let reader = reader::open(damaged.path()).unwrap();
        assert_eq!(reader.read(call(CALLS + 1)).unwrap().len(), 1, "and goes on");
    }
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    fs::remove_dir_all(dir.path().join("wal")).unwrap();
    assert!(!check(dir.path()).is_sound());
    let error = SledJournal::open(dir.path(), Options::default()).err().unwrap();
    assert!(error.to_string().contains("was acknowledged"), "{error}");
}

/// What is durable but was not carried over to sled has one copy only.
#[test]
fn damage_to_the_youngest_is_told_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let lazy =
        Options { sink_bytes: usize::MAX / 2, sink_delay: std::time::Duration::MAX, ..Options::default() };
    let journal = SledJournal::open(dir.path(), lazy).unwrap();
    write(&journal);
    // As a killed engine would have left it.
    let killed = copy_of(dir.path());
    drop(journal);
    fs::write(killed.path().join("LOCK"), "").unwrap();
    assert_eq!(check(killed.path()).damages, []);
    let length = fs::read(segment(killed.path())).unwrap().iter().rposition(|byte| *byte != 0).unwrap();
    flip(&segment(killed.path()), length / 2);
    let error = SledJournal::open(killed.path(), Options::default()).err().unwrap();
    assert!(error.to_string().contains("write-ahead log, segment 0, byte "), "{error}");
    let report = check(killed.path());
    assert!(report.commits > COMMITS as u64 - 5 && report.damaged > 0, "{report:?}");
}

#[test]
fn a_damaged_watermark_is_told_but_keeps_nobody_out() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    fs::write(dir.path().join("WATERMARK"), "00000000000000099999 12345678\n").unwrap();
    let report = check(dir.path());
    assert_eq!(report.damages.len(), 1);
    assert_eq!(report.damages[0].place, "WATERMARK");
    SledJournal::open(dir.path(), Options::default()).unwrap();
}

#[test]
fn a_left_over_of_a_killed_open_is_cleared_away() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let left = tree(dir.path()).with_file_name("snap.00000000000000FF.generating");
    fs::write(&left, "half a snapshot").unwrap();
    assert_eq!(contents(&*reader::open(dir.path()).unwrap()).unwrap().len(), COMMITS);
    assert!(left.exists(), "a reader changes nothing");
    SledJournal::open(dir.path(), Options::default()).unwrap();
    assert!(!left.exists());
}
