//! kill -9 in every state of a call, then reopen (SCENARIOS C1 to C6), seen from outside: the wire, HTTP and `callbox`.
//!
//! The other side is played by hand, because it must stay in the middle of a call while the engine is away.

use callbox_tests::cli::Cli;
use callbox_tests::daemon::{Daemon, Serve};
use callbox_tests::events::Events;
use callbox_tests::hand::{Hand, Received};
use callbox_tests::json::lacks;
use callbox_tests::lab::Lab;
use callbox_tests::probe::Request;
use callbox_tests::wait;
use serde_json::{Value, json};

/// An engine that may be killed and opened again on the same port and journal.
struct Engine {
    lab: Lab,
    port: u16,
    daemon: Option<Daemon>,
    events: Events,
}

impl Engine {
    fn new() -> Self {
        let lab = Lab::new();
        let daemon = Self::serve(&lab, 0);
        let (port, events) = (daemon.ready.udp, daemon.events(0));
        Self { lab, port, daemon: Some(daemon), events }
    }

    fn serve(lab: &Lab, port: u16) -> Daemon {
        Serve::new(lab).on(port).with(&["--t1", "40", "--incoming", "ring"]).start()
    }

    fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("it runs")
    }

    /// Kills it and opens it again. Its notifications are followed anew from the one after `self`'s last.
    fn crash_and_reopen(&mut self) {
        let last = self.events.seen().last().map_or(0, |notification| notification.seq + 1);
        self.crash_and_follow(last);
    }

    fn crash_and_follow(&mut self, from: u64) {
        self.daemon.take().expect("it runs").crash();
        let daemon = Self::serve(&self.lab, self.port);
        self.events = daemon.events(from);
        self.daemon = Some(daemon);
    }

    fn place(&mut self, callee: &Hand) -> String {
        self.daemon().api().place(&json!({"to": callee.uri(), "from": "sip:alice@127.0.0.1"}))
    }

    fn cli(&self) -> Cli {
        Cli::store(&self.lab.store())
    }

    /// C6 and the record: the call ended once and was released last, nothing is live, the journal is sound, and the
    /// verdict is the same live and from the journal.
    fn settle(mut self, call: &str, expected: &Value) {
        self.events.wait(call, "released");
        let daemon = self.daemon.take().expect("it runs");
        assert_eq!(daemon.api().calls(true), Vec::<Value>::new(), "no call is left live");
        let why = daemon.api().why(call);
        let differences = lacks(expected, &why["verdict"]);
        assert!(differences.is_empty(), "{differences:#?}\nin {why:#}");
        daemon.stop();
        let cli = self.cli();
        cli.assert_sound();
        assert_eq!(cli.why(call), why);
        let kinds: Vec<String> = cli.show(call).iter().map(|event| text(&event["type"])).collect();
        for kind in ["ended", "released"] {
            assert_eq!(kinds.iter().filter(|there| *there == kind).count(), 1, "{kind} once in {kinds:?}");
        }
        assert_eq!(kinds.last().map(String::as_str), Some("released"));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What the record says of a call that a crash ended.
fn lost(phase: &str) -> Value {
    json!({
        "family": "local_system", "cause": "engine_lost", "ended_by": {"side": "nobody"}, "act": "discarded",
        "phase": phase,
    })
}

fn hung_up(side: &str) -> Value {
    json!({"family": "cleared", "cause": "hangup", "ended_by": {"side": side}, "act": "bye"})
}

/// Brings an outgoing call to the conversation.
fn connect(engine: &mut Engine, callee: &Hand) -> (String, Received) {
    let call = engine.place(callee);
    let invite = callee.expect("INVITE");
    callee.reply(&invite, "200 OK", true);
    let _ = callee.expect("ACK");
    engine.events.wait(&call, "connected");
    (call, invite)
}

#[test]
fn killed_while_calling_the_call_is_lost_and_a_late_answer_is_dismissed() {
    let (mut engine, callee) = (Engine::new(), Hand::new());
    let call = engine.place(&callee);
    let invite = callee.expect("INVITE");
    engine.events.wait(&call, "started");
    engine.crash_and_reopen();
    engine.events.wait(&call, "ended");
    // The called side never heard of it: its answer gets ACK and BYE (RFC 3261 §13.2.2.4 and §15).
    callee.reply(&invite, "200 OK", true);
    let _ = callee.expect("ACK");
    let bye = callee.expect("BYE");
    callee.reply(&bye, "200 OK", false);
    engine.settle(&call, &lost("setup"));
}

#[test]
fn killed_while_it_rings_over_there_the_call_is_cancelled_after_the_reopen() {
    let (mut engine, callee) = (Engine::new(), Hand::new());
    let call = engine.place(&callee);
    let invite = callee.expect("INVITE");
    callee.reply(&invite, "180 Ringing", false);
    engine.events.wait(&call, "ringing");
    engine.crash_and_reopen();
    cancelled_by_the_engine(&callee, &invite);
    engine.settle(&call, &lost("ringing"));
}

#[test]
fn killed_during_early_media_the_call_is_cancelled_after_the_reopen() {
    let (mut engine, callee) = (Engine::new(), Hand::new());
    let call = engine.place(&callee);
    let invite = callee.expect("INVITE");
    callee.reply(&invite, "183 Session Progress", true);
    engine.events.wait(&call, "early_media");
    engine.crash_and_reopen();
    cancelled_by_the_engine(&callee, &invite);
    engine.settle(&call, &lost("early_media"));
}

/// The engine cancels with the branch of its INVITE (C1) and acknowledges the 487.
fn cancelled_by_the_engine(callee: &Hand, invite: &Received) {
    let cancel = callee.expect("CANCEL");
    assert_eq!(cancel.header("Via"), invite.header("Via"), "CANCEL carries the branch of the INVITE");
    callee.reply(&cancel, "200 OK", false);
    callee.reply(invite, "487 Request Terminated", false);
    let ack = callee.expect("ACK");
    assert_eq!(ack.header("Via"), invite.header("Via"), "so does the ACK to a failure (RFC 3261 §17.1.1.3)");
}

/// A call to the engine, up to its ringing.
fn ringing_here(engine: &mut Engine, caller: &Hand, label: &str) -> (String, Request) {
    let invite = Request::new("INVITE", caller.address(), label).offer();
    caller.send(&invite.text(), ([127, 0, 0, 1], engine.port).into());
    let call = engine.events.incoming();
    engine.events.wait(&call, "ringing");
    let _ = caller.expect("SIP/2.0 180");
    (call, invite)
}

#[test]
fn killed_while_it_rings_here_the_caller_gets_a_final_response_after_the_reopen() {
    let (mut engine, caller) = (Engine::new(), Hand::new());
    let (call, invite) = ringing_here(&mut engine, &caller, "lost-ringing");
    engine.crash_and_reopen();
    let failure = caller.expect("SIP/2.0 500");
    acknowledge(&engine, &caller, &invite, &failure, &invite.branch);
    engine.settle(&call, &lost("ringing"));
}

/// Sends the ACK to a final response.
fn acknowledge(engine: &Engine, caller: &Hand, invite: &Request, answer: &Received, branch: &str) {
    let mut ack = invite.clone();
    ack.method = "ACK".to_owned();
    branch.clone_into(&mut ack.branch);
    ack.to_tag = answer.header("To").split_once(";tag=").map(|(_, tag)| tag.to_owned());
    caller.send(&ack.text(), ([127, 0, 0, 1], engine.port).into());
}

#[test]
fn killed_before_the_ack_the_answer_is_repeated_and_the_call_goes_on() {
    let (mut engine, caller) = (Engine::new(), Hand::new());
    let (call, invite) = ringing_here(&mut engine, &caller, "answering");
    engine.daemon().api().command(&call, "accept", &json!({}));
    let before = caller.expect("SIP/2.0 200");
    engine.events.wait(&call, "answered");
    engine.crash_and_reopen();
    let after = caller.expect("SIP/2.0 200");
    assert_eq!(after.header("To"), before.header("To"), "the same dialog");
    acknowledge(&engine, &caller, &invite, &after, "z9hG4bK-ack-after");
    engine.events.wait(&call, "connected");
    engine.daemon().api().hangup(&call);
    let bye = caller.expect("BYE");
    caller.reply(&bye, "200 OK", false);
    engine.settle(&call, &hung_up("callee"));
}

#[test]
fn killed_in_conversation_the_user_can_still_hang_up() {
    let (mut engine, callee) = (Engine::new(), Hand::new());
    let (call, _) = connect(&mut engine, &callee);
    engine.crash_and_reopen();
    assert_eq!(engine.daemon().api().calls(true).len(), 1, "the conversation goes on");
    engine.daemon().api().hangup(&call);
    let bye = callee.expect("BYE");
    callee.reply(&bye, "200 OK", false);
    engine.settle(&call, &hung_up("caller"));
}

#[test]
fn killed_in_conversation_the_other_side_can_still_hang_up() {
    let (mut engine, callee) = (Engine::new(), Hand::new());
    let (call, invite) = connect(&mut engine, &callee);
    engine.crash_and_reopen();
    callee.request(&invite, "BYE", 1);
    let _ = callee.expect("SIP/2.0 200");
    engine.settle(&call, &hung_up("callee"));
}

#[test]
fn killed_while_held_the_call_is_still_held_and_can_be_taken_back() {
    let (mut engine, callee) = (Engine::new(), Hand::new());
    let (call, _) = connect(&mut engine, &callee);
    engine.daemon().api().command(&call, "hold", &json!({}));
    answer_reinvite(&callee, "sendonly");
    engine.events.wait(&call, "held");
    engine.crash_and_reopen();
    engine.daemon().api().command(&call, "resume", &json!({}));
    answer_reinvite(&callee, "sendrecv");
    engine.events.wait(&call, "media");
    engine.daemon().api().hangup(&call);
    let bye = callee.expect("BYE");
    callee.reply(&bye, "200 OK", false);
    engine.settle(&call, &hung_up("caller"));
}

#[test]
fn killed_while_held_a_hangup_says_that_it_was_held() {
    let (mut engine, callee) = (Engine::new(), Hand::new());
    let (call, _) = connect(&mut engine, &callee);
    engine.daemon().api().command(&call, "hold", &json!({}));
    answer_reinvite(&callee, "sendonly");
    engine.events.wait(&call, "held");
    engine.crash_and_reopen();
    engine.daemon().api().hangup(&call);
    let bye = callee.expect("BYE");
    callee.reply(&bye, "200 OK", false);
    let mut expected = hung_up("caller");
    expected["phase"] = json!("held");
    engine.settle(&call, &expected);
}

/// The other side takes the re-INVITE whose description says `direction`.
fn answer_reinvite(callee: &Hand, direction: &str) {
    let reinvite = callee.expect("INVITE");
    let says = reinvite.text.contains(&format!("a={direction}"));
    assert!(says || direction == "sendrecv", "{direction} in {}", reinvite.text);
    callee.reply(&reinvite, "200 OK", true);
    let _ = callee.expect("ACK");
}

#[test]
fn killed_after_the_hangup_the_bye_is_sent_after_the_reopen() {
    let (mut engine, callee) = (Engine::new(), Hand::new());
    let (call, _) = connect(&mut engine, &callee);
    engine.daemon().api().hangup(&call);
    engine.events.wait(&call, "ending");
    let before = callee.within("BYE", std::time::Duration::from_millis(5));
    engine.crash_and_reopen();
    let bye = callee.expect("BYE");
    if let Some(before) = before {
        let number =
            |bye: &Received| bye.header("CSeq").split(' ').next().and_then(|text| text.parse::<u32>().ok());
        assert!(number(&bye) >= number(&before), "CSeq never goes back (RFC 3261 §12.2.1.1)");
    }
    callee.reply(&bye, "200 OK", false);
    engine.settle(&call, &hung_up("caller"));
}

#[test]
fn killed_after_the_cancel_the_call_still_ends_as_cancelled() {
    let (mut engine, callee) = (Engine::new(), Hand::new());
    let call = engine.place(&callee);
    let invite = callee.expect("INVITE");
    callee.reply(&invite, "180 Ringing", false);
    engine.events.wait(&call, "ringing");
    engine.daemon().api().hangup(&call);
    engine.events.wait(&call, "ending");
    engine.crash_and_reopen();
    let cancel = callee.expect("CANCEL");
    callee.reply(&cancel, "200 OK", false);
    callee.reply(&invite, "487 Request Terminated", false);
    let _ = callee.expect("ACK");
    let expected =
        json!({"cause": "cancelled", "ended_by": {"side": "caller", "agent": "user"}, "act": "cancel"});
    engine.settle(&call, &expected);
}

#[test]
fn an_end_that_nobody_was_told_of_is_told_after_the_reopen() {
    let (mut engine, callee) = (Engine::new(), Hand::new());
    let (call, invite) = connect(&mut engine, &callee);
    let last = engine.events.seen().last().map_or(0, |notification| notification.seq);
    callee.request(&invite, "BYE", 1);
    // The 200 leaves only after the end is durable (I12); from here on the call is over, told or not.
    let _ = callee.expect("SIP/2.0 200");
    let recorded = engine.cli().show(&call);
    let ended = recorded.iter().find(|event| event["type"] == "ended").expect("the end is durable");
    let why = engine.daemon().api().why(&call);
    engine.crash_and_follow(last + 1);
    let told = engine.events.wait(&call, "ended");
    assert_eq!(json!(told.seq), ended["seq"], "with the number it was recorded under (I3)");
    assert_eq!(engine.daemon().api().why(&call)["verdict"], why["verdict"], "C5: the verdict is the same");
    engine.settle(&call, &hung_up("callee"));
}

#[test]
fn a_second_daemon_on_the_same_store_is_refused_and_harms_nothing() {
    let (mut engine, callee) = (Engine::new(), Hand::new());
    let (call, _) = connect(&mut engine, &callee);
    let mut second = Serve::new(&engine.lab).command();
    let output = second.output().expect("it runs");
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!output.stderr.is_empty(), "it says why");
    engine.daemon().api().hangup(&call);
    let bye = callee.expect("BYE");
    callee.reply(&bye, "200 OK", false);
    engine.settle(&call, &hung_up("caller"));
}

#[test]
fn killed_over_and_over_under_load_nothing_acknowledged_is_lost() {
    let mut engine = Engine::new();
    let mut ended: Vec<(String, Value)> = Vec::new();
    for _ in 0..5 {
        let callee = Hand::new();
        let (call, invite) = connect(&mut engine, &callee);
        callee.request(&invite, "BYE", 1);
        let _ = callee.expect("SIP/2.0 200");
        let why = engine.daemon().api().why(&call);
        ended.push((call, why));
        engine.crash_and_reopen();
    }
    for (call, why) in &ended {
        assert_eq!(engine.daemon().api().why(call)["verdict"], why["verdict"]);
    }
    wait::until("all calls to drain", wait::SOON, || {
        let events = ended
            .iter()
            .all(|(call, _)| engine.cli().show(call).iter().any(|event| event["type"] == "released"));
        events.then_some(())
    });
    engine.daemon.take().expect("it runs").stop();
    engine.cli().assert_sound();
    assert_eq!(engine.cli().list().len(), ended.len());
}
