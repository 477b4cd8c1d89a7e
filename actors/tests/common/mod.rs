//! What the engine's tests share: engines on loopback, and waiting for what they tell.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use callbox::{CallId, Config, Engine, Notification, Policy, ShutdownPolicy, Waited};
use callbox_events::call::{IncomingPolicy, SipTimers};
use callbox_events::sip::{Peer, Transport};
use callbox_store::memory::MemoryJournal;

/// Longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub fn quick(incoming: IncomingPolicy) -> Policy {
    Policy { incoming, sip: SipTimers { t1_ms: 20, t2_ms: 80, t4_ms: 100 }, ..Policy::default() }
}

pub fn config(node: &str, policy: Policy) -> Config {
    let listen = [Transport::Udp, Transport::Tcp]
        .map(|transport| Peer { transport, addr: SocketAddr::from(([127, 0, 0, 1], 0)) });
    let shutdown = ShutdownPolicy::End { grace: Duration::from_millis(500) };
    Config { node: node.into(), listen: listen.into(), policy, shutdown, ..Config::default() }
}

pub fn open(node: &str, policy: Policy, journal: &MemoryJournal) -> Engine {
    Engine::open_with(config(node, policy), Arc::new(journal.clone())).unwrap()
}

pub fn uri(engine: &Engine, user: &str, transport: Transport) -> String {
    let peer = engine.listening().iter().find(|peer| peer.transport == transport).unwrap();
    format!("sip:{user}@{};transport={transport}", peer.addr)
}

/// Waits for a notification of an engine; gives its call.
pub fn wait_for(engine: &Engine, wanted: Notification) -> CallId {
    wait_from(engine, 0, wanted)
}

/// The same, of those from a sequence number on.
pub fn wait_from(engine: &Engine, from_seq: u64, wanted: Notification) -> CallId {
    let mut told = engine.subscribe(from_seq).unwrap();
    let mut seen = Vec::new();
    loop {
        match told.next_timeout(PATIENCE).unwrap() {
            Waited::Notified(next) if next.notification == wanted => return next.call,
            Waited::Notified(next) => seen.push(next.notification),
            Waited::Timeout | Waited::Closed => {
                panic!("{} was told {seen:?} but never {wanted:?}", engine.node())
            }
        }
    }
}

pub fn told(engine: &Engine, until: Notification) -> Vec<&'static str> {
    wait_for(engine, until);
    let mut told = engine.subscribe(0).unwrap();
    let mut seen = Vec::new();
    while let Waited::Notified(next) = told.next_timeout(Duration::from_millis(1)).unwrap() {
        seen.push(next.notification.code());
    }
    seen
}

/// Waits until an engine tells this of a call.
pub fn wait_of(engine: &Engine, call: CallId, wanted: Notification) {
    let mut from = 0;
    while wait_from(engine, from, wanted) != call {
        from += 1;
    }
}
