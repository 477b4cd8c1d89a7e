//! What holds for legs whatever happens: two whole sides, machine and all, over a network that loses, repeats and
//! reorders; and storms of messages that make no sense.

#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use callbox_events::call::{Call, Command, Effect, Hangup, Input, Phase, Place, Policy, Signal, TimerId};
use callbox_events::schema::{Commit, Happened, WireDirection, WireMessage};
use callbox_events::sip::{Peer, Transport};
use callbox_events::{Agent, CallId, Role, Timestamp};
use callbox_sip::ids::SeededIds;
use callbox_sip::leg::{BuildError, Leg, Outbox};
use callbox_sip::wire::{Limits, Message, Method, parse};
use proptest::prelude::*;
use world::{ANSWER, OFFER, address, call_to_b, config};

/// A small generator of its own, so that one seed is one run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides.max(1)
    }
}

/// One end: a machine, its leg, its timers, its journal.
struct Side {
    who: char,
    call: Call,
    leg: Leg,
    timers: BTreeMap<TimerId, Timestamp>,
    journal: Vec<Commit>,
    drained: u32,
    errors: Vec<BuildError>,
}

struct Net {
    now: Timestamp,
    transport: Transport,
    dice: Dice,
    /// Of a hundred messages so many are lost, and as many come twice.
    loss: u64,
    sides: BTreeMap<char, Side>,
    ids: SeededIds,
    letters: Vec<(Timestamp, char, char, Bytes)>,
}

impl Net {
    fn new(seed: u64, loss: u64, transport: Transport) -> Self {
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

    fn place(&mut self) {
        let dialog = call_to_b(self.transport, &mut self.ids);
        let policy = Policy { no_answer_ms: Some(20_000), ..Policy::default() };
        let place = Place {
            from: "sip:ann@example.com".into(),
            to: "sip:bob@example.com".into(),
            dialog: dialog.clone(),
            reachable: true,
            policy,
        };
        let leg = Leg::outgoing(dialog, config('a', self.transport));
        self.sides.insert('a', Side::new('a', leg));
        self.input('a', Input::Command(Command::Place(Box::new(place))), Vec::new());
    }

    /// Decide, record, apply, act.
    fn input(&mut self, who: char, input: Input, wire: Vec<WireMessage>) {
        let mut out = Outbox::new();
        let Some(side) = self.sides.get_mut(&who) else { return };
        side.input(self.now, input, wire, &mut self.ids, &mut out);
        self.flush(who, out);
    }

    fn flush(&mut self, who: char, out: Outbox) {
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
            self.input(who, Input::Signal(signal), Vec::new());
        }
    }

    fn step(&mut self, end: Timestamp) -> bool {
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

    fn deliver(&mut self, from: char, to: char, bytes: &Bytes) {
        let message = parse(bytes.clone(), &Limits::default()).unwrap();
        let source = address(from, self.transport);
        let mut out = Outbox::new();
        if let Some(side) = self.sides.get_mut(&to) {
            side.leg.receive(self.now, message, source, &mut out);
            return self.flush(to, out);
        }
        if *message.method() != Method::Invite || !message.is_request() {
            return;
        }
        let begun = Leg::incoming(&message, source, "tag-b".into(), config(to, self.transport), self.now);
        let Ok((leg, mut invite)) = begun else { return };
        invite.policy = Policy { no_answer_ms: Some(15_000), ..Policy::default() };
        self.sides.insert(to, Side::new(to, leg));
        let wire = WireMessage { direction: WireDirection::In, peer: source, bytes: bytes.to_vec() };
        self.input(to, Input::Signal(Signal::Invite(Box::new(invite))), vec![wire]);
    }

    fn timers(&mut self, who: char) {
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
        self.flush(who, out);
        for timer in due {
            self.input(who, Input::Timer(timer), Vec::new());
        }
    }

    /// The engine of one side dies and comes back; what it had in memory is gone.
    fn crash(&mut self, who: char) {
        let transport = self.transport;
        let Some(side) = self.sides.get_mut(&who) else { return };
        let leg = Leg::restore(&side.journal, config(who, transport), self.now).unwrap();
        assert_eq!(leg.dialog().sip_call_id, side.leg.dialog().sip_call_id);
        if side.call.phase() == Phase::Connected {
            assert!(leg.dialog().local_cseq > side.leg.dialog().local_cseq, "a CSeq would be used twice");
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

    fn run_until(&mut self, end: Timestamp) {
        let mut steps = 0;
        while self.step(end) {
            steps += 1;
            assert!(steps < 100_000, "no end of it");
        }
    }
}

impl Side {
    fn new(who: char, leg: Leg) -> Self {
        let (timers, journal) = (BTreeMap::new(), Vec::new());
        Self { who, call: Call::default(), leg, timers, journal, drained: 0, errors: Vec::new() }
    }

    fn next(&self) -> Option<Timestamp> {
        self.timers.values().copied().chain(self.leg.next_timeout()).min()
    }

    fn input(
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

    fn effect(&mut self, now: Timestamp, effect: &Effect, ids: &mut SeededIds, out: &mut Outbox) {
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

#[derive(Debug, Clone, Copy)]
enum Wish {
    Ring,
    Accept,
    Hangup,
    Hold,
    Resume,
    Crash,
}

fn wishes(crashes: bool) -> impl Strategy<Value = Vec<(u64, bool, Wish)>> {
    let wish = prop_oneof![
        3 => Just(Wish::Ring),
        4 => Just(Wish::Accept),
        2 => Just(Wish::Hangup),
        2 => Just(Wish::Hold),
        1 => Just(Wish::Resume),
        2 * u32::from(crashes) => Just(Wish::Crash),
    ];
    proptest::collection::vec((0_u64..3_000, any::<bool>(), wish), 1..10)
}

fn command(wish: Wish) -> Option<Command> {
    match wish {
        Wish::Ring => Some(Command::Ring),
        Wish::Accept => Some(Command::Accept),
        Wish::Hangup => Some(Command::Hangup(Hangup::by(Agent::User))),
        Wish::Hold => Some(Command::Hold),
        Wish::Resume => Some(Command::Resume),
        Wish::Crash => None,
    }
}

fn play(seed: u64, loss: u64, transport: Transport, wishes: Vec<(u64, bool, Wish)>) -> Net {
    let mut net = Net::new(seed, loss, transport);
    net.place();
    for (after, caller, wish) in wishes {
        net.run_until(net.now + Duration::from_millis(after));
        let who = if caller { 'a' } else { 'b' };
        match command(wish) {
            Some(command) => net.input(who, Input::Command(command), Vec::new()),
            None => net.crash(who),
        }
    }
    for who in ['a', 'b'] {
        net.input(who, Input::Command(Command::Hangup(Hangup::by(Agent::User))), Vec::new());
    }
    net.run_until(net.now + Duration::from_secs(400));
    net
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn two_sides_end_and_drain_whatever_the_network_does(
        seed: u64, loss in 0_u64..40, tcp: bool, wishes in wishes(false)
    ) {
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        let net = play(seed, loss, transport, wishes);
        for (who, side) in &net.sides {
            prop_assert_eq!(side.call.phase(), Phase::Ended, "{}", who);
            prop_assert!(side.leg.is_drained(), "{} {:?}", who, side.leg);
            prop_assert_eq!(side.drained, 1, "{}", who);
            prop_assert!(side.call.is_released(), "{}", who);
            prop_assert!(side.errors.is_empty(), "{} {:?}", who, &side.errors);
        }
    }

    #[test]
    fn two_sides_end_and_drain_although_their_engines_crash(
        seed: u64, loss in 0_u64..20, wishes in wishes(true)
    ) {
        let net = play(seed, loss, Transport::Udp, wishes);
        for (who, side) in &net.sides {
            prop_assert_eq!(side.call.phase(), Phase::Ended, "{}", who);
            prop_assert!(side.leg.is_drained(), "{} {:?}", who, side.leg);
            prop_assert!(side.call.is_released(), "{}", who);
        }
    }
}

/// All messages of some real calls.
fn corpus() -> Vec<(char, Bytes)> {
    let mut all = Vec::new();
    for (seed, wish) in [(1, Wish::Accept), (2, Wish::Hangup), (3, Wish::Hold)] {
        let net = play(
            seed,
            0,
            Transport::Udp,
            vec![
                (100, false, Wish::Ring),
                (100, false, wish),
                (100, true, Wish::Hold),
                (100, true, Wish::Resume),
            ],
        );
        for (who, side) in &net.sides {
            for wire in side.journal.iter().flat_map(|commit| &commit.wire) {
                all.push((*who, Bytes::from(wire.bytes.clone())));
            }
        }
    }
    all
}

/// A message made strange: another CSeq, tag, branch, method or status.
fn twisted(bytes: &Bytes, dice: &mut Dice) -> Bytes {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let text = match dice.roll(9) {
        0 => text.replace("tag-a", "tag-x"),
        1 => text.replace("tag-b", "tag-y"),
        2 => text.replace("CSeq: 1 ", "CSeq: 2 "),
        3 => text.replace("CSeq: 2 ", "CSeq: 4294967295 "),
        4 => text.replace("z9hG4bK", "old"),
        5 => text.replace("SIP/2.0 200", "SIP/2.0 183"),
        6 => text.replace("SIP/2.0 180", "SIP/2.0 200"),
        7 => text.replace("Contact: ", "Require: 100rel\r\nRSeq: 7\r\nX-Contact: "),
        _ => text,
    };
    text.into()
}

fn random_effect(dice: &mut Dice, peer: Peer) -> Effect {
    let status = [100, 180, 183, 200, 302, 486, 487, 999][usize::try_from(dice.roll(8)).unwrap()];
    match dice.roll(12) {
        0 => Effect::SendInvite { peer },
        1 | 2 => Effect::Respond { status, sdp: true, reasons: vec![], contact: None, retry_after: Some(1) },
        3 => Effect::SendAck,
        4 => Effect::DismissAnswer { to_tag: Some("tag-y".into()), reasons: vec![] },
        5 => Effect::SendCancel { reasons: vec![] },
        6 => Effect::SendBye { reasons: vec![] },
        7 => Effect::SendReinvite { direction: Default::default() },
        8 => Effect::AnswerCancel { status: 200 },
        9 => Effect::AnswerBye { status: 200 },
        10 => Effect::AnswerReinvite { status, direction: Default::default() },
        _ => Effect::DisarmAll,
    }
}

fn read(bytes: Bytes) -> Option<Message> {
    parse(bytes, &Limits::default()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_storm_of_senseless_messages_and_effects_does_no_harm(seed: u64, callee: bool) {
        thread_local!(static CORPUS: Vec<(char, Bytes)> = corpus());
        let corpus = CORPUS.with(Clone::clone);
        let mut dice = Dice(seed | 1);
        let mut ids = SeededIds::new(seed);
        let mut now = Timestamp::from_micros(1_000_000);
        let peer = address('b', Transport::Udp);
        let mut leg = if callee {
            let invite = corpus.iter().find_map(|(_, bytes)| read(bytes.clone()));
            let begun = Leg::incoming(&invite.unwrap(), peer, "tag-b".into(), config('b', Transport::Udp), now);
            begun.unwrap().0
        } else {
            // The ids of a recorded call are those of its seed.
            Leg::outgoing(call_to_b(Transport::Udp, &mut SeededIds::new(1)), config('a', Transport::Udp))
        };
        let mut drained = 0;
        for _ in 0..200 {
            let mut out = Outbox::new();
            match dice.roll(8) {
                0 => leg.handle_timeout(now, &mut ids, &mut out),
                1 => leg.transport_failed(now, peer, "icmp", &mut out),
                2 | 3 => {
                    let effect = random_effect(&mut dice, peer);
                    let _ = leg.perform(now, &effect, Some(OFFER), &mut ids, &mut out);
                }
                _ => {
                    let pick = usize::try_from(dice.roll(corpus.len() as u64)).unwrap();
                    let bytes = twisted(&corpus[pick].1, &mut dice);
                    if let Some(message) = read(bytes) {
                        let _ = leg.claims(&message);
                        leg.receive(now, message, peer, &mut out);
                    }
                }
            }
            for sent in &out.transmits {
                prop_assert!(read(sent.bytes.clone()).is_some(), "{:?}", sent.bytes);
            }
            drained += out.signals.iter().filter(|signal| matches!(signal, Signal::Drained(_))).count();
            now = now + Duration::from_millis(dice.roll(3_000));
        }
        let mut out = Outbox::new();
        leg.finish(now, &mut out);
        for _ in 0..10_000 {
            let Some(next) = leg.next_timeout() else { break };
            now = now.max(next);
            leg.handle_timeout(now, &mut ids, &mut out);
        }
        drained += out.signals.iter().filter(|signal| matches!(signal, Signal::Drained(_))).count();
        prop_assert!(leg.is_drained());
        prop_assert_eq!(drained, 1);
    }
}
