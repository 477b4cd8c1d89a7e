//! Two daemons call each other, driven by their control APIs and followed by their event streams.

#![allow(clippy::expect_used, reason = "a failure here is the failure of a test")]

mod support;

use serde_json::Value;
use support::{Daemon, Event};

struct Pair {
    a: Daemon,
    b: Daemon,
    _dir: tempfile::TempDir,
}

/// A and B with shortened timers; B with more flags.
fn pair(more: &[&str]) -> Pair {
    let dir = tempfile::tempdir().expect("a directory");
    let short = ["--t1", "20"];
    let a = Daemon::start(&dir.path().join("a"), &short);
    let b = Daemon::start(&dir.path().join("b"), &[&short, more].concat());
    Pair { a, b, _dir: dir }
}

impl Pair {
    /// A calls B; A's id of the call.
    fn place(&self) -> String {
        let body = format!("{{\"to\":\"sip:bob@{}\",\"from\":\"sip:alice@127.0.0.1\"}}", self.b.udp);
        let answer = self.a.request("POST", "/v1/calls", &body);
        assert_eq!(answer.status, 201, "{}", answer.text);
        let call = answer.json()["call_id"].as_str().expect("an id").to_owned();
        assert!(answer.head.to_ascii_lowercase().contains(&format!("location: /v1/calls/{call}")));
        call
    }

    fn end(self) {
        for daemon in [self.a, self.b] {
            let (status, log) = daemon.stop();
            assert_eq!(status.code(), Some(0), "{log}");
            for person in ["alice", "bob"] {
                let named: Vec<_> = log
                    .lines()
                    .filter(|line| {
                        line.contains(person) && !line.contains("DEBUG") && !line.contains("TRACE")
                    })
                    .collect();
                assert!(named.is_empty(), "nobody is named above debug: {named:?}");
            }
        }
    }
}

fn command(daemon: &Daemon, call: &str, command: &str, body: &str) -> (u16, Value) {
    let answer = daemon.request("POST", &format!("/v1/calls/{call}/{command}"), body);
    (answer.status, answer.json())
}

fn accepted(daemon: &Daemon, call: &str, name: &str) {
    let (status, body) = command(daemon, call, name, "");
    assert_eq!((status, body["outcome"].as_str()), (202, Some("accepted")), "{name}: {body}");
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

fn cause(daemon: &Daemon, call: &str) -> (String, String, String) {
    let why = daemon.get(&format!("/v1/calls/{call}/why"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let verdict = &why["verdict"];
    (text(&verdict["cause"]), text(&verdict["ended_by"]["side"]), text(&verdict["ended_by"]["agent"]))
}

fn told(cause: &str, side: &str, agent: &str) -> (String, String, String) {
    (cause.to_owned(), side.to_owned(), agent.to_owned())
}

#[test]
fn an_application_says_why_it_ends_a_call_and_the_other_side_hears_it() {
    let pair = pair(&["--incoming", "answer"]);
    let (mut at_a, mut at_b) = (pair.a.events("?from=0", ""), pair.b.events("?from=0", ""));
    let call = pair.place();
    at_a.up_to("connected");
    let other = at_b.up_to("connected")[0].data["call_id"].as_str().expect("an id").to_owned();

    let (status, body) = command(&pair.a, &call, "note", "{\"what\":\"answered_by_party\"}");
    assert_eq!((status, body["outcome"].as_str()), (202, Some("accepted")), "{body}");
    for (name, wrong, code) in [
        ("note", "{\"what\":\"a bird\"}", "unknown_note"),
        ("hangup", "{\"cause\":\"boredom\"}", "unknown_cause"),
        ("hangup", "{\"cause\":\"engine_lost\"}", "unknown_cause"),
        ("hangup", "{\"cause\":5}", "invalid_field"),
    ] {
        let (status, body) = command(&pair.a, &call, name, wrong);
        assert_eq!((status, body["error"]["code"].as_str()), (400, Some(code)), "{wrong}: {body}");
    }
    let (_, body) = command(&pair.a, &call, "hangup", "{\"cause\":\"boredom\"}");
    assert!(body["error"]["hint"].as_str().is_some_and(|hint| hint.contains("credit_exhausted")), "{body}");

    let stated = "{\"origin\":\"application\",\"cause\":\"credit_exhausted\"}";
    assert_eq!(command(&pair.a, &call, "hangup", stated).0, 202);
    at_a.up_to("ended");
    at_b.up_to("ended");
    assert_eq!(cause(&pair.a, &call), told("credit_exhausted", "caller", "application"));
    assert_eq!(cause(&pair.b, &other), told("credit_exhausted", "network", "application"));
    let why = pair.a.get(&format!("/v1/calls/{call}/why"));
    assert_eq!(why["verdict"]["answer_kind"], "party", "{why}");
    assert_eq!(why["verdict"]["evidence"][0]["rule"], "own.stated", "{why}");
    pair.end();
}

#[test]
fn a_call_is_placed_rung_accepted_held_and_hung_up() {
    let pair = pair(&[]);
    let (mut at_a, mut at_b) = (pair.a.events("?from=0", ""), pair.b.events("?from=0", ""));
    let call = pair.place();
    let ringing = at_b.up_to("ringing");
    assert_eq!(names(&ringing), ["incoming", "ringing"]);
    let other = ringing[0].data["call_id"].as_str().expect("an id").to_owned();
    assert_ne!(call, other, "each side has its own record");
    at_a.up_to("ringing");
    let live = pair.b.get("/v1/calls?state=live");
    assert_eq!(live[0]["call_id"], other.as_str());
    assert_eq!(live[0]["direction"], "incoming");

    accepted(&pair.b, &other, "accept");
    at_b.up_to("connected");
    at_a.up_to("connected");
    let (status, body) = command(&pair.b, &other, "ring", "");
    assert_eq!((status, body["error"]["code"].as_str()), (409, Some("not_possible")), "{body}");

    accepted(&pair.a, &call, "hold");
    at_b.up_to("held");
    at_a.up_to("held");
    accepted(&pair.a, &call, "resume");
    at_b.up_to("media");
    at_a.up_to("media");

    let (status, _) = command(&pair.a, &call, "hangup", "{\"reason\":\"that was all\",\"origin\":\"user\"}");
    assert_eq!(status, 202);
    assert_eq!(names(&at_a.up_to("released")), ["ending", "ended", "released"]);
    assert_eq!(names(&at_b.up_to("ended")), ["ended"]);
    let (status, body) = command(&pair.a, &call, "hangup", "");
    assert_eq!((status, body["outcome"].as_str()), (202, Some("already_ended")), "{body}");

    assert_eq!(cause(&pair.a, &call), told("hangup", "caller", "user"));
    let (why, side, _) = cause(&pair.b, &other);
    assert_eq!((why.as_str(), side.as_str()), ("hangup", "caller"));
    let summary = pair.a.get(&format!("/v1/calls/{call}"));
    assert_eq!((&summary["cause"], &summary["phase"]), (&"hangup".into(), &"ended".into()), "{summary}");
    assert_eq!(pair.a.get("/v1/calls?state=ended&limit=5").as_array().map(Vec::len), Some(1));
    assert_eq!(pair.a.get("/v1/calls?state=live").as_array().map(Vec::len), Some(0));
    let metrics = pair.a.request("GET", "/metrics", "").text;
    for line in [
        "callbox_calls_started_total{direction=\"outgoing\"} 1",
        "callbox_calls_ended_total{act=\"bye\",side=\"caller\",agent=\"user\"} 1",
        "callbox_calls_released_total 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    pair.end();
}

#[test]
fn a_call_is_rejected_with_the_status_that_was_asked_for() {
    let pair = pair(&[]);
    let (mut at_a, mut at_b) = (pair.a.events("?from=0", ""), pair.b.events("?from=0", ""));
    let call = pair.place();
    let ringing = at_b.up_to("ringing");
    let other = ringing[0].data["call_id"].as_str().expect("an id");
    let (status, body) = command(&pair.b, other, "hangup", "{\"status\":486}");
    assert_eq!((status, body["outcome"].as_str()), (202, Some("accepted")));
    at_a.up_to("ended");
    assert_eq!(pair.a.get(&format!("/v1/calls/{call}/why"))["verdict"]["sip"]["status"], 486);
    assert_eq!(cause(&pair.b, other), told("declined", "callee", "user"));
    pair.end();
}

#[test]
fn what_callboxd_does_by_itself_follows_its_flags() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&["--incoming", "answer", "--hangup-after", "0"], "hangup", "callee"),
        (&["--incoming", "ring", "--answer-after", "10", "--hangup-after", "50"], "hangup", "callee"),
        (&["--incoming", "reject"], "declined", "callee"),
        (&["--incoming", "busy"], "busy", "callee"),
        (&["--incoming", "ring", "--no-answer", "0.3"], "no_answer", "callee"),
    ];
    for (flags, wanted, by) in cases {
        let pair = pair(flags);
        let mut at_a = pair.a.events("?from=0", "");
        let call = pair.place();
        at_a.up_to("ended");
        let (cause, side, _) = cause(&pair.a, &call);
        assert_eq!((cause.as_str(), side.as_str()), (*wanted, *by), "{flags:?}");
        pair.end();
    }
}

#[test]
fn a_call_beyond_the_limit_is_busy_without_ringing() {
    let pair = pair(&["--max-calls", "1"]);
    let mut at_a = pair.a.events("?from=0", "");
    pair.place();
    at_a.up_to("ringing");
    let second = pair.place();
    let events = at_a.up_to("ended");
    assert!(events.iter().all(|event| event.name != "ringing"), "{events:?}");
    assert_eq!(pair.a.get(&format!("/v1/calls/{second}"))["cause"], "busy");
    pair.end();
}

#[test]
fn an_event_stream_is_gapless_across_reconnections() {
    let pair = pair(&["--incoming", "answer", "--hangup-after", "0"]);
    let mut whole = pair.a.events("?from=0", "");
    let call = pair.place();
    let events = whole.up_to("released");
    assert!(events.iter().all(|event| event.data["call_id"] == call.as_str()));
    assert!(
        events.iter().all(|event| event.data["seq"] == event.id && event.data["notification"] == event.name)
    );
    assert!(events.windows(2).all(|two| two[0].id < two[1].id), "{events:?}");
    for cut in 0..events.len() - 1 {
        let header = format!("Last-Event-ID: {}\r\n", events[cut].id);
        let rest = pair.a.events("", &header).up_to("released");
        assert_eq!(names(&rest), names(&events[cut + 1..]), "after {cut}");
    }
    pair.end();
}

#[test]
fn a_stream_without_a_beginning_tells_what_comes_from_now_on() {
    let pair = pair(&["--incoming", "reject"]);
    let mut whole = pair.a.events("?from=0", "");
    pair.place();
    whole.up_to("released");
    let mut fresh = pair.a.events("", "");
    let second = pair.place();
    assert!(fresh.up_to("released").iter().all(|event| event.data["call_id"] == second.as_str()));
    pair.end();
}

#[test]
fn closing_does_not_wait_for_an_event_stream_and_ends_live_calls() {
    let pair = pair(&["--incoming", "answer"]);
    let mut at_b = pair.b.events("?from=0", "");
    let mut at_a = pair.a.events("?from=0", "");
    pair.place();
    at_a.up_to("connected");
    at_b.up_to("connected");
    let Pair { a, b, _dir } = pair;
    let (status, log) = a.stop();
    assert_eq!(status.code(), Some(0), "{log}");
    let ended = at_b.up_to("ended");
    assert_eq!(names(&ended), ["ended"], "the other side hears of it");
    assert!(b.stop().0.success());
}
