//! After a crash: what the wire may still bring finds a leg that knows what to do.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod net;
mod world;

use std::time::Duration;

use bytes::Bytes;
use callbox_events::Agent;
use callbox_events::call::{Command, Effect, Hangup, Input, Signal};
use callbox_events::sip::Transport;
use callbox_sip::ids::SeededIds;
use callbox_sip::leg::{Leg, Outbox};
use callbox_sip::wire::{Limits, Message, parse};
use net::Net;
use world::{ANSWER, address, config, title};

/// A call that got so far, on a perfect network.
fn call(commands: &[(char, Command)]) -> Net {
    let mut net = Net::new(5, 0, Transport::Udp);
    net.place();
    net.run_until(net.now + Duration::from_millis(100));
    for (who, command) in commands {
        net.input(*who, Input::Command(command.clone()), Vec::new());
        net.run_until(net.now + Duration::from_millis(300));
    }
    net
}

/// The leg of one side as its journal tells it, and what it says to `messages`.
fn restored(net: &Net, who: char) -> Leg {
    Leg::restore(&net.sides[&who].journal, config(who, Transport::Udp), net.now).unwrap()
}

fn recorded(net: &Net, who: char, wanted: &str) -> Message {
    let wire = net.sides[&who].journal.iter().flat_map(|commit| &commit.wire);
    let found =
        wire.map(|wire| Bytes::from(wire.bytes.clone())).find(|bytes| title(bytes).starts_with(wanted));
    parse(found.unwrap_or_else(|| panic!("no {wanted}")), &Limits::default()).unwrap()
}

fn receive(leg: &mut Leg, net: &Net, from: char, message: Message) -> Outbox {
    let mut out = Outbox::new();
    leg.receive(net.now, message, address(from, Transport::Udp), &mut out);
    out
}

fn perform(leg: &mut Leg, net: &Net, effect: &Effect) -> Vec<String> {
    let mut out = Outbox::new();
    leg.perform(net.now, effect, Some(ANSWER), &mut SeededIds::new(99), &mut out).unwrap();
    out.transmits.iter().map(|sent| title(&sent.bytes)).collect()
}

#[test]
fn a_ringing_caller_can_still_cancel_its_invite() {
    let net = call(&[('b', Command::Ring)]);
    let mut leg = restored(&net, 'a');
    let mut out = Outbox::new();
    let cancel = Effect::SendCancel { reasons: vec![] };
    leg.perform(net.now, &cancel, None, &mut SeededIds::new(99), &mut out).unwrap();
    let cancel = parse(out.transmits[0].bytes.clone(), &Limits::default()).unwrap();
    let invite = recorded(&net, 'a', "INVITE");
    assert_eq!((cancel.branch(), cancel.cseq().0), (invite.branch(), invite.cseq().0), "RFC 3261 §9.1");
    assert_eq!(cancel.uri(), invite.uri());
    assert_eq!(cancel.to_tag(), None);
}

#[test]
fn a_caller_that_heard_nothing_repeats_its_invite_and_holds_its_cancel() {
    let mut net = Net::new(5, 100, Transport::Udp);
    net.place();
    net.run_until(net.now + Duration::from_millis(100));
    let mut leg = restored(&net, 'a');
    assert!(perform(&mut leg, &net, &Effect::SendCancel { reasons: vec![] }).is_empty());
    let mut out = Outbox::new();
    leg.handle_timeout(net.now, &mut SeededIds::new(99), &mut out);
    assert_eq!(title(&out.transmits[0].bytes), "INVITE 1 with SDP");
}

#[test]
fn a_ringing_callee_answers_the_repeated_invite_and_can_go_on() {
    let net = call(&[('b', Command::Ring)]);
    let mut leg = restored(&net, 'b');
    let out = receive(&mut leg, &net, 'a', recorded(&net, 'b', "INVITE"));
    assert_eq!(out.signals.len(), 0);
    assert_eq!(title(&out.transmits[0].bytes), "180 to INVITE 1 by tag-b");
    let accept =
        Effect::Respond { status: 200, sdp: true, reasons: vec![], contact: None, retry_after: None };
    assert_eq!(perform(&mut leg, &net, &accept), ["200 to INVITE 1 by tag-b with SDP"]);
}

#[test]
fn a_connected_side_can_hang_up_and_hold_with_fresh_cseq_numbers() {
    let net = call(&[('b', Command::Accept), ('a', Command::Hold), ('b', Command::Hold)]);
    for who in ['a', 'b'] {
        let before = net.sides[&who].leg.cseqs();
        let mut leg = restored(&net, who);
        assert!(leg.cseqs().local >= before.local + 1_000);
        assert_eq!(leg.cseqs().remote, before.remote, "a repeated re-INVITE stays out of order");
        assert_eq!(leg.remote_sdp(), net.sides[&who].leg.remote_sdp());
        let sent = perform(&mut leg, &net, &Effect::SendBye { reasons: vec![] });
        assert!(sent[0].starts_with("BYE 10"), "{sent:?}");
    }
}

#[test]
fn an_answer_that_comes_again_after_the_crash_is_acknowledged_again() {
    let net = call(&[('b', Command::Accept)]);
    let mut leg = restored(&net, 'a');
    let out = receive(&mut leg, &net, 'b', recorded(&net, 'a', "200 to INVITE"));
    assert_eq!(out.signals.len(), 0);
    assert_eq!(title(&out.transmits[0].bytes), "ACK 1 in tag-b");
}

#[test]
fn a_bye_that_comes_again_after_the_crash_is_answered_again() {
    let net = call(&[('b', Command::Accept), ('a', Command::Hangup(Hangup::by(Agent::User)))]);
    let mut leg = restored(&net, 'b');
    let out = receive(&mut leg, &net, 'a', recorded(&net, 'b', "BYE"));
    assert_eq!(out.signals.len(), 0);
    assert_eq!(title(&out.transmits[0].bytes), "200 to BYE 2 by tag-b");
    assert!(leg.next_timeout().is_some(), "it waits for late messages and then drains");
}

#[test]
fn a_journal_without_an_invite_makes_no_leg() {
    let net = call(&[]);
    let journal = &net.sides[&'a'].journal;
    assert!(Leg::restore(&journal[1..], config('a', Transport::Udp), net.now).is_none());
    assert!(Leg::restore(&[], config('a', Transport::Udp), net.now).is_none());
}

#[test]
fn a_restored_leg_says_drained_once() {
    let net = call(&[('b', Command::Accept), ('b', Command::Hangup(Hangup::by(Agent::User)))]);
    for who in ['a', 'b'] {
        let mut leg = restored(&net, who);
        let mut out = Outbox::new();
        while let Some(next) = leg.next_timeout() {
            leg.handle_timeout(next, &mut SeededIds::new(99), &mut out);
        }
        assert!(leg.is_drained());
        assert_eq!(out.signals.iter().filter(|signal| matches!(signal, Signal::Drained(_))).count(), 1);
    }
}
