//! The process whose power is cut, and what must be true of the directory it leaves.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use callbox_events::Timestamp;
use callbox_events::schema::Commit;
use callbox_store::retention::policy::Retention;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::all;
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::verify::verify;
use callbox_store::{Cursor, Expect, Journal, JournalReader, reader};

use super::trace::{Act, Event};

/// The store below the directory whose power is cut: it has to be made, with what is above it.
pub fn store(root: &Path) -> PathBuf {
    root.join("calls").join("store")
}

/// A commit that was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acked {
    pub call: u64,
    pub version: u64,
    pub seq: u64,
}

/// What the process said of its acknowledgements.
pub fn acked(event: &Event) -> Vec<Acked> {
    let Act::Say { text } = &event.act else { return Vec::new() };
    text.lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<Acked> {
    let mut numbers = line.strip_prefix("acked ")?.strip_suffix(" .")?.split(' ').map(str::parse::<u64>);
    let mut next = || numbers.next()?.ok();
    Some(Acked { call: next()?, version: next()?, seq: next()? })
}

/// Everything happens often: volumes and segments of the write-ahead log are begun, batches go to sled.
fn options() -> Options {
    Options {
        sink_bytes: 16 * 1024,
        sink_delay: Duration::from_millis(5),
        segment_bytes: 60 * 1024,
        volume_bytes: 150 * 1024,
        serve_readers: false,
        ..Options::default()
    }
}

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It closes the store, and opens it again before the half of its calls.
    Closes,
    /// It aborts while it writes.
    Aborts,
    /// It closes the store like that, and before it does, it removes the oldest volume.
    Removes,
}

/// The command that runs [`write`] in a process of its own: `calls` calls from number `first` on.
pub fn writer(root: &Path, first: u64, calls: u64, ending: Ending) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_that_writes", "--ignored", "--nocapture", "--test-threads=1", "--quiet"]);
    command.env("CALLBOX_TEST_DIR", store(root));
    command.env("CALLBOX_TEST_WORK", format!("{first} {calls} {}", ending as u8));
    command
}

/// What that process does.
pub fn write() {
    let Some(dir) = std::env::var_os("CALLBOX_TEST_DIR").map(PathBuf::from) else { return };
    let work = std::env::var("CALLBOX_TEST_WORK").unwrap();
    let numbers: Vec<u64> = work.split(' ').map(|text| text.parse().unwrap()).collect();
    let &[first, calls, ending] = numbers.as_slice() else { panic!("{work}") };
    for half in 0..2 {
        let from = first + half * calls / 2;
        let journal = SledJournal::open(&dir, options()).unwrap();
        say("\nopen\n");
        std::thread::scope(|scope| {
            let lanes = 3;
            for lane in 0..lanes {
                let journal = &journal;
                let mine = (from..from + calls / 2).skip(lane).step_by(lanes);
                scope.spawn(move || {
                    for number in mine {
                        if ending == Ending::Aborts as u64 && number == first + calls * 3 / 4 {
                            std::process::abort();
                        }
                        write_call(journal, number);
                    }
                });
            }
        });
        if ending == Ending::Removes as u64 {
            let due = Retention { bytes: Some(0), ..Retention::default() };
            journal.prune(due, false, Timestamp::default(), &mut |_| {}).unwrap();
            assert!(journal.begins().unwrap() > Cursor::START);
        }
        journal.close().unwrap();
    }
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).unwrap();
    out.flush().unwrap();
}

fn write_call(journal: &SledJournal, number: u64) {
    for version in [0, 1, 3, 5] {
        let commit = content(number, version);
        let expect = Expect::of(&commit);
        let position = journal.append(commit, expect).wait().unwrap();
        say(&format!("acked {number} {version} {} .\n", position.seq));
    }
}

/// Calls of four commits, some with a large message.
fn content(number: u64, version: u64) -> Commit {
    match version {
        0 => offered(number),
        5 => released(number, 5),
        _ => commit(number, version, 2, if number.is_multiple_of(11) { 30_000 } else { 700 }),
    }
}

/// A call that no writer writes.
const ONE_MORE: u64 = 9_000_000;

/// Opens what was left, for reading and for writing, and says what is wrong with it.
pub fn check(root: &Path, acked: &[Acked]) -> Result<(), String> {
    let dir = store(root);
    if dir.join("FORMAT").exists() || !acked.is_empty() {
        let reader = reader::open(&dir).map_err(|error| format!("a reader can't open it: {error}"))?;
        holds(&*reader, acked).map_err(|what| format!("a reader finds that {what}"))?;
    }
    let journal =
        SledJournal::open(&dir, options()).map_err(|error| format!("it can't be opened: {error}"))?;
    holds(&journal, acked)?;
    let one_more = offered(ONE_MORE);
    let expect = Expect::of(&one_more);
    let position = journal.append(one_more, expect).wait();
    let position = position.map_err(|error| format!("it does not go on: {error}"))?;
    journal.close().map_err(|error| error.to_string())?;
    drop(journal);
    let report = verify(&dir, &mut |_| {}).map_err(|error| format!("verify can't open it: {error}"))?;
    let reader = reader::open(&dir).map_err(|error| format!("no reader can open it again: {error}"))?;
    if !report.is_sound() {
        return Err(format!("verify complains after the recovery: {:?}", report.damages));
    }
    let found = reader.read(call(ONE_MORE)).map_err(|error| error.to_string())?;
    if found.first().map(|stored| stored.seq) != Some(position.seq) {
        return Err("what was appended after the recovery is not there".into());
    }
    Ok(())
}

/// Everything acknowledged is there and whole, unless it was removed with its volume; what else is there is whole too, and nothing is missing in between.
fn holds(reader: &dyn JournalReader, acked: &[Acked]) -> Result<(), String> {
    let stored = all(reader, Cursor::START);
    let mut places = HashMap::new();
    let begin = reader.begins().map_err(|error| error.to_string())?.seq();
    let mut next = begin;
    for commit in &stored {
        if commit.seq != next {
            return Err(format!("there is a gap at {next}: after it comes {}", commit.seq));
        }
        next = Cursor::after(commit).seq();
        places.insert((commit.commit.call, commit.commit.version), commit);
    }
    for ack in acked.iter().filter(|ack| ack.seq >= begin) {
        let found = places.remove(&(call(ack.call), ack.version));
        let found = found.ok_or_else(|| format!("{ack:?} is lost"))?;
        if found.seq != ack.seq || found.commit != content(ack.call, ack.version) {
            return Err(format!("{ack:?} is another one now: {}", found.seq));
        }
    }
    Ok(())
}
