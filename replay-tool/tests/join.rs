//! `callbox join` over two told stores, as people and programs see it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use serde_json::Value;
use support::two_ends::{CALL_ID, bobs_record, two_stores};
use support::{Ran, Store, callbox, stories};

fn join(a: &Store, b: &Store, args: &[&str]) -> Ran {
    let (one, two) = (a.path().to_str().unwrap(), b.path().to_str().unwrap());
    callbox(&[&["join", one, two], args].concat()).hiding(one).hiding(two)
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
