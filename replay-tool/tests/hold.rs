//! Holds on the command line: who holds what, and until when.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(dead_code, reason = "the tests of the other commands use more of what they share")]

mod support;

use serde_json::Value;
use support::{Store, stories};

fn held(store: &Store) -> Vec<Value> {
    let out = store.callbox(&["hold", "list", "--json"]).ok();
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn calls_are_held_by_name_by_filter_and_by_time_until_they_are_released() {
    let store = Store::of(stories::all());
    assert_eq!(store.callbox(&["hold", "list"]).ok(), "nothing is held\n");
    let place = |args: &[&str]| store.callbox(&[&["hold", "place"], args].concat()).ok();
    assert_eq!(place(&["case-7", "latest", "--reason", "claim 7"]), "held  1 call, as case-7\n");
    let number = ["case-7", "--number", "4930123456", "--reason", "claim 7, too"];
    assert_eq!(place(&number), "held  1 call, as case-7\n");
    let period = ["audit", "--period", "--since", "2026-10-01", "--until", "2026-11-01", "--reason", "audit"];
    insta::assert_snapshot!(place(&period), @"held  every call that began from 2026-10-01T00:00:00.000000Z until 2026-11-01T00:00:00.000000Z, as audit");
    let list = held(&store);
    assert_eq!((&list[0]["name"], &list[1]["name"]), (&"audit".into(), &"case-7".into()));
    assert_eq!(list[1]["calls"].as_array().unwrap().len(), 2);
    assert_eq!(list[1]["reason"], "claim 7, too");
    let released = store.callbox(&["hold", "release", "case-7", "--reason", "settled"]).ok();
    assert_eq!(released, "released  case-7\n");
    assert_eq!(held(&store).len(), 1);
    assert!(store.callbox(&["verify"]).ok().contains("sound"));
}

#[test]
fn a_hold_that_holds_nothing_is_refused() {
    let store = Store::of(stories::all());
    for (args, code, told) in [
        (&["place", "x", "--reason", "r"][..], 2, "no call and no time was named"),
        (&["place", "x", "--number", "nobody", "--reason", "r"], 2, "no call and no time was named"),
        (&["place", "x", "nobody", "--reason", "r"], 3, "no call is named `nobody`"),
        (&["place", "x", "latest"], 2, "--reason"),
        (&["place", "x\u{7}", "latest", "--reason", "r"], 2, "all printable"),
        (&["place", "x", "latest", "--period", "--reason", "r"], 2, "cannot be used with"),
        (&["release", "x", "--reason", "r"], 3, "nothing is held under the name `x`"),
    ] {
        let ran = store.callbox(&[&["hold"], args].concat());
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{args:?}: {}", ran.stderr);
    }
    assert_eq!(store.callbox(&["hold", "list"]).ok(), "nothing is held\n");
}

#[test]
fn a_line_that_nobody_understands_holds_everything_and_is_told() {
    let store = Store::of(stories::all());
    std::fs::write(store.path().join("HOLDS"), "keep the one of last week\n").unwrap();
    insta::assert_snapshot!(store.callbox(&["hold", "list"]).all());
}
