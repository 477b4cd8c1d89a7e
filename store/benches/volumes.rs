//! A journal of many volumes: how long it takes to open it, for writing and for reading, to read one call, and to list all.
//! `CALLBOX_BENCH_DIR` chooses the disk, `CALLBOX_BENCH_VOLUMES` the number of volumes (50).
#![allow(clippy::unwrap_used, missing_docs, reason = "a measuring program")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::{Append, Expect, Journal, JournalReader, reader};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn options() -> Options {
    Options { volume_bytes: 1024 * 1024, serve_readers: false, ..Options::default() }
}

/// Fills so many volumes with calls of three commits; returns the number of calls.
fn fill(dir: &Path, volumes: usize) -> u64 {
    let journal = SledJournal::open(dir, options()).unwrap();
    let mut calls = 0;
    loop {
        let append = |commit| {
            let expect = Expect::of(&commit);
            journal.append(commit, expect)
        };
        let new = calls..calls + 200;
        let appends =
            new.flat_map(|number| [offered(number), commit(number, 1, 2, 900), released(number, 3)]);
        let appends: Vec<Append> = appends.map(append).collect();
        appends.into_iter().for_each(|append| _ = append.wait().unwrap());
        calls += 200;
        if journal.volumes().unwrap().len() >= volumes {
            return calls;
        }
    }
}

fn many_volumes(criterion: &mut Criterion) {
    let base = std::env::var_os("CALLBOX_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let volumes =
        std::env::var("CALLBOX_BENCH_VOLUMES").ok().and_then(|text| text.parse().ok()).unwrap_or(50);
    for volumes in [1, volumes] {
        let dir = tempfile::tempdir_in(&base).unwrap();
        let calls = fill(dir.path(), volumes);
        let mut group = criterion.benchmark_group(format!("{volumes} volumes"));
        group.sample_size(10).measurement_time(Duration::from_secs(4));
        group.bench_function("open to write", |bencher| {
            bencher.iter(|| SledJournal::open(dir.path(), options()).unwrap());
        });
        group.bench_function("open to read", |bencher| {
            bencher.iter(|| reader::open(dir.path()).unwrap());
        });
        let journal = SledJournal::open(dir.path(), options()).unwrap();
        let mut number = 0;
        group.bench_function("one call, anywhere", |bencher| {
            bencher.iter(|| {
                number = (number + 7_919) % calls;
                journal.read(call(number)).unwrap().len()
            });
        });
        group.bench_function("one call of the newest volume", |bencher| {
            bencher.iter(|| journal.read(call(calls - 1)).unwrap().len());
        });
        group.throughput(Throughput::Elements(calls));
        group.bench_function("list", |bencher| {
            bencher.iter(|| journal.calls().unwrap().map(Result::unwrap).count());
        });
        group.finish();
    }
}

criterion_group!(benches, many_volumes);
criterion_main!(benches);
