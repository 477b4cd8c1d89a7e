//! What holds for legs whatever happens: two whole sides, machine and all, over a network that loses, repeats and
//! reorders; and storms of messages that make no sense.

#![allow(clippy::unwrap_used, missing_docs)]

mod net;
mod world;

use std::time::Duration;

use bytes::Bytes;
use callbox_events::call::{Command, Effect, Hangup, Input, Phase, Signal};
use callbox_events::sip::{Peer, Transport};
use callbox_events::{Agent, Timestamp};
use callbox_sip::ids::SeededIds;
use callbox_sip::leg::{Leg, Outbox};
use callbox_sip::wire::{Limits, Message, parse};
use net::{Dice, Net};
use proptest::prelude::*;
use world::{OFFER, address, call_to_b, config};

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
            Leg::outgoing(call_to_b(Transport::Udp, &mut SeededIds::new(1)).into(), config('a', Transport::Udp))
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
