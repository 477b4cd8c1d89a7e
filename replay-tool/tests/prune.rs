//! Removing what is old, on the command line: what an operator types, and what an auditor sees afterwards.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(dead_code, reason = "the tests of the other commands use more of what they share")]

mod support;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use callbox_events::Timestamp;
use callbox_store::Journal;
use callbox_store::proof::key::SigningKey;
use callbox_store::sled::Options;
use serde_json::Value;
use support::{Store, callbox, stories};

/// A store with a volume for each few calls, sealed by `key`; all calls but the one that goes on.
fn store(key: &str) -> Store {
    let signing_key = SigningKey::parse(&std::fs::read_to_string(key).unwrap()).unwrap();
    let options = Options {
        signing_key: Some(Arc::new(signing_key)),
        checkpoint_interval: Duration::ZERO,
        group_delay: Duration::ZERO,
        group_commits: 1,
        volume_bytes: 2_000,
        ..Options::default()
    };
    let mut calls = stories::all();
    calls.retain(|call| {
        call.iter()
            .any(|commit| commit.events.iter().any(|happened| happened.event.kind().code() == "released"))
    });
    let (store, journal) = Store::with(options, calls);
    journal.close().unwrap();
    store
}

/// `--older-than` for what was recorded before the fourth minute of the stories, which are told in the past.
fn before_the_fourth_minute() -> String {
    let cut: Timestamp = "2026-11-23T06:41:30Z".parse().unwrap();
    let now = Timestamp::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("{}s", now.since(cut).as_secs())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn ids(store: &Store) -> Vec<String> {
    let listed = store.callbox(&["list", "--json"]).ok();
    listed.lines().map(|line| json(line)["call_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_oldest_calls_go_the_held_one_stays_and_the_rest_is_still_proven() {
    let desk = tempfile::tempdir().unwrap();
    let key = desk.path().join("key").to_str().unwrap().to_owned();
    callbox(&["key", "new", "-o", &key, "--name", "callbox.example/desk"]).ok();
    let (store, old) = (store(&key), before_the_fourth_minute());
    let before = ids(&store);
    store.callbox(&["hold", "place", "case-7", &before[0], "--reason", "claim 7"]).ok();
    let held = store.callbox(&["why", &before[0]]).ok();

    let dry = json(
        &store.callbox(&["prune", "--older-than", &old, "--dry-run", "--json", "--signing-key", &key]).ok(),
    );
    assert!(!dry["removed"].as_array().unwrap().is_empty(), "{dry}");
    assert_eq!(ids(&store), before, "a dry run changes nothing");

    let told = store.callbox(&["prune", "--older-than", &old, "--signing-key", &key]).ok();
    assert!(told.starts_with("removed  ") && told.contains("held     1 call of them"), "{told}");
    let after = ids(&store);
    assert!(after.len() < before.len(), "{after:?}");
    assert_eq!(after[0], before[0], "it is held");
    assert_eq!(store.callbox(&["why", &before[0]]).ok(), held);
    let gone = before.iter().find(|call| !after.contains(call)).unwrap();
    assert_eq!(store.callbox(&["why", gone]).code, 3);

    let public = format!("{key}.pub");
    let verified = store.callbox(&["verify", "--public-key", &public]).ok();
    assert!(verified.contains("sound") && verified.contains("pruned  the oldest"), "{verified}");
    let report = json(&store.callbox(&["verify", "--json", "--public-key", &public]).ok());
    assert_eq!(report["pruned"]["commits"], dry["pruned"]["commits"]);
    let proof = desk.path().join("proof").to_str().unwrap().to_owned();
    store.callbox(&["prove", after.last().unwrap(), "-o", &proof]).ok();
    callbox(&["verify", "--proof", &proof, "--public-key", &public]).ok();
    store.callbox(&["check"]).ok();

    let recording = desk.path().join("kept.recording").to_str().unwrap().to_owned();
    store.callbox(&["export", after.last().unwrap(), "--format", "recording", "-o", &recording]).ok();
    let verified = callbox(&["verify", "--recording", &recording, "--public-key", &public]).ok();
    assert!(verified.contains("proven  "), "{verified}");
}

#[test]
fn a_wrong_prune_is_refused_with_its_reason() {
    let desk = tempfile::tempdir().unwrap();
    let key = desk.path().join("key").to_str().unwrap().to_owned();
    callbox(&["key", "new", "-o", &key]).ok();
    let store = store(&key);
    for (args, code, told) in [
        (&["prune"][..], 2, "--older-than"),
        (&["prune", "--older-than", "30"], 2, "needs its unit"),
        (&["prune", "--larger-than", "many"], 2, "many"),
        (&["prune", "--older-than", "1d"], 2, "--signing-key"),
    ] {
        let ran = store.callbox(args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{args:?}: {}", ran.stderr);
    }
    let nothing = desk.path().join("nothing");
    let ran = callbox(&["prune", "--older-than", "1d", "--store", nothing.to_str().unwrap()]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(!nothing.exists(), "a wrong path leaves nothing behind");
}
