//! The process is killed at any moment: while it opens the store, while it makes sled again, while it writes. What was
//! acknowledged is there afterwards, whole and in its place; also where sled's file was cut off somewhere in between.
//!
//! `CALLBOX_CRASH_ROUNDS` sets the number of rounds (45 by default), `CALLBOX_CRASH_SEED` what happens in them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::all;
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::verify::verify;
use callbox_store::{Cursor, Expect, Journal, JournalReader};

/// What the child told of one commit: acknowledged at this position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Acked {
    call: u64,
    version: u64,
    seq: u64,
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Numbers that look random, the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) % limit.max(1)
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill() {
    let rounds = setting("CALLBOX_CRASH_ROUNDS", 45);
    let seed = setting("CALLBOX_CRASH_SEED", 20_261_125);
    let dir = tempfile::tempdir().unwrap();
    let (mut random, mut acked) = (Random(seed), Vec::new());
    let mut story = Story::default();
    for round in 0..rounds {
        acked.extend(run_and_kill(dir.path(), round, &mut random, &mut story));
        let cut = round % 3 == 2 && cut_off(dir.path(), &mut random);
        story.cut += u64::from(cut);
        if round % 6 == 5 {
            check(dir.path(), &acked, !cut);
        }
    }
    check(dir.path(), &acked, false);
    println!("{rounds} rounds with seed {seed}, {} commits acknowledged; {story:?}", acked.len());
    assert!(acked.len() as u64 > 40 * rounds, "the child hardly ran: {}", acked.len());
    assert!(story.while_opening > 0 && story.while_writing > 0 && story.cut > 0, "{story:?}");
}

/// What happened in all rounds.
#[derive(Debug, Default)]
struct Story {
    /// Kills after the opening began and before it ended.
    while_opening: u64,
    /// Kills later than that.
    while_writing: u64,
    /// How often sled's file was cut off.
    cut: u64,
}

/// Cuts sled's file off anywhere.
fn cut_off(dir: &Path, random: &mut Random) -> bool {
    let dirs = std::fs::read_dir(dir.join("log")).into_iter().flatten().map(Result::unwrap);
    let files: Vec<_> = dirs.map(|entry| entry.path().join("db")).filter(|db| db.exists()).collect();
    if files.is_empty() {
        return false;
    }
    let file = &files[random.below(files.len() as u64) as usize];
    let kept = random.below(std::fs::metadata(file).unwrap().len());
    std::fs::File::options().write(true).open(file).unwrap().set_len(kept).unwrap();
    true
}

/// Starts the writer and kills it: every other time while it opens (and makes sled again, if it must), otherwise
/// somewhere on its way.
fn run_and_kill(dir: &Path, round: u64, random: &mut Random, story: &mut Story) -> Vec<Acked> {
    let mut child = start(dir, round);
    let (lines, told) = mpsc::channel();
    let stdout = child.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let Ok(line) = line else { break };
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    let mut seen = Vec::new();
    if round % 2 == 1 {
        wait_for(&told, &mut seen, "opening", 1);
        let moment = Duration::from_micros(random.below(60_000));
        seen.extend(told.recv_timeout(moment).ok());
    } else {
        wait_for(&told, &mut seen, "acked ", 1 + random.below(400) as usize);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap();
    seen.extend(told.try_iter());
    let opened = seen.iter().any(|line| line == "open");
    story.while_opening += u64::from(!opened);
    story.while_writing += u64::from(opened);
    seen.iter().filter_map(|line| parse(line)).collect()
}

/// Waits for so many lines that begin like this.
fn wait_for(told: &mpsc::Receiver<String>, seen: &mut Vec<String>, what: &str, count: usize) {
    while seen.iter().filter(|line| line.starts_with(what)).count() < count {
        match told.recv_timeout(Duration::from_secs(60)) {
            Ok(line) => seen.push(line),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                panic!("the child stopped: {:?}", seen.last())
            }
        }
    }
}

fn start(dir: &Path, round: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_that_writes", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("CALLBOX_TEST_DIR", dir).env("CALLBOX_TEST_ROUND", round.to_string());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// A whole line, or nothing: the last one may be cut.
fn parse(line: &str) -> Option<Acked> {
    let mut numbers = line.strip_prefix("acked ")?.strip_suffix(" .")?.split(' ').map(str::parse::<u64>);
    let mut next = || numbers.next()?.ok();
    Some(Acked { call: next()?, version: next()?, seq: next()? })
}

/// Opens it, which makes sled again if need be: everything acknowledged is there, and all of it is sound. `whole` says that
/// it must be so before.
fn check(dir: &Path, acked: &[Acked], whole: bool) {
    if whole {
        sound(dir);
    }
    let journal = SledJournal::open(dir, Options::default()).unwrap();
    let stored = all(&journal, Cursor::START);
    let mut places = HashMap::new();
    let mut next = 0;
    for commit in &stored {
        assert_eq!(commit.seq, next, "gapless");
        next = Cursor::after(commit).seq();
        places.insert((commit.commit.call, commit.commit.version), commit);
    }
    for ack in acked {
        let found = places.get(&(call(ack.call), ack.version)).unwrap_or_else(|| panic!("{ack:?} is lost"));
        assert_eq!(found.seq, ack.seq);
        assert_eq!(found.commit, content(ack.call, ack.version), "whole");
    }
    for ack in acked.iter().rev().step_by(97) {
        assert!(!journal.read(call(ack.call)).unwrap().is_empty());
    }
    drop(journal);
    sound(dir);
}

fn sound(dir: &Path) {
    let report = verify(dir, &mut |_| {}).unwrap();
    assert!(report.is_sound(), "{:?}", report.damages);
}

/// In every other round everything happens often: volumes and segments are begun, batches go to sled.
fn options(round: u64) -> Options {
    if round.is_multiple_of(2) {
        return Options::default();
    }
    Options {
        segment_bytes: 100 * 1024,
        volume_bytes: 250 * 1024,
        sink_bytes: 8 * 1024,
        sink_delay: Duration::from_millis(1),
        ..Options::default()
    }
}

/// What the child writes: calls of four commits, some with large messages.
fn content(number: u64, version: u64) -> callbox_events::schema::Commit {
    match version {
        0 => offered(number),
        5 => released(number, 5),
        _ => commit(number, version, 2, if number.is_multiple_of(17) { 30_000 } else { 700 }),
    }
}

#[test]
#[ignore = "a process of another test"]
fn child_that_writes() {
    let Some(dir) = std::env::var_os("CALLBOX_TEST_DIR") else { return };
    let round: u64 = std::env::var("CALLBOX_TEST_ROUND").unwrap().parse().unwrap();
    println!("\nopening");
    let journal = SledJournal::open(Path::new(&dir), options(round)).unwrap();
    println!("\nopen");
    let threads: Vec<_> = (0..6).map(|thread| round * 1_000_000 + thread * 100_000).collect();
    std::thread::scope(|scope| {
        for first in threads {
            let journal = &journal;
            scope.spawn(move || (first..first + 100_000).for_each(|number| write_call(journal, number)));
        }
    });
}

fn write_call(journal: &SledJournal, number: u64) {
    for version in [0, 1, 3, 5] {
        let commit = content(number, version);
        let expect = Expect::of(&commit);
        let position = journal.append(commit, expect).wait().unwrap();
        let line = format!("acked {number} {version} {} .\n", position.seq);
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    }
}
