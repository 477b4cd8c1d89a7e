//! Recordings: chosen calls of a store in one portable file, with everything that proves them.
//!
//! A recording holds whole commits as the store holds them, frame by frame with sequence number, checksum and chain, so
//! that verdict, replay and chain can be checked anywhere. `FORMAT.md` in this crate describes the bytes.
//!
//! - [`Writer`] writes one, commit by commit in the order of the journal, in memory that does not grow with the calls.
//! - [`Recording`] reads one like any other journal ([`JournalReader`](crate::JournalReader)). It looks at every
//!   checksum when it is opened and knows what is damaged; what is not damaged stays readable.
//! - [`verify()`] checks chains, index and proofs as well.
//! - A [`Section`] carries what is not a commit: a signed checkpoint, and the proofs that lead to it ([`proofs`]).

mod format;
mod header;
mod index;
mod keys;
mod places;
pub mod proofs;
mod read;
mod verify;
mod vouch;
mod walk;
mod write;

pub use format::{MAGIC, VERSION};
pub use header::{Header, Redaction};
pub use read::Recording;
pub use verify::{verify, verify_with};
pub use write::{Section, Totals, Writer};

use std::io::Read;
use std::path::Path;

/// Whether the file begins like a recording, of whatever version. False if it can't be read.
#[must_use]
pub fn is_recording(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == MAGIC
}

#[cfg(test)]
mod tests;
