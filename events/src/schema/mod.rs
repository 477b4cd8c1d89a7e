//! The journal's schema: how events are written so that they stay readable for ever.
//!
//! - [`Commit`] is the unit of append: one input, the events it led to, and the SIP messages that went with it.
//! - [`RecordedEvent`] is one event in its envelope, as `callbox show --json` prints it.
//! - [`encode`] and [`decode`] turn a commit into bytes and back; the version travels with the bytes.
//! - [`packed`] walks over those bytes without decoding them; [`sealed`] is the form in which an erasable journal
//!   keeps them.

mod codec;
pub mod packed;
mod recorded;
pub mod sealed;
mod upcast;

pub use codec::{CodecError, SCHEMA_VERSION, decode, encode};
pub use recorded::{Commit, Happened, RecordedEvent, StoredCommit, WireDirection, WireMessage};
