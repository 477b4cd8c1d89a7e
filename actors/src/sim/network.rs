//! The simulated network: latency, loss, duplicates, rules; all from one seed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use callbox_events::Timestamp;

/// A message between two addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// When it left.
    pub at: Timestamp,
    /// Its sender.
    pub from: SocketAddr,
    /// Its receiver.
    pub to: SocketAddr,
    /// The message.
    pub bytes: Bytes,
    /// What the network did with it.
    pub fate: Fate,
}

/// What the network did with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Delivered,
    /// It is lost.
    Lost,
    /// Nobody listens there, and the sender is told.
    Refused,
}

impl Traffic {
    /// The method of a request, the status of a response as text.
    #[must_use]
    pub fn label(&self) -> String {
        let line = self.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let mut words = line.split(' ');
        match words.next() {
            Some("SIP/2.0") => words.next().unwrap_or_default().to_owned(),
            word => word.unwrap_or_default().to_owned(),
        }
    }
}

/// How the network treats messages, for as long as it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// The shortest way.
    pub latency: Duration,
    /// Random extra on top: messages overtake one another.
    pub jitter: Duration,
    /// Messages lost, of a thousand.
    pub loss: u16,
    /// Messages that arrive twice, of a thousand.
    pub duplication: u16,
}

impl Default for Weather {
    fn default() -> Self {
        Self { latency: Duration::from_millis(10), jitter: Duration::ZERO, loss: 0, duplication: 0 }
    }
}

/// What happens to messages of one kind on one way. An empty label stands for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The sender.
    pub from: Option<SocketAddr>,
    /// The receiver.
    pub to: Option<SocketAddr>,
    /// `BYE`, `200`, ...; empty for all.
    pub label: String,
    /// What is done with them.
    pub treatment: Treatment,
}

/// What a [`Rule`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Lost.
    Drop,
    /// This much later than usual.
    Delay(Duration),
    /// Nobody listens; the sender is told.
    Refuse,
}

/// Something on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) at: Timestamp,
    /// Breaks ties: first sent, first delivered.
    order: u64,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    /// `None`: the news that nobody listens at `from`.
    pub(super) bytes: Option<Bytes>,
}

impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The network.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) weather: Weather,
    pub(super) rules: Vec<Rule>,
    pub(super) log: Vec<Traffic>,
    in_flight: BinaryHeap<Arrival>,
    sent: u64,
    dice: Dice,
}

impl Network {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            weather: Weather::default(),
            rules: Vec::new(),
            log: Vec::new(),
            in_flight: BinaryHeap::new(),
            sent: 0,
            dice: Dice(seed ^ 0x5157_9a11),
        }
    }

    pub(super) fn send(&mut self, at: Timestamp, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        let mut traffic = Traffic { at, from, to, bytes, fate: Fate::Delivered };
        let treatment = self.treatment(&traffic);
        let lost = self.dice.in_thousand(self.weather.loss);
        let twice = self.dice.in_thousand(self.weather.duplication);
        let mut arrives = at + self.weather.latency + self.dice.up_to(self.weather.jitter);
        match treatment {
            Some(Treatment::Drop) => traffic.fate = Fate::Lost,
            Some(Treatment::Refuse) => traffic.fate = Fate::Refused,
            Some(Treatment::Delay(by)) => arrives = arrives + by,
            None if lost => traffic.fate = Fate::Lost,
            None => {}
        }
        match traffic.fate {
            Fate::Delivered => {
                self.carry(arrives, from, to, Some(traffic.bytes.clone()));
                if twice {
                    let again = arrives + self.dice.up_to(self.weather.latency);
                    self.carry(again, from, to, Some(traffic.bytes.clone()));
                }
            }
            Fate::Refused => self.carry(arrives, to, from, None),
            Fate::Lost => {}
        }
        self.log.push(traffic);
    }

    fn treatment(&self, traffic: &Traffic) -> Option<Treatment> {
        let label = traffic.label();
        let hit = self.rules.iter().find(|rule| {
            rule.from.is_none_or(|from| from == traffic.from)
                && rule.to.is_none_or(|to| to == traffic.to)
                && (rule.label.is_empty() || rule.label == label)
        });
        hit.map(|rule| rule.treatment)
    }

    fn carry(&mut self, at: Timestamp, from: SocketAddr, to: SocketAddr, bytes: Option<Bytes>) {
        self.sent += 1;
        self.in_flight.push(Arrival { at, order: self.sent, from, to, bytes });
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.in_flight.peek().map(|arrival| arrival.at)
    }

    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Arrival> {
        if self.next_at()? <= now { self.in_flight.pop() } else { None }
    }
}

/// A small generator (splitmix64): the same seed, the same weather.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn in_thousand(&mut self, share: u16) -> bool {
        share > 0 && self.roll() % 1000 < u64::from(share)
    }

    fn up_to(&mut self, span: Duration) -> Duration {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        if micros == 0 { Duration::ZERO } else { Duration::from_micros(self.roll() % micros) }
    }
}
