//! A store of format 2: one volume, whose segments don't say that they begin one.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use callbox_events::Timestamp;

use crate::journal::{Cursor, JournalReader};
use crate::retention::policy::Retention;
use crate::sled::tree::{Batch, Tree};
use crate::sled::{Options, SledJournal};
use crate::testing::conformance::{all, put};
use crate::testing::sample::{call, commit, offered, released};
use crate::verify::verify;
use crate::{OpenError, keys, layout, reader, wal};

fn options() -> Options {
    Options {
        group_delay: Duration::ZERO,
        sink_delay: Duration::from_millis(1),
        segment_bytes: 60 * 1024,
        volume_bytes: u64::MAX,
        ..Options::default()
    }
}

fn write(journal: &SledJournal, number: u64) {
    put(journal, offered(number));
    put(journal, commit(number, 1, 2, 2_800));
    if !number.is_multiple_of(7) {
        put(journal, released(number, 3));
    }
}

/// As a callbox wrote it that knew no volumes.
fn write_format_2(dir: &Path) {
    let journal = SledJournal::open(dir, options()).unwrap();
    (0..100).for_each(|number| write(&journal, number));
    drop(journal);
    for segment in wal::segments(dir).unwrap() {
        let file = fs::File::options().write(true).open(wal::path(dir, segment)).unwrap();
        file.write_all_at(&[1], 7).unwrap();
    }
    let tree = Tree::open(&layout::log_dir(dir, 0), 1 << 20).unwrap();
    let mut batch = Batch::default();
    batch.put(keys::VERSION, &2u16.to_be_bytes());
    tree.commit(batch).unwrap();
    drop(tree);
    let format = fs::read_to_string(dir.join("FORMAT")).unwrap();
    fs::write(dir.join("FORMAT"), format.replace("format 3", "format 2")).unwrap();
}

fn holds(reader: &dyn JournalReader, calls: u64) {
    assert_eq!(reader.calls().unwrap().map(Result::unwrap).count() as u64, calls);
    assert_eq!(reader.read(call(7)).unwrap().len(), 2);
    assert_eq!(reader.read(call(99)).unwrap().len(), 3);
    assert_eq!(reader.begins().unwrap(), Cursor::START);
}

#[test]
fn it_is_read_as_it_is_and_becomes_the_newer_one_when_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    write_format_2(dir.path());
    let expected = all(&*reader::open(dir.path()).unwrap(), Cursor::START);
    holds(&*reader::open(dir.path()).unwrap(), 100);
    assert_eq!(verify(dir.path(), &mut |_| {}).unwrap().damages, []);
    assert_eq!(layout::check(dir.path()).unwrap(), 2, "a reader changes nothing");

    let small = Options { volume_bytes: 100 * 1024, ..options() };
    let journal = SledJournal::open(dir.path(), small.clone()).unwrap();
    assert_eq!(layout::check(dir.path()).unwrap(), 3);
    assert_eq!(all(&journal, Cursor::START), expected);
    (100..200).for_each(|number| write(&journal, number));
    put(&journal, released(7, 3));
    holds_all(&journal);
    drop(journal);
    assert!(wal::volumes(dir.path()).unwrap().len() > 1, "further volumes have begun");
    assert_eq!(verify(dir.path(), &mut |_| {}).unwrap().damages, []);
    let journal = SledJournal::open(dir.path(), small).unwrap();
    holds_all(&journal);
    let all_due = |unfinished| Retention { bytes: Some(0), unfinished, ..Retention::default() };
    let prune = |due| journal.prune(due, false, Timestamp::default(), &mut |_| {}).unwrap();
    assert!(prune(all_due(false)).stays.is_some(), "some calls of the first volume go on");
    assert!(!prune(all_due(true)).removed.is_empty());
    let begin = journal.begins().unwrap();
    assert!(begin > Cursor::START && all(&journal, Cursor::START).first().unwrap().seq == begin.seq());
}

fn holds_all(journal: &SledJournal) {
    assert_eq!(journal.calls().unwrap().map(Result::unwrap).count(), 200);
    assert_eq!(journal.read(call(7)).unwrap().len(), 3);
    assert_eq!(journal.read(call(150)).unwrap().len(), 3);
}

/// Its only volume can be made again, too.
#[test]
fn its_sled_is_made_again_from_segments_that_name_no_volume() {
    let dir = tempfile::tempdir().unwrap();
    write_format_2(dir.path());
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    holds(&*reader::open(dir.path()).unwrap(), 100);
    let journal = SledJournal::open(dir.path(), options()).unwrap();
    holds(&journal, 100);
    drop(journal);
    assert_eq!(verify(dir.path(), &mut |_| {}).unwrap().damages, []);
}

/// A callbox that knows no volumes must not open it: the number it looks at is higher than its own.
#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(SledJournal::open(dir.path(), options()).unwrap());
    fs::write(dir.path().join("FORMAT"), "callbox journal\nformat 4\n").unwrap();
    let refused = SledJournal::open(dir.path(), options()).err().unwrap();
    assert!(matches!(refused, OpenError::Newer { found: 4, supported: 3, .. }), "{refused}");
}
