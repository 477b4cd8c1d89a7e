//! What goes wrong in one place stays there: panics, overload, a journal that refuses, a crash.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use callbox::media::{MediaAdapter, Session, StaticPcmu};
use callbox::{
    Agent, CallId, CommandError, Config, Engine, Hangup, Notification, Outcome, PlaceCall, ShutdownPolicy,
};
use callbox_events::call::{Act, Event, IncomingPolicy};
use callbox_events::sip::Transport;
use callbox_store::memory::MemoryJournal;
use callbox_store::testing::rerun::CheckedJournal;
use callbox_store::{AppendError, Journal, JournalReader};
use futures::executor::block_on;

use common::{config, open, quick, uri, wait_for};

/// Panics when it is told to.
#[derive(Debug, Default)]
struct Fragile {
    breaks: AtomicBool,
}

impl MediaAdapter for Fragile {
    fn offer(&self, session: &Session) -> String {
        assert!(!self.breaks.load(Ordering::Relaxed), "the media adapter broke");
        StaticPcmu::default().offer(session)
    }

    fn answer(&self, session: &Session, offer: &str) -> String {
        assert!(!self.breaks.load(Ordering::Relaxed), "the media adapter broke");
        StaticPcmu::default().answer(session, offer)
    }
}

fn call(from: &Engine, to: &Engine) -> CallId {
    block_on(from.call(PlaceCall::new("sip:alice@127.0.0.1", uri(to, "bob", Transport::Udp)))).unwrap()
}

/// How a call ended, by an engine's journal.
fn ended(journal: &MemoryJournal, call: CallId) -> callbox_events::call::Ended {
    let commits = journal.read(call).unwrap();
    let events = commits.into_iter().flat_map(|stored| stored.commit.events);
    let ended = events.filter_map(|happened| match happened.event {
        Event::Ended(how) => Some(how),
        _ => None,
    });
    let ended: Vec<_> = ended.collect();
    assert_eq!(ended.len(), 1, "{ended:?}");
    ended.into_iter().next().unwrap()
}

#[test]
fn a_panic_in_one_call_ends_that_call_and_leaves_its_neighbours_alone() {
    let (journal_a, journal_b) = (CheckedJournal::default(), CheckedJournal::default());
    let media = Arc::new(Fragile::default());
    let a = open("a", quick(IncomingPolicy::Wait), &journal_a);
    let fragile = Config { media: Arc::clone(&media) as _, ..config("b", quick(IncomingPolicy::Ring)) };
    let b = Engine::open_with(fragile, Arc::new(journal_b.clone())).unwrap();
    call(&a, &b);
    let neighbour = wait_for(&b, Notification::Ringing);
    assert_eq!(block_on(b.accept(neighbour)), Ok(Outcome::Accepted));
    wait_for(&b, Notification::Connected);

    let tail = journal_b.tail().unwrap().seq();
    call(&a, &b);
    let doomed = common::wait_from(&b, tail, Notification::Ringing);
    media.breaks.store(true, Ordering::Relaxed);
    assert_eq!(block_on(b.accept(doomed)), Err(CommandError::Internal));
    common::wait_from(&b, tail, Notification::Ended);
    assert_eq!(ended(&journal_b, doomed).act, Act::Discarded);
    assert_eq!(b.why(doomed).unwrap().verdict.cause.to_string(), "internal_error");

    assert_eq!(block_on(b.hangup(neighbour, Hangup::by(Agent::User))), Ok(Outcome::Accepted));
    common::wait_of(&b, neighbour, Notification::Released);
    assert_eq!(ended(&journal_b, neighbour).act, Act::Bye);
    block_on(a.close()).unwrap();
    block_on(b.close()).unwrap();
}

#[test]
fn a_panic_in_a_conversation_ends_it_at_both_ends() {
    let (journal_a, journal_b) = (CheckedJournal::default(), CheckedJournal::default());
    let media = Arc::new(Fragile::default());
    let a = open("a", quick(IncomingPolicy::Wait), &journal_a);
    let fragile = Config { media: Arc::clone(&media) as _, ..config("b", quick(IncomingPolicy::Answer)) };
    let b = Engine::open_with(fragile, Arc::new(journal_b.clone())).unwrap();
    let caller = call(&a, &b);
    wait_for(&a, Notification::Connected);
    let callee = wait_for(&b, Notification::Connected);
    media.breaks.store(true, Ordering::Relaxed);
    assert_eq!(block_on(b.hold(callee)), Err(CommandError::Internal));
    wait_for(&a, Notification::Ended);
    assert_eq!(ended(&journal_b, callee).act, Act::Discarded);
    assert_eq!(b.why(callee).unwrap().verdict.cause.to_string(), "internal_error");
    assert_eq!(ended(&journal_a, caller).act, Act::Bye);
    block_on(a.close()).unwrap();
    block_on(b.close()).unwrap();
}

#[test]
fn an_overloaded_engine_answers_503_and_records_nothing() {
    let (journal_a, journal_b) = (CheckedJournal::default(), CheckedJournal::default());
    let a = open("a", quick(IncomingPolicy::Wait), &journal_a);
    let full = Config { max_pending: 0, ..config("b", quick(IncomingPolicy::Ring)) };
    let b = Engine::open_with(full, Arc::new(journal_b.clone())).unwrap();
    let refused = call(&a, &b);
    wait_for(&a, Notification::Ended);
    assert_eq!(ended(&journal_a, refused).status, Some(503));
    assert_eq!(journal_b.calls().unwrap().count(), 0);
    block_on(a.close()).unwrap();
    block_on(b.close()).unwrap();
}

#[test]
fn calls_beyond_the_limit_are_refused_with_a_record() {
    let (journal_a, journal_b) = (CheckedJournal::default(), CheckedJournal::default());
    let a = open("a", quick(IncomingPolicy::Wait), &journal_a);
    let small = Config { max_calls: 1, ..config("b", quick(IncomingPolicy::Ring)) };
    let b = Engine::open_with(small, Arc::new(journal_b.clone())).unwrap();
    call(&a, &b);
    wait_for(&b, Notification::Ringing);
    let refused = call(&a, &b);
    assert_eq!(wait_for(&a, Notification::Ended), refused);
    assert_eq!(ended(&journal_a, refused).status, Some(486));
    let over = wait_for(&b, Notification::Ended);
    assert_eq!(b.why(over).unwrap().verdict.cause.to_string(), "max_calls");
    let own = block_on(b.call(PlaceCall::new("", uri(&a, "alice", Transport::Udp))));
    assert_eq!(own, Err(CommandError::TooManyCalls { limit: 1 }));
    block_on(a.close()).unwrap();
    block_on(b.close()).unwrap();
}

#[test]
fn a_journal_that_refuses_stops_the_call_before_anything_leaves() {
    let journal = CheckedJournal::default();
    let a = open("a", quick(IncomingPolicy::Wait), &journal);
    let b = open("b", quick(IncomingPolicy::Ring), &CheckedJournal::default());
    journal.fail_next(AppendError::Unavailable { why: "the disk broke".into() });
    let placed = block_on(a.call(PlaceCall::new("", uri(&b, "bob", Transport::Udp))));
    assert!(matches!(placed, Err(CommandError::Journal(_))), "{placed:?}");
    let next = block_on(a.call(PlaceCall::new("", uri(&b, "bob", Transport::Udp))));
    assert!(matches!(next, Err(CommandError::Journal(_))), "no new calls on a broken disk: {next:?}");
    assert_eq!(b.journal().calls().unwrap().count(), 0, "nothing left");
    block_on(a.close()).unwrap();
    block_on(b.close()).unwrap();
}

#[test]
fn a_full_disk_refuses_new_calls_and_lets_running_ones_wait_until_there_is_room() {
    let (journal_a, journal_b) = (CheckedJournal::default(), CheckedJournal::default());
    let a = open("a", quick(IncomingPolicy::Wait), &journal_a);
    let b = open("b", quick(IncomingPolicy::Answer), &journal_b);
    let running = call(&a, &b);
    wait_for(&a, Notification::Connected);
    let callee = wait_for(&b, Notification::Connected);

    journal_b.fill(true);
    let tail = journal_a.tail().unwrap().seq();
    let refused = call(&a, &b);
    assert_eq!(common::wait_from(&a, tail, Notification::Ended), refused);
    assert_eq!(ended(&journal_a, refused).status, Some(503));
    let own = block_on(b.call(PlaceCall::new("", uri(&a, "alice", Transport::Udp))));
    assert!(matches!(own, Err(CommandError::Journal(_))), "{own:?}");
    assert_eq!(block_on(a.hangup(running, Hangup::by(Agent::User))), Ok(Outcome::Accepted));
    while journal_b.held() == 0 {
        std::thread::yield_now();
    }

    journal_b.fill(false);
    common::wait_of(&b, callee, Notification::Ended);
    common::wait_of(&a, running, Notification::Ended);
    assert_eq!(b.why(callee).unwrap().verdict.cause.to_string(), "hangup");
    let tail = journal_a.tail().unwrap().seq();
    let next = call(&a, &b);
    assert_eq!(common::wait_from(&a, tail, Notification::Connected), next, "as if nothing had been");
    block_on(a.close()).unwrap();
    block_on(b.close()).unwrap();
}

#[test]
fn commands_that_make_no_sense_say_so() {
    let a = open("a", quick(IncomingPolicy::Wait), &CheckedJournal::default());
    let nobody = CallId::from_bytes([7; 16]);
    assert_eq!(block_on(a.ring(nobody)), Err(CommandError::NotFound(nobody)));
    let odd = Hangup { status: Some(200), ..Hangup::by(Agent::User) };
    assert!(matches!(block_on(a.hangup(nobody, odd)), Err(CommandError::Invalid { what: "status", .. })));
    let tel = block_on(a.call(PlaceCall::new("", "tel:+1555")));
    assert!(matches!(tel, Err(CommandError::InvalidUri { what: "to", .. })), "{tel:?}");
    let v6 = block_on(a.call(PlaceCall::new("", "sip:bob@[::1]:5060")));
    assert_eq!(v6, Err(CommandError::NoTransport("udp")));
    block_on(a.close()).unwrap();
}

#[test]
fn a_connected_call_outlives_its_engine_and_can_be_hung_up_by_the_next_one() {
    let (journal_a, journal_b) = (CheckedJournal::default(), CheckedJournal::default());
    let keep = Config { shutdown: ShutdownPolicy::Keep, ..config("a", quick(IncomingPolicy::Wait)) };
    let a = Engine::open_with(keep.clone(), Arc::new(journal_a.clone())).unwrap();
    let b = open("b", quick(IncomingPolicy::Answer), &journal_b);
    let id = call(&a, &b);
    wait_for(&a, Notification::Connected);
    wait_for(&b, Notification::Connected);
    let listen = a.listening().to_vec();
    drop(a);

    let again = Engine::open_with(Config { listen, ..keep }, Arc::new(journal_a.clone())).unwrap();
    assert_eq!(block_on(again.hangup(id, Hangup::by(Agent::User))), Ok(Outcome::Accepted));
    wait_for(&again, Notification::Released);
    wait_for(&b, Notification::Ended);
    assert_eq!(ended(&journal_a, id).act, Act::Bye);
    block_on(again.close()).unwrap();
    block_on(b.close()).unwrap();
}

#[test]
fn closing_ends_the_live_calls_at_both_ends() {
    let (journal_a, journal_b) = (CheckedJournal::default(), CheckedJournal::default());
    let a = open("a", quick(IncomingPolicy::Wait), &journal_a);
    let b = open("b", quick(IncomingPolicy::Answer), &journal_b);
    let id = call(&a, &b);
    wait_for(&a, Notification::Connected);
    wait_for(&b, Notification::Connected);
    block_on(a.close()).unwrap();
    assert_eq!(ended(&journal_a, id).agent, Agent::Engine);
    wait_for(&b, Notification::Ended);
    block_on(b.close()).unwrap();
    assert_eq!(journal_b.caps().backend, "memory");
}

#[test]
fn an_address_in_use_is_an_error_that_names_it() {
    let a = open("a", quick(IncomingPolicy::Wait), &CheckedJournal::default());
    let taken = a.listening().to_vec();
    let second = Config { listen: taken.clone(), ..config("b", quick(IncomingPolicy::Wait)) };
    let error = Engine::open_with(second, Arc::new(MemoryJournal::new())).unwrap_err();
    assert!(error.to_string().contains(&taken[0].to_string()), "{error}");
    block_on(a.close()).unwrap();
}
