//! What tamper evidence costs: per commit on the writer's thread, per checkpoint on its own, per commit when verified.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that can't go on has failed")]

use std::hint::black_box;

use callbox_events::{CallId, Timestamp};
use callbox_store::proof::audit::{Audit, standing};
use callbox_store::proof::key::SigningKey;
use callbox_store::proof::leaf::Leaf;
use callbox_store::proof::sealer::Sealer;
use callbox_store::verify::Report;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const COMMITS: u64 = 10_000;

fn leaf(number: u64) -> Leaf {
    let mut call = [0; 16];
    call[8..].copy_from_slice(&(number / 4).to_be_bytes());
    let (call, at) = (CallId::from_bytes(call), Timestamp::from_micros(number));
    Leaf { seq: number, call, version: number % 4, events: 1, at, link: [number as u8; 32] }
}

fn sealed(commits: u64) -> Sealer {
    let mut sealer = Sealer::default();
    (0..commits).for_each(|number| sealer.add(&leaf(number)));
    sealer
}

fn seal(criterion: &mut Criterion) {
    let key = SigningKey::from_seed("callbox.example/bench", &[1; 32]).unwrap();
    let mut group = criterion.benchmark_group("seal");
    group.throughput(Throughput::Elements(COMMITS));
    group.bench_function("commits into the tree", |bencher| bencher.iter(|| sealed(black_box(COMMITS))));
    group.bench_function("commits compared with a checkpoint", |bencher| {
        let mut sealer = sealed(COMMITS);
        let entry = sealer.checkpoint(Timestamp::default(), Vec::new(), Some(&key)).unwrap();
        let keys = [key.public().clone()];
        bencher.iter(|| {
            let mut audit = Audit::new(Box::new([Ok(entry.clone())].into_iter()), Vec::new(), &keys);
            let mut report = Report::default();
            audit.begin(&mut report);
            (0..COMMITS).for_each(|number| audit.add(&leaf(number), &mut report));
            assert_eq!(audit.finish(true, &mut report).signed, 1);
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("a checkpoint, signed", |bencher| {
        let sealer = sealed(COMMITS);
        let make =
            |mut sealer: Sealer| sealer.checkpoint(Timestamp::default(), Vec::new(), Some(&key)).unwrap();
        bencher.iter_batched(|| sealer.clone(), make, BatchSize::SmallInput);
    });
    group.bench_function("a signature, verified", |bencher| {
        let entry = sealed(COMMITS).checkpoint(Timestamp::default(), Vec::new(), Some(&key)).unwrap();
        let keys = [key.public().clone()];
        bencher.iter(|| standing(black_box(&entry), &keys));
    });
    group.finish();
}

criterion_group!(benches, seal);
criterion_main!(benches);
