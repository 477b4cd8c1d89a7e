//! Legs on a virtual network: A calls B, and C is a second fork of the same call. Time and loss are the script's.

#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use callbox_events::Timestamp;
use callbox_events::call::{Effect, Signal};
use callbox_events::sip::{Dialog, Peer, Transport};
use callbox_sip::ids::SeededIds;
use callbox_sip::leg::{Leg, LegConfig, Outbox, TransmitKind};
use callbox_sip::stateless;
use callbox_sip::wire::{Limits, Message, Method, parse};

pub const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
pub const ANSWER: &str = "v=0\r\no=- 2 1 IN IP4 10.0.0.2\r\ns=-\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\n";
const DELAY: Duration = Duration::from_millis(5);

pub struct Letter {
    pub at: Timestamp,
    pub from: char,
    pub to: char,
    pub bytes: Bytes,
}

pub struct World {
    pub now: Timestamp,
    pub transport: Transport,
    pub legs: BTreeMap<char, Leg>,
    pub ids: SeededIds,
    pub letters: Vec<Letter>,
    /// How many messages of each leg get lost next.
    pub lose: BTreeMap<char, u32>,
    /// INVITEs reach C as well.
    pub forking: bool,
    pub log: String,
    /// All signals so far.
    pub heard: Vec<(char, Signal)>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            now: Timestamp::from_micros(0),
            transport: Transport::Udp,
            legs: BTreeMap::new(),
            ids: SeededIds::new(1),
            letters: Vec::new(),
            lose: BTreeMap::new(),
            forking: false,
            log: String::new(),
            heard: Vec::new(),
        }
    }
}

pub fn address(who: char, transport: Transport) -> Peer {
    let host = match who {
        'a' => 1,
        'b' => 2,
        'c' => 3,
        _ => 9,
    };
    Peer { transport, addr: format!("10.0.0.{host}:5060").parse().unwrap() }
}

pub fn config(who: char, transport: Transport) -> LegConfig {
    let at = address(who, transport).addr;
    let via = match transport {
        Transport::Udp => "",
        Transport::Tcp => ";transport=tcp",
    };
    let mut config = LegConfig::new(&format!("sip:{who}@{at}{via}"), &at.to_string());
    config.user_agent = "".into();
    config
}

pub fn call_to_b(transport: Transport, ids: &mut SeededIds) -> Dialog {
    use callbox_sip::ids::Ids;
    Dialog {
        sip_call_id: ids.call_id(),
        local_uri: "\"Ann\" <sip:ann@example.com>".into(),
        local_tag: "tag-a".into(),
        remote_uri: "<sip:bob@example.com>".into(),
        remote_tag: None,
        remote_target: "sip:bob@10.0.0.2".into(),
        route_set: Vec::new(),
        local_cseq: 0,
        remote_cseq: 0,
        local_contact: String::new(),
        peer: address('b', transport),
        invite_branch: Some(ids.branch()),
        invite_cseq: 1,
    }
}

impl World {
    pub fn place(&mut self) {
        let dialog = call_to_b(self.transport, &mut self.ids);
        self.legs.insert('a', Leg::outgoing(dialog.into(), config('a', self.transport)));
        let peer = address('b', self.transport);
        self.perform('a', &Effect::SendInvite { peer }, Some(OFFER));
    }

    pub fn perform(&mut self, who: char, effect: &Effect, sdp: Option<&str>) {
        let mut out = Outbox::new();
        let Some(leg) = self.legs.get_mut(&who) else { return self.note(who, "is not there") };
        let done = leg.perform(self.now, effect, sdp, &mut self.ids, &mut out);
        if let Err(error) = done {
            self.note(who, &format!("can't: {error}"));
        }
        self.flush(who, out);
    }

    fn note(&mut self, who: char, text: &str) {
        writeln!(self.log, "{:>6} ms  {who} {text}", self.now.micros() / 1000).unwrap();
    }

    /// Puts a leg's messages on the network and tells its signals.
    fn flush(&mut self, who: char, out: Outbox) {
        for sent in out.transmits {
            let to = match sent.peer.addr.ip().to_string().as_str() {
                "10.0.0.1" => 'a',
                "10.0.0.2" => 'b',
                "10.0.0.3" => 'c',
                _ => '?',
            };
            let kind = match sent.kind {
                TransmitKind::New => "",
                TransmitKind::Retransmission => " (again)",
                TransmitKind::AbsorbedReply => " (by itself)",
            };
            let lost = self.lose.get_mut(&who).is_some_and(|left| {
                let lost = *left > 0;
                *left = left.saturating_sub(1);
                lost
            });
            let fate = if lost { ", lost" } else { "" };
            let title = title(&sent.bytes);
            self.note(who, &format!("→ {to}  {title}{kind}{fate}"));
            if !lost {
                self.post(who, to, sent.bytes.clone());
                if self.forking && to == 'b' && title.starts_with("INVITE") && !title.contains(" in ") {
                    self.post(who, 'c', sent.bytes);
                }
            }
        }
        for signal in out.signals {
            let detail = signal_title(&signal);
            self.note(who, &format!("hears {detail}"));
            self.heard.push((who, signal));
        }
    }

    pub fn post(&mut self, from: char, to: char, bytes: Bytes) {
        let at = self.now + if self.transport.is_reliable() { DELAY / 2 } else { DELAY };
        self.letters.push(Letter { at, from, to, bytes });
    }

    pub fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(next) = self.next_event().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.deliver_due();
            self.run_timers();
        }
        self.now = end;
    }

    pub fn next_event(&self) -> Option<Timestamp> {
        let letters = self.letters.iter().map(|letter| letter.at);
        letters.chain(self.legs.values().filter_map(Leg::next_timeout)).min()
    }

    pub fn deliver_due(&mut self) {
        while let Some(index) = self.letters.iter().position(|letter| letter.at <= self.now) {
            let letter = self.letters.remove(index);
            self.deliver(&letter);
        }
    }

    pub fn run_timers(&mut self) {
        for who in self.legs.keys().copied().collect::<Vec<_>>() {
            let Some(leg) = self.legs.get_mut(&who) else { continue };
            if leg.next_timeout().is_some_and(|at| at <= self.now) {
                let mut out = Outbox::new();
                leg.handle_timeout(self.now, &mut self.ids, &mut out);
                let again = self.legs.get(&who).and_then(Leg::next_timeout);
                assert!(again.is_none_or(|at| at > self.now), "a deadline that does not pass");
                self.flush(who, out);
            }
        }
    }

    fn deliver(&mut self, letter: &Letter) {
        let message = parse(letter.bytes.clone(), &Limits::default()).unwrap();
        let source = address(letter.from, self.transport);
        let mut out = Outbox::new();
        match self.legs.get_mut(&letter.to) {
            Some(leg) => leg.receive(self.now, message, source, &mut out),
            None => self.begin(letter.to, &message, source, &mut out),
        }
        self.flush(letter.to, out);
    }

    /// A message for nobody yet: perhaps it begins a call.
    fn begin(&mut self, who: char, message: &Message, source: Peer, out: &mut Outbox) {
        let config = config(who, self.transport);
        if !message.is_request() || *message.method() != Method::Invite {
            let verdict = stateless::verdict_of_unroutable(message);
            let reply = verdict.and_then(|refusal| stateless::refuse(message, source, &refusal, &config));
            return out.transmits.extend(reply);
        }
        match Leg::incoming(message, source, format!("tag-{who}"), config.clone(), self.now) {
            Ok((leg, invite)) => {
                out.signals.push(Signal::Invite(Box::new(invite)));
                self.legs.insert(who, leg);
            }
            Err(refusal) => out.transmits.extend(stateless::refuse(message, source, &refusal, &config)),
        }
    }
}

/// `INVITE 1 in tag-b`, `180 to INVITE 1 from tag-b`.
pub fn title(bytes: &Bytes) -> String {
    let message = parse(bytes.clone(), &Limits::default()).unwrap();
    let (number, method) = message.cseq();
    let mut title = match message.status() {
        Some(status) => format!("{status} to {method} {number}"),
        None => format!("{method} {number}"),
    };
    if let Some(tag) = message.to_tag().filter(|_| message.is_request()) {
        title.push_str(&format!(" in {tag}"));
    }
    if let Some(tag) = message.to_tag().filter(|_| !message.is_request()) {
        title.push_str(&format!(" by {tag}"));
    }
    if !message.body.is_empty() {
        title.push_str(" with SDP");
    }
    for reason in message.reasons() {
        title.push_str(&format!(", {}", reason.raw));
    }
    title
}

pub fn signal_title(signal: &Signal) -> String {
    let code = signal.code();
    match signal {
        Signal::Provisional(response)
        | Signal::Success(response)
        | Signal::Failure(response)
        | Signal::CancelAnswered(response)
        | Signal::ByeAnswered(response)
        | Signal::ReinviteAnswered(response) => format!("{code} {}", response.status),
        Signal::Request(request) => format!("{code} {}", request.method),
        Signal::TimedOut(pending) | Signal::TransportFailed { pending, .. } => {
            format!("{code} {}", pending.code())
        }
        Signal::Drained(counters) => format!(
            "{code} (sent again {}, received again {}, stray {})",
            counters.sent_again, counters.received_again, counters.stray
        ),
        Signal::Reachable { .. }
        | Signal::Invite(_)
        | Signal::Cancel(_)
        | Signal::Ack(_)
        | Signal::Bye(_)
        | Signal::Reinvite(_)
        | Signal::AckMissing => code.to_owned(),
    }
}

impl World {
    /// A request that no effect makes: written by hand in the sender's dialog.
    pub fn send_raw(
        &mut self,
        who: char,
        method: &str,
        cseq: Option<String>,
        require: Option<String>,
        tag: Option<String>,
    ) {
        let Some(leg) = self.legs.get(&who) else { return };
        let dialog = leg.dialog();
        let cseq = cseq.unwrap_or_else(|| (leg.cseqs().local + 10).to_string());
        let to_tag = tag.or(dialog.remote_tag.clone()).unwrap_or_default();
        let require = require.map(|tag| format!("Require: {tag}\r\n")).unwrap_or_default();
        let body = if matches!(method, "UPDATE" | "INVITE") { OFFER } else { "" };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKraw{cseq}{method};rport\r\n\
             Max-Forwards: 70\r\nFrom: {};tag={}\r\nTo: {};tag={to_tag}\r\nCall-ID: {}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:{who}@{}>\r\n{require}{kind}Content-Length: {}\r\n\r\n{body}",
            dialog.remote_target,
            address(who, self.transport).addr,
            dialog.local_uri,
            dialog.local_tag,
            dialog.remote_uri,
            dialog.sip_call_id,
            address(who, self.transport).addr,
            body.len(),
        );
        let to = if who == 'a' { 'b' } else { 'a' };
        self.note(who, &format!("→ {to}  {method} {cseq} by hand"));
        self.post(who, to, text.into());
    }

    pub fn break_transport(&mut self, who: char) {
        let mut out = Outbox::new();
        let peer = address(if who == 'a' { 'b' } else { 'a' }, self.transport);
        let Some(leg) = self.legs.get_mut(&who) else { return };
        leg.transport_failed(self.now, peer, "connection reset", &mut out);
        self.flush(who, out);
    }

    pub fn finish(&mut self, who: char) {
        let mut out = Outbox::new();
        let Some(leg) = self.legs.get_mut(&who) else { return };
        leg.finish(self.now, &mut out);
        self.flush(who, out);
    }
}
