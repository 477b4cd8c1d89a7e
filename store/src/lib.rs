//! The journal of callbox: durable, ordered, verifiable commits.
//!
//! One promise carries this crate: **a commit whose append was answered with a [`Position`] survives the death of the
//! process and of the machine, whole, in its place, and any later change of it can be seen.**
//!
//! 1. [`Journal::append`] hands a [`Commit`](callbox_events::schema::Commit) over and returns at once. It is the unit:
//!    all events of one transition of one call, named by its call and its version, so that a repeated append of the
//!    same content is recognised and answered with the first one's position.
//! 2. The writer, one plain thread, puts what waits into one group: one batch, one sync, then the watermark.
//! 3. Then the commits become visible to readers and their [`Append`]s resolve. An error ends the writing for good:
//!    what reached the disk is found out by opening the store again, never by trying again.
//!
//! - [`sled::SledJournal`] is the durable journal, [`memory::MemoryJournal`] the reference, with hooks for tests.
//!   [`testing::conformance`] is what both must do, and what a later backend must.
//! - [`reader::open`] reads a store from any process: through its writer's socket, or a copy if nobody writes. [`live`] is
//!   how readers and writer talk, over the socket or anything else that carries bytes.
//! - [`erasable`]: journals from which a party's data can be erased.
//! - [`recording`]: chosen calls in one portable file, read like any other journal.
//! - [`retention`] removes the oldest volumes, so that what is left can still be proven.
//! - [`find`] resolves what a person calls a call; [`verify`](mod@verify) looks at every byte that matters.
//! - `FORMAT.md` and `RECORDING.md` describe the bytes, what an acknowledgement means and what is not promised.

mod append;
pub mod chain;
pub mod erasable;
mod error;
pub mod frame;
mod journal;
mod keys;
pub mod layout;
pub mod live;
mod lock;
pub mod memory;
mod open_error;
pub mod proof;
pub mod prove;
pub mod reader;
pub mod recording;
pub mod repair;
pub mod retention;
pub mod seal;
mod select;
pub mod sled;
mod subscription;
pub mod testing;
mod unreleased;
pub mod verify;
pub mod wal;
pub mod watermark;

pub use append::{Ack, Append};
pub use error::{AppendError, Blame, CloseError, ReadError};
pub use journal::{CallIds, Caps, Commits, Cursor, Expect, Head, Journal, JournalReader, Position};
pub use open_error::OpenError;
pub use select::{FindError, find};
pub use subscription::{Bell, Heard, Next, Source, Subscription};
pub use unreleased::unreleased;
