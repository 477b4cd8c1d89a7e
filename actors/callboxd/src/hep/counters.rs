//! What the listener counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start. Every packet is counted in exactly one of the first six.
#[derive(Debug, Default)]
pub struct Counters {
    /// SIP messages that were handed to the observer.
    pub taken: AtomicU64,
    /// Packets that hold no SIP.
    pub other: AtomicU64,
    /// Packets that can't be read.
    pub malformed: AtomicU64,
    /// Packets from addresses that may not send.
    pub stranger: AtomicU64,
    /// Packets without the right password.
    pub unauthorised: AtomicU64,
    /// SIP messages that did not fit the queue.
    pub dropped: AtomicU64,
    /// Messages whose sender's clock is too far off to be believed.
    pub skewed: AtomicU64,
    /// Calls that were begun in the journal.
    pub calls: AtomicU64,
    /// Calls of an earlier mirror that were taken up again.
    pub resumed: AtomicU64,
    /// Records that the journal did not take.
    pub unwritten: AtomicU64,
}

impl Counters {
    /// Counts one more.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Packets by what became of them, each with its stable name.
    pub fn packets(&self) -> [(&'static str, u64); 6] {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("taken", of(&self.taken)),
            ("other", of(&self.other)),
            ("malformed", of(&self.malformed)),
            ("stranger", of(&self.stranger)),
            ("unauthorised", of(&self.unauthorised)),
            ("dropped", of(&self.dropped)),
        ]
    }
}
