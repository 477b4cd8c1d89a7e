//! Erasable stores: what is sealed reads back as it was, and what is erased is nowhere any more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(dead_code, reason = "the tests of the other commands use more of what they share")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use callbox_events::schema::Commit;
use callbox_sip::redact::Concealer;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::wal::reader::{Step, Walk};
use callbox_store::wal::record::Record;
use callbox_store::{Cursor, Journal, JournalReader, reader};
use proptest::prelude::*;
use support::personal::Personal;
use support::{Store, callbox, personal, stories};

fn erasable() -> Options {
    Options { erasable: true, conceal: Some(Arc::new(Concealer)), ..Options::default() }
}

/// The told calls, one of them retold with these people.
fn calls(people: &Personal) -> Vec<Vec<Commit>> {
    let told = personal::call(people);
    let mut calls = stories::all();
    calls.retain(|call| call[0].call != told[0].call);
    calls.push(told);
    calls
}

/// The id of the call that is retold with people.
fn retold() -> String {
    stories::we_decline()[0].call.to_string()
}

fn store(people: &Personal) -> Store {
    let (store, journal) = Store::with(erasable(), calls(people));
    journal.close().unwrap();
    store
}

fn commits(reader: &dyn JournalReader) -> Vec<Commit> {
    reader.read_all(Cursor::START).unwrap().map(|stored| stored.unwrap().commit).collect()
}

#[test]
fn what_is_sealed_reads_back_as_it_was_written() {
    let people = personal::somebody();
    let written: Vec<Commit> = calls(&people).into_iter().flatten().collect();
    let (store, journal) = Store::with(erasable(), calls(&people));
    assert_eq!(commits(&journal), written);
    assert_eq!(commits(&*reader::open(store.path()).unwrap()), written, "through the writer's socket");
    journal.close().unwrap();
    drop(journal);
    assert_eq!(commits(&*reader::open(store.path()).unwrap()), written, "from a copy");
    let again = SledJournal::open(store.path(), Options { erasable: false, ..erasable() }).unwrap();
    for commit in calls(&people).into_iter().flatten() {
        let expect = callbox_store::Expect::of(&commit);
        again.append(commit, expect).wait().unwrap();
    }
    assert_eq!(commits(&again), written, "a repeated append is recognised");
}

/// Every file of a store, and what is packed in its log.
fn everything(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.is_file() {
                found.push((path.clone(), std::fs::read(&path).unwrap()));
            }
        }
    }
    for step in Walk::all(dir).unwrap() {
        if let Step::Record { bytes, .. } = step.unwrap() {
            found.push(("a record".into(), Record::read(&bytes).unwrap().frames().unwrap()));
        }
    }
    found
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// What the tool says of a store, in every way that shows people.
fn said(store: &Store) -> Vec<(String, Vec<u8>)> {
    let dir = tempfile::tempdir().unwrap();
    let call = &retold();
    let mut said: Vec<(String, Vec<u8>)> = [
        vec!["list"],
        vec!["list", "--json"],
        vec!["show", call, "--raw"],
        vec!["show", call, "--json"],
        vec!["why", call],
        vec!["why", call, "--json"],
        vec!["ladder", call],
        vec!["step", call, "--at", "0"],
        vec!["verify"],
    ]
    .into_iter()
    .map(|args| (args.join(" "), store.callbox(&args).stdout.into_bytes()))
    .collect();
    for format in ["jsonl", "csv", "vcon", "clf", "tsdk", "pcap", "recording"] {
        let path = dir.path().join(format);
        let ran = store.callbox(&["export", "--format", format, "-o", path.to_str().unwrap()]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let exported = if path.is_dir() { everything_in(&path) } else { std::fs::read(&path).unwrap() };
        said.push((format.to_owned(), exported));
    }
    said
}

fn everything_in(dir: &Path) -> Vec<u8> {
    std::fs::read_dir(dir).unwrap().flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

/// The verdict of each call, without words that name people.
fn verdicts(store: &Store) -> Vec<String> {
    let reader = reader::open(store.path()).unwrap();
    let calls: Vec<_> = reader.calls().unwrap().map(Result::unwrap).collect();
    let verdict = |call| {
        let commits = reader.read(call).unwrap();
        let why = callbox_events::verdict::why(commits.iter().map(|stored| &stored.commit)).unwrap();
        let verdict = why.verdict;
        let evidence: Vec<u64> = verdict.evidence.iter().map(|row| row.event).collect();
        format!(
            "{call} {:?} {:?} {:?} {:?} {evidence:?}",
            verdict.cause, verdict.ended_by, verdict.act, verdict.confidence
        )
    };
    calls.into_iter().map(verdict).collect()
}

fn number() -> impl Strategy<Value = String> {
    "[1-9][0-9]{9,14}"
}

fn people() -> impl Strategy<Value = Personal> {
    (number(), number(), number(), "[A-Z][a-z]{6,9}q").prop_map(|(caller, called, third, name)| Personal {
        caller,
        called,
        third,
        name,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, ..ProptestConfig::default() })]

    /// The promise itself: of whoever is erased nothing is left in any file and in anything the tool says; the others are
    /// where they were, and so is every verdict.
    #[test]
    fn of_whoever_is_erased_nothing_is_left(people in people()) {
        let store = store(&people);
        let before = verdicts(&store);
        let numbers = [&people.caller, &people.called, &people.third];
        for (_, bytes) in everything(store.path()) {
            prop_assert!(numbers.iter().all(|number| !holds(&bytes, number)), "sealed from the beginning");
        }
        let shown = store.callbox(&["show", &retold(), "--raw"]).ok();
        prop_assert!(numbers.iter().all(|number| shown.contains(*number)), "{shown}");
        for (erased, left) in [(0, vec![1, 2]), (2, vec![1]), (1, vec![])] {
            let done = store.callbox(&["erase", numbers[erased], "--yes"]).ok();
            prop_assert!(done.contains("erased"), "{}", done);
            let spaced = format!("{} {}-{}", &numbers[erased][..3], &numbers[erased][3..5], &numbers[erased][5..]);
            for (place, bytes) in said(&store) {
                prop_assert!(!holds(&bytes, numbers[erased]), "{} in {}", numbers[erased], place);
                prop_assert!(!holds(&bytes, &spaced), "{} in {}", spaced, place);
                prop_assert!(erased != 0 || !holds(&bytes, "10.1.2.3"), "an address in {}", place);
            }
            let shown = store.callbox(&["show", &retold(), "--raw"]).ok();
            for other in left {
                prop_assert!(shown.contains(numbers[other]), "{} in {}", numbers[other], shown);
            }
            prop_assert_eq!(verdicts(&store), before.clone());
            store.callbox(&["check"]).ok();
            store.callbox(&["verify"]).ok();
        }
    }
}

#[test]
fn a_receipt_says_what_was_destroyed_and_verify_checks_it() {
    let people = personal::somebody();
    let store = store(&people);
    let refused = store.callbox(&["erase", "+1 555 0100", "--yes"]);
    assert_eq!((refused.code, refused.stderr.contains("party_not_found")), (3, false), "{}", refused.stderr);
    assert_eq!(store.callbox(&["erase", &people.caller]).code, 2, "nobody is there to be asked");
    let done = store.callbox(&["erase", &people.caller, "--yes", "--json"]).ok();
    let done: serde_json::Value = serde_json::from_str(&done).unwrap();
    assert_eq!(done["calls"], 1, "{done}");
    let verified = store.callbox(&["verify"]).ok();
    assert!(verified.contains("erased"), "{verified}");
    assert_eq!(store.callbox(&["erase", &people.caller, "--yes"]).code, 3, "it has no name any more");
    let user = done["erased"][0].as_str().unwrap().to_owned();
    assert!(store.callbox(&["list"]).ok().contains(&user), "the pseudonym stands in its place");
    std::fs::write(store.path().join("erasures"), "").unwrap();
    let ran = store.callbox(&["verify"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("no receipt says so"), "{}", ran.stdout);
}

#[test]
fn a_running_engine_erases_unless_the_party_is_in_a_call() {
    let people = personal::somebody();
    let mut told = calls(&people);
    let released = told.last_mut().unwrap().pop().unwrap();
    let (store, journal) = Store::with(erasable(), told);
    let refused = store.callbox(&["erase", &people.called, "--yes", "--json"]);
    assert!(refused.stderr.contains("party_alive"), "{}", refused.all());
    let expect = callbox_store::Expect::of(&released);
    journal.append(released, expect).wait().unwrap();
    store.callbox(&["erase", &people.called, "--yes"]).ok();
    let shown = store.callbox(&["show", &retold(), "--raw"]).ok();
    assert!(!shown.contains(&people.called) && shown.contains(&people.caller), "{shown}");
    journal.close().unwrap();
    drop(journal);
    store.callbox(&["verify"]).ok();
}

#[test]
fn a_recording_takes_the_keys_of_its_calls_along_and_none_of_the_erased() {
    let people = personal::somebody();
    let store = store(&people);
    let dir = tempfile::tempdir().unwrap();
    let record = |name: &str| {
        let path = dir.path().join(name).to_str().unwrap().to_owned();
        store.callbox(&["export", &retold(), "--format", "recording", "-o", &path]).ok();
        path
    };
    let show = |path: &str| callbox(&["show", &retold(), "--raw", "--recording", path]).ok();
    let open = record("before.recording");
    assert!(!holds(&std::fs::read(&open).unwrap(), &people.caller), "it is sealed, too");
    assert_eq!(show(&open), store.callbox(&["show", &retold(), "--raw"]).ok());
    callbox(&["verify", "--recording", &open]).ok();
    store.callbox(&["erase", &people.caller, "--yes"]).ok();
    let erased = record("after.recording");
    let shown = show(&erased);
    assert!(!shown.contains(&people.caller) && shown.contains(&people.called), "{shown}");
    callbox(&["verify", "--recording", &erased]).ok();
    assert!(show(&open).contains(&people.caller), "a copy made before is out of reach");
    let plain = dir.path().join("plain").to_str().unwrap().to_owned();
    callbox(&["import", &open, "--store", &plain]).ok();
    assert_eq!(callbox(&["show", &retold(), "--raw", "--store", &plain]).ok(), show(&open));
}

#[test]
fn a_repaired_store_has_the_keys_and_the_receipts() {
    let people = personal::somebody();
    let store = store(&people);
    store.callbox(&["erase", &people.caller, "--yes"]).ok();
    let dir = tempfile::tempdir().unwrap();
    let new = dir.path().join("new").to_str().unwrap().to_owned();
    store.callbox(&["verify", "--repair", &new]).ok();
    let show = |store: &str| callbox(&["show", &retold(), "--raw", "--store", store]).ok();
    assert_eq!(show(&new), show(store.path().to_str().unwrap()));
    assert!(callbox(&["verify", "--store", &new]).ok().contains("1 erased"));
}

#[test]
fn a_store_that_is_not_erasable_says_so() {
    let store = Store::of([stories::bob_hangs_up()]);
    let ran = store.callbox(&["erase", "sip:bob@127.0.0.1", "--yes", "--json"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("not_erasable"), "{}", ran.stderr);
    assert_eq!(callbox(&["erase", "nobody at all", "--store", "x"]).code, 2);
}
