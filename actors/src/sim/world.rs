//! The simulated world: time, what is scheduled, who is there.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use callbox_events::sip::{Peer, Transport};
use callbox_events::{CallId, Timestamp};
use callbox_sip::leg::{Transmit, TransmitKind};

use super::engine::SimEngine;
use super::network::{Fate, Flight, Network, label};
use super::rng::Rng;
use super::script::Script;

/// 2026-01-01T00:00:00Z: any will do.
const BEGINNING: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// More steps than this without time passing mean that something goes in circles.
const MOST_STEPS_AT_ONCE: u32 = 20_000;

/// How long [`Sim::run_until`] and [`Sim::settle`] wait, in virtual time.
const PATIENCE: Duration = Duration::from_secs(600);

/// A simulated world. See the module's documentation.
pub struct Sim {
    pub(super) now: Timestamp,
    pub(super) rng: Rng,
    pub(super) engines: Vec<SimEngine>,
    pub(super) scripts: Vec<Script>,
    pub(super) wire: Vec<Flight>,
    pub(super) network: Network,
    pub(super) partitions: Vec<(String, String)>,
    pub(super) disk: (Duration, Duration),
    rules: Vec<Rule>,
    queue: BinaryHeap<Reverse<Scheduled>>,
    scheduled: u64,
    seed: u64,
}

type Rule = Box<dyn FnMut(&Flight) -> Fate>;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Scheduled {
    at: Timestamp,
    order: u64,
    what: What,
}

/// What happens at a point in time.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Deliver { from: Peer, to: Peer, bytes: Bytes },
    Ack { engine: usize, life: u32, call: CallId },
    Reached { engine: usize, life: u32, call: CallId, result: Result<Peer, String> },
}

/// Time ran out before what was waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// What was waited for.
    pub waited_for: String,
    /// What was seen: the last packets and where the calls stand.
    pub seen: String,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waited in vain for {}\n{}", self.waited_for, self.seen)
    }
}

impl std::error::Error for Stuck {}

impl Sim {
    /// An empty world. The same seed and the same calls of its methods give the same run, byte for byte.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            now: BEGINNING,
            rng: Rng::new(seed),
            engines: Vec::new(),
            scripts: Vec::new(),
            wire: Vec::new(),
            network: Network::default(),
            partitions: Vec::new(),
            disk: (Duration::from_micros(300), Duration::from_micros(2_000)),
            rules: Vec::new(),
            queue: BinaryHeap::new(),
            scheduled: 0,
            seed,
        }
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The seed it was made from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How the network behaves; to be changed at will.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// How long the disk takes for a commit, from and to.
    pub fn disk_latency(&mut self, from: Duration, to: Duration) {
        self.disk = (from, to);
    }

    /// Asks `rule` about every packet from now on, before the network has its say. The first rule that does not say
    /// [`Fate::Pass`] decides.
    pub fn rule(&mut self, rule: impl FnMut(&Flight) -> Fate + 'static) {
        self.rules.push(Box::new(rule));
    }

    /// Forgets all rules and partitions.
    pub fn heal(&mut self) {
        self.rules.clear();
        self.partitions.clear();
    }

    /// Nothing passes between the two until [`Sim::heal`].
    pub fn partition(&mut self, one: &str, other: &str) {
        self.partitions.push((one.to_owned(), other.to_owned()));
    }

    /// Every packet that was sent, in order.
    #[must_use]
    pub fn wire(&self) -> &[Flight] {
        &self.wire
    }

    /// The labels of what one party sent: `["INVITE", "ACK", "BYE"]`.
    #[must_use]
    pub fn sent_by(&self, name: &str) -> Vec<String> {
        self.wire.iter().filter(|flight| flight.from == name).map(Flight::label).collect()
    }

    /// The address of the next party to be added.
    pub(super) fn next_address(&self) -> Peer {
        let number = u8::try_from(self.engines.len() + self.scripts.len() + 1).unwrap_or(u8::MAX);
        Peer { transport: Transport::Udp, addr: SocketAddr::from((Ipv4Addr::new(10, 0, 0, number), 5060)) }
    }

    pub(super) fn name_at(&self, peer: Peer) -> Option<&str> {
        let engines = self.engines.iter().map(|engine| (engine.local, engine.name.as_str()));
        let scripts = self.scripts.iter().map(|script| (script.local, script.name.as_str()));
        engines.chain(scripts).find(|(local, _)| local.addr == peer.addr).map(|(_, name)| name)
    }

    pub(super) fn schedule(&mut self, after: Duration, what: What) {
        self.scheduled += 1;
        self.queue.push(Reverse(Scheduled { at: self.now + after, order: self.scheduled, what }));
    }

    /// Sends a packet of an engine.
    pub(super) fn transmit(&mut self, from: Peer, transmit: Transmit) {
        self.send(from, transmit.peer, transmit.bytes, Some(transmit.kind));
    }

    pub(super) fn send(&mut self, from: Peer, to: Peer, bytes: Bytes, kind: Option<TransmitKind>) {
        let name = |peer| self.name_at(peer).map_or_else(|| peer.addr.to_string(), str::to_owned);
        let mut flight =
            Flight { at: self.now, from: name(from), to: name(to), peer: to, bytes, kind, lost: false };
        let apart = |(one, other): &(String, String)| {
            (*one == flight.from && *other == flight.to) || (*one == flight.to && *other == flight.from)
        };
        let cut = self.partitions.iter().any(apart);
        let ruled = self.rules.iter_mut().map(|rule| rule(&flight)).find(|fate| *fate != Fate::Pass);
        let mut extra = Duration::ZERO;
        let mut copies = 1;
        match ruled.unwrap_or(Fate::Pass) {
            Fate::Pass => {
                if self.rng.chance(self.network.loss_permille) {
                    copies = 0;
                } else if self.rng.chance(self.network.duplicate_permille) {
                    copies = 2;
                }
            }
            Fate::Lose => copies = 0,
            Fate::Delay(by) => extra = by,
            Fate::Twice => copies = 2,
        }
        if cut {
            copies = 0;
        }
        flight.lost = copies == 0;
        let bytes = flight.bytes.clone();
        self.wire.push(flight);
        for _ in 0..copies {
            let mut latency = self.network.latency(&mut self.rng) + extra;
            if !self.network.reorder && extra.is_zero() {
                latency = latency.max(self.last_arrival(from, to).since(self.now));
            }
            self.schedule(latency, What::Deliver { from, to, bytes: bytes.clone() });
        }
    }

    /// When the last packet between the two arrives that is under way.
    fn last_arrival(&self, from: Peer, to: Peer) -> Timestamp {
        let between =
            |what: &What| matches!(what, What::Deliver { from: f, to: t, .. } if *f == from && *t == to);
        let arrivals = self.queue.iter().filter(|Reverse(next)| between(&next.what));
        arrivals.map(|Reverse(next)| next.at).max().unwrap_or(self.now)
    }

    /// Does the next thing that is due up to `until`; false if there is none.
    pub(super) fn step(&mut self, until: Timestamp) -> bool {
        let queued = self.queue.peek().map(|Reverse(next)| next.at);
        let deadline = self.engines.iter().filter_map(SimEngine::next_deadline).min();
        let Some(next) = queued.into_iter().chain(deadline.map(|(at, ..)| at)).min() else { return false };
        if next > until {
            return false;
        }
        self.now = self.now.max(next);
        if queued == Some(next) {
            if let Some(Reverse(scheduled)) = self.queue.pop() {
                self.happen(scheduled.what);
            }
        } else if let Some((_, call)) = deadline {
            let owner = self.engines.iter().position(|engine| engine.has(call));
            if let Some(engine) = owner {
                self.deadline(engine, call);
            }
        }
        true
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Deliver { from, to, bytes } => self.deliver(from, to, bytes),
            What::Ack { engine, life, call } => self.ack(engine, life, call),
            What::Reached { engine, life, call, result } => self.reached(engine, life, call, result),
        }
    }

    fn deliver(&mut self, from: Peer, to: Peer, bytes: Bytes) {
        if let Some(engine) = self.engines.iter().position(|engine| engine.local.addr == to.addr) {
            self.deliver_to_engine(engine, from, bytes);
        } else if let Some(script) = self.scripts.iter_mut().find(|script| script.local.addr == to.addr) {
            script.take(from, bytes);
        }
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Duration) {
        let until = self.now + span;
        let mut steps = 0;
        let mut at = self.now;
        while self.step(until) && steps < MOST_STEPS_AT_ONCE {
            steps = if self.now == at { steps + 1 } else { 0 };
            at = self.now;
        }
        self.now = self.now.max(until);
    }

    /// Lets time pass until `done`, at most ten virtual minutes.
    ///
    /// # Errors
    /// [`Stuck`] with what was seen instead.
    pub fn run_until(&mut self, waited_for: &str, mut done: impl FnMut(&Self) -> bool) -> Result<(), Stuck> {
        let until = self.now + PATIENCE;
        let mut steps = 0;
        let mut at = self.now;
        loop {
            if done(self) {
                return Ok(());
            }
            if !self.step(until) || steps > MOST_STEPS_AT_ONCE {
                return Err(Stuck { waited_for: waited_for.to_owned(), seen: self.picture() });
            }
            steps = if self.now == at { steps + 1 } else { 0 };
            at = self.now;
        }
    }

    /// Lets time pass until no call lives and no packet is under way.
    ///
    /// # Errors
    /// [`Stuck`] if calls live on and nothing more happens to them.
    pub fn settle(&mut self) -> Result<(), Stuck> {
        self.run_until("all calls to be released", |sim| {
            sim.queue.is_empty() && sim.engines.iter().all(SimEngine::is_quiet)
        })
    }

    /// The last packets and where the calls stand, for people.
    #[must_use]
    pub fn picture(&self) -> String {
        let mut text = format!("seed {}, {} after the beginning\n", self.seed, seconds(self.now));
        for engine in &self.engines {
            text.push_str(&engine.picture());
        }
        for flight in self.wire.iter().rev().take(24).rev() {
            let lost = if flight.lost { "  (lost)" } else { "" };
            let line = format!(
                "{:>9} {} -> {}: {}{lost}\n",
                seconds(flight.at),
                flight.from,
                flight.to,
                label(&flight.bytes)
            );
            text.push_str(&line);
        }
        text
    }
}

fn seconds(at: Timestamp) -> String {
    format!("{:.3} s", at.since(BEGINNING).as_secs_f64())
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.picture())
    }
}
