//! How much an observer keeps in mind, and what it judges time by.

use std::time::Duration;

use callbox_events::call::SipTimers;

/// Bounds on everything that a stranger's traffic can make large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObserverConfig {
    /// Calls in mind at once, those included that are over and may still see latecomers. Beyond that the oldest one is
    /// given up: first of those that are over, then of those that are open.
    pub max_calls: usize,
    /// Messages of one call that are written down; beyond that only those that may end it, the rest is counted.
    pub max_messages: u64,
    /// Different messages of one call that are known again when they come again.
    pub max_known: usize,
    /// Bytes of a message that is read; a larger one counts as malformed. A commit must fit a journal's group.
    pub max_bytes: usize,
    /// A call of which nothing was seen for so long, by the capture's own time, is given up.
    pub idle: Duration,
    /// The timers that waiting is judged by; those of RFC 3261.
    pub sip: SipTimers,
}

impl Default for ObserverConfig {
    fn default() -> Self {
        Self {
            max_calls: 100_000,
            max_messages: 2_000,
            max_known: 256,
            max_bytes: 20 * 1024,
            idle: Duration::from_secs(4 * 60 * 60),
            sip: SipTimers::default(),
        }
    }
}
