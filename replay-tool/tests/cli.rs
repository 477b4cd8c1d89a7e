//! The command line over told calls, as people and programs see it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use serde_json::Value;
use support::{Store, callbox, stories};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn list_shows_one_call_a_line() {
    insta::assert_snapshot!(Store::of(stories::all()).callbox(&["list"]).ok());
}

#[test]
fn list_as_json_has_the_promised_fields_in_order() {
    let out = Store::of(stories::all()).callbox(&["list", "--json"]).ok();
    assert_eq!(out.lines().count(), 7);
    insta::assert_snapshot!(out.lines().next().unwrap());
    let live = &lines(&out)[5];
    assert_eq!((&live["cause"], &live["family"]), (&"alive".into(), &"unknown".into()));
    assert!(live["ended_at"].is_null() && live["duration_ms"].is_null());
}

#[test]
fn list_takes_filters_orders_and_limits() {
    let store = Store::of(stories::all());
    for (args, ids) in [
        (&["--cause", "no_answer"][..], &["0d93ab51@127.0.0.1"][..]),
        (&["--family", "refused"], &["77aa01@192.0.2.7", "b05y@127.0.0.1"]),
        (
            &["--side", "caller", "--since", "2026-11-23T06:40:00Z", "--until", "2026-11-23T06:42:00Z"],
            &["0d93ab51@127.0.0.1"],
        ),
        (&["--number", "4930123456"], &["77aa01@192.0.2.7"]),
        (&["--live"], &["11fe@192.0.2.9"]),
        (&["--limit", "2"], &["11fe@192.0.2.9", "c0ffee@127.0.0.1"]),
        (&["--sort", "duration", "--limit", "1"], &["c0ffee@127.0.0.1"]),
        (&["--since", "2026-11-24"], &[]),
    ] {
        let out = store.callbox(&[&["list", "--json"], args].concat()).ok();
        let found: Vec<String> =
            lines(&out).iter().map(|call| call["sip_call_id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found, ids, "{args:?}");
    }
}

#[test]
fn an_empty_store_has_no_calls_and_says_so() {
    let store = Store::of([]);
    assert_eq!(store.callbox(&["list"]).ok(), "no calls\n");
    assert_eq!(store.callbox(&["list", "--json"]).ok(), "");
    insta::assert_snapshot!(store.callbox(&["why", "latest"]).all());
}

#[test]
fn why_explains_the_end_of_a_call_to_people() {
    let store = Store::of(stories::all());
    for (name, call) in [
        ("bob_hangs_up", "a84b4c76e66710@127.0.0.1"),
        ("alice_cancels", "5f1e77d0c2@127.0.0.1"),
        ("bob_is_busy", "b05y@127.0.0.1"),
        ("still_talking", "11fe@192.0.2.9"),
    ] {
        insta::assert_snapshot!(format!("why_{name}"), store.callbox(&["why", call]).ok());
    }
}

#[test]
fn an_end_by_a_crash_lies_in_an_interval_and_has_no_length() {
    let store = Store::of([stories::the_engine_crashes()]);
    let call = &lines(&store.callbox(&["list", "--json"]).ok())[0];
    assert_eq!((&call["cause"], &call["side"]), (&"engine_lost".into(), &"nobody".into()));
    assert!(call["duration_ms"].is_null());
    insta::assert_snapshot!("why_the_engine_crashes", store.callbox(&["why", "latest"]).ok());
    assert_eq!(store.callbox(&["check"]).code, 0);
}

#[test]
fn why_speaks_chinese() {
    let out = Store::of(stories::all()).callbox(&["why", "latest", "--lang", "zh"]).ok();
    let sentence = out.lines().next().unwrap();
    assert!(sentence.contains("主叫") && sentence.ends_with('。'), "{sentence}");
}

#[test]
fn why_as_json_has_the_promised_fields_in_order() {
    let store = Store::of(stories::all());
    let json = store.callbox(&["why", "latest", "--json"]).ok();
    let mut at = 0;
    for field in [
        "call_id",
        "sip_call_id",
        "direction",
        "local_side",
        "verdict",
        "family",
        "cause",
        "underlying",
        "ended_by",
        "side",
        "agent",
        "act",
        "phase",
        "answer_kind",
        "races",
        "fault",
        "confidence",
        "completeness",
        "sip",
        "status",
        "phrase",
        "reasons",
        "evidence",
        "against",
        "rulebook",
        "summary",
        "en",
        "zh",
    ] {
        let found = json[at..].find(&format!("\"{field}\":"));
        at += found.unwrap_or_else(|| panic!("{field} is missing or not in order after {}", &json[..at]));
    }
    for (call, cause, side) in [
        ("a84b4c76e66710@127.0.0.1", "hangup", "callee"),
        ("5f1e77d0c2@127.0.0.1", "cancelled", "caller"),
        ("77aa01@192.0.2.7", "declined", "callee"),
        ("0d93ab51@127.0.0.1", "no_answer", "caller"),
        ("b05y@127.0.0.1", "busy", "callee"),
        ("latest", "hangup", "caller"),
    ] {
        let why: Value = serde_json::from_str(&store.callbox(&["why", call, "--json"]).ok()).unwrap();
        let verdict = &why["verdict"];
        assert_eq!(
            (&verdict["cause"], &verdict["ended_by"]["side"]),
            (&cause.into(), &side.into()),
            "{call}"
        );
    }
}

#[test]
fn rejudge_lists_the_calls_whose_verdict_changes_with_both_reasonings() {
    let mut calls = stories::all();
    calls.push(stories::bob_is_busy_at_last());
    let store = Store::of(calls);
    let ran = store.callbox(&["rejudge"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!("rejudge", ran.stdout);
    assert_eq!(store.callbox(&["rejudge", "--rulebook", "1.0"]).stdout, ran.stdout);

    let json = lines(&store.callbox(&["rejudge", "--json"]).stdout);
    assert_eq!(json.len(), 1);
    assert_eq!(json[0]["changes"][0]["field"], "confidence");
    assert_eq!((&json[0]["from"]["rulebook"], &json[0]["to"]["rulebook"]), (&"1.0".into(), &"1.1".into()));
    let all = lines(&store.callbox(&["rejudge", "--all", "--json"]).stdout);
    assert_eq!(all.len(), 8);
}

#[test]
fn rejudge_is_content_where_nothing_changes() {
    let store = Store::of(stories::all());
    insta::assert_snapshot!("rejudge_same", store.callbox(&["rejudge"]).ok());
    insta::assert_snapshot!("rejudge_all", store.callbox(&["rejudge", "b05y@127.0.0.1", "--all"]).ok());
}

#[test]
fn rulebooks_are_named_by_their_version() {
    let store = Store::of([stories::bob_is_busy_at_last()]);
    let judged = |version: &str| {
        let json = store.callbox(&["why", "latest", "--rulebook", version, "--json"]).ok();
        let why: Value = serde_json::from_str(&json).unwrap();
        let verdict = &why["verdict"];
        format!("{} {} {}", verdict["rulebook"], verdict["cause"], verdict["confidence"])
    };
    assert_eq!(judged("1.0"), r#""1.0" "busy" "strong""#);
    assert_eq!(judged("1.1"), r#""1.1" "busy" "weak""#);
    insta::assert_snapshot!("rulebook_unknown", store.callbox(&["why", "latest", "--rulebook", "7"]).all());
    insta::assert_snapshot!("rulebook_newest", store.callbox(&["rejudge", "--rulebook", "1.1"]).all());
}

#[test]
fn rulebook_1_0_says_of_the_told_calls_what_it_always_said() {
    let mut calls = stories::all();
    calls.extend([stories::the_engine_crashes(), stories::bob_is_busy_at_last()]);
    let told =
        calls.into_iter().map(|call| Store::of([call]).callbox(&["why", "latest", "--rulebook", "1.0"]).ok());
    insta::assert_snapshot!("rulebook_1_0", told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn show_prints_every_event_with_its_cause_and_messages() {
    let store = Store::of(stories::all());
    insta::assert_snapshot!("show", store.callbox(&["show", "5f1e77d0c2@127.0.0.1"]).ok());
    insta::assert_snapshot!("show_raw", store.callbox(&["show", "77aa01@192.0.2.7", "--raw"]).ok());
}

#[test]
fn show_as_json_is_one_recorded_event_a_line() {
    let out = Store::of(stories::all()).callbox(&["show", "77aa01@192.0.2.7", "--json"]).ok();
    insta::assert_snapshot!(out);
}

#[test]
fn show_as_json_carries_whole_messages_on_request() {
    let out = Store::of(stories::all()).callbox(&["show", "77aa01@192.0.2.7", "--json", "--raw"]).ok();
    let events = lines(&out);
    assert_eq!(events.len(), 5);
    assert_eq!(events[0]["wire"][0]["direction"], "in");
    assert_eq!(events[0]["wire"][0]["peer"], "udp:127.0.0.1:5070");
    assert!(events[2]["wire"][0]["message"].as_str().unwrap().starts_with("SIP/2.0 603 Decline\r\n"));
    assert!(events[3]["wire"].is_null(), "the messages stand with the commit's first event");
}

#[test]
fn ladders_are_drawn_in_four_ways() {
    let store = Store::of(stories::all());
    for (name, call) in [("ours", "a84b4c76e66710@127.0.0.1"), ("theirs", "77aa01@192.0.2.7")] {
        insta::assert_snapshot!(format!("ladder_{name}"), store.callbox(&["ladder", call]).ok());
    }
    for format in ["mermaid", "svg"] {
        let drawn = store.callbox(&["ladder", "77aa01@192.0.2.7", "--format", format]).ok();
        insta::assert_snapshot!(format!("ladder_{format}"), drawn);
    }
    let html = store.callbox(&["ladder", "latest", "--format", "html"]).ok();
    assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"));
    assert!(!html.contains("src=") && !html.contains("href="), "the page must need nothing else");
    assert!(html.contains("BYE sip:bob@127.0.0.1:5070 SIP/2.0"));
}

#[test]
fn step_walks_through_the_states() {
    let store = Store::of(stories::all());
    insta::assert_snapshot!("step", store.callbox(&["step", "77aa01@192.0.2.7"]).ok());
    insta::assert_snapshot!("step_at", store.callbox(&["step", "77aa01@192.0.2.7", "--at", "1"]).ok());
    let beyond = store.callbox(&["step", "77aa01@192.0.2.7", "--at", "99"]);
    insta::assert_snapshot!("step_beyond", beyond.all());
}

#[test]
fn diff_finds_where_two_calls_part() {
    let store = Store::of(stories::all());
    let parted = store.callbox(&["diff", "5f1e77d0c2@127.0.0.1", "0d93ab51@127.0.0.1"]);
    assert_eq!(parted.code, 1);
    insta::assert_snapshot!("diff", parted.stdout);
    assert_eq!(store.callbox(&["diff", "latest", "latest"]).code, 0);
}

#[test]
fn stats_count_by_cause() {
    let store = Store::of(stories::all());
    insta::assert_snapshot!("stats", store.callbox(&["stats"]).ok());
    let out = store.callbox(&["stats", "--by", "hour", "--json"]).ok();
    assert_eq!(lines(&out)[0]["calls"], 7);
}

#[test]
fn a_prefix_names_a_call_as_long_as_it_is_unique() {
    let store = Store::of(stories::all());
    let calls = lines(&store.callbox(&["list", "--json"]).ok());
    let id = calls[1]["call_id"].as_str().unwrap();
    assert!(store.callbox(&["show", &id[..8]]).ok().contains(id));
    insta::assert_snapshot!("ambiguous", store.callbox(&["why", "1"]).all());
}

#[test]
fn a_sip_call_id_that_two_calls_share_is_ambiguous() {
    let ours = support::story::Story::outgoing(0, "shared@x", "alice@x", "bob@y").commits();
    let theirs = support::story::Story::incoming(0, "shared@x", "alice@x", "bob@y").commits();
    insta::assert_snapshot!(Store::of([ours, theirs]).callbox(&["why", "shared@x"]).all());
}

#[test]
fn an_unknown_call_is_not_found() {
    let store = Store::of(stories::all());
    insta::assert_snapshot!("unknown", store.callbox(&["why", "nobody@nowhere"]).all());
    let json = store.callbox(&["why", "ffffffffffffffffffffffffffffffff", "--json"]);
    assert_eq!(json.code, 3);
    let error: Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!(error["error"]["code"], "call_not_found");
}

#[test]
fn usage_errors_are_two_and_json_on_request() {
    insta::assert_snapshot!("no_store", callbox(&["list"]).all());
    let ran = callbox(&["list", "--cause", "busi", "--json"]);
    assert_eq!(ran.code, 2);
    let error: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(error["error"]["code"], "usage");
    insta::assert_snapshot!("bad_cause", callbox(&["list", "--cause", "busi"]).all());
}

#[test]
fn help_has_examples() {
    insta::assert_snapshot!("help", callbox(&["--help"]).ok());
    for command in [
        "list", "show", "why", "ladder", "step", "check", "diff", "rejudge", "verify", "prove", "beats",
        "key", "stats", "tail", "what-if",
    ] {
        let help = callbox(&[command, "--help"]).ok();
        assert!(help.contains("Examples:"), "{command}:\n{help}");
    }
    insta::assert_snapshot!("help_list", callbox(&["list", "--help"]).ok());
}

#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let store = Store::of(stories::all());
    assert!(!store.callbox(&["list"]).ok().contains('\u{1b}'));
    assert!(store.callbox(&["list", "--color", "always"]).ok().contains('\u{1b}'));
}

#[test]
fn whoever_stops_reading_is_no_error() {
    let store = Store::of(stories::all());
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_callbox"))
        .args(["show", "latest", "--json", "--store", store.path().to_str().unwrap()])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn text_from_the_network_does_not_steer_the_terminal() {
    let call = support::story::Story::outgoing(0, "esc\u{1b}[31m@x", "a\u{1b}]0;title\u{7}lice@x", "bob@y")
        .commits();
    let store = Store::of([call]);
    for args in [
        &["list"][..],
        &["why", "latest"],
        &["show", "latest", "--raw"],
        &["ladder", "latest"],
        &["step", "latest"],
    ] {
        let out = store.callbox(&[args, &["--color", "always"]].concat()).ok();
        assert!(!out.contains("\u{1b}]0;") && !out.contains('\u{7}'), "{args:?}:\n{out}");
    }
}

#[test]
fn a_store_that_a_live_engine_writes_reads_the_same() {
    let (store, journal) = Store::kept_open(stories::all());
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["why", "latest"],
        &["ladder", "latest"],
        &["check"],
        &["verify"],
    ] {
        let live = store.callbox(args).ok();
        assert_eq!(live, Store::of(stories::all()).callbox(args).ok(), "{args:?}");
    }
    drop(journal);
}

#[test]
fn a_missing_store_is_not_found_and_not_created() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("nothing");
    let ran = callbox(&["list", "--store", missing.to_str().unwrap()]).hiding(dir.path().to_str().unwrap());
    insta::assert_snapshot!("missing_store", ran.all());
    assert!(!missing.exists());
}

#[test]
fn a_directory_of_other_things_is_no_store() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("letter.txt"), "dear").unwrap();
    let ran =
        callbox(&["list", "--store", dir.path().to_str().unwrap()]).hiding(dir.path().to_str().unwrap());
    insta::assert_snapshot!("not_a_store", ran.all());
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let store = Store::of(stories::all());
    let format = store.path().join("FORMAT");
    let text = std::fs::read_to_string(&format).unwrap();
    std::fs::write(&format, text.replace("format 3", "format 4")).unwrap();
    for command in ["list", "verify"] {
        insta::assert_snapshot!(format!("newer_store_{command}"), store.callbox(&[command]).all());
    }
    std::fs::write(&format, text).unwrap();
    store.callbox(&["verify"]).ok();
}

#[test]
fn a_locked_store_without_an_answer_says_who_holds_it() {
    let store = Store::of(stories::all());
    let holder = store.held_by_another();
    let ran = store.callbox(&["list", "--json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""));
    let error: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(error["error"]["code"], "store_locked");
    drop(holder);
}

#[test]
fn verify_names_the_place_of_each_damage() {
    let store = Store::of(stories::all());
    insta::assert_snapshot!("verify_sound", store.callbox(&["verify"]).ok());
    store.flip_a_bit();
    let ran = store.callbox(&["verify", "--json"]);
    assert_eq!(ran.code, 1, "{}", ran.all());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(!report["damages"].as_array().unwrap().is_empty());
    assert_eq!(report["calls"], stories::all().len(), "the other copy has it");
}

#[test]
fn repair_writes_a_new_store_and_says_what_is_lost() {
    let store = Store::of(stories::all());
    let new = store.path().with_extension("new");
    let into = new.to_str().unwrap();
    store.flip_a_bit();
    // Which record the byte belongs to depends on how the commits came to be grouped.
    let ran = store.callbox(&["verify", "--repair", into]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(ran.stdout.contains("missing in the write-ahead log; sled has it"), "{}", ran.all());
    assert!(ran.stdout.contains("written  35 commits, 43 events to "), "{}", ran.all());
    assert!(ran.stdout.ends_with("; nothing is lost\n"), "{}", ran.all());
    assert_eq!(callbox(&["verify", "--store", into]).code, 0);
    let again = store.callbox(&["verify", "--repair", into]);
    assert_eq!(again.code, 2, "{}", again.all());
    std::fs::remove_dir_all(&new).unwrap();

    store.lose_sled();
    let ran = store.callbox(&["verify", "--repair", into, "--json"]);
    assert_eq!(ran.code, 1, "{}", ran.all());
    let repaired: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(!repaired["lost"].as_array().unwrap().is_empty(), "{repaired}");
    assert_eq!(callbox(&["verify", "--store", into]).code, 0);
    std::fs::remove_dir_all(&new).unwrap();
}

#[test]
fn tail_ends_where_a_store_that_nobody_writes_ends() {
    let store = Store::of([stories::we_decline()]);
    assert_eq!(store.callbox(&["tail"]).ok(), "");
    insta::assert_snapshot!("tail", store.callbox(&["tail", "--from", "0"]).ok());
    assert_eq!(lines(&store.callbox(&["tail", "--from", "3", "--json"]).ok())[0]["call_seq"], 3);
}
