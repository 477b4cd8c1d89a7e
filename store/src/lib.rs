//! The journal of callbox: durable, ordered, verifiable commits.
//!
//! One promise carries this crate: **a commit whose append was answered with a [`Position`] survives the death of the
//! process and of the machine, whole, in its place, and any later change of it can be seen.**
//!
//! - [`Journal`] is what the engine writes to; [`JournalReader`] is the reading half that tools use.
//! - [`memory::MemoryJournal`] is the reference: small, obvious, with hooks for tests.
//!
//! The unit of append is a [`Commit`](callbox_events::schema::Commit): all events of one transition of one call. A
//! commit is named by its call and its version (the sequence number of its first event within the call), so a
//! repeated append of the same content is recognised and answered with the first one's position.

mod append;
pub mod chain;
mod error;
pub mod frame;
mod journal;
mod keys;
pub mod layout;
mod live;
mod lock;
pub mod memory;
mod open_error;
pub mod reader;
mod select;
pub mod sled;
mod subscription;
pub mod testing;
pub mod verify;
pub mod watermark;

pub use append::{Ack, Append};
pub use error::{AppendError, Blame, CloseError, ReadError};
pub use journal::{CallIds, Caps, Commits, Cursor, Expect, Head, Journal, JournalReader, Position};
pub use open_error::OpenError;
pub use select::{FindError, find};
pub use subscription::{Bell, Heard, Next, Source, Subscription};
