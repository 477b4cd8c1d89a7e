//! `callbox check` over told calls: true ones, and some that were tampered with.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use serde_json::Value;
use support::{Store, stories};

#[test]
fn check_finds_nothing_in_a_true_record() {
    insta::assert_snapshot!(Store::of(stories::all()).callbox(&["check"]).ok());
}

#[test]
fn check_finds_a_tampered_run() {
    use callbox_events::Side;
    use callbox_events::call::Event;
    let mut tampered = stories::bob_hangs_up();
    for happened in tampered.iter_mut().flat_map(|commit| &mut commit.events) {
        if let Event::Ended(ended) = &mut happened.event {
            ended.side = Side::Caller;
        }
    }
    let store = Store::tampered([tampered, stories::we_decline()]);
    let ran = store.callbox(&["check"]);
    insta::assert_snapshot!(ran.all());
    let json = store.callbox(&["check", "--json"]).stdout;
    let json: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json.iter().filter(|call| !call["divergence"].is_null()).count(), 1);
}

#[test]
fn check_finds_messages_that_left_without_a_decision_and_decisions_that_sent_nothing() {
    let mut silent = stories::alice_cancels();
    silent[2].wire.clear();
    let mut polite = stories::bob_is_busy();
    let bye = stories::we_hang_up()[3].wire.clone();
    polite[2].wire.extend(bye);
    let mut other = stories::we_decline();
    let text = String::from_utf8(other[2].wire[0].bytes.clone()).unwrap();
    other[2].wire[0].bytes = text.replace("603 Decline", "486 Busy Here").into_bytes();
    let store = Store::tampered([silent, polite, other, stories::nobody_answers()]);
    insta::assert_snapshot!(store.callbox(&["check"]).all());
}
