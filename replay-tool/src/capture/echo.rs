//! One datagram that a host captured twice.
//!
//! A capture on all interfaces of a host sees a datagram on its way through a bridge, a virtual interface or the router
//! more than once, within microseconds. A retransmission comes half a second later (RFC 3261 §17.1.1.2), and sender and
//! receiver see each message once. So: the same bytes between the same addresses, numbered the same by the sender's IP,
//! within a millisecond, are one message.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use callbox_events::Timestamp;

const WINDOW: Duration = Duration::from_millis(1);
/// The most datagrams that are remembered: no host sends so many messages in a millisecond.
const MAX_HELD: usize = 256;

/// The datagrams of the last millisecond.
#[derive(Debug, Default)]
pub struct Echoes {
    recent: VecDeque<(Timestamp, u64)>,
}

impl Echoes {
    /// Whether this datagram was there just now. `datagram` is everything that makes it what it is.
    pub fn is_echo(&mut self, at: Timestamp, datagram: &impl Hash) -> bool {
        while self.recent.front().is_some_and(|(seen, _)| apart(*seen, at) > WINDOW)
            || self.recent.len() >= MAX_HELD
        {
            self.recent.pop_front();
        }
        let mut hasher = DefaultHasher::new();
        datagram.hash(&mut hasher);
        let digest = hasher.finish();
        if self.recent.iter().any(|(seen, known)| *known == digest && apart(*seen, at) <= WINDOW) {
            return true;
        }
        self.recent.push_back((at, digest));
        false
    }
}

/// Captures of several interfaces are not quite in order.
fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}
