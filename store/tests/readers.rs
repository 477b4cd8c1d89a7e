//! Reading a store beside its writer, in this process and in another, and after it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use callbox_events::schema::{self, StoredCommit};
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::{all, put};
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::{Cursor, Journal, JournalReader, Next, OpenError, ReadError, find, reader};

const CALLS: u64 = 60;

fn open(dir: &Path) -> SledJournal {
    SledJournal::open(dir, Options::default()).unwrap()
}

fn write_some(journal: &dyn Journal) {
    for number in 0..CALLS {
        put(journal, offered(number));
        put(journal, commit(number, 1, 2, 900));
        if number % 4 != 0 {
            put(journal, released(number, 3));
        }
    }
}

/// Everything a reader says, as text.
fn testimony(reader: &dyn JournalReader) -> String {
    let mut said = format!("tail {:?}\n", reader.tail().unwrap());
    for stored in all(reader, Cursor::START) {
        said += &format!(
            "{} {:02x?} {:02x?}\n",
            stored.seq,
            stored.hash,
            schema::encode(&stored.commit).unwrap()
        );
    }
    for call in reader.calls().unwrap().map(Result::unwrap) {
        said += &format!("{call} {:?} {:?}\n", reader.head(call).unwrap(), reader.read(call).unwrap());
    }
    said + &format!("latest {:?}", reader.latest().unwrap())
}

#[test]
fn a_reader_says_the_same_as_the_writer_beside_it_and_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    write_some(&journal);
    let expected = testimony(&journal);
    let beside = reader::open(dir.path()).unwrap();
    assert_eq!(testimony(&*beside), expected);
    drop(journal);
    let gone = beside.tail().unwrap_err();
    assert!(matches!(gone, ReadError::Interrupted { .. }), "{gone}");
    assert_eq!(testimony(&*reader::open(dir.path()).unwrap()), expected);
}

#[test]
fn a_reader_refuses_what_the_writer_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    put(&journal, offered(1));
    let beside = reader::open(dir.path()).unwrap();
    let beyond = ReadError::Beyond { wanted: 9, tail: 1 };
    assert_eq!(beside.read_all(Cursor::at(9)).err(), Some(beyond.clone()));
    assert_eq!(beside.subscribe(Cursor::at(9)).err(), Some(beyond));
    assert_eq!(beside.read(call(7)).unwrap(), []);
    assert_eq!(beside.head(call(7)).unwrap(), None);
    assert_eq!(find(&*beside, &call(1).to_string()[..6]), Ok(call(1)));
}

#[test]
fn a_reader_follows_the_writer_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    put(&journal, offered(0));
    let beside = reader::open(dir.path()).unwrap();
    let mut following = beside.subscribe(Cursor::START).unwrap();
    let mut next = || following.next_timeout(Duration::from_secs(30)).unwrap();
    for number in 0..200 {
        match next() {
            Next::Commit(stored) => assert_eq!(stored.commit.call, call(number)),
            other @ (Next::Timeout | Next::Closed) => panic!("{other:?}"),
        }
        if number < 199 {
            put(&journal, offered(number + 1));
        }
    }
    journal.close().unwrap();
    assert_eq!(next(), Next::Closed);
}

#[test]
fn a_process_of_its_own_reads_while_the_writer_writes_and_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    put(&journal, offered(1_000));
    let commits = 2 * CALLS + CALLS * 3 / 4 + 2;
    let child = child_reader(dir.path(), commits);
    write_some(&journal);
    put(&journal, released(1_000, 1));
    let expected = seen(all(&journal, Cursor::START).iter());
    assert_eq!(said_by(child), expected);
    drop(journal);
    assert_eq!(said_by(child_reader(dir.path(), commits)), expected);
}

fn seen<'a>(commits: impl Iterator<Item = &'a StoredCommit>) -> Vec<String> {
    let line = |stored: &StoredCommit| {
        let encoded = schema::encode(&stored.commit).unwrap();
        let hash = u32::from_be_bytes([stored.hash[0], stored.hash[1], stored.hash[2], stored.hash[3]]);
        format!("saw {} {hash:08x} {:08x} {}", stored.seq, crc32c::crc32c(&encoded), encoded.len())
    };
    commits.map(line).collect()
}

fn child_reader(dir: &Path, commits: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_that_reads", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("CALLBOX_TEST_DIR", dir).env("CALLBOX_TEST_COMMITS", commits.to_string());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

fn said_by(child: Child) -> Vec<String> {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    text.lines().filter(|line| line.starts_with("saw ")).map(str::to_owned).collect()
}

#[test]
#[ignore = "a process of another test"]
fn child_that_reads() {
    let Some(dir) = std::env::var_os("CALLBOX_TEST_DIR") else { return };
    let commits: u64 = std::env::var("CALLBOX_TEST_COMMITS").unwrap().parse().unwrap();
    let reader = reader::open(dir).unwrap();
    let mut following = reader.subscribe(Cursor::START).unwrap();
    println!("\nwhat comes before is the test runner's");
    for _ in 0..commits {
        match following.next_timeout(Duration::from_secs(30)).unwrap() {
            Next::Commit(stored) => println!("{}", seen(std::iter::once(&*stored)).join("")),
            other @ (Next::Timeout | Next::Closed) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_long_path_has_its_socket_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let long = dir.path().join("d".repeat(120));
    let journal = open(&long);
    put(&journal, offered(1));
    assert_eq!(reader::open(&long).unwrap().read(call(1)).unwrap().len(), 1);
    let socket = fs::read_to_string(long.join("live.sock.path")).unwrap();
    drop(journal);
    assert!(!Path::new(&socket).exists());
}

#[test]
fn what_is_no_store_is_called_so() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    assert!(matches!(reader::open(&missing), Err(OpenError::Missing { .. })));
    assert!(matches!(reader::open(dir.path()), Err(OpenError::NotAStore { .. })));
    fs::write(dir.path().join("diary.txt"), "dear diary").unwrap();
    let error = SledJournal::open(dir.path(), Options::default()).err().unwrap();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "and left alone");
}

#[test]
fn a_newer_store_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    fs::write(dir.path().join("FORMAT"), "callbox journal\nformat 4\n").unwrap();
    let errors = [SledJournal::open(dir.path(), Options::default()).err(), reader::open(dir.path()).err()];
    for error in errors {
        let error = error.unwrap();
        assert!(matches!(error, OpenError::Newer { found: 4, supported: 3, .. }), "{error}");
    }
}

#[test]
fn a_second_writer_is_told_who_holds_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let _journal = open(dir.path());
    let error = SledJournal::open(dir.path(), Options::default()).err().unwrap();
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
}

/// Names, sizes, times and contents of all files.
fn fingerprint(dir: &Path) -> BTreeMap<String, (u64, SystemTime, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(fingerprint(&path));
        } else {
            let meta = entry.metadata().unwrap();
            let name = path.to_string_lossy().into_owned();
            found.insert(name, (meta.len(), meta.modified().unwrap(), fs::read(&path).unwrap()));
        }
    }
    found
}

#[test]
fn a_reader_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    write_some(&journal);
    drop(journal);
    let before = fingerprint(dir.path());
    let copy = reader::open(dir.path()).unwrap();
    assert!(testimony(&*copy).len() > 1_000);
    drop(copy);
    assert_eq!(fingerprint(dir.path()), before);
}

#[test]
fn an_empty_store_reads_as_empty() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let empty = reader::open(dir.path()).unwrap();
    assert_eq!(all(&*empty, Cursor::START), []);
    assert_eq!(empty.calls().unwrap().count(), 0);
    assert_eq!(empty.read(call(1)).unwrap(), []);
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    fs::remove_file(dir.path().join("WATERMARK")).unwrap();
    assert_eq!(all(&*reader::open(dir.path()).unwrap(), Cursor::START), []);
}

/// Whatever moves from the log to sled meanwhile: each walk gives everything up to where it began, once and in order.
#[test]
fn walks_beside_a_busy_writer_have_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { sink_bytes: 3_000, sink_delay: Duration::ZERO, ..Options::default() };
    let journal = SledJournal::open(dir.path(), options).unwrap();
    std::thread::scope(|scope| {
        let writing =
            scope.spawn(|| (0..1_500).for_each(|number| _ = put(&journal, commit(number, 0, 1, 2_000))));
        let mut walks = 0;
        while !writing.is_finished() || walks == 0 {
            let tail = journal.tail().unwrap().seq();
            let seqs: Vec<u64> =
                journal.read_all(Cursor::START).unwrap().map(|stored| stored.unwrap().seq).collect();
            assert!(seqs.len() as u64 >= tail, "{} of {tail}", seqs.len());
            assert!(seqs.iter().copied().eq(0..seqs.len() as u64));
            walks += 1;
        }
        println!("{walks} walks");
    });
}
