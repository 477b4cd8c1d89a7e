//! `callbox what-if` over told calls, as people and programs see it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use serde_json::Value;
use support::{Store, stories};

#[test]
fn longer_and_shorter_patience() {
    let store = Store::of(stories::all());
    let nobody = "0d93ab51@127.0.0.1";
    let longer = store.callbox(&["what-if", nobody, "--set", "no_answer=45s"]).ok();
    insta::assert_snapshot!("longer", longer);
    let shorter = store.callbox(&["what-if", "a84b4c76e66710@127.0.0.1", "--set", "no_answer=2s"]).ok();
    insta::assert_snapshot!("shorter", shorter);
    let without = store.callbox(&["what-if", nobody, "--set", "no_answer=off"]).ok();
    insta::assert_snapshot!("without", without);
}

#[test]
fn a_rule_that_never_mattered_changes_nothing() {
    let store = Store::of(stories::all());
    insta::assert_snapshot!(store.callbox(&["what-if", "latest", "--set", "max_duration=1h"]).ok());
}

#[test]
fn messages_are_lost_and_late() {
    let store = Store::of(stories::all());
    for (name, args) in [
        ("the_bye_is_lost", &["a84b4c76e66710@127.0.0.1", "--drop", "5"][..]),
        ("our_bye_is_lost", &["latest", "--drop", "5"]),
        ("the_answer_is_late", &["a84b4c76e66710@127.0.0.1", "--delay", "3=30s"]),
        ("the_ack_is_lost", &["11fe@192.0.2.9", "--drop", "3"]),
        ("our_cancel_is_lost", &["5f1e77d0c2@127.0.0.1", "--drop", "3"]),
        ("our_invite_is_lost", &["b05y@127.0.0.1", "--drop", "1"]),
    ] {
        insta::assert_snapshot!(name, store.callbox(&[&["what-if"], args].concat()).ok());
    }
}

#[test]
fn a_callee_that_answers_by_itself() {
    let store = Store::of(stories::all());
    let args = ["what-if", "77aa01@192.0.2.7", "--set", "answer_after=1s", "--set", "hangup_after=5s"];
    insta::assert_snapshot!(store.callbox(&args).ok());
}

#[test]
fn programs_get_both_verdicts_the_difference_and_the_assumptions() {
    let store = Store::of(stories::all());
    let json = store.callbox(&["what-if", "0d93ab51@127.0.0.1", "--set", "no_answer=45s", "--json"]).ok();
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["verdict"]["cause"], "no_answer");
    assert_eq!(answer["what_if"]["cause"], "no_answer");
    assert_eq!(answer["changes"][0], "no_answer 20s → 45s");
    let first = answer["diff"]["first_divergence"].as_u64().unwrap();
    let row = &answer["diff"]["rows"][usize::try_from(first).unwrap()];
    assert_eq!((&row["a_offset_us"], &row["b_offset_us"]), (&20_000_000.into(), &45_000_000.into()));
    let codes: Vec<&str> =
        answer["assumptions"].as_array().unwrap().iter().map(|a| a["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"answered_as_recorded") && codes.contains(&"silence"), "{codes:?}");
}

#[test]
fn the_settings_are_listed_with_their_units() {
    let store = Store::of(stories::all());
    insta::assert_snapshot!("settings", support::callbox(&["what-if", "--list-settings"]).ok());
    let of_a_call = store.callbox(&["what-if", "latest", "--list-settings"]).ok();
    assert!(of_a_call.starts_with("no_answer = 20s  a time"), "{of_a_call}");
    let json = store.callbox(&["what-if", "--list-settings", "--json"]).ok();
    assert_eq!(json.lines().count(), 10);
}

#[test]
fn what_makes_no_sense_is_said_with_what_would() {
    let store = Store::of(stories::all());
    for (name, args) in [
        ("unknown_setting", &["latest", "--set", "patience=45s"][..]),
        ("bad_value", &["latest", "--set", "no_answer=soon"]),
        ("no_change", &["latest"]),
        ("no_event", &["latest", "--drop", "99"]),
        ("no_message", &["latest", "--drop", "7"]),
        ("first_message", &["77aa01@192.0.2.7", "--drop", "0"]),
        ("no_call", &["--drop", "1"]),
        ("bad_delay", &["latest", "--delay", "4"]),
    ] {
        insta::assert_snapshot!(name, store.callbox(&[&["what-if"], args].concat()).all());
    }
}

#[test]
fn a_record_that_the_machine_does_not_share_proves_nothing() {
    let mut tampered = stories::we_hang_up();
    for happened in tampered.iter_mut().flat_map(|commit| &mut commit.events) {
        if let callbox_events::call::Event::Ended(ended) = &mut happened.event {
            ended.side = callbox_events::Side::Callee;
        }
    }
    insta::assert_snapshot!(
        Store::tampered([tampered]).callbox(&["what-if", "latest", "--set", "no_answer=1s"]).all()
    );
}
