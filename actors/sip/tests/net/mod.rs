//! Two whole sides, machine and leg, over a network that loses, repeats and reorders.

#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use callbox_events::call::{Call, Command, Effect, Input, Phase, Place, Policy, Signal, TimerId};
use callbox_events::schema::{Commit, Happened, WireDirection, WireMessage};
use callbox_events::sip::Transport;
use callbox_events::{CallId, Role, Timestamp};
use callbox_sip::ids::SeededIds;
use callbox_sip::leg::{BuildError, Leg, Outbox};
use callbox_sip::wire::{Limits, Method, parse};

use crate::world::{ANSWER, OFFER, address, call_to_b, config};

/// A small generator of its own, so that one seed is one run.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides.max(1)
    }
}

/// One end: a machine, its leg, its timers, its journal.
pub struct Side {
    pub who: char,
    pub call: Call,
    pub leg: Leg,
    pub timers: BTreeMap<TimerId, Timestamp>,
    pub journal: Vec<Commit>,
    pub drained: u32,
    pub errors: Vec<BuildError>,
}

pub struct Net {
    pub now: Timestamp,
    pub transport: Transport,
    pub dice: Dice,
    /// Of a hundred messages so many are lost, and as many come twice.
    pub loss: u64,
    pub sides: BTreeMap<char, Side>,
    pub ids: SeededIds,
    pub letters: Vec<(Timestamp, char, char, Bytes)>,
}

impl Net {
    pub fn new(seed: u64, loss: u64, transport: Transport) -> Self {
        Self {
            now: Timestamp::from_micros(1),
            transport,
            dice: Dice(seed | 1),
            loss: if transport == Transport::Tcp { 0 } else { loss },
            sides: BTreeMap::new(),
            ids: SeededIds::new(seed),
            letters: Vec::new(),
        }
    }

    pub fn place(&mut self) {
        let dialog = call_to_b(self.transport, &mut self.ids);
        let policy = Policy { no_answer_ms: Some(20_000), ..Policy::default() };
        let place = Place {
            from: "sip:ann@example.com".into(),
            to: "sip:bob@example.com".into(),
            dialog: dialog.clone().into(),
            reachable: true,
            policy,
        };
        let leg = Leg::outgoing(dialog.into(), config('a', self.transport));
        self.sides.insert('a', Side::new('a', leg));
        self.input('a', Input::Command(Command::Place(Box::new(place))), Vec::new());
    }

    /// Decide, record, apply, act.
    pub fn input(&mut self, who: char, input: Input, wire: Vec<WireMessage>) {
        let mut out = Outbox::new();
        let Some(side) = self.sides.get_mut(&who) else { return };
        side.input(self.now, input, wire, &mut self.ids, &mut out);
        self.flush(who, out, Vec::new());
    }

    pub fn flush(&mut self, who: char, out: Outbox, mut wire: Vec<WireMessage>) {
        for sent in out.transmits {
            let to = if sent.peer == address('b', self.transport) { 'b' } else { 'a' };
            let copies = match self.dice.roll(100) {
                roll if roll < self.loss => 0,
                roll if roll < 2 * self.loss => 2,
                _ => 1,
            };
            for _ in 0..copies {
                // A stream keeps the order; datagrams do not.
                let delay = if self.transport == Transport::Tcp { 5 } else { 1 + self.dice.roll(60) };
                let at = self.now + Duration::from_millis(delay);
                self.letters.push((at, who, to, sent.bytes.clone()));
            }
        }
        for signal in out.signals {
            if let Signal::Drained(_) = signal
                && let Some(side) = self.sides.get_mut(&who)
            {
                side.drained += 1;
            }
            self.input(who, Input::Signal(signal), std::mem::take(&mut wire));
        }
    }

    pub fn step(&mut self, end: Timestamp) -> bool {
        let letters = self.letters.iter().map(|letter| letter.0);
        let sides = self.sides.values().filter_map(Side::next);
        let Some(next) = letters.chain(sides).min().filter(|next| *next <= end) else {
            self.now = self.now.max(end);
            return false;
        };
        self.now = self.now.max(next);
        if let Some(index) = self.letters.iter().position(|letter| letter.0 <= self.now) {
            let (_, from, to, bytes) = self.letters.remove(index);
            self.deliver(from, to, &bytes);
        }
        for who in ['a', 'b'] {
            self.timers(who);
        }
        true
    }

    pub fn deliver(&mut self, from: char, to: char, bytes: &Bytes) {
        let message = parse(bytes.clone(), &Limits::default()).unwrap();
        let source = address(from, self.transport);
        let mut out = Outbox::new();
        let wire =
            WireMessage { direction: WireDirection::In, peer: source, to: None, bytes: bytes.to_vec() };
        if let Some(side) = self.sides.get_mut(&to) {
            side.leg.receive(self.now, message, source, &mut out);
            return self.flush(to, out, vec![wire]);
        }
        if *message.method() != Method::Invite || !message.is_request() {
            return;
        }
        let begun = Leg::incoming(&message, source, "tag-b".into(), config(to, self.transport), self.now);
        let Ok((leg, mut invite)) = begun else { return };
        invite.policy = Policy { no_answer_ms: Some(15_000), ..Policy::default() };
        self.sides.insert(to, Side::new(to, leg));
        self.input(to, Input::Signal(Signal::Invite(Box::new(invite))), vec![wire]);
    }

    pub fn timers(&mut self, who: char) {
        let mut out = Outbox::new();
        let Some(side) = self.sides.get_mut(&who) else { return };
        if side.leg.next_timeout().is_some_and(|at| at <= self.now) {
            side.leg.handle_timeout(self.now, &mut self.ids, &mut out);
            assert!(side.leg.next_timeout().is_none_or(|at| at > self.now), "a deadline that does not pass");
        }
        let due: Vec<TimerId> =
            side.timers.iter().filter(|(_, at)| **at <= self.now).map(|(timer, _)| *timer).collect();
        due.iter().for_each(|timer| {
            side.timers.remove(timer);
        });
        self.flush(who, out, Vec::new());
        for timer in due {
            self.input(who, Input::Timer(timer), Vec::new());
        }
    }

    /// The engine of one side dies and comes back; what it had in memory is gone.
    pub fn crash(&mut self, who: char) {
        let transport = self.transport;
        let Some(side) = self.sides.get_mut(&who) else { return };
        let leg = Leg::restore(&side.journal, config(who, transport), self.now).unwrap();
        assert_eq!(leg.dialog().sip_call_id, side.leg.dialog().sip_call_id);
        if side.call.phase() == Phase::Connected {
            assert!(leg.cseqs().local > side.leg.cseqs().local, "a CSeq would be used twice");
            assert_eq!(leg.dialog().remote_tag, side.leg.dialog().remote_tag);
            assert_eq!(leg.dialog().remote_target, side.leg.dialog().remote_target);
            assert_eq!(leg.dialog().peer, side.leg.dialog().peer);
        }
        side.leg = leg;
        side.timers.clear();
        let last_event_at = side.call.last_event_at;
        let recovery = callbox_events::call::Recovery { last_event_at, fault: "crash".into() };
        self.input(who, Input::Recovery(recovery), Vec::new());
    }

    pub fn run_until(&mut self, end: Timestamp) {
        let mut steps = 0;
        while self.step(end) {
            steps += 1;
            assert!(steps < 100_000, "no end of it");
        }
    }
}

impl Side {
    pub fn new(who: char, leg: Leg) -> Self {
        let (timers, journal) = (BTreeMap::new(), Vec::new());
        Self { who, call: Call::default(), leg, timers, journal, drained: 0, errors: Vec::new() }
    }

    pub fn next(&self) -> Option<Timestamp> {
        self.timers.values().copied().chain(self.leg.next_timeout()).min()
    }

    pub fn input(
        &mut self,
        now: Timestamp,
        input: Input,
        mut wire: Vec<WireMessage>,
        ids: &mut SeededIds,
        out: &mut Outbox,
    ) {
        let decision = self.call.decide(&input, now);
        let version = self.call.version;
        let phase_before = self.call.phase();
        let mut events = Vec::new();
        for event in decision.events {
            self.call.apply(&event, now).unwrap();
            events.push(Happened { phase: self.call.phase(), event });
        }
        let first = out.transmits.len();
        for effect in &decision.effects {
            self.effect(now, effect, ids, out);
        }
        if self.call.phase() == Phase::Ended {
            self.leg.finish(now, out);
        }
        wire.extend(out.transmits.iter().skip(first).map(|sent| WireMessage {
            direction: WireDirection::Out,
            peer: sent.peer,
            to: None,
            bytes: sent.bytes.to_vec(),
        }));
        if !events.is_empty() {
            let role = if self.who == 'a' { Role::Caller } else { Role::Callee };
            self.journal.push(Commit {
                call: CallId::derive(now, role, "", "", 1),
                version,
                at: now,
                node: String::new(),
                epoch: 0,
                phase_before,
                input,
                events,
                wire,
            });
        }
    }

    pub fn effect(&mut self, now: Timestamp, effect: &Effect, ids: &mut SeededIds, out: &mut Outbox) {
        match effect {
            Effect::Arm { timer, at } => {
                self.timers.insert(*timer, *at);
            }
            Effect::Disarm { timer } => {
                self.timers.remove(timer);
            }
            Effect::DisarmAll => self.timers.clear(),
            Effect::Reach
            | Effect::SendInvite { .. }
            | Effect::Respond { .. }
            | Effect::SendAck
            | Effect::DismissAnswer { .. }
            | Effect::SendCancel { .. }
            | Effect::SendBye { .. }
            | Effect::SendReinvite { .. }
            | Effect::AnswerCancel { .. }
            | Effect::AnswerBye { .. }
            | Effect::AnswerReinvite { .. } => {
                let sdp = if self.who == 'a' { OFFER } else { ANSWER };
                let done = self.leg.perform(now, effect, Some(sdp), ids, out);
                self.errors.extend(done.err());
            }
        }
    }
}
