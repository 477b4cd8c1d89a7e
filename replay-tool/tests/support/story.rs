//! Calls made by the machine itself from inputs at fixed times: journals that are the same on every run.

use std::time::Duration;

use callbox_events::call::{Call, Command, Hangup, Input, Invite, Place, Policy, Recovery, Signal, TimerId};
use callbox_events::schema::{Commit, Happened, WireDirection, WireMessage};
use callbox_events::sip::{Counters, Dialog, Peer, Reason, Request, Response, Sdp, Transport};
use callbox_events::{Agent, CallId, Role, Timestamp};

/// 2026-11-23T06:38:00Z.
const START: u64 = 1_795_415_880_000_000;
const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// A call that is being told.
pub struct Story {
    call: Call,
    id: CallId,
    sip_call_id: String,
    start: Timestamp,
    cseq: String,
    peer: Peer,
    commits: Vec<Commit>,
}

impl Story {
    /// `from` (we) calls `to`; the story begins `second` seconds after the fixed start of all stories.
    pub fn outgoing(second: u64, sip_call_id: &str, from: &str, to: &str) -> Self {
        let mut story = Self::new(Role::Caller, second, sip_call_id);
        let dialog = dialog(sip_call_id, from, to, story.peer);
        let place = Place {
            from: format!("sip:{from}"),
            to: format!("sip:{to}"),
            dialog: dialog.into(),
            reachable: true,
            policy: Policy { no_answer_ms: Some(20_000), ..Policy::default() },
        };
        let invite = format!("INVITE sip:{to} SIP/2.0");
        story.input(0, Input::Command(Command::Place(Box::new(place))), &[], &[(&invite, true)]);
        story
    }

    /// `from` calls us at `to`.
    pub fn incoming(second: u64, sip_call_id: &str, from: &str, to: &str) -> Self {
        let story = Self::new(Role::Callee, second, sip_call_id);
        let dialog = dialog(sip_call_id, to, from, story.peer);
        story.offered(from, to, dialog)
    }

    /// The other end of a call that is told with [`Story::outgoing`].
    pub fn other_end(second: u64, sip_call_id: &str, from: &str, to: &str) -> Self {
        let story = Self::new(Role::Callee, second, sip_call_id);
        let dialog = dialog(sip_call_id, to, from, story.peer);
        let (local_tag, remote_tag) = ("theirs".into(), Some(dialog.local_tag.clone()));
        story.offered(from, to, Dialog { local_tag, remote_tag, ..dialog })
    }

    fn offered(mut self, from: &str, to: &str, dialog: Dialog) -> Self {
        let invite = Invite {
            from: format!("sip:{from}"),
            to: format!("sip:{to}"),
            dialog: dialog.into(),
            request: Request {
                method: "INVITE".into(),
                cseq: 1,
                sdp: Some(Sdp::default()),
                ..Request::default()
            },
            expires: None,
            policy: Policy::default(),
        };
        let line = format!("INVITE sip:{to} SIP/2.0");
        self.input(0, Input::Signal(Signal::Invite(Box::new(invite))), &[(&line, true)], &[]);
        self
    }

    fn new(role: Role, second: u64, sip_call_id: &str) -> Self {
        let start = Timestamp::from_micros(START + second * 1_000_000);
        let tag = if role == Role::Caller { "ours" } else { "theirs" };
        Self {
            call: Call::default(),
            id: CallId::derive(start, role, sip_call_id, tag, 1),
            sip_call_id: sip_call_id.to_owned(),
            start,
            cseq: "1 INVITE".into(),
            peer: Peer { transport: Transport::Udp, addr: "127.0.0.1:5070".parse().unwrap() },
            commits: Vec::new(),
        }
    }

    /// A provisional response came.
    pub fn provisional(self, at_ms: u64, status: u16, phrase: &str, sdp: bool) -> Self {
        let response = response(status, phrase, sdp);
        self.response(at_ms, Signal::Provisional(response), status, phrase, &[])
    }

    /// A 2xx came; we acknowledge it.
    pub fn answered(self, at_ms: u64) -> Self {
        let mut answer = response(200, "OK", true);
        answer.dialog = self.call.profile.as_ref().map(|profile| {
            Dialog { remote_tag: Some("theirs".into()), ..Dialog::clone(&profile.dialog) }.into()
        });
        self.response(
            at_ms,
            Signal::Success(answer),
            200,
            "OK",
            &[("ACK sip:bob@127.0.0.1:5070 SIP/2.0", false)],
        )
    }

    /// A final response other than 2xx came.
    pub fn failed(self, at_ms: u64, status: u16, phrase: &str, reasons: Vec<Reason>) -> Self {
        let failure = Response { reasons, ..response(status, phrase, false) };
        self.response(at_ms, Signal::Failure(failure), status, phrase, &[])
    }

    /// The other side sends BYE.
    pub fn bye(mut self, at_ms: u64, reasons: Vec<Reason>) -> Self {
        let request = Request { method: "BYE".into(), cseq: 2, reasons, ..Request::default() };
        self.cseq = "2 BYE".into();
        self.input(
            at_ms,
            Input::Signal(Signal::Bye(request)),
            &[("BYE sip:alice@127.0.0.1:5060 SIP/2.0", false)],
            &[("SIP/2.0 200 OK", false)],
        );
        self
    }

    /// The user hangs up; `sends` leaves because of it.
    pub fn hangup(mut self, at_ms: u64, sends: &str) -> Self {
        if let Some(method) = sends.split(' ').next().filter(|method| *method != "SIP/2.0") {
            self.cseq = format!("{} {method}", if method == "CANCEL" { 1 } else { 2 });
        }
        self.input(at_ms, Input::Command(Command::Hangup(Hangup::by(Agent::User))), &[], &[(sends, false)]);
        self
    }

    /// The answer to our BYE came.
    pub fn bye_answered(self, at_ms: u64) -> Self {
        let signal = Signal::ByeAnswered(response(200, "OK", false));
        self.response(at_ms, signal, 200, "OK", &[])
    }

    /// The answer to our CANCEL came.
    pub fn cancel_answered(mut self, at_ms: u64) -> Self {
        self.cseq = "1 CANCEL".into();
        let signal = Signal::CancelAnswered(response(200, "OK", false));
        let mut story = self.response(at_ms, signal, 200, "OK", &[]);
        story.cseq = "1 INVITE".into();
        story
    }

    /// Our command, with what leaves because of it.
    pub fn command(mut self, at_ms: u64, command: Command, sends: &str, sdp: bool) -> Self {
        self.input(at_ms, Input::Command(command), &[], &[(sends, sdp)]);
        self
    }

    /// The ACK of our 2xx came.
    pub fn ack(mut self, at_ms: u64) -> Self {
        self.cseq = "1 ACK".into();
        let request = Request { method: "ACK".into(), cseq: 1, ..Request::default() };
        let line = "ACK sip:bob@127.0.0.1:5060 SIP/2.0";
        self.input(at_ms, Input::Signal(Signal::Ack(request)), &[(line, false)], &[]);
        self
    }

    /// A timer of the call is due.
    pub fn timer(mut self, at_ms: u64, timer: TimerId, sends: &str) -> Self {
        self.cseq = "1 CANCEL".into();
        self.input(at_ms, Input::Timer(timer), &[], &[(sends, false)]);
        self
    }

    /// The engine was killed, and comes back now.
    pub fn recovered(mut self, at_ms: u64) -> Self {
        let recovery = Recovery { last_event_at: self.call.last_event_at, fault: "crash".into() };
        self.input(at_ms, Input::Recovery(recovery), &[], &[]);
        self
    }

    /// All transactions are done.
    pub fn drained(mut self, at_ms: u64, counters: Counters) -> Self {
        self.input(at_ms, Input::Signal(Signal::Drained(counters)), &[], &[]);
        self
    }

    /// What was recorded.
    pub fn commits(self) -> Vec<Commit> {
        self.commits
    }

    fn response(
        mut self,
        at_ms: u64,
        signal: Signal,
        status: u16,
        phrase: &str,
        sends: &[(&str, bool)],
    ) -> Self {
        let sdp =
            matches!(&signal, Signal::Success(answer) | Signal::Provisional(answer) if answer.sdp.is_some());
        let line = format!("SIP/2.0 {status} {phrase}");
        self.input(at_ms, Input::Signal(signal), &[(&line, sdp)], sends);
        self
    }

    fn input(&mut self, at_ms: u64, input: Input, received: &[(&str, bool)], sends: &[(&str, bool)]) {
        let at = self.start + Duration::from_millis(at_ms);
        let (version, phase_before) = (self.call.version, self.call.phase());
        let mut events = Vec::new();
        for event in self.call.decide(&input, at).events {
            self.call.apply(&event, at).unwrap();
            events.push(Happened { phase: self.call.phase(), event });
        }
        assert!(!events.is_empty(), "{input:?} led to nothing in phase {phase_before}");
        let wire = received
            .iter()
            .map(|(line, sdp)| self.message(WireDirection::In, line, *sdp))
            .chain(sends.iter().map(|(line, sdp)| self.message(WireDirection::Out, line, *sdp)))
            .collect();
        let (call, node) = (self.id, String::new());
        self.commits.push(Commit { call, version, at, node, epoch: 0, phase_before, input, events, wire });
    }

    fn message(&self, direction: WireDirection, line: &str, sdp: bool) -> WireMessage {
        let (kind, body) = if sdp { ("Content-Type: application/sdp\r\n", SDP) } else { ("", "") };
        let cseq = if line.starts_with("ACK ") { "1 ACK" } else { &self.cseq };
        let call_id = &self.sip_call_id;
        let bytes = format!(
            "{line}\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-1\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n\
             {kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        WireMessage { direction, peer: self.peer, to: None, bytes: bytes.into_bytes() }
    }
}

fn response(status: u16, phrase: &str, sdp: bool) -> Response {
    Response {
        status,
        phrase: phrase.into(),
        to_tag: Some("theirs".into()),
        sdp: sdp.then(Sdp::default),
        ..Response::default()
    }
}

fn dialog(sip_call_id: &str, ours: &str, theirs: &str, peer: Peer) -> Dialog {
    Dialog {
        sip_call_id: sip_call_id.into(),
        local_uri: format!("<sip:{ours}>"),
        local_tag: "ours".into(),
        remote_uri: format!("<sip:{theirs}>"),
        remote_tag: None,
        remote_target: format!("sip:{theirs}"),
        route_set: Vec::new(),
        local_cseq: 1,
        remote_cseq: 0,
        local_contact: "sip:us@127.0.0.1:5060".into(),
        peer,
        invite_branch: Some("z9hG4bK-1".into()),
        invite_cseq: 1,
    }
}
