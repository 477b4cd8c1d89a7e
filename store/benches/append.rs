//! Durable events per second: the journal (its write-ahead log, with sled filled behind it) beside a plain file with one
//! fdatasync per group, at 64 and 1,024 producers; then a scan and the reading of one call, both from sled.
//! `CALLBOX_BENCH_DIR` chooses the disk.
#![allow(clippy::unwrap_used, missing_docs, reason = "a measuring program")]

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use callbox_events::schema;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::sample::{call, commit};
use callbox_store::{Ack, Append, Cursor, Expect, Journal, JournalReader, Position};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt;
use futures::executor::block_on;
use futures::stream::FuturesUnordered;

/// Gives a commit of about 300 bytes encoded.
const WIRE_BYTES: usize = 130;

fn directory() -> tempfile::TempDir {
    let base = std::env::var_os("CALLBOX_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    tempfile::tempdir_in(base).unwrap()
}

/// `producers` callers append one event after another, each waiting for its ack; returns after `total` events.
fn produce(producers: u64, total: u64, first: u64, append: &impl Fn(u64, u64) -> Append) -> Duration {
    let began = Instant::now();
    let each = total.div_ceil(producers);
    block_on(async {
        let producer = |number: u64| async move {
            for version in 0..each {
                append(first + number, version).await.unwrap();
            }
        };
        (0..producers).map(producer).collect::<FuturesUnordered<_>>().collect::<Vec<_>>().await;
    });
    began.elapsed()
}

fn journal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(6));
    group.throughput(Throughput::Elements(1));
    for producers in [64, 1_024] {
        let dir = directory();
        let journal = SledJournal::open(dir.path(), Options::default()).unwrap();
        let mut first = 0;
        group.bench_function(format!("journal/{producers}"), |bencher| {
            bencher.iter_custom(|events| {
                first += producers;
                let spent = produce(producers, events, first, &|number, version| {
                    let commit = commit(number, version, 1, WIRE_BYTES);
                    let expect = Expect::of(&commit);
                    journal.append(commit, expect)
                });
                spent.mul_f64(events as f64 / (events.div_ceil(producers) * producers) as f64)
            });
        });
        let dir = directory();
        let file = PlainFile::open(&dir.path().join("plain"));
        group.bench_function(format!("plain file/{producers}"), |bencher| {
            bencher.iter_custom(|events| {
                let spent = produce(producers, events, 0, &|number, version| {
                    file.append(schema::encode(&commit(number, version, 1, WIRE_BYTES)).unwrap())
                });
                spent.mul_f64(events as f64 / (events.div_ceil(producers) * producers) as f64)
            });
        });
    }
    group.finish();
}

/// What nothing durable can beat by much: append, sync, answer.
struct PlainFile {
    queue: SyncSender<(Vec<u8>, Ack)>,
}

impl PlainFile {
    fn open(path: &std::path::Path) -> Self {
        let file = File::create(path).unwrap();
        let (queue, requests) = sync_channel(65_536);
        std::thread::spawn(move || write_groups(file, &requests));
        Self { queue }
    }

    fn append(&self, bytes: Vec<u8>) -> Append {
        let (ack, append) = Append::pending();
        self.queue.send((bytes, ack)).unwrap();
        append
    }
}

fn write_groups(mut file: File, requests: &Receiver<(Vec<u8>, Ack)>) {
    while let Ok(first) = requests.recv() {
        let group: Vec<_> = std::iter::once(first).chain(requests.try_iter().take(511)).collect();
        let bytes: Vec<u8> = group.iter().flat_map(|(bytes, _)| bytes).copied().collect();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        group.into_iter().for_each(|(_, ack)| ack.resolve(Ok(Position { seq: 0 })));
    }
}

fn reading(criterion: &mut Criterion) {
    const CALLS: u64 = 5_000;
    let dir = directory();
    let journal = SledJournal::open(dir.path(), Options::default()).unwrap();
    produce(CALLS, CALLS * 8, 0, &|number, version| {
        let commit = commit(number, version, 1, WIRE_BYTES);
        let expect = Expect::of(&commit);
        journal.append(commit, expect)
    });
    let mut group = criterion.benchmark_group("read");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(CALLS * 8));
    group.bench_function("scan", |bencher| {
        bencher.iter(|| journal.read_all(Cursor::START).unwrap().map(Result::unwrap).count());
    });
    group.throughput(Throughput::Elements(1));
    let mut number = 0;
    group.bench_function("one call of 8", |bencher| {
        bencher.iter(|| {
            number = (number + 7_919) % CALLS;
            journal.read(call(number)).unwrap().len()
        });
    });
    group.finish();
}

criterion_group!(benches, journal, reading);
criterion_main!(benches);
