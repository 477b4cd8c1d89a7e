//! Two engines on loopback UDP: the whole way from a command to both journals.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::sync::Arc;

use callbox::{Agent, CallId, Config, Engine, Hangup, Notification, Outcome, PlaceCall, Waited};
use callbox_events::call::IncomingPolicy;
use callbox_events::sip::Transport;
use callbox_store::JournalReader;
use callbox_store::testing::rerun::CheckedJournal;
use futures::executor::block_on;

use common::{PATIENCE, config, open, quick, told, uri, wait_for, wait_of};

fn talk_and_hang_up(transport: Transport) {
    let (journal_a, journal_b) = (CheckedJournal::default(), CheckedJournal::default());
    let a = open("a", quick(IncomingPolicy::Wait), &journal_a);
    let b = open("b", quick(IncomingPolicy::Ring), &journal_b);
    let place = PlaceCall::new("sip:alice@127.0.0.1", uri(&b, "bob", transport));
    let call = block_on(a.call(place)).unwrap();
    wait_for(&a, Notification::Ringing);
    let incoming = wait_for(&b, Notification::Ringing);
    assert_eq!(block_on(b.accept(incoming)), Ok(Outcome::Accepted));
    wait_for(&a, Notification::Connected);
    wait_for(&b, Notification::Connected);
    assert_eq!(block_on(a.calls()).len(), 1, "one live call");
    assert_eq!(block_on(a.hangup(call, Hangup::by(Agent::User))), Ok(Outcome::Accepted));
    assert_eq!(
        told(&a, Notification::Released),
        ["started", "ringing", "answered", "connected", "ending", "ended", "released"]
    );
    assert_eq!(
        told(&b, Notification::Released),
        ["incoming", "ringing", "answered", "connected", "ended", "released"]
    );
    assert_eq!(block_on(a.hangup(call, Hangup::by(Agent::User))), Ok(Outcome::AlreadyEnded));
    let why = a.why(call).unwrap();
    assert_eq!(why.verdict.cause.to_string(), "hangup");
    assert_eq!(block_on(a.calls()), [], "nothing lives");
    block_on(a.close()).unwrap();
    block_on(b.close()).unwrap();
    assert_eq!(journal_a.calls().unwrap().count(), 1);
}

#[test]
fn a_call_over_udp_is_answered_and_hung_up_and_both_journals_tell_it() {
    talk_and_hang_up(Transport::Udp);
}

#[test]
fn a_call_over_tcp_takes_the_same_course() {
    talk_and_hang_up(Transport::Tcp);
}

#[test]
fn an_engine_can_call_itself() {
    let journal = CheckedJournal::default();
    let engine = open("a", quick(IncomingPolicy::Answer), &journal);
    let place = PlaceCall::new("sip:alice@127.0.0.1", uri(&engine, "me", Transport::Udp));
    let call = block_on(engine.call(place)).unwrap();
    let connected = wait_for(&engine, Notification::Connected);
    assert_eq!(connected, call, "the caller's side is acknowledged first");
    assert_eq!(block_on(engine.calls()).len(), 2);
    assert_eq!(block_on(engine.hangup(call, Hangup::by(Agent::User))), Ok(Outcome::Accepted));
    let mut told = engine.subscribe(0).unwrap();
    let mut released = 0;
    while released < 2 {
        match told.next_timeout(PATIENCE).unwrap() {
            Waited::Notified(next) => released += usize::from(next.notification == Notification::Released),
            Waited::Timeout | Waited::Closed => panic!("both sides should be released"),
        }
    }
    block_on(engine.close()).unwrap();
}

#[test]
fn calls_find_their_way_on_several_arbiters() {
    let (journal_a, journal_b) = (CheckedJournal::default(), CheckedJournal::default());
    let three = |node, incoming| Config { arbiters: 3, ..config(node, quick(incoming)) };
    let a = Engine::open_with(three("a", IncomingPolicy::Wait), Arc::new(journal_a.clone())).unwrap();
    let b = Engine::open_with(three("b", IncomingPolicy::Answer), Arc::new(journal_b.clone())).unwrap();
    let place = || PlaceCall::new("sip:alice@127.0.0.1", uri(&b, "bob", Transport::Udp));
    let calls: Vec<CallId> = (0..24).map(|_| block_on(a.call(place())).unwrap()).collect();
    for call in &calls {
        wait_of(&a, *call, Notification::Connected);
    }
    assert_eq!((block_on(a.calls()).len(), block_on(b.calls()).len()), (24, 24));
    for call in &calls {
        assert_eq!(block_on(a.hangup(*call, Hangup::by(Agent::User))), Ok(Outcome::Accepted));
        wait_of(&a, *call, Notification::Ended);
    }
    block_on(a.close()).unwrap();
    block_on(b.close()).unwrap();
}
