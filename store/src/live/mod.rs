//! Reading a journal that another process writes: through a Unix socket in the store's directory, or by whatever carries
//! the same bytes ([`Connect`]), such as HTTP.
//!
//! sled can't be opened twice, and a copy of a directory that is being written may open and yet be empty. So whoever
//! writes also answers. The protocol (version 1) is small and its own:
//!
//! 1. Both ends send `callbox\n` and their protocol version (2 bytes).
//! 2. The client sends a request: its kind (1 byte) and its arguments.
//! 3. The server answers with messages: length of the rest (4 bytes), kind (1 byte), content; the last one is `End` or
//!    `Failed`. Then the next request may follow.
//!
//! Numbers are big endian. Commits travel as they are stored. An answer without its last message is none.

mod client;
mod order;
pub mod protocol;
pub(crate) mod server;
mod socket;

use std::fmt;
use std::io::{self, Read};

pub use client::LiveReader;
pub use socket::{Beside, path as socket_path};

use crate::chain::Link;
use crate::error::ReadError;
use crate::journal::{Cursor, JournalReader};
use crate::subscription::Bell;
use protocol::Document;

/// How questions reach the process that writes.
pub trait Connect: fmt::Debug + Send + Sync {
    /// Sends a question, which is a greeting and one request ([`protocol::Request::question`]), and gives what comes back:
    /// a greeting and replies. Each question is answered by itself.
    ///
    /// # Errors
    /// Why nothing comes back.
    fn ask(&self, question: &[u8]) -> io::Result<Box<dyn Read + Send>>;
}

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
pub(crate) type Raws<'a> = Box<dyn Iterator<Item = Result<Raw, ReadError>> + Send + 'a>;

/// Erases parties for those who ask through the socket.
pub trait Eraser: Send + Sync {
    /// Erases the party with this number, of which so many calls and commits were counted. Returns the receipt, a signed
    /// note.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] with the reason.
    fn erase(&self, party: u32, calls: u64, commits: u64) -> Result<String, ReadError>;
}

/// What the server needs of a journal.
pub(crate) trait Served: JournalReader {
    /// Like [`JournalReader::read_all`], undecoded.
    ///
    /// # Errors
    /// The same.
    fn raw_all(&self, from: Cursor) -> Result<Raws<'_>, ReadError>;

    /// What the store keeps beside its commits, as it is now; none if there is no such document.
    ///
    /// # Errors
    /// The system's.
    fn document(&self, which: Document) -> io::Result<Option<Box<dyn Read + Send>>>;

    /// Rings when it grows.
    fn bell(&self) -> &Bell;
}
