//! A small language for calls: `place; 180; +5s; hangup user; 487`. The real machine decides, so that the commits are
//! those of an engine.
//!
//! Steps are separated by `;`. A number is a response to our INVITE; `+5s` and `+43ms` let time pass. Words after a
//! step say more: `183 sdp q850=17 tag=server`.

#[path = "script/messages.rs"]
mod messages;

use std::time::Duration;

use callbox_events::call::{
    Answerer, Call, Command, Hangup, IncomingPolicy, Input, Invite, Note, Pending, Place, Policy, Recovery,
    RefusalKind, Signal, TimerId, Tone,
};
use callbox_events::party::Agent;
use callbox_events::schema::{Commit, Happened};
use callbox_events::schema::{WireDirection, WireMessage};
use callbox_events::sip::{Counters, Dialog, Peer, Transport};
use callbox_events::verdict::Cause;
use callbox_events::{CallId, Role, Timestamp};

use messages::{Words, reasons, request, response};

/// A call in the making.
pub struct Play {
    call: Call,
    now: Timestamp,
    policy: Policy,
    pub commits: Vec<Commit>,
}

/// Plays a script and returns its commits.
pub fn play(script: &str) -> Vec<Commit> {
    let mut play = Play {
        call: Call::default(),
        now: Timestamp::from_micros(1_790_000_000_000_000),
        policy: Policy::default(),
        commits: Vec::new(),
    };
    for step in script.split(';').map(str::trim).filter(|step| !step.is_empty()) {
        play.step(step);
    }
    play.commits
}

impl Play {
    fn step(&mut self, step: &str) {
        let mut words = step.split_whitespace();
        let name = words.next().unwrap_or_default();
        let words = Words(words.collect());
        if let Some(span) = name.strip_prefix('+') {
            self.now = self.now + parse_span(span);
            return;
        }
        if name == "policy" {
            set_policy(&mut self.policy, &words);
            return;
        }
        match name {
            // Damage that no engine does: a record without its last commits, or with those of another call's end.
            "lose" => self.commits.truncate(self.commits.len() - words.0[0].parse::<usize>().unwrap()),
            "graft" => self.graft(&words.0.join(" ").replace(',', ";")),
            _ => {
                let input = self.input(name, &words);
                self.feed(input);
                self.put_on_wire(&words);
            }
        }
    }

    /// Appends the last commit of another script, as a second engine would that does not know of this one.
    fn graft(&mut self, script: &str) {
        let mut foreign = play(script).pop().unwrap();
        let last = self.commits.last().unwrap();
        foreign.version = last.version + last.events.len() as u64;
        self.commits.push(foreign);
    }

    /// `credentials`: the INVITE of this step carries some.
    fn put_on_wire(&mut self, words: &Words<'_>) {
        if words.has("credentials") {
            let bytes =
                b"INVITE sip:bob@b.example SIP/2.0\r\nproxy-authorization : Digest x\r\n\r\n".to_vec();
            let message = WireMessage { direction: WireDirection::Out, peer: peer(), to: None, bytes };
            self.commits.last_mut().unwrap().wire.push(message);
        }
    }

    /// Gives one input to the machine and keeps what it decides as a commit.
    pub fn feed(&mut self, input: Input) {
        self.now = self.now + Duration::from_millis(1);
        let decision = self.call.decide(&input, self.now);
        if decision.events.is_empty() {
            return;
        }
        let (version, phase_before) = (self.call.version, self.call.phase());
        let mut events = Vec::new();
        for event in decision.events {
            self.call.apply(&event, self.now).unwrap();
            events.push(Happened { phase: self.call.phase(), event });
        }
        let role = self.call.profile.as_ref().map_or(Role::Caller, |profile| profile.role);
        self.commits.push(Commit {
            call: CallId::derive(Timestamp::from_micros(1_790_000_000_000_000), role, "c1@a.example", "a", 1),
            version,
            at: self.now,
            node: String::new(),
            epoch: 0,
            phase_before,
            input,
            events,
            wire: Vec::new(),
        });
    }

    fn input(&self, name: &str, words: &Words<'_>) -> Input {
        if let Ok(status) = name.parse::<u16>() {
            let response = response(status, words);
            return Input::Signal(match status {
                ..=199 => Signal::Provisional(response),
                200..=299 => Signal::Success(response),
                _ => Signal::Failure(response),
            });
        }
        if let Some(method) = name.strip_suffix("-answer") {
            let response = response(words.0.first().unwrap().parse().unwrap(), words);
            return Input::Signal(match method {
                "bye" => Signal::ByeAnswered(response),
                "cancel" => Signal::CancelAnswered(response),
                "reinvite" => Signal::ReinviteAnswered(response),
                other => panic!("no answer to {other}"),
            });
        }
        match name {
            "timer" => Input::Timer(parse_code::<TimerId>(words.0[0])),
            "crash" => Input::Recovery(Recovery {
                last_event_at: self.call.last_event_at,
                fault: words.0.first().copied().unwrap_or("crash").to_owned(),
            }),
            "place" | "ring" | "accept" | "hold" | "resume" | "divert" | "hangup" | "tone"
            | "answered-by" => Input::Command(self.command(name, words)),
            _ => Input::Signal(self.signal(name, words)),
        }
    }

    fn command(&self, name: &str, words: &Words<'_>) -> Command {
        match name {
            "place" => Command::Place(Box::new(Place {
                from: "sip:alice@a.example".into(),
                to: "sip:bob@b.example".into(),
                dialog: dialog().into(),
                reachable: !words.has("unreachable"),
                policy: self.policy.clone(),
            })),
            "ring" => Command::Ring,
            "accept" => Command::Accept,
            "hold" => Command::Hold,
            "resume" => Command::Resume,
            "divert" => Command::Divert { to: "sip:carol@c.example".into() },
            "hangup" => Command::Hangup(Hangup {
                status: words.0.iter().find_map(|word| word.parse().ok()),
                reason: words.value("words").map(str::to_owned),
                reasons: reasons(words),
                origin: words.0.first().map_or(Agent::User, |word| parse_code(word)),
                cause: words.value("cause").map(|code| code.parse::<Cause>().unwrap()),
            }),
            "tone" => Command::Note(Note::Tone(parse_code::<Tone>(words.0[0]))),
            "answered-by" => Command::Note(Note::AnsweredBy(parse_code::<Answerer>(words.0[0]))),
            other => panic!("unknown command {other}"),
        }
    }

    fn signal(&self, name: &str, words: &Words<'_>) -> Signal {
        let request = |method: &str| request(method, words);
        match name {
            "reachable" => Signal::Reachable { peer: peer() },
            "invite" => Signal::Invite(Box::new(Invite {
                from: "sip:alice@a.example".into(),
                to: "sip:bob@b.example".into(),
                dialog: Dialog { remote_tag: Some("a".into()), ..dialog() }.into(),
                request: request("INVITE"),
                expires: words.value("expires").map(|text| text.parse().unwrap()),
                policy: self.policy.clone(),
            })),
            "cancel" => Signal::Cancel(request("CANCEL")),
            "ack" => Signal::Ack(request("ACK")),
            "bye" => Signal::Bye(request("BYE")),
            "reinvite" => Signal::Reinvite(request("INVITE")),
            "refer" => Signal::Request(request("REFER")),
            "timeout" => Signal::TimedOut(parse_code::<Pending>(words.0[0])),
            "transport" => Signal::TransportFailed {
                pending: parse_code(words.0[0]),
                detail: words.value("detail").unwrap_or("connection refused").replace('_', " "),
            },
            "ack-missing" => Signal::AckMissing,
            "drained" => Signal::Drained(Counters {
                received_again: words.value("again").map_or(0, |text| text.parse().unwrap()),
                ..Counters::default()
            }),
            other => panic!("unknown step {other}"),
        }
    }
}

fn set_policy(policy: &mut Policy, words: &Words<'_>) {
    let ms = |key: &str| words.value(key).map(|text| parse_span(text).as_millis() as u64);
    policy.no_answer_ms = ms("no_answer");
    policy.answer_after_ms = ms("answer_after");
    policy.hangup_after_ms = ms("hangup_after");
    policy.max_duration_ms = ms("max_duration");
    policy.announcement_max_ms = ms("announcement_max");
    policy.end_grace_ms = ms("end_grace");
    policy.announcement_hosts = words.values("announcer").map(str::to_owned).collect();
    if let Some(word) = words.value("recovery") {
        policy.recovery = parse_code(word);
    }
    policy.incoming = match words.value("incoming") {
        None => IncomingPolicy::Wait,
        Some("ring") => IncomingPolicy::Ring,
        Some("answer") => IncomingPolicy::Answer,
        Some(refuse) => {
            let (why, status) = refuse.split_once(':').unwrap();
            IncomingPolicy::Refuse { status: status.parse().unwrap(), why: parse_code::<RefusalKind>(why) }
        }
    };
}

fn parse_span(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap());
    let number: u64 = number.parse().unwrap();
    match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "min" => Duration::from_secs(60 * number),
        other => panic!("unknown unit {other}"),
    }
}

fn parse_code<T: serde::de::DeserializeOwned>(word: &str) -> T {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .unwrap_or_else(|e| panic!("{word}: {e}"))
}

fn peer() -> Peer {
    Peer { transport: Transport::Udp, addr: ([192, 0, 2, 7], 5060).into() }
}

fn dialog() -> Dialog {
    Dialog {
        sip_call_id: "c1@a.example".into(),
        local_uri: "<sip:alice@a.example>".into(),
        local_tag: "a".into(),
        remote_uri: "<sip:bob@b.example>".into(),
        remote_tag: None,
        remote_target: "sip:bob@192.0.2.7".into(),
        route_set: Vec::new(),
        local_cseq: 1,
        remote_cseq: 0,
        local_contact: "sip:192.0.2.1:5060".into(),
        peer: peer(),
        invite_branch: Some("z9hG4bKc1".into()),
        invite_cseq: 1,
    }
}
