//! sled keeps a batch whole only if all it writes for it fits into one segment (512 KiB): it reuses segments before
//! what replaces them is durable. What it writes is a multiple of what it is given, for it rewrites whole pages; so
//! the limits of a commit and a group are chosen by measuring, here.
#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use callbox_store::sled::{MAX_COMMIT_BYTES, Options, SledJournal};
use callbox_store::testing::conformance::put;
use callbox_store::testing::sample::commit;
use callbox_store::{Expect, Journal};

const SEGMENT: u64 = 512 * 1024;

/// Bytes this process has written so far, if the system tells.
fn written() -> Option<u64> {
    let io = std::fs::read_to_string("/proc/self/io").ok()?;
    io.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok())
}

#[test]
fn no_group_makes_sled_write_more_than_a_segment() {
    if written().is_none() {
        println!("skipped: this system does not count written bytes");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path(), Options::default()).unwrap();
    let mut most_for_one = 0;
    for number in 0..60 {
        let before = written().unwrap();
        put(&journal, commit(number, 0, 1, MAX_COMMIT_BYTES - 1_000));
        most_for_one = most_for_one.max(written().unwrap() - before);
    }
    let mut most_for_group = 0;
    for size in [50, 400, 1_200, 3_000, 3_900, 4_300] {
        for round in 0..6 {
            let before = (written().unwrap(), journal.stats().groups);
            let numbers = (0..600).map(|n| size * 10_000 + round * 1_000 + n);
            let appends: Vec<_> = numbers
                .map(|number| journal.append(commit(number, 0, 1, size as usize), Expect::New))
                .collect();
            appends.into_iter().for_each(|append| _ = append.wait().unwrap());
            let groups = journal.stats().groups - before.1;
            most_for_group = most_for_group.max((written().unwrap() - before.0) / groups);
        }
    }
    println!("{most_for_one} bytes for the largest commit, {most_for_group} for a full group on average");
    assert!(most_for_one < SEGMENT, "{most_for_one} for one commit");
    assert!(most_for_group < SEGMENT, "{most_for_group} for a group");
}
