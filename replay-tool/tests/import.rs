//! `callbox import`, as people and programs see it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(dead_code, reason = "the other tests of the command line use more of what they share")]

#[path = "support/packets.rs"]
mod packets;
mod support;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use packets::{Pcap, datagram, ether};
use serde_json::Value;
use support::{Ran, Store, callbox};

const ALICE: &str = "192.0.2.1:5060";
const BOB: &str = "192.0.2.2:5060";

/// One message of a call between the two.
fn message(start: &str, cseq: &str, to_tag: &str) -> Vec<u8> {
    format!(
        "{start}\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{}\r\nFrom: <sip:alice@192.0.2.1>;tag=a1\r\n\
         To: <sip:bob@192.0.2.2>{to_tag}\r\nCall-ID: seen@192.0.2.1\r\nCSeq: {cseq}\r\n\
         Contact: <sip:alice@192.0.2.1>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        cseq.replace(' ', "")
    )
    .into_bytes()
}

/// A call that Bob hangs up after two seconds, as a capture.
fn call() -> Pcap {
    let to = ";tag=b1";
    [
        (0, ALICE, BOB, message("INVITE sip:bob@192.0.2.2 SIP/2.0", "1 INVITE", "")),
        (90, BOB, ALICE, message("SIP/2.0 180 Ringing", "1 INVITE", to)),
        (3_000, BOB, ALICE, message("SIP/2.0 200 OK", "1 INVITE", to)),
        (3_010, ALICE, BOB, message("ACK sip:bob@192.0.2.2 SIP/2.0", "1 ACK", to)),
        (
            5_000,
            BOB,
            ALICE,
            String::from_utf8(message("BYE sip:alice@192.0.2.1 SIP/2.0", "7 BYE", ";tag=a1"))
                .unwrap()
                .replace("From: <sip:alice@192.0.2.1>;tag=a1", "From: <sip:bob@192.0.2.2>;tag=b1")
                .replace("To: <sip:bob@192.0.2.2>", "To: <sip:alice@192.0.2.1>")
                .into_bytes(),
        ),
    ]
    .into_iter()
    .fold(Pcap::new(1), |file, (millis, from, to, message)| {
        file.add(millis * 1000, &ether(&datagram(from, to, &message)))
    })
}

/// A folder with a capture in it and a store that does not exist yet.
struct Place(tempfile::TempDir);

impl Place {
    fn with(capture: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("calls.pcap"), capture).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn replace(&self, capture: &[u8]) {
        std::fs::write(self.0.path().join("calls.pcap"), capture).unwrap();
    }

    fn import(&self, more: &[&str]) -> Ran {
        let (capture, store) = (self.path("calls.pcap"), self.path("store"));
        callbox(&[&["import", &capture, "--store", &store], more].concat())
            .hiding(self.0.path().to_str().unwrap())
    }

    fn callbox(&self, args: &[&str]) -> Ran {
        callbox(&[args, &["--store", &self.path("store")]].concat())
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_captured_call_is_told_like_any_other() {
    let place = Place::with(&call().bytes);
    assert_eq!(
        place.import(&[]).ok(),
        "imported  1 call from 5 packets, 5 SIP messages of STORE/calls.pcap (pcap)\n"
    );
    let listed = json(&place.callbox(&["list", "--json"]).ok());
    assert_eq!((&listed["direction"], &listed["cause"]), (&"observed".into(), &"hangup".into()));
    assert_eq!((&listed["side"], &listed["sip_call_id"]), (&"callee".into(), &"seen@192.0.2.1".into()));
    assert_eq!(place.callbox(&["check"]).code, 0);
    assert_eq!(place.callbox(&["verify"]).code, 0);
}

#[test]
fn importing_again_changes_nothing() {
    let place = Place::with(&call().bytes);
    let first = json(&place.import(&["--json"]).ok());
    let events = first["events"].as_u64().unwrap();
    assert!(events > 0 && first["calls"] == 1 && first["broken"].is_null(), "{first}");
    let before = place.callbox(&["list", "--json"]).ok();
    let again = json(&place.import(&["--json"]).ok());
    assert_eq!(
        (&again["calls"], &again["events"], &again["already_there"]),
        (&0.into(), &0.into(), &1.into())
    );
    assert_eq!(place.callbox(&["list", "--json"]).ok(), before);
}

#[test]
fn another_capture_of_the_same_call_leaves_it_as_it_is() {
    let place = Place::with(&call().bytes);
    place.import(&[]).ok();
    let before = place.callbox(&["list", "--json"]).ok();
    let (packet, ringing) = (16 + 14 + 20 + 8, message("SIP/2.0 180 Ringing", "1 INVITE", ";tag=b1").len());
    let invite = message("INVITE sip:bob@192.0.2.2 SIP/2.0", "1 INVITE", "").len();
    let mut without_ringing = call().bytes;
    let from = 24 + packet + invite;
    without_ringing.drain(from..from + packet + ringing);
    place.replace(&without_ringing);
    let out = json(&place.import(&["--json"]).ok());
    assert_eq!(
        (&out["messages"], &out["calls"], &out["left_as_they_are"]),
        (&4.into(), &0.into(), &1.into())
    );
    assert_eq!(place.callbox(&["list", "--json"]).ok(), before);
}

#[test]
fn a_dry_run_needs_and_makes_no_store() {
    let place = Place::with(&call().bytes);
    let out =
        callbox(&["import", &place.path("calls.pcap"), "--dry-run"]).hiding(place.0.path().to_str().unwrap());
    assert_eq!(out.ok(), "found     1 call in 5 packets, 5 SIP messages of STORE/calls.pcap (pcap)\n");
    assert!(!PathBuf::from(place.path("store")).exists());
}

#[test]
fn a_broken_capture_is_a_finding_and_what_comes_before_is_there() {
    let mut capture = call().bytes;
    capture.truncate(capture.len() - 10);
    let place = Place::with(&capture);
    let ran = place.import(&[]);
    assert_eq!(ran.code, 1);
    let broken = ran.stdout.lines().last().unwrap();
    assert!(
        broken.starts_with("broken    it breaks at byte ") && broken.contains("after 4 packets"),
        "{broken}"
    );
    assert_eq!(place.callbox(&["list"]).ok().lines().count(), 2);
    let told = json(&place.import(&["--json"]).stdout);
    assert_eq!((&told["broken"]["packets"], &told["messages"]), (&4.into(), &4.into()));
}

#[test]
fn what_was_skipped_is_said_with_its_number() {
    let frame = ether(&datagram(ALICE, BOB, &message("OPTIONS sip:bob@192.0.2.2 SIP/2.0", "9 OPTIONS", "")));
    let place = Place::with(&call().cut(6_000_000, &frame, 100).cut(6_100_000, &frame, 100).bytes);
    let out = place.import(&[]).ok();
    assert_eq!(
        out.lines().nth(1),
        Some("skipped   2 SIP messages that the capture cut off (snap length), the first in packet 6")
    );
    let out = json(&place.import(&["--json"]).ok());
    assert_eq!(out["skipped"][0]["reason"], "cut_off");
    assert_eq!((&out["skipped"][0]["count"], &out["skipped"][0]["first_packet"]), (&2.into(), &6.into()));
}

#[test]
fn what_can_not_be_imported_is_told_with_a_remedy() {
    for (capture, code, exit, message) in [
        (
            &b"not a capture at all, just some text"[..],
            "not_a_capture",
            5,
            "STORE/calls.pcap is no capture: it is neither pcap nor pcapng nor HEP",
        ),
        (b"", "not_a_capture", 5, "STORE/calls.pcap is no capture: it is empty"),
        (
            &Pcap::new(127).add(0, &[0; 60]).bytes,
            "unsupported_link",
            5,
            "STORE/calls.pcap holds packets of link type 127 (IEEE 802.11 with radiotap header) alone, which is not read",
        ),
    ] {
        let place = Place::with(capture);
        let ran = place.import(&["--json"]);
        let error = &json(&ran.stderr)["error"];
        assert_eq!((&error["code"], &error["message"]), (&code.into(), &message.into()));
        assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
        assert_eq!(ran.code, exit);
        assert!(code != "not_a_capture" || !PathBuf::from(place.path("store")).exists());
    }
    let place = Place::with(b"");
    let missing = callbox(&["import", &place.path("nowhere.pcap"), "--dry-run", "--json"]);
    assert_eq!((missing.code, &json(&missing.stderr)["error"]["code"]), (3, &"capture_not_found".into()));
    assert_eq!(callbox(&["import", &place.path("calls.pcap")]).code, 2, "no store was named");
}

#[test]
fn a_store_that_an_engine_holds_is_left_alone() {
    let place = Place::with(&call().bytes);
    let (store, _journal) = Store::kept_open([]);
    let ran =
        callbox(&["import", &place.path("calls.pcap"), "--store", store.path().to_str().unwrap(), "--json"]);
    assert_eq!((ran.code, &json(&ran.stderr)["error"]["code"]), (4, &"store_locked".into()));
}

#[test]
fn a_capture_may_come_through_a_pipe() {
    let place = Place::with(b"");
    let mut child = Command::new(env!("CARGO_BIN_EXE_callbox"))
        .args(["import", "-", "--store", &place.path("store"), "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&call().bytes).unwrap();
    let out = child.wait_with_output().unwrap();
    assert_eq!(json(&String::from_utf8(out.stdout).unwrap())["calls"], 1);
    assert!(out.status.success());
}
