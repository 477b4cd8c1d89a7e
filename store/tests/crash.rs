//! The process is killed at any moment; what was acknowledged is there afterwards, whole and in its place.
//!
//! `CALLBOX_CRASH_ROUNDS` sets the number of rounds (24 by default).
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

#[test]
fn nothing_acknowledged_is_lost_by_a_kill() {
    let rounds: u64 =
        std::env::var("CALLBOX_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    let dir = tempfile::tempdir().unwrap();
    let mut acked: Vec<Acked> = Vec::new();
    for round in 0..rounds {
        acked.extend(run_and_kill(dir.path(), round));
        if round % 3 == 2 {
            check(dir.path(), &acked);
        }
    }
    check(dir.path(), &acked);
    assert!(acked.len() > 100, "the child hardly ran: {}", acked.len());
    println!("{rounds} rounds, {} commits acknowledged", acked.len());
}

/// Starts the writer and kills it: every fourth time while it opens, otherwise somewhere on its way.
fn run_and_kill(dir: &Path, round: u64) -> Vec<Acked> {
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
    let spread = (round.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) % 1_000;
    let mut seen = Vec::new();
    if round % 4 == 3 {
        let during_open = Duration::from_micros(spread * 12);
        seen.extend(told.recv_timeout(during_open).ok());
    } else {
        wait_for(&told, &mut seen, 1 + spread as usize / 2);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap();
    seen.extend(told.try_iter());
    seen.iter().filter_map(|line| parse(line)).collect()
}

fn wait_for(told: &mpsc::Receiver<String>, seen: &mut Vec<String>, acks: usize) {
    while seen.iter().filter(|line| parse(line).is_some()).count() < acks {
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

fn check(dir: &Path, acked: &[Acked]) {
    let report = verify(dir, &mut |_| {}).unwrap();
    assert!(report.is_sound(), "{:?}", report.damages);
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
    let last = acked.last().unwrap();
    assert!(!journal.read(call(last.call)).unwrap().is_empty());
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
    let journal = SledJournal::open(Path::new(&dir), Options::default()).unwrap();
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
