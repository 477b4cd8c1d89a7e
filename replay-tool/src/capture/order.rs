//! What was found, by its time.
//!
//! Interfaces captured together, segments that waited for a lost one and HEP packets with times of their own come a
//! little out of order. Each message waits until nothing earlier is to be expected.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use callbox_events::Timestamp;
use callbox_sip::observe::Sighting;
use callbox_sip::observe::tones::Tone;

use super::Sink;

/// How long a message waits, by the time of the capture.
const WINDOW: Duration = Duration::from_secs(1);
/// The most messages that wait.
const MAX_HELD: usize = 4096;

/// What waits for earlier things.
#[derive(Debug, Default)]
pub struct Order {
    held: BTreeMap<(Timestamp, u64), Item>,
    taken: u64,
}

#[derive(Debug)]
enum Item {
    Message(Sighting),
    Tone(SocketAddr, Tone),
}

impl Order {
    /// Takes a message.
    pub fn message(&mut self, sighting: Sighting) {
        self.take(sighting.at, Item::Message(sighting));
    }

    /// Takes a tone that was recognised at `at` in what was sent to `media`.
    pub fn tone(&mut self, at: Timestamp, media: SocketAddr, tone: Tone) {
        self.take(at, Item::Tone(media, tone));
    }

    /// Hands on what need not wait any longer at `now`.
    pub fn due(&mut self, now: Timestamp, sink: &mut impl Sink) {
        while let Some((&(at, _), _)) = self.held.first_key_value()
            && (now.since(at) >= WINDOW || self.held.len() > MAX_HELD)
        {
            self.pass_on(sink);
        }
    }

    /// Hands everything on: no more will come.
    pub fn rest(&mut self, sink: &mut impl Sink) {
        while !self.held.is_empty() {
            self.pass_on(sink);
        }
    }

    fn take(&mut self, at: Timestamp, item: Item) {
        self.taken += 1;
        self.held.insert((at, self.taken), item);
    }

    fn pass_on(&mut self, sink: &mut impl Sink) {
        match self.held.pop_first() {
            Some((_, Item::Message(sighting))) => sink.see(sighting),
            Some(((at, _), Item::Tone(media, tone))) => sink.hear(at, media, tone),
            None => {}
        }
    }
}
