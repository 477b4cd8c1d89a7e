//! A failure that may be overcome: kept back, with what follows it, until a new INVITE comes or its time is over.
//!
//! So the record says at once what the failure was, at the time when it passed, and no call ends twice.

use callbox_events::Timestamp;
use callbox_events::call::Signal;
use callbox_events::call::observed::{Seen, Sight};
use callbox_events::schema::WireMessage;

/// More than this is not kept back.
const MOST: usize = 16;

/// A sight with its time and its message.
pub(super) type Kept = (Sight, Timestamp, Option<WireMessage>);

/// A failure and what follows it.
#[derive(Debug, Clone)]
pub(super) struct Held(Vec<Kept>);

impl Held {
    pub(super) fn new(failure: Sight, at: Timestamp, wire: Option<WireMessage>) -> Self {
        Self(vec![(failure, at, wire)])
    }

    /// Keeps what follows; false if there is no more room, and the failure has to be taken as it is.
    pub(super) fn push(&mut self, kept: Kept) -> bool {
        self.0.push(kept);
        self.0.len() < MOST
    }

    /// All that was kept back, the failure as what it turned out to be.
    pub(super) fn decided(self, overcome: bool) -> impl Iterator<Item = Kept> {
        self.0.into_iter().map(move |(mut sight, at, wire)| {
            if overcome && let Seen::Signal(Signal::Failure(response)) = sight.seen {
                sight.seen = Seen::Overcome(response);
            }
            (sight, at, wire)
        })
    }
}
