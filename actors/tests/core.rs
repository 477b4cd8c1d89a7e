//! A call's core by itself: nothing leaves before the ack, one thing at a time, and back from the journal as it was.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::sync::Arc;
use std::time::Duration;

use callbox::core::{CallCore, Fault, Outgoing, Seat, Step, Stimulus};
use callbox::media::StaticPcmu;
use callbox::sim::Sim;
use callbox::{Agent, Hangup, Notification, Outcome, Policy, Timestamp};
use callbox_events::call::{Command, Phase};
use callbox_events::schema::{Commit, WireDirection};
use callbox_events::sip::{Peer, Transport};
use callbox_sip::ids::SeededIds;

const T0: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

fn peer(port: u16) -> Peer {
    Peer { transport: Transport::Udp, addr: ([192, 0, 2, 1], port).into() }
}

fn seat() -> Arc<Seat> {
    let local = peer(5060);
    Arc::new(Seat::new("test", "callbox", local, local.addr, Arc::new(StaticPcmu::default())))
}

fn placed(policy: Policy) -> (Box<CallCore>, Step, SeededIds) {
    let mut ids = SeededIds::new(1);
    let outgoing = Outgoing {
        from: "sip:alice@192.0.2.1".into(),
        to: "sip:bob@192.0.2.1:5070".into(),
        peer: peer(5070),
        reachable: true,
        policy,
    };
    let (core, step) = CallCore::place(T0, outgoing, "call-1".into(), &seat(), &mut ids).unwrap();
    (core, step, ids)
}

#[test]
fn the_invite_stands_in_the_commit_and_leaves_only_after_the_ack() {
    let (mut core, step, _) = placed(Policy::default());
    assert!(step.transmits.is_empty(), "nothing leaves before the ack");
    assert_eq!(core.phase(), Phase::Idle, "nothing is applied before the ack");
    let commit = step.commit.unwrap();
    let out: Vec<_> = commit.wire.iter().filter(|wire| wire.direction == WireDirection::Out).collect();
    assert_eq!(out.len(), 1);
    let acted = core.committed().unwrap();
    assert_eq!(acted.transmits.len(), 1);
    assert_eq!(acted.transmits[0].bytes, out[0].bytes, "what leaves is what was recorded");
    assert_eq!((core.phase(), acted.outcome), (Phase::Calling, Some(Outcome::Accepted)));
}

#[test]
fn a_core_takes_nothing_while_its_commit_waits() {
    let (mut core, _, mut ids) = placed(Policy::default());
    let hangup = Stimulus::Command(Command::Hangup(Hangup::by(Agent::User)));
    assert!(matches!(core.handle(T0, hangup, &mut ids), Err(Fault::OutOfTurn)));
    drop(core.committed().unwrap());
    assert!(matches!(core.committed(), Err(Fault::OutOfTurn)), "there is nothing to acknowledge twice");
}

#[test]
fn a_restored_core_has_the_timers_of_the_old_one_and_ends_what_it_can_not_know() {
    let (mut core, step, mut ids) = placed(Policy { no_answer_ms: Some(20_000), ..Policy::default() });
    let commits: Vec<Commit> = step.commit.into_iter().collect();
    drop(core.committed().unwrap());
    let back = T0 + Duration::from_secs(3);
    let mut again = CallCore::restore(back, &commits, core.seat()).unwrap();
    assert_eq!(again.call(), core.call(), "the same state");
    assert!(again.next_deadline().is_some_and(|at| at <= T0 + Duration::from_secs(20)));
    let recovery = Stimulus::Recovery { fault: "crash".into() };
    let commit = again.handle(back, recovery, &mut ids).unwrap().commit.unwrap();
    assert_eq!(commit.events.last().map(|happened| happened.phase), Some(Phase::Ended));
    assert_eq!(commit.version, 2, "it follows the durable events");
}

#[test]
fn a_record_that_does_not_begin_a_call_is_refused() {
    assert!(matches!(CallCore::restore(T0, &[], &seat()), Err(Fault::NotRestorable)));
}

#[test]
fn a_slow_disk_delays_the_call_and_nothing_overtakes_it() {
    let mut sim = Sim::new(5);
    sim.engine("A", Policy::default());
    sim.engine("B", Policy::default());
    sim.disk_latency(Duration::from_secs(1), Duration::from_secs(1));
    sim.call("A", "B").unwrap();
    sim.run_for(Duration::from_millis(999));
    assert!(sim.wire().is_empty(), "{sim:?}");
    sim.hangup("A");
    sim.settle().unwrap();
    assert_eq!(sim.outcome("A"), Some(Outcome::Accepted));
    assert_eq!(sim.check(), []);
    assert!(sim.told("A", Notification::Ended) && sim.told("B", Notification::Ended), "{sim:?}");
}
