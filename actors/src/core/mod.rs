//! The sans-IO core of a call: machine, leg, timers and the commit that waits for its ack.
//!
//! The contract with the shell (the actix actor, the simulator), in the order in which it happens:
//!
//! 1. The shell makes a core with [`CallCore::place`], [`CallCore::incoming`] or [`CallCore::restore`], and hands it
//!    one [`Stimulus`] at a time with [`CallCore::handle`].
//! 2. It gets a [`Step`]: messages that belong to transactions and leave at once, and perhaps a commit. The messages of
//!    the transition are built already, so that the commit holds their bytes, but they are not in the step.
//! 3. If there is a commit, the shell appends it and hands nothing else to this core until the ack. Then
//!    [`CallCore::committed`] applies the events and gives out what was held back: [`Acted`].
//! 4. One stimulus may lead to several commits, one after the other: after each ack, [`CallCore::resume`] until its step
//!    has no commit. It also does what has become due meanwhile.
//! 5. [`CallCore::next_deadline`] says when the core wants [`Stimulus::Deadline`]. An early one does no harm.
//! 6. A [`Fault`] (a panic inside, an illegal transition) leaves the core unusable: the shell drops it, restores the
//!    call from its durable commits and hands it [`Stimulus::Recovery`] with the fault `panic`.
//! 7. [`CallCore::is_released`]: the call has had its last event and the core may go.

mod begin;
mod handle;
mod seat;
mod step;
mod summary;
mod timers;
mod transmit;

use std::collections::VecDeque;
use std::sync::Arc;

use callbox_events::call::{Call, Input, Phase};
use callbox_events::schema::WireMessage;
use callbox_events::{CallId, Timestamp};
use callbox_sip::leg::Leg;
use smallvec::SmallVec;

pub use begin::Outgoing;
pub(crate) use handle::is_sane;
pub use seat::Seat;
pub use step::{Acted, Fault, Step, Stimulus};

use self::step::Waiting;
use self::timers::Timers;

/// One side's live call.
#[derive(Debug)]
pub struct CallCore {
    id: CallId,
    seat: Arc<Seat>,
    call: Call,
    leg: Leg,
    timers: Timers,
    /// Inputs of one stimulus that wait for the commits of those before them. Boxed, because the queue keeps its room for
    /// as long as the call lives, and an input is large.
    queue: VecDeque<Box<Queued>>,
    waiting: Option<Box<Waiting>>,
    /// Whether the leg was told that the machine has reached its end.
    finished: bool,
    /// How many session descriptions we have sent.
    descriptions: u64,
}

/// An input and the messages that came or left with it.
#[derive(Debug)]
struct Queued {
    input: Input,
    wire: SmallVec<[WireMessage; 1]>,
}

impl CallCore {
    /// Our id of the call.
    #[must_use]
    pub fn id(&self) -> CallId {
        self.id
    }

    /// The machine's state, as durable.
    #[must_use]
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Where the call stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.call.phase()
    }

    /// The call's SIP.
    #[must_use]
    pub fn leg(&self) -> &Leg {
        &self.leg
    }

    /// The engine's side of it.
    #[must_use]
    pub fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }

    /// Whether a commit waits for its ack: nothing but [`CallCore::committed`] may be called then.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Whether the call has had its last event.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.call.is_released()
    }

    /// When [`Stimulus::Deadline`] is due: the earliest timer of the call or of its transactions.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        match (self.timers.next(), self.leg.next_timeout()) {
            (Some(call), Some(leg)) => Some(call.min(leg)),
            (one, other) => one.or(other),
        }
    }
}
