//! CPU per commit at a steady rate: `pace RATE SECONDS [DELAY_MICROS] [DIR]`.
//!
//! Calls of four commits (offered, early, answered, released; about 1 KiB each) arrive evenly; prints what each commit
//! and each group cost in CPU time of the whole process (the writer, and the thread that fills sled), how long
//! acknowledgements took, and what a commit takes in the write-ahead log and in the whole directory.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measuring program")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::sample::{commit, offered, released};
use callbox_store::{Append, Expect, Journal};

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |default: u64| args.next().map_or(default, |text| text.parse().expect("a number"));
    let (rate, seconds) = (number(4_000), number(5));
    let mut options = Options::default();
    options.group_delay = Duration::from_micros(number(options.group_delay.as_micros() as u64));
    let keep = args.next();
    let temporary = tempfile::tempdir().unwrap();
    let dir = keep.map_or(temporary.path().to_owned(), std::path::PathBuf::from);
    let journal = SledJournal::open(&dir, options).unwrap();
    let waiter = Waiter::start();
    let (cpu, began) = (cpu(), Instant::now());
    let mut sent = 0u64;
    while began.elapsed() < Duration::from_secs(seconds) {
        let due = (began.elapsed().as_secs_f64() * rate as f64) as u64;
        while sent < due {
            waiter.wait(send(&journal, sent));
            sent += 1;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    let latencies = waiter.finish();
    let (spent, stats) = (cpu_since(cpu), journal.stats());
    let per = |count: u64| spent.as_secs_f64() * 1e6 / count as f64;
    println!(
        "{sent} commits at {rate}/s, {} groups of {:.1}: {:.1} us CPU a commit, {:.1} us a group; ack p50 {:?} p99 {:?}; {} bytes a commit in the log, {} on disk",
        stats.groups,
        sent as f64 / stats.groups as f64,
        per(sent),
        per(stats.groups),
        latencies[latencies.len() / 2],
        latencies[latencies.len() * 99 / 100],
        stats.bytes / sent,
        disk(&dir) / sent,
    );
}

/// The commits of 64 calls at a time, interleaved: each call's next commit comes 64 commits later.
fn send(journal: &SledJournal, n: u64) -> Append {
    let (round, lane) = (n / 64, n % 64);
    let number = (round / 4) * 64 + lane;
    let commit = match round % 4 {
        0 => offered(number),
        step @ (1 | 2) => commit(number, step, 1, 500),
        _ => released(number, 3),
    };
    let expect = Expect::of(&commit);
    journal.append(commit, expect)
}

struct Waiter {
    sender: std::sync::mpsc::Sender<(Instant, Append)>,
    thread: std::thread::JoinHandle<Vec<Duration>>,
}

impl Waiter {
    fn start() -> Self {
        let (sender, receiver) = std::sync::mpsc::channel::<(Instant, Append)>();
        let failed = Arc::new(AtomicU64::new(0));
        let thread = std::thread::spawn(move || {
            let mut latencies = Vec::new();
            for (began, append) in receiver {
                append.wait().map_err(|_| failed.fetch_add(1, Ordering::Relaxed)).unwrap();
                latencies.push(began.elapsed());
            }
            latencies.sort_unstable();
            latencies
        });
        Self { sender, thread }
    }

    fn wait(&self, append: Append) {
        self.sender.send((Instant::now(), append)).unwrap();
    }

    fn finish(self) -> Vec<Duration> {
        drop(self.sender);
        self.thread.join().unwrap()
    }
}

/// User and system time of this process, in clock ticks of 10 ms.
fn cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn cpu_since(before: u64) -> Duration {
    Duration::from_millis((cpu() - before) * 10)
}

fn disk(dir: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries
        .map(
            |entry| if entry.path().is_dir() { disk(&entry.path()) } else { entry.metadata().unwrap().len() },
        )
        .sum()
}
