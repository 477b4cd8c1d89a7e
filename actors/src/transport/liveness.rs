//! What the transports can say of themselves: where they listen, and how many messages came and went.

use std::sync::atomic::{AtomicU64, Ordering};

use callbox_store::proof::beat::{Liveness, Presence};

use super::Transports;

/// Counters of all sockets of one engine.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) received: AtomicU64,
    pub(super) sent: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, messages: usize) {
        counter.fetch_add(messages as u64, Ordering::Relaxed);
    }
}

/// An engine that listens, for the beats in the journal's checkpoints.
#[derive(Debug)]
pub struct Listening {
    /// The engine's node.
    pub node: String,
    /// Its sockets.
    pub transports: Transports,
}

impl Liveness for Listening {
    fn presence(&self) -> Presence {
        let shared = &self.transports.shared;
        let open = if shared.stop.is_cancelled() { &[][..] } else { &shared.listening };
        Presence {
            node: self.node.clone(),
            listening: open.iter().map(ToString::to_string).collect(),
            received: shared.counters.received.load(Ordering::Relaxed),
            sent: shared.counters.sent.load(Ordering::Relaxed),
        }
    }
}
