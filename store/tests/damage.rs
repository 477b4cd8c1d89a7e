//! Bytes are changed or cut off behind the store's back: opening or `verify` says what is damaged; nothing panics.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use callbox_events::schema;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::put;
use callbox_store::testing::sample::{commit, offered, released};
use callbox_store::verify::{Report, verify};
use callbox_store::{Cursor, JournalReader, OpenError, reader};

const CALLS: u64 = 40;

fn fill(dir: &Path) {
    let journal = SledJournal::open(dir, Options::default()).unwrap();
    for number in 0..CALLS {
        put(&journal, offered(number));
        put(&journal, commit(number, 1, 2, if number == 9 { 50_000 } else { 800 }));
        if number % 5 != 0 {
            put(&journal, released(number, 3));
        }
    }
}

fn db(dir: &Path) -> PathBuf {
    dir.join("log").join(format!("{:020}", 0)).join("db")
}

fn check(dir: &Path) -> Report {
    verify(dir, &mut |_| {}).unwrap()
}

/// A copy of the store to be damaged.
fn copy_of(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_dir(dir, copy.path());
    copy
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Everything in global order, encoded; or the first error.
fn contents(reader: &dyn JournalReader) -> Result<Vec<Vec<u8>>, String> {
    let commits = reader.read_all(Cursor::START).map_err(|error| error.to_string())?;
    commits
        .map(|stored| stored.map(|stored| schema::encode(&stored.commit).unwrap()).map_err(|e| e.to_string()))
        .collect()
}

#[test]
fn a_sound_store_is_called_so() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let report = check(dir.path());
    assert_eq!(report.damages, []);
    assert_eq!((report.calls, report.commits, report.events), (CALLS, 2 * CALLS + 32, 3 * CALLS + 64));
    let journal = SledJournal::open(dir.path(), Options::default()).unwrap();
    assert_eq!(check(dir.path()), report, "through its writer too");
    drop(journal);
}

/// Whatever byte is flipped: either it was of no account and everything reads back, or it is told.
#[test]
fn a_flipped_byte_is_told_or_of_no_account() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let sound = contents(&*reader::open(dir.path()).unwrap()).unwrap();
    let bytes = fs::read(db(dir.path())).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let (mut told, mut harmless) = (0, 0);
    for step in 0..60 {
        let place = (used * step + step * 37) / 60;
        let damaged = copy_of(dir.path());
        let mut changed = bytes.clone();
        changed[place] ^= 0x40;
        fs::write(db(damaged.path()), changed).unwrap();
        let report = check(damaged.path());
        let read =
            reader::open(damaged.path()).map_err(|error| error.to_string()).and_then(|r| contents(&*r));
        if report.is_sound() {
            harmless += 1;
            assert_eq!(read.as_ref(), Ok(&sound), "byte {place} is damaged silently");
        } else {
            told += 1;
        }
        let opened = SledJournal::open(damaged.path(), Options::default());
        if let Ok(journal) = opened {
            let read = contents(&journal);
            assert!(read.is_err() || read.as_ref() == Ok(&sound), "byte {place} is damaged silently");
        }
    }
    assert!(told > 10, "{told} told, {harmless} harmless");
}

#[test]
fn a_truncated_log_is_told() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let length = fs::metadata(db(dir.path())).unwrap().len();
    let used = fs::read(db(dir.path())).unwrap().iter().rposition(|byte| *byte != 0).unwrap() as u64;
    for kept in [0, 100, used / 3, used / 2, used - 10_000, used - 1] {
        let damaged = copy_of(dir.path());
        fs::File::options().write(true).open(db(damaged.path())).unwrap().set_len(kept).unwrap();
        let report = check(damaged.path());
        assert!(!report.is_sound(), "cut to {kept} of {used} ({length})");
        let error = reader::open(damaged.path()).err().unwrap();
        assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
        let error = SledJournal::open(damaged.path(), Options::default()).err().unwrap();
        assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    }
}

#[test]
fn a_log_that_vanished_is_told() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    assert!(!check(dir.path()).is_sound());
    let error = SledJournal::open(dir.path(), Options::default()).err().unwrap();
    assert!(error.to_string().contains("was acknowledged"), "{error}");
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
    let left = db(dir.path()).with_file_name("snap.00000000000000FF.generating");
    fs::write(&left, "half a snapshot").unwrap();
    assert_eq!(contents(&*reader::open(dir.path()).unwrap()).unwrap().len(), 112);
    assert!(left.exists(), "a reader changes nothing");
    SledJournal::open(dir.path(), Options::default()).unwrap();
    assert!(!left.exists());
}

#[test]
fn a_damaged_snapshot_is_rebuilt_and_a_copy_kept() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let log = db(dir.path()).parent().unwrap().to_owned();
    let snapshots: Vec<_> = fs::read_dir(&log)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("snap."))
        .collect();
    for snapshot in &snapshots {
        let mut bytes = fs::read(snapshot).unwrap();
        bytes.iter_mut().for_each(|byte| *byte ^= 0x5a);
        fs::write(snapshot, bytes).unwrap();
    }
    let journal = SledJournal::open(dir.path(), Options::default()).unwrap();
    assert_eq!(contents(&journal).unwrap().len(), 112);
    println!("{} snapshots, aside: {}", snapshots.len(), dir.path().join("aside").exists());
}
