//! One measurement: callers that wait for their acks, then readers.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::calls::Workload;
use crate::measure::{block_writes, cpu, disk, peak_memory};
use crate::peer::{PeerName, Read, Written};

/// How many calls are read one by one.
const READS: u64 = 2_000;

/// Measures a peer in this process; the figures as text, one `name value` a line.
pub fn measure(peer: PeerName, workload: Workload, callers: usize, calls: u64, base: &Path) -> String {
    let dir = tempfile::Builder::new().prefix("callbox-peers-").tempdir_in(base).expect("a directory");
    let (commits, events) = ((calls * workload.commits()) as f64, (calls * workload.events()) as f64);
    let mut figures = Figures::default();

    let written = peer.create(dir.path());
    let before = cpu();
    let (spent, mut acks) = produce(&*written, workload, callers, calls);
    written.close();
    let busy = (cpu() - before).as_secs_f64();
    acks.sort_unstable();
    figures.add("events_s", events / spent.as_secs_f64());
    figures.add("commits_s", commits / spent.as_secs_f64());
    figures.add("p50_us", acks[acks.len() / 2].as_secs_f64() * 1e6);
    figures.add("p99_us", acks[acks.len() * 99 / 100].as_secs_f64() * 1e6);
    figures.add("cpu_us", busy * 1e6 / commits);
    figures.add("writes_event", block_writes() as f64 / events);
    figures.add("memory_mb", peak_memory() as f64 / 1e6);
    let kept = disk(dir.path()) as f64;
    figures.add("disk_event", kept / events);
    figures.add("disk_call", kept / calls as f64);

    if let Some(read) = peer.read(dir.path()) {
        figures.add("call_us", read_calls(&*read, workload, calls));
        let began = Instant::now();
        assert_eq!(read.scan() as f64, events, "{peer:?} has every event");
        figures.add("scan_s", events / began.elapsed().as_secs_f64());
    }
    figures.text
}

#[derive(Default)]
struct Figures {
    text: String,
}

impl Figures {
    fn add(&mut self, name: &str, value: f64) {
        writeln!(self.text, "{name} {value}").expect("text takes text");
    }
}

/// Lets the callers write all calls; returns how long that took and how long each ack did.
fn produce(peer: &dyn Written, workload: Workload, callers: usize, calls: u64) -> (Duration, Vec<Duration>) {
    let next = Cell::new(0);
    let acks = RefCell::new(Vec::with_capacity((calls * workload.commits()) as usize));
    let began = Instant::now();
    let caller = || async {
        while next.get() < calls {
            let number = next.replace(next.get() + 1);
            for step in 0..workload.commits() {
                let asked = Instant::now();
                peer.append(workload.commit(number, step)).await.expect("it is written");
                acks.borrow_mut().push(asked.elapsed());
            }
        }
    };
    block_on(async {
        let callers: FuturesUnordered<_> = (0..callers).map(|_| caller()).collect();
        callers.collect::<Vec<()>>().await;
    });
    (began.elapsed(), acks.into_inner())
}

/// The median time to read a call, in microseconds.
fn read_calls(read: &dyn Read, workload: Workload, calls: u64) -> f64 {
    let mut spent: Vec<Duration> = (0..READS)
        .map(|n| {
            let number = n * 7_919 % calls;
            let began = Instant::now();
            let found = read.call(callbox_store::testing::sample::call(number));
            assert_eq!(found, workload.commits(), "call {number} is whole");
            began.elapsed()
        })
        .collect();
    spent.sort_unstable();
    spent[spent.len() / 2].as_secs_f64() * 1e6
}
