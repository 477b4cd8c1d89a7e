//! Calls that were only watched: a capture, a mirror of the traffic.
//!
//! An observer knows who sent a packet and when it passed, and never what anybody wanted. So there are no commands and no
//! effects here, and no retransmission: each message that means something new is a [`Sight`], decided into the events of
//! the same schema as an engine's own call. Time is what the capture says: a timer is an input like any other, handed in
//! by who reads the capture.
//!
//! 1. [`Sight`]: what was seen, and which side it came from.
//! 2. `decide`: what it means in the phase that the call is in; one file for each stretch of a call's life.
//! 3. [`Watched`]: what is known between two sights; changed by events alone.

mod apply;
mod decide;
mod heard;
mod opening;
mod sight;
mod state;

pub use heard::Heard;
pub use opening::{EndSeen, Observed, Opening};
pub use sight::{Again, Related, Relation, Seen, Sight, Stop};
pub use state::Watched;

pub(super) use decide::{begin, decide};
