//! sled keeps a batch whole only if all it writes for it fits into one segment (512 KiB): it reuses segments before
//! what replaces them is durable. What it writes is a multiple of what it is given, for it rewrites whole pages; so
//! the limits of a commit and of what is carried over at once are chosen by measuring, here. No acknowledgement rests on
//! it, but a sled that a power cut left whole opens at once.
#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use callbox_store::sled::{MAX_COMMIT_BYTES, Options, SledJournal};
use callbox_store::testing::sample::commit;
use callbox_store::{Expect, Journal};

const SEGMENT: u64 = 512 * 1024;

/// Bytes this process has written so far, if the system tells.
fn written() -> Option<u64> {
    let io = std::fs::read_to_string("/proc/self/io").ok()?;
    io.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok())
}

/// Bytes that sled writes for each batch that is carried over to it, on average, when commits of this size come.
fn written_a_batch(size: usize, commits: u64) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path(), Options::default()).unwrap();
    let before = written().unwrap();
    let appends: Vec<_> =
        (0..commits).map(|number| journal.append(commit(number, 0, 1, size), Expect::New)).collect();
    appends.into_iter().for_each(|append| _ = append.wait().unwrap());
    journal.close().unwrap();
    let stats = journal.stats();
    (written().unwrap() - before - stats.bytes) / stats.batches
}

#[test]
fn no_batch_makes_sled_write_more_than_a_segment() {
    if written().is_none() {
        println!("skipped: this system does not count written bytes");
        return;
    }
    for (size, commits) in
        [(MAX_COMMIT_BYTES - 1_000, 60), (50, 6_000), (1_200, 3_000), (3_900, 1_000), (40_000, 100)]
    {
        let written = written_a_batch(size, commits);
        println!("{written} bytes a batch for commits of {size}");
        assert!(written < SEGMENT, "{written} for commits of {size}");
    }
}
