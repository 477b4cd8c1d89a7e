//! Whole engines in virtual time over a seeded network, on one thread, without a runtime.
//!
//! The engines are the same [`crate::core::CallCore`]s that the actors host; only the shell differs. One seed gives one
//! history, byte for byte. A scripted party is an address whose messages pile up in an inbox ([`Sim::inbox`]) and that
//! says what the test makes it say ([`Sim::inject`]).

mod laws;
mod network;
mod node;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use callbox_events::call::{Command, Hangup, Notification, Outcome, Phase, Policy};
use callbox_events::schema::StoredCommit;
use callbox_events::sip::{Peer, Transport};
use callbox_events::verdict::{Verdict, judge};
use callbox_events::{CallId, Timestamp};
use callbox_store::JournalReader;
use callbox_store::memory::MemoryJournal;

pub use self::laws::{Violation, check};
use self::network::Network;
pub use self::network::{Fate, Rule, Traffic, Treatment, Weather};
use self::node::{Node, Sending};
use crate::core::{Fault, Outgoing, Stimulus};

/// A little world: engines, scripted parties, and the network between them.
#[derive(Debug)]
pub struct Sim {
    now: Timestamp,
    seed: u64,
    nodes: BTreeMap<String, Node>,
    inboxes: BTreeMap<SocketAddr, Vec<Traffic>>,
    network: Network,
}

impl Sim {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        Self { now, seed, nodes: BTreeMap::new(), inboxes: BTreeMap::new(), network: Network::new(seed) }
    }

    /// Adds an engine; its address follows from how many there are.
    pub fn engine(&mut self, name: &str, policy: Policy) -> SocketAddr {
        let host = u8::try_from(self.nodes.len() + 1).unwrap_or(u8::MAX);
        let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)), 5060);
        let mut node = Node::new(name, addr, self.seed.wrapping_mul(31).wrapping_add(u64::from(host)));
        node.policy = policy;
        self.nodes.insert(name.to_owned(), node);
        addr
    }

    /// Adds a scripted party at `addr`.
    pub fn party(&mut self, addr: SocketAddr) {
        self.inboxes.entry(addr).or_default();
    }

    /// The time in this world.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The address of an engine.
    ///
    /// # Panics
    /// If there is no such engine: a mistake in the test.
    #[must_use]
    pub fn addr(&self, name: &str) -> SocketAddr {
        self.node(name).addr
    }

    /// Changes the weather.
    pub fn set_weather(&mut self, weather: Weather) {
        self.network.weather = weather;
    }

    /// Adds a rule; the first that fits decides.
    pub fn add_rule(&mut self, rule: Rule) {
        self.network.rules.push(rule);
    }

    /// All messages so far.
    #[must_use]
    pub fn wire(&self) -> &[Traffic] {
        &self.network.log
    }

    /// What has arrived at a scripted party and was not taken yet.
    pub fn inbox(&mut self, addr: SocketAddr) -> Vec<Traffic> {
        self.inboxes.get_mut(&addr).map(std::mem::take).unwrap_or_default()
    }

    /// A scripted party sends something.
    pub fn inject(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        self.network.send(self.now, from, to, bytes);
    }

    /// An engine places a call to an address. `reachable` false leaves it waiting for the resolver for ever.
    ///
    /// # Errors
    /// [`Fault`] if the core could not begin.
    pub fn call(&mut self, name: &str, to: SocketAddr, reachable: bool) -> Result<CallId, Fault> {
        let (now, mut sending) = (self.now, Sending::new());
        let node = self.node_mut(name);
        let outgoing = Outgoing {
            from: format!("sip:{}@{}", node.name.to_lowercase(), node.addr),
            to: format!("sip:callee@{to}"),
            peer: Peer { transport: Transport::Udp, addr: to },
            reachable,
            policy: node.policy.clone(),
        };
        let call = node.place(now, outgoing, &mut sending)?;
        self.carry(name, sending);
        Ok(call)
    }

    /// Gives a command.
    pub fn command(&mut self, name: &str, call: CallId, command: Command) -> Option<Outcome> {
        let (now, mut sending) = (self.now, Sending::new());
        let outcome = self.node_mut(name).command(now, call, command, &mut sending);
        self.carry(name, sending);
        outcome
    }

    /// Hangs up as a user.
    pub fn hangup(&mut self, name: &str, call: CallId) -> Option<Outcome> {
        self.command(name, call, Command::Hangup(Hangup::by(callbox_events::Agent::User)))
    }

    /// The resolver's answer for a call that was placed as not reachable.
    pub fn reached(&mut self, name: &str, call: CallId, answer: Result<SocketAddr, String>) {
        let (now, mut sending) = (self.now, Sending::new());
        let answer = answer.map(|addr| Peer { transport: Transport::Udp, addr });
        self.node_mut(name).stimulate(now, call, Stimulus::Reached(answer), &mut sending);
        self.carry(name, sending);
    }

    /// Kills an engine: everything but its journal is gone, and its address is deaf.
    pub fn crash(&mut self, name: &str) {
        self.node_mut(name).crash();
    }

    /// Kills an engine as soon as its next commit is durable, before it acts on it.
    pub fn crash_after_next_commit(&mut self, name: &str) {
        self.node_mut(name).doomed = true;
    }

    /// An engine comes back on its journal.
    pub fn reopen(&mut self, name: &str) {
        let (now, seed, mut sending) = (self.now, self.seed ^ self.now.micros(), Sending::new());
        self.node_mut(name).reopen(now, seed, &mut sending);
        self.carry(name, sending);
    }

    /// Lets everything that is in flight arrive, and what it leads to, and so on until the network is quiet. Timers
    /// that become due on the way run; later ones wait.
    pub fn settle(&mut self) {
        while let Some(at) = self.network.next_at() {
            self.run_until(at);
        }
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(self.now + span);
    }

    /// Lets time pass until `end`.
    pub fn run_until(&mut self, end: Timestamp) {
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = self.now.max(end);
    }

    /// Lets time pass until no engine has a call that is not released, at most `limit`. True if that came.
    pub fn run_until_released(&mut self, limit: Duration) -> bool {
        let end = self.now + limit;
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.nodes.values().all(|node| node.next_deadline().is_none())
    }

    fn next_at(&self) -> Option<Timestamp> {
        let nodes = self.nodes.values().filter(|node| node.alive);
        nodes.filter_map(Node::next_deadline).chain(self.network.next_at()).min()
    }

    fn step(&mut self) {
        while let Some(arrival) = self.network.take_due(self.now) {
            if let Some(inbox) = self.inboxes.get_mut(&arrival.to) {
                if let Some(bytes) = arrival.bytes {
                    let (from, to) = (arrival.from, arrival.to);
                    inbox.push(Traffic { at: arrival.at, from, to, bytes, fate: Fate::Delivered });
                }
                continue;
            }
            let now = self.now;
            let Some(node) = self.nodes.values_mut().find(|node| node.addr == arrival.to && node.alive)
            else {
                continue;
            };
            let mut sending = Sending::new();
            match arrival.bytes {
                Some(bytes) => node.receive(now, arrival.from, bytes, &mut sending),
                None => node.refused(now, arrival.from, &mut sending),
            }
            let name = node.name.clone();
            self.carry(&name, sending);
        }
        let names: Vec<String> = self.nodes.keys().cloned().collect();
        for name in names {
            let (now, mut sending) = (self.now, Sending::new());
            let node = self.node_mut(&name);
            if node.alive {
                node.deadlines(now, &mut sending);
            }
            self.carry(&name, sending);
        }
    }

    fn carry(&mut self, name: &str, sending: Sending) {
        let from = self.addr(name);
        for transmit in sending {
            self.network.send(self.now, from, transmit.peer.addr, transmit.bytes);
        }
    }

    /// The calls of an engine, in the order in which they began; from its journal.
    #[must_use]
    pub fn calls(&self, name: &str) -> Vec<CallId> {
        self.node(name).recorded_calls()
    }

    /// The phase of a live call.
    #[must_use]
    pub fn phase(&self, name: &str, call: CallId) -> Option<Phase> {
        self.node(name).core(call).map(crate::core::CallCore::phase)
    }

    /// The record of a call.
    #[must_use]
    pub fn record(&self, name: &str, call: CallId) -> Vec<StoredCommit> {
        self.node(name).journal.read(call).unwrap_or_default()
    }

    /// The verdict on a call.
    #[must_use]
    pub fn verdict(&self, name: &str, call: CallId) -> Verdict {
        judge(&self.node(name).commits(call))
    }

    /// What the application of an engine is told of a call, from its journal.
    #[must_use]
    pub fn notifications(&self, name: &str, call: CallId) -> Vec<Notification> {
        let record = self.record(name, call);
        let events = record.iter().flat_map(|stored| &stored.commit.events);
        events.filter_map(|happened| happened.event.notification()).collect()
    }

    /// The journal of an engine.
    #[must_use]
    pub fn journal(&self, name: &str) -> &MemoryJournal {
        &self.node(name).journal
    }

    #[allow(clippy::expect_used, reason = "a name that does not exist is a mistake in the test")]
    fn node(&self, name: &str) -> &Node {
        self.nodes.get(name).expect("an engine of that name")
    }

    #[allow(clippy::expect_used, reason = "a name that does not exist is a mistake in the test")]
    fn node_mut(&mut self, name: &str) -> &mut Node {
        self.nodes.get_mut(name).expect("an engine of that name")
    }
}
