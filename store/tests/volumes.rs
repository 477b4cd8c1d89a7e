//! A journal over several volumes: each needs no other one, the oldest can be removed, a damaged one is made again by itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use callbox_events::Timestamp;
use callbox_store::retention::policy::{Retention, Volume};
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::{all, put};
use callbox_store::testing::ruin;
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::verify::verify;
use callbox_store::{Cursor, FindError, Journal, JournalReader, ReadError, find, reader};

/// Volumes of some thirty calls, each of several segments.
fn options() -> Options {
    Options {
        group_delay: Duration::ZERO,
        sink_delay: Duration::from_millis(1),
        segment_bytes: 40 * 1024,
        volume_bytes: 100 * 1024,
        checkpoint_interval: Duration::ZERO,
        ..Options::default()
    }
}

fn open(dir: &Path) -> SledJournal {
    SledJournal::open(dir, options()).unwrap()
}

/// A whole call of three commits, five events.
fn write(journal: &dyn Journal, number: u64) {
    put(journal, offered(number));
    put(journal, commit(number, 1, 2, 2_800));
    put(journal, released(number, 3));
}

/// Calls of `numbers`; with a commit of the call that goes on all the time after each tenth one.
fn fill(journal: &dyn Journal, numbers: std::ops::Range<u64>) {
    for number in numbers {
        write(journal, number);
        if number.is_multiple_of(10) {
            put(journal, commit(ENDLESS, number / 10, 1, 300));
        }
    }
}

const ENDLESS: u64 = 1_000_000;

/// Waits for what a thread of the journal does.
#[track_caller]
fn within_reason(done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not happen");
        std::thread::yield_now();
    }
}

/// Waits until sled has so many volumes.
fn settled(journal: &SledJournal, volumes: usize) {
    within_reason(|| journal.volumes().unwrap().len() >= volumes);
}

fn directories(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("log")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

fn contents(reader: &dyn JournalReader) -> Vec<(u64, u64)> {
    all(reader, Cursor::START).iter().map(|stored| (stored.seq, stored.commit.version)).collect()
}

/// Every call reads back as a walk through everything finds it.
fn calls_agree(reader: &dyn JournalReader) {
    let stored = all(reader, Cursor::START);
    let listed: Vec<_> = reader.calls().unwrap().map(Result::unwrap).collect();
    assert!(listed.is_sorted());
    for call in &listed {
        let expected: Vec<_> = stored.iter().filter(|stored| stored.commit.call == *call).cloned().collect();
        assert_eq!(reader.read(*call).unwrap(), expected, "{call}");
        let head = reader.head(*call).unwrap().unwrap();
        assert_eq!(head.hash, expected.last().unwrap().hash);
    }
    let begun = stored.iter().filter(|stored| stored.commit.version == 0).count();
    assert_eq!(listed.len(), begun);
    assert_eq!(reader.latest().unwrap(), listed.last().copied());
}

fn sound(dir: &Path) {
    let report = verify(dir, &mut |_| {}).unwrap();
    assert_eq!(report.damages, []);
}

#[test]
fn everything_is_read_over_all_volumes_whoever_reads() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..300);
    settled(&journal, 8);
    calls_agree(&journal);
    let expected = contents(&journal);
    let beside = reader::open(dir.path()).unwrap();
    assert_eq!(contents(&*beside), expected);
    calls_agree(&*beside);
    sound(dir.path());
    drop(journal);
    assert!(directories(dir.path()).len() >= 8);
    sound(dir.path());
    let after = reader::open(dir.path()).unwrap();
    assert_eq!(contents(&*after), expected);
    calls_agree(&*after);
    assert_eq!(find(&*after, &call(17).to_string()[..10]), Ok(call(17)));
    let journal = open(dir.path());
    calls_agree(&journal);
    fill(&journal, 300..400);
    calls_agree(&journal);
    assert_eq!(journal.read(call(ENDLESS)).unwrap().len(), 40);
}

#[test]
fn a_volume_ends_at_its_age_too_but_never_empty() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { volume_age: Duration::ZERO, ..options() };
    let journal = SledJournal::open(dir.path(), options).unwrap();
    (0..5).for_each(|number| write(&journal, number));
    settled(&journal, 15);
    let volumes = journal.volumes().unwrap();
    assert_eq!(volumes.len(), 15, "one for each group");
    assert!(
        volumes.iter().all(|volume| volume.begin < volume.end && volume.bytes > 0 && volume.times.is_some())
    );
    calls_agree(&journal);
}

#[test]
fn the_volumes_join_and_say_what_they_hold() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..200);
    settled(&journal, 5);
    let volumes = journal.volumes().unwrap();
    assert_eq!(volumes[0].begin, Cursor::START);
    assert!(volumes.windows(2).all(|pair| pair[0].end == pair[1].begin));
    let (last, finished) = volumes.split_last().unwrap();
    assert_eq!(last.end, journal.tail().unwrap());
    assert!(!last.finished && finished.iter().all(|volume| volume.finished));
    for volume in finished {
        let stored = all(&journal, volume.begin);
        let held: Vec<_> = stored.iter().take_while(|stored| stored.seq < volume.end.seq()).collect();
        assert_eq!(volume.times, Some((held[0].commit.at, held.last().unwrap().commit.at)));
        assert!(volume.bytes > 90_000, "{}", volume.bytes);
    }
    let again = || journal.volumes().unwrap();
    let again = again();
    assert!(again.iter().map(|volume| volume.begin).eq(volumes.iter().map(|volume| volume.begin)));
    drop(journal);
    let reopened = open(dir.path()).volumes().unwrap();
    // sled may change its file when it closes.
    let lasting = |volumes: &[Volume]| -> Vec<_> {
        volumes.iter().map(|volume| (volume.begin, volume.end, volume.times, volume.finished)).collect()
    };
    assert_eq!(lasting(&reopened[..finished.len()]), lasting(finished));
}

/// Removes the oldest volumes, whatever is in them; where the journal begins then.
fn drop_oldest(journal: &SledJournal, count: usize) -> Cursor {
    let kept = journal.volumes().unwrap().iter().skip(count).map(|volume| volume.bytes).sum();
    let retention = Retention { age: None, bytes: Some(kept), unfinished: true };
    journal.prune(retention, false, Timestamp::default(), &mut |_| {}).unwrap();
    journal.begins().unwrap()
}

/// The law of removal, from the inside, beside it, after it, and after opening again.
fn removed(reader: &dyn JournalReader, begin: Cursor, before: &[(u64, u64)]) {
    assert_eq!(reader.begins().unwrap(), begin);
    let kept: Vec<_> = before.iter().filter(|(seq, _)| *seq >= begin.seq()).copied().collect();
    assert_eq!(contents(reader)[..kept.len()], kept);
    calls_agree(reader);
    assert_eq!(reader.read(call(0)).unwrap(), []);
    assert_eq!(reader.head(call(0)).unwrap(), None);
    assert_eq!(reader.read(call(ENDLESS)).unwrap(), [], "it began in what was removed");
    assert_eq!(reader.head(call(ENDLESS)).unwrap(), None);
    let gone = find(reader, &call(0).to_string());
    assert!(matches!(gone, Err(FindError::NotFound { .. })), "{gone:?}");
    let mut following = reader.subscribe(Cursor::START).unwrap();
    match following.next_timeout(Duration::from_secs(10)).unwrap() {
        callbox_store::Next::Commit(first) => assert_eq!(first.seq, begin.seq()),
        other @ (callbox_store::Next::Timeout | callbox_store::Next::Closed) => panic!("{other:?}"),
    }
}

#[test]
fn the_oldest_volumes_are_removed_and_everything_else_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..250);
    settled(&journal, 6);
    let (before, volumes) = (contents(&journal), journal.volumes().unwrap());
    let begin = drop_oldest(&journal, 2);
    assert_eq!(begin, volumes[2].begin);
    assert_eq!(journal.volumes().unwrap()[..3], volumes[2..5]);
    removed(&journal, begin, &before);
    removed(&*reader::open(dir.path()).unwrap(), begin, &before);
    assert!(directories(dir.path())[0].ends_with(format!("{:020}", begin.seq())));
    let oldest = callbox_store::wal::segments(dir.path()).unwrap()[0];
    assert_eq!(oldest, begin.seq());

    put(&journal, commit(ENDLESS, 25, 1, 10));
    fill(&journal, 251..300);
    removed(&journal, begin, &before);
    drop(journal);
    removed(&*reader::open(dir.path()).unwrap(), begin, &before);
    let journal = open(dir.path());
    removed(&journal, begin, &before);
    put(&journal, commit(ENDLESS, 30, 1, 10));
    let active = drop_oldest(&journal, usize::MAX);
    assert!(active > begin);
    assert_eq!(journal.volumes().unwrap().len(), 1, "the active one is never removed");
    assert_eq!(drop_oldest(&journal, 1), active);
    write(&journal, 700);
    calls_agree(&journal);
    drop(journal);
    calls_agree(&open(dir.path()));
}

/// Killed after `PRUNED` was written and before any file, or only some, were removed.
#[test]
fn a_removal_that_was_cut_short_is_ended_by_the_next_opening() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..250);
    settled(&journal, 6);
    let before = contents(&journal);
    let (third, oldest) = (journal.volumes().unwrap()[3].begin, directories(dir.path()));
    drop(journal);
    let copy = ruin::copy_of(dir.path());
    let journal = open(dir.path());
    drop_oldest(&journal, 3);
    drop(journal);
    for removed_already in 0..4 {
        let killed = ruin::copy_of(copy.path());
        fs::copy(dir.path().join("PRUNED"), killed.path().join("PRUNED")).unwrap();
        for segment in callbox_store::wal::segments(copy.path()).unwrap().iter().take(removed_already * 2) {
            fs::remove_file(callbox_store::wal::path(killed.path(), *segment)).unwrap();
        }
        for old in oldest.iter().take(removed_already) {
            fs::remove_dir_all(killed.path().join("log").join(old.file_name().unwrap())).unwrap();
        }
        removed(&*reader::open(killed.path()).unwrap(), third, &before);
        let journal = open(killed.path());
        removed(&journal, third, &before);
        drop(journal);
        assert_eq!(directories(killed.path()).len(), directories(dir.path()).len());
        assert_eq!(callbox_store::wal::segments(killed.path()).unwrap()[0], third.seq());
    }
}

#[test]
fn a_reader_that_is_overtaken_by_the_removal_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..250);
    settled(&journal, 6);
    let end = journal.volumes().unwrap()[0].end;
    let mut walk = journal.read_all(Cursor::START).unwrap();
    assert_eq!(walk.next().unwrap().unwrap().seq, 0);
    drop_oldest(&journal, 3);
    let rest: Vec<_> = walk.collect();
    let (last, read) = rest.split_last().unwrap();
    assert!(read.iter().all(Result::is_ok) && read.len() as u64 <= end.seq());
    assert!(matches!(last, Err(ReadError::Unavailable { why }) if why.contains("removed")), "{last:?}");
}

#[test]
fn a_damaged_volume_is_made_again_by_itself_and_the_others_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..200);
    settled(&journal, 5);
    let expected = contents(&journal);
    drop(journal);
    let damaged = directories(dir.path())[1].join("db");
    let length = fs::metadata(&damaged).unwrap().len();
    fs::File::options().write(true).open(&damaged).unwrap().set_len(length / 3).unwrap();
    let report = verify(dir.path(), &mut |_| {}).unwrap();
    assert!(!report.is_sound());
    assert_eq!(contents(&*reader::open(dir.path()).unwrap()), expected);

    let journal = open(dir.path());
    assert_eq!(journal.stats().remade, 0, "opening does not look at it");
    assert_eq!(contents(&journal), expected, "reading does, and is served from the log");
    within_reason(|| {
        calls_agree(&journal);
        journal.stats().remade > 0
    });
    assert_eq!(fs::read_dir(dir.path().join("aside")).unwrap().count(), 1);
    calls_agree(&journal);
    fill(&journal, 200..220);
    drop(journal);
    sound(dir.path());
}

#[test]
fn a_volume_whose_directory_vanished_is_made_again_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..200);
    settled(&journal, 5);
    let expected = contents(&journal);
    drop(journal);
    let count = directories(dir.path()).len();
    for gone in [0, 2, count - 1] {
        for with_facts in [false, true] {
            let damaged = ruin::copy_of(dir.path());
            let volume = directories(damaged.path())[gone].clone();
            fs::remove_dir_all(&volume).unwrap();
            if with_facts {
                let _ = fs::remove_file(volume.with_extension("facts"));
            }
            assert!(!verify(damaged.path(), &mut |_| {}).unwrap().is_sound());
            assert_eq!(contents(&*reader::open(damaged.path()).unwrap()), expected);
            let journal = open(damaged.path());
            assert_eq!(contents(&journal), expected);
            calls_agree(&journal);
            within_reason(|| directories(damaged.path()).len() >= count);
            calls_agree(&journal);
            drop(journal);
            sound(damaged.path());
        }
    }
}

#[test]
fn facts_that_are_missing_or_wrong_are_told_or_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..120);
    settled(&journal, 3);
    drop(journal);
    let facts = directories(dir.path())[0].with_extension("facts");
    let text = fs::read_to_string(&facts).unwrap();
    fs::write(&facts, text.replace("begun ", "begun 0")).unwrap();
    assert!(!verify(dir.path(), &mut |_| {}).unwrap().is_sound());
    drop(open(dir.path()));
    assert_eq!(fs::read_to_string(&facts).unwrap(), text);
    fs::remove_file(&facts).unwrap();
    drop(open(dir.path()));
    assert_eq!(fs::read_to_string(&facts).unwrap(), text);
    sound(dir.path());
}
