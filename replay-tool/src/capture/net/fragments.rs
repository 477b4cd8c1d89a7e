//! Putting fragments of IP packets together again (RFC 791 §3.2, RFC 8200 §4.5).

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use callbox_events::Timestamp;

use super::ip::{IpPacket, Part};

/// The most packets that wait for fragments, and the most bytes they hold. Beyond, the oldest are given up.
const MAX_PACKETS: usize = 1024;
const MAX_BYTES: usize = 16 << 20;
/// The most bytes of a packet.
const MAX_PACKET: usize = 65_535;
/// How long the rest of a packet is waited for, as a host would (RFC 8200 §4.5 has 60 s, Linux 30 s).
const PATIENCE: Duration = Duration::from_secs(30);

type Key = (IpAddr, IpAddr, u8, u32);

/// Packets of which fragments are missing.
#[derive(Debug, Default)]
pub struct Fragments {
    waiting: HashMap<Key, Puzzle>,
    bytes: usize,
    /// Packets that were given up: fragments did not come, or contradicted each other.
    pub lost: u64,
}

#[derive(Debug)]
struct Puzzle {
    since: Timestamp,
    parts: BTreeMap<usize, Box<[u8]>>,
    bytes: usize,
    /// Bytes of the whole, known from the last fragment.
    whole: Option<usize>,
    /// Fragments contradict each other: whoever sends such means no good (RFC 5722).
    spoilt: bool,
}

impl Fragments {
    /// Takes a fragment; gives the payload of its packet if that is whole now.
    pub fn add(&mut self, packet: &IpPacket<'_>, part: Part, at: Timestamp) -> Option<Vec<u8>> {
        let key = (packet.source, packet.destination, packet.protocol, packet.id);
        if self.waiting.get(&key).is_some_and(|puzzle| at.since(puzzle.since) > PATIENCE) {
            self.give_up(key);
        }
        let puzzle = self.waiting.entry(key).or_insert_with(|| Puzzle::new(at));
        self.bytes += puzzle.add(packet.payload, part);
        if puzzle.is_whole() {
            let puzzle = self.waiting.remove(&key)?;
            self.bytes -= puzzle.bytes;
            return Some(puzzle.parts.into_values().flatten().collect());
        }
        while self.waiting.len() > MAX_PACKETS || self.bytes > MAX_BYTES {
            let oldest = self.waiting.iter().min_by_key(|(key, puzzle)| (puzzle.since, **key));
            match oldest.map(|(key, _)| *key) {
                Some(key) => self.give_up(key),
                None => break,
            }
        }
        None
    }

    fn give_up(&mut self, key: Key) {
        if let Some(puzzle) = self.waiting.remove(&key) {
            self.bytes -= puzzle.bytes;
            self.lost += 1;
        }
    }

    /// Packets that were never completed, with those that still wait.
    pub fn incomplete(&self) -> u64 {
        self.lost + self.waiting.len() as u64
    }
}

impl Puzzle {
    fn new(since: Timestamp) -> Self {
        Self { since, parts: BTreeMap::new(), bytes: 0, whole: None, spoilt: false }
    }

    /// Takes a fragment; gives by how many bytes more it holds.
    fn add(&mut self, bytes: &[u8], part: Part) -> usize {
        let end = part.offset + bytes.len();
        // The same packet captured twice is no contradiction.
        if self.spoilt || self.parts.get(&part.offset).is_some_and(|known| **known == *bytes) {
            return 0;
        }
        let known_end = if part.more { None } else { Some(end) };
        let overlaps = self
            .parts
            .range(..end)
            .next_back()
            .is_some_and(|(offset, known)| offset + known.len() > part.offset);
        let contradicts = known_end.is_some_and(|end| self.whole.is_some_and(|whole| whole != end))
            || self.whole.is_some_and(|whole| end > whole);
        if bytes.is_empty() || overlaps || contradicts || end > MAX_PACKET {
            self.spoilt = true;
            return 0;
        }
        self.whole = self.whole.or(known_end);
        self.bytes += bytes.len();
        self.parts.insert(part.offset, bytes.into());
        bytes.len()
    }

    /// Nothing overlaps, so as many bytes as the whole has are the whole.
    fn is_whole(&self) -> bool {
        !self.spoilt && self.whole == Some(self.bytes)
    }
}
