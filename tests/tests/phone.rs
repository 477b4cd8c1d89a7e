//! baresip, a phone that people use, as caller and callee: hang-up by either side, cancel, reject, no answer.

use std::time::Duration;

use callbox_tests::baresip::Baresip;
use callbox_tests::cli::Cli;
use callbox_tests::daemon::{Daemon, Serve};
use callbox_tests::events::Events;
use callbox_tests::json::lacks;
use callbox_tests::lab::Lab;
use callbox_tests::peers;
use serde_json::{Value, json};

/// An engine and a phone, ready for one call.
struct Line {
    lab: Lab,
    daemon: Daemon,
    events: Events,
    phone: Baresip,
}

impl Line {
    fn new(serve: &[&str], patience: u64) -> Option<Self> {
        if !peers::have_baresip() {
            return None;
        }
        let lab = Lab::new();
        let daemon = Serve::new(&lab).with(&["--incoming", "ring", "--t1", "100"]).with(serve).start();
        let events = daemon.events(0);
        let phone = Baresip::start(lab.path(), Duration::from_secs(patience));
        Some(Self { lab, daemon, events, phone })
    }

    /// The engine calls the phone, which rings.
    fn engine_calls(&mut self, more: Value) -> String {
        let mut order = json!({"to": self.phone.uri(), "from": "sip:alice@127.0.0.1"});
        for (member, value) in more.as_object().expect("an object") {
            order[member] = value.clone();
        }
        let call = self.daemon.api().place(&order);
        self.phone.wait("CALL_INCOMING");
        self.events.wait(&call, "ringing");
        call
    }

    /// The phone calls the engine, which rings.
    fn phone_calls(&mut self) -> String {
        self.phone.dial(&format!("sip:carol@{}", self.daemon.udp()));
        let call = self.events.incoming();
        self.events.wait(&call, "ringing");
        self.phone.wait("CALL_RINGING");
        call
    }

    fn engine_answers(&mut self, call: &str) {
        self.daemon.api().command(call, "accept", &json!({}));
        self.events.wait(call, "connected");
        self.phone.wait("CALL_ESTABLISHED");
    }

    fn phone_answers(&mut self, call: &str) {
        self.phone.accept();
        self.phone.wait("CALL_ESTABLISHED");
        self.events.wait(call, "connected");
    }

    /// Waits for the end at both ends and checks the record.
    fn ends(mut self, call: &str, expected: Value) {
        self.phone.wait("CALL_CLOSED");
        self.events.wait(call, "released");
        let why = self.daemon.api().why(call);
        let differences = lacks(&expected, &why["verdict"]);
        assert!(differences.is_empty(), "{differences:#?}\nin {why:#}");
        let cli = Cli::store(&self.lab.store());
        assert_eq!(cli.why(call), why);
        self.daemon.stop();
        assert_eq!(cli.why(call), why);
        cli.assert_sound();
    }
}

fn ended(cause: &str, side: &str, act: &str, phase: &str) -> Value {
    json!({"cause": cause, "ended_by": {"side": side}, "act": act, "phase": phase})
}

#[test]
fn the_phone_is_called_and_the_engine_hangs_up() {
    let Some(mut line) = Line::new(&[], 60) else { return };
    let call = line.engine_calls(json!({}));
    line.phone_answers(&call);
    line.daemon.api().hangup(&call);
    line.ends(&call, ended("hangup", "caller", "bye", "connected"));
}

#[test]
fn the_phone_is_called_and_hangs_up() {
    let Some(mut line) = Line::new(&[], 60) else { return };
    let call = line.engine_calls(json!({}));
    line.phone_answers(&call);
    line.phone.hangup();
    line.ends(&call, ended("hangup", "callee", "bye", "connected"));
}

#[test]
fn the_phone_is_called_and_the_engine_cancels() {
    let Some(mut line) = Line::new(&[], 60) else { return };
    let call = line.engine_calls(json!({}));
    line.daemon.api().hangup(&call);
    line.ends(&call, ended("cancelled", "caller", "cancel", "ringing"));
}

#[test]
fn the_phone_is_called_and_rejects() {
    let Some(mut line) = Line::new(&[], 60) else { return };
    let call = line.engine_calls(json!({}));
    line.phone.hangup();
    let mut expected = ended("busy", "callee", "final_response", "ringing");
    expected["sip"] = json!({"status": 486});
    line.ends(&call, expected);
}

#[test]
fn the_phone_is_called_and_the_engine_loses_patience() {
    let Some(mut line) = Line::new(&[], 60) else { return };
    let call = line.engine_calls(json!({"no_answer_ms": 1500}));
    let mut expected = ended("no_answer", "caller", "cancel", "ringing");
    expected["ended_by"]["agent"] = json!("timer");
    line.ends(&call, expected);
}

#[test]
fn the_phone_is_called_and_loses_patience() {
    let Some(mut line) = Line::new(&[], 2) else { return };
    let call = line.engine_calls(json!({}));
    // baresip 1.0.0 says 486 when its ringing times out, without a word of why. The record says what the wire said, and
    // that the ringing before it speaks against it.
    let mut expected = ended("busy", "callee", "final_response", "ringing");
    expected["sip"] = json!({"status": 486, "reasons": []});
    expected["against"] = json!([{}]);
    line.ends(&call, expected);
}

#[test]
fn the_phone_calls_and_hangs_up() {
    let Some(mut line) = Line::new(&[], 60) else { return };
    let call = line.phone_calls();
    line.engine_answers(&call);
    line.phone.hangup();
    line.ends(&call, ended("hangup", "caller", "bye", "connected"));
}

#[test]
fn the_phone_calls_and_the_engine_hangs_up() {
    let Some(mut line) = Line::new(&[], 60) else { return };
    let call = line.phone_calls();
    line.engine_answers(&call);
    line.daemon.api().hangup(&call);
    line.ends(&call, ended("hangup", "callee", "bye", "connected"));
}

#[test]
fn the_phone_calls_and_cancels() {
    let Some(mut line) = Line::new(&[], 60) else { return };
    let call = line.phone_calls();
    line.phone.hangup();
    line.ends(&call, ended("cancelled", "caller", "cancel", "ringing"));
}

#[test]
fn the_phone_calls_and_is_rejected() {
    let Some(mut line) = Line::new(&[], 60) else { return };
    let call = line.phone_calls();
    line.daemon.api().hangup(&call);
    let mut expected = ended("declined", "callee", "final_response", "ringing");
    expected["sip"] = json!({"status": 603});
    line.ends(&call, expected);
}

#[test]
fn the_phone_calls_and_nobody_answers() {
    let Some(mut line) = Line::new(&["--no-answer", "1"], 60) else { return };
    let call = line.phone_calls();
    let mut expected = ended("no_answer", "callee", "final_response", "ringing");
    expected["ended_by"]["agent"] = json!("timer");
    expected["sip"] = json!({"status": 480});
    line.ends(&call, expected);
}
