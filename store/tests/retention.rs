//! Removing what is old: what goes, what stays, and what can still be proven.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callbox_events::schema::{Commit, StoredCommit};
use callbox_events::{CallId, Timestamp};
use callbox_store::proof::bundle::Proof;
use callbox_store::proof::entries::Entry;
use callbox_store::proof::key::{PublicKey, SigningKey};
use callbox_store::prove::{self, ProveError};
use callbox_store::retention::holds::{self, Scope};
use callbox_store::retention::policy::Retention;
use callbox_store::retention::prune::{Outcome, PruneError};
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::put;
use callbox_store::testing::ruin;
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::verify::{Brought, Report, verify_with};
use callbox_store::{Cursor, Expect, Journal, JournalReader, reader, seal};
use tempfile::TempDir;

fn key() -> SigningKey {
    SigningKey::from_seed("callbox.example/test", &[7; 32]).unwrap()
}

fn public() -> PublicKey {
    key().public().clone()
}

/// Volumes of some calls each, and checkpoints only when asked for.
fn small() -> Options {
    Options {
        signing_key: Some(Arc::new(key())),
        checkpoint_interval: Duration::ZERO,
        volume_bytes: 4_000,
        ..Options::default()
    }
}

fn open(dir: &Path) -> SledJournal {
    SledJournal::open(dir, small()).unwrap()
}

/// A whole call: 3 commits, 6 events.
fn told(number: u64) -> [Commit; 3] {
    [offered(number), commit(number, 1, 3, 300), released(number, 4)]
}

/// Calls one after another, with a checkpoint behind every fifth.
fn tell(journal: &SledJournal, numbers: std::ops::Range<u64>) {
    for number in numbers {
        told(number).into_iter().for_each(|commit| _ = put(journal, commit));
        if number % 5 == 4 {
            journal.checkpoint();
        }
    }
}

/// Waits until what is durable is in sled, and so in its volumes.
fn settled(journal: &SledJournal) {
    let (began, tail) = (Instant::now(), journal.tail().unwrap());
    let active = || journal.volumes().unwrap().last().unwrap().clone();
    while tail.seq() - active().begin.seq() > 30 {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", active());
        std::thread::yield_now();
    }
}

fn store(calls: u64) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    tell(&open(dir.path()), 0..calls);
    dir
}

/// Everything but the newest volume is due.
const ALL: Retention = Retention { age: None, bytes: Some(0), unfinished: false };

fn prune(journal: &SledJournal, retention: Retention) -> Outcome {
    journal.prune(retention, false, Timestamp::from_micros(u64::MAX), &mut |_| {}).unwrap()
}

fn pruned(dir: &Path) -> Outcome {
    let journal = open(dir);
    let outcome = prune(&journal, ALL);
    journal.close().unwrap();
    outcome
}

fn checkpoints(dir: &Path) -> Vec<Entry> {
    seal::kept(dir).unwrap().map(Result::unwrap).collect()
}

fn verified(dir: &Path, elsewhere: &[Entry]) -> Report {
    let brought = Brought { keys: vec![public()], checkpoints: elsewhere.to_vec() };
    verify_with(dir, &brought, &mut |_| {}).unwrap()
}

fn damages(report: &Report) -> String {
    report.damages.iter().map(|damage| format!("{}: {}\n", damage.place, damage.what)).collect()
}

fn listed(dir: &Path) -> Vec<CallId> {
    reader::open(dir).unwrap().calls().unwrap().map(Result::unwrap).collect()
}

fn all(dir: &Path) -> Vec<StoredCommit> {
    reader::open(dir).unwrap().read_all(Cursor::START).unwrap().map(Result::unwrap).collect()
}

#[test]
fn the_oldest_volumes_go_and_the_rest_is_as_it_was() {
    let dir = store(40);
    let (before, sealed) = (all(dir.path()), checkpoints(dir.path()));
    let outcome = pruned(dir.path());
    assert!(outcome.removed.len() > 3, "{outcome:?}");
    let cut = outcome.cut.unwrap();
    let kept: Vec<StoredCommit> = before.iter().filter(|stored| stored.seq >= cut.events).cloned().collect();
    assert_eq!(all(dir.path()), kept, "what is kept is what was there");
    assert_eq!(cut.commits as usize, before.len() - kept.len());
    let begun: Vec<CallId> = (0..40)
        .map(call)
        .filter(|call| kept.iter().any(|stored| stored.commit.call == *call && stored.commit.version == 0))
        .collect();
    assert_eq!(listed(dir.path()), begun, "a call whose beginning is gone is gone");
    assert!(reader::open(dir.path()).unwrap().read(call(0)).unwrap().is_empty());
    let report = verified(dir.path(), &sealed);
    assert_eq!(damages(&report), "");
    assert_eq!(report.seals.pruned, Some(cut));
    assert!(report.seals.before > 0);
    assert_eq!(report.seals.vouched.unwrap().commits as usize, before.len());
    assert_eq!(checkpoints(dir.path()).last().unwrap().checkpoint.extension.pruned, Some(cut));
}

#[test]
fn the_journal_goes_on_and_is_pruned_again() {
    let dir = store(20);
    for round in 1..4 {
        pruned(dir.path());
        tell(&open(dir.path()), round * 20..round * 20 + 20);
        if round == 2 {
            fs::remove_file(dir.path().join("FRONTIER")).unwrap();
        }
        assert_eq!(damages(&verified(dir.path(), &[])), "", "round {round}");
    }
    let journal = open(dir.path());
    let told = told(79);
    let again = journal.append(told[0].clone(), Expect::New).wait().unwrap();
    assert!(again.seq > 0, "a repeated append finds its twin: {again:?}");
    assert_eq!(journal.head(call(79)).unwrap().unwrap().version, 6);
}

#[test]
fn proofs_of_what_is_kept_hold_and_older_checkpoints_are_continued() {
    let dir = store(40);
    let first = checkpoints(dir.path())[0].clone();
    let cut = pruned(dir.path()).cut.unwrap();
    tell(&open(dir.path()), 40..60);
    let sealed = checkpoints(dir.path());
    let (newest, journal) = (sealed.last().unwrap(), reader::open(dir.path()).unwrap());
    for number in [39, 40, 59] {
        let proof: Proof = prove::call(journal.as_ref(), call(number), newest, &mut |_| {}).unwrap().into();
        assert!(proof.verify().is_ok(), "call {number}");
    }
    let covering = sealed.iter().find(|entry| entry.checkpoint.tree.size >= cut.commits).unwrap();
    let grown: Proof = prove::consistency(journal.as_ref(), covering, newest, &mut |_| {}).unwrap().into();
    assert!(grown.verify().is_ok());
    let stretch = cut.events..cut.events + 30;
    let complete: Proof =
        prove::completeness(journal.as_ref(), &stretch, newest, &mut |_| {}).unwrap().into();
    assert!(complete.verify().is_ok());
    let gone = prove::call(journal.as_ref(), call(0), &first, &mut |_| {});
    assert!(matches!(gone, Err(ProveError::Removed { .. })), "{gone:?}");
}

#[test]
fn a_checkpoint_that_the_store_never_made_is_told_even_if_all_it_covers_is_gone() {
    let (dir, other) = (store(40), tempfile::tempdir().unwrap());
    tell(&open(other.path()), 100..105);
    let foreign = checkpoints(other.path())[0].clone();
    pruned(dir.path());
    let told = damages(&verified(dir.path(), &[foreign]));
    assert!(told.contains("is none of the store's own checkpoints"), "{told}");
}

#[test]
fn a_call_that_is_not_over_keeps_its_volume_and_all_younger_ones() {
    let dir = store(10);
    let journal = open(dir.path());
    put(&journal, offered(500));
    tell(&journal, 10..40);
    settled(&journal);
    let outcome = prune(&journal, ALL);
    let (volume, alive) = outcome.stays.unwrap();
    assert_eq!(alive, call(500));
    assert!(outcome.removed.iter().all(|removed| removed.end <= volume.begin));
    assert_eq!(journal.read(call(500)).unwrap().len(), 1);
    put(&journal, released(500, 1));
    tell(&journal, 40..50);
    settled(&journal);
    let outcome = prune(&journal, ALL);
    assert_eq!(outcome.stays, None);
    assert!(journal.read(call(500)).unwrap().is_empty(), "its beginning is gone, so all of it is");
    journal.close().unwrap();
    assert_eq!(damages(&verified(dir.path(), &[])), "");
    assert!(!listed(dir.path()).contains(&call(500)));
}

#[test]
fn held_calls_outlive_their_volumes_and_go_once_they_are_released() {
    let dir = store(40);
    let now = Timestamp::from_micros(1_800_000_000_000_000);
    holds::place(dir.path(), "case-7", "claim", &Scope::Calls(vec![call(3), call(4)]), now).unwrap();
    let before: Vec<Vec<StoredCommit>> =
        [3, 4].iter().map(|number| reader::open(dir.path()).unwrap().read(call(*number)).unwrap()).collect();
    assert_eq!(pruned(dir.path()).held, 2);
    let journal = reader::open(dir.path()).unwrap();
    for (number, commits) in [3, 4].into_iter().zip(&before) {
        assert_eq!(journal.read(call(number)).unwrap(), *commits, "call {number}");
    }
    assert!(journal.read(call(2)).unwrap().is_empty());
    assert_eq!(listed(dir.path())[..2], [call(3), call(4)]);
    assert_eq!(all(dir.path())[..3], before[0][..]);
    assert_eq!(damages(&verified(dir.path(), &[])), "");
    tell(&open(dir.path()), 40..60);
    assert_eq!(pruned(dir.path()).held, 0);
    assert_eq!(listed(dir.path())[..2], [call(3), call(4)], "still held");
    holds::release(dir.path(), "case-7", "settled", now).unwrap();
    tell(&open(dir.path()), 60..80);
    pruned(dir.path());
    assert!(!listed(dir.path()).contains(&call(3)));
}

#[test]
fn every_call_of_a_time_can_be_held() {
    let dir = store(20);
    let first = all(dir.path())[0].commit.at;
    let scope = Scope::Time { since: None, until: Some(first + Duration::from_micros(2_500)) };
    holds::place(dir.path(), "audit", "audit", &scope, first).unwrap();
    assert_eq!(pruned(dir.path()).held, 3);
    assert_eq!(listed(dir.path())[..3], [call(0), call(1), call(2)]);
}

#[test]
fn what_a_crash_left_is_removed_at_the_next_opening() {
    let dir = store(40);
    let before = ruin::copy_of(dir.path());
    pruned(dir.path());
    // The power went after it was decided and before anything was removed.
    fs::copy(dir.path().join("PRUNED"), before.path().join("PRUNED")).unwrap();
    assert_eq!(listed(before.path()), listed(dir.path()), "readers see what was decided");
    open(before.path()).close().unwrap();
    assert_eq!(all(before.path()), all(dir.path()));
    assert_eq!(names(&before.path().join("log")), names(&dir.path().join("log")));
    assert_eq!(names(&before.path().join("wal")), names(&dir.path().join("wal")));
    assert_eq!(damages(&verified(before.path(), &[])), "");
}

#[test]
fn what_is_damaged_is_not_removed() {
    let dir = store(40);
    for folder in ["wal", "log"] {
        let first = dir.path().join(folder).join(&names(&dir.path().join(folder))[0]);
        let file = if folder == "wal" { first } else { first.join("db") };
        let mut bytes = fs::read(&file).unwrap();
        bytes.iter_mut().skip(300).take(3_000).for_each(|byte| *byte ^= 0x5a);
        fs::write(&file, bytes).unwrap();
    }
    let Ok(journal) = SledJournal::open(dir.path(), small()) else { return };
    let refused = journal.prune(ALL, false, Timestamp::from_micros(u64::MAX), &mut |_| {});
    assert!(matches!(refused, Err(PruneError::Damaged(_) | PruneError::Read(_))), "{refused:?}");
    assert_eq!(journal.pruned().unwrap(), None);
}

#[test]
fn a_dry_run_removes_nothing() {
    let dir = store(40);
    let before = all(dir.path());
    let journal = open(dir.path());
    let outcome = journal.prune(ALL, true, Timestamp::from_micros(u64::MAX), &mut |_| {}).unwrap();
    assert!(outcome.removed.len() > 3);
    journal.close().unwrap();
    assert_eq!(all(dir.path()), before);
}

#[test]
fn an_engine_removes_what_is_due_by_itself() {
    let dir = store(40);
    let kept = Retention { age: Some(Duration::from_secs(1)), ..Retention::default() };
    let journal = SledJournal::open(dir.path(), Options { retention: kept, ..small() }).unwrap();
    let patience = Instant::now();
    while journal.pruned().unwrap().is_none() {
        assert!(patience.elapsed() < Duration::from_secs(60), "the samples are years old");
        std::thread::yield_now();
    }
    journal.close().unwrap();
    assert_eq!(damages(&verified(dir.path(), &[])), "");
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
