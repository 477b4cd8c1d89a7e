//! Reading a journal that another process writes: a Unix socket in the store's directory.
//!
//! sled can't be opened twice, and a copy of a directory that is being written may open and yet be empty. So whoever
//! writes also answers. The protocol (version 1) is small and its own:
//!
//! 1. Both ends send `callbox\n` and their protocol version (2 bytes).
//! 2. The client sends a request: its kind (1 byte) and its arguments.
//! 3. The server answers with messages: length of the rest (4 bytes), kind (1 byte), content; the last one is `End` or
//!    `Failed`. Then the next request may follow.
//!
//! Numbers are big endian. Commits travel as they are stored.

pub mod client;
pub mod protocol;
pub mod server;
pub mod socket;

use crate::chain::Link;
use crate::error::ReadError;
use crate::journal::{Cursor, JournalReader};
use crate::subscription::Bell;

/// A commit as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// Its global sequence number.
    pub seq: u64,
    /// The call's chain after it.
    pub hash: Link,
    /// Encoded.
    pub payload: Vec<u8>,
}

/// Commits as they are stored, in global order.
pub type Raws<'a> = Box<dyn Iterator<Item = Result<Raw, ReadError>> + Send + 'a>;

/// What the server needs of a journal.
pub trait Served: JournalReader {
    /// Like [`JournalReader::read_all`], undecoded.
    ///
    /// # Errors
    /// The same.
    fn raw_all(&self, from: Cursor) -> Result<Raws<'_>, ReadError>;

    /// Rings when it grows.
    fn bell(&self) -> &Bell;
}
