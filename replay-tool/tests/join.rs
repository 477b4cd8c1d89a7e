//! `callbox join` over two told stores, as people and programs see it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::time::Duration;

use callbox_events::call::Command;
use callbox_events::schema::Commit;
use callbox_events::sip::{Counters, Reason};
use serde_json::Value;
use support::story::Story;
use support::{Ran, Store, callbox, stories};

const CALL_ID: &str = "a84b4c76e66710@127.0.0.1";

/// Bob's record of [`stories::bob_hangs_up`], by a clock that is 250 ms ahead.
fn bobs_record() -> Vec<Commit> {
    let record = Story::other_end(0, CALL_ID, "alice@127.0.0.1", "bob@127.0.0.1:5070")
        .command(10, Command::Ring, "SIP/2.0 180 Ringing", false)
        .command(3_180, Command::Accept, "SIP/2.0 200 OK", true)
        .ack(3_215)
        .hangup(15_630, "BYE sip:alice@127.0.0.1:5060 SIP/2.0")
        .bye_answered(15_665)
        .drained(20_665, Counters::default());
    ahead(record.commits(), 250)
}

fn ahead(mut commits: Vec<Commit>, ms: u64) -> Vec<Commit> {
    for commit in &mut commits {
        commit.at = commit.at + Duration::from_millis(ms);
    }
    commits
}

/// Carol declines with 603; on the way to Alice that has become 480.
fn declined_and_changed() -> (Vec<Commit>, Vec<Commit>) {
    let alice = Story::outgoing(60, "changed@127.0.0.1", "alice@127.0.0.1", "carol@127.0.0.1:5070")
        .provisional(40, 180, "Ringing", false)
        .failed(4_060, 480, "Temporarily Unavailable", vec![Reason::q850(20, "Subscriber absent")])
        .drained(9_060, Counters::default());
    let carol = Story::other_end(60, "changed@127.0.0.1", "alice@127.0.0.1", "carol@127.0.0.1:5070")
        .command(20, Command::Ring, "SIP/2.0 180 Ringing", false)
        .hangup(4_030, "SIP/2.0 603 Decline")
        .drained(9_030, Counters::default());
    (alice.commits(), ahead(carol.commits(), 250))
}

fn join(a: &Store, b: &Store, args: &[&str]) -> Ran {
    let (one, two) = (a.path().to_str().unwrap(), b.path().to_str().unwrap());
    callbox(&[&["join", one, two], args].concat()).hiding(one).hiding(two)
}

fn two_stores() -> (Store, Store) {
    let (alice, carol) = declined_and_changed();
    (
        Store::of([stories::bob_hangs_up(), alice, stories::nobody_answers()]),
        Store::of([bobs_record(), carol]),
    )
}

#[test]
fn joined_calls_are_listed_with_what_each_side_says() {
    let (a, b) = two_stores();
    let ran = join(&a, &b, &[]);
    assert_eq!(ran.code, 1, "a contradiction is a finding");
    insta::assert_snapshot!("list", ran.stdout);
}

#[test]
fn one_call_is_one_ladder_on_one_clock() {
    let (a, b) = two_stores();
    insta::assert_snapshot!("ladder", join(&a, &b, &["--call", CALL_ID]).ok());
    insta::assert_snapshot!(
        "ladder_of_a_contradiction",
        join(&a, &b, &["--call", "changed@127.0.0.1"]).stdout
    );
}

#[test]
fn the_order_of_the_stores_changes_the_names_alone() {
    let (a, b) = two_stores();
    let codes = |ran: &Ran| -> Vec<String> {
        let pairs = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let found = pairs.filter_map(|pair| pair["contradictions"].as_array().cloned()).flatten();
        found.map(|found| found.to_string()).collect()
    };
    let (one, two) = (join(&a, &b, &["--json"]), join(&b, &a, &["--json"]));
    assert_eq!(codes(&one), codes(&two));
    assert_eq!(codes(&one).len(), 1);
    let summary = |ran: &Ran| serde_json::from_str::<Value>(ran.stdout.lines().last().unwrap()).unwrap();
    let ahead = |ran: &Ran| summary(ran)["summary"]["clocks"]["b_ahead"]["offset_us"].as_i64().unwrap();
    assert!((ahead(&one) + ahead(&two)).abs() <= 1);
    let estimate = summary(&one)["summary"]["clocks"]["b_ahead"].clone();
    let (offset, within) =
        (estimate["offset_us"].as_i64().unwrap(), estimate["uncertainty_us"].as_i64().unwrap());
    assert!((offset - 250_000).abs() <= within, "{estimate}");
}

#[test]
fn programs_get_one_pair_a_line() {
    let (a, b) = two_stores();
    insta::assert_snapshot!("json", join(&a, &b, &["--json"]).stdout);
    let whole = join(&a, &b, &["--call", CALL_ID, "--json"]).ok();
    let pair: Value = serde_json::from_str(&whole).unwrap();
    assert!(pair["ladder"]["rows"].as_array().unwrap().len() > 10);
}

#[test]
fn stores_without_a_common_call_say_so() {
    let (a, b) = (Store::of([stories::bob_hangs_up()]), Store::of([stories::we_decline()]));
    insta::assert_snapshot!("nothing_in_common", join(&a, &b, &[]).ok());
    insta::assert_snapshot!("not_joined", join(&a, &b, &["--call", CALL_ID]).all());
    insta::assert_snapshot!("unknown_call", join(&a, &b, &["--call", "nobody@nowhere"]).all());
}

#[test]
fn an_engine_that_calls_itself_is_joined_with_itself() {
    let both = Store::of([stories::bob_hangs_up(), bobs_record()]);
    insta::assert_snapshot!("one_store", join(&both, &both, &[]).ok());
}

#[test]
fn a_missing_store_is_named() {
    let a = Store::of([stories::we_decline()]);
    let nowhere = a.path().join("nowhere");
    let ran = callbox(&["join", a.path().to_str().unwrap(), nowhere.to_str().unwrap()]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(ran.stderr.contains("nowhere"), "{}", ran.stderr);
}
