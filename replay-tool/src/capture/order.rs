//! Messages by their time.
//!
//! Interfaces captured together, segments that waited for a lost one and HEP packets with times of their own come a
//! little out of order. Each message waits until nothing earlier is to be expected.

use std::collections::BTreeMap;
use std::time::Duration;

use callbox_events::Timestamp;
use callbox_sip::observe::Sighting;

/// How long a message waits, by the time of the capture.
const WINDOW: Duration = Duration::from_secs(1);
/// The most messages that wait.
const MAX_HELD: usize = 4096;

/// Messages that wait for earlier ones.
#[derive(Debug, Default)]
pub struct Order {
    held: BTreeMap<(Timestamp, u64), Sighting>,
    taken: u64,
}

impl Order {
    /// Takes a message.
    pub fn take(&mut self, sighting: Sighting) {
        self.taken += 1;
        self.held.insert((sighting.at, self.taken), sighting);
    }

    /// The next message that need not wait any longer, seen at `now`.
    pub fn due(&mut self, now: Timestamp) -> Option<Sighting> {
        let (&(at, _), _) = self.held.first_key_value()?;
        if now.since(at) < WINDOW && self.held.len() <= MAX_HELD {
            return None;
        }
        self.held.pop_first().map(|(_, sighting)| sighting)
    }

    /// The next message, now that no more come.
    pub fn rest(&mut self) -> Option<Sighting> {
        self.held.pop_first().map(|(_, sighting)| sighting)
    }
}
