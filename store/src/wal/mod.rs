//! The write-ahead log: plain files that an acknowledgement rests on.
//!
//! A group of commits becomes one [`record`]: written at the end of the newest *segment*, synced once, and then it is
//! durable. sled gets the same record later, in larger batches (`sled::sink`), because it writes four bytes for each one
//! it is given and wakes seven threads for every flush. So the journal is kept twice: sled is what is read, the
//! segments are what sled can be made from again, whatever happened to it.
//!
//! | file | content |
//! |---|---|
//! | `wal/<first seq, 20 digits>` | a header of 16 bytes, then records one after another, then zeros |
//!
//! A *volume* is a stretch of the journal that can be read, made again and removed by itself: the segments from one that
//! begins a volume to the next such one.
//!
//! - [`record`]: the bytes of one group, checked and packed.
//! - [`pack`]: compression with a dictionary that knows SIP.
//! - [`writer`]: appends, syncs, begins new segments.
//! - [`reader`]: walks through the segments, tells a torn end from damage.

pub mod pack;
pub mod reader;
pub mod record;
pub mod writer;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::layout;

/// A segment begins with this, a byte for its kind, and the global sequence number of its first event (8 bytes).
const MAGIC: [u8; 7] = *b"cbxwal\n";

/// What a segment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only itself: it goes on where the one before it became too long.
    Further,
    /// A volume.
    Volume,
}

impl Kind {
    fn number(self) -> u8 {
        match self {
            Self::Further => 1,
            Self::Volume => 2,
        }
    }
}

/// Bytes before the first record.
pub const HEADER_BYTES: u64 = 16;

/// A place in the log: where a record begins, or the next one will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The segment, by the global sequence number of its first event.
    pub segment: u64,
    /// Bytes from its beginning.
    pub offset: u64,
}

impl Place {
    /// The place as it is kept beside what was carried over to sled.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.segment.to_be_bytes());
        bytes[8..].copy_from_slice(&self.offset.to_be_bytes());
        bytes
    }

    /// Reads it back.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (segment, offset) = bytes.split_first_chunk::<8>()?;
        let offset = offset.try_into().ok().map(u64::from_be_bytes)?;
        Some(Self { segment: u64::from_be_bytes(*segment), offset })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write-ahead log, segment {}, byte {}", self.segment, self.offset)
    }
}

fn header(first: u64, kind: Kind) -> [u8; HEADER_BYTES as usize] {
    let mut bytes = [kind.number(); HEADER_BYTES as usize];
    bytes[..7].copy_from_slice(&MAGIC);
    bytes[8..].copy_from_slice(&first.to_be_bytes());
    bytes
}

/// The file of a segment.
#[must_use]
pub fn path(store: &Path, first: u64) -> PathBuf {
    store.join(layout::WAL).join(format!("{first:020}"))
}

/// The segments of these global sequence numbers, by their first ones, in order. Those before the beginning of the
/// journal are not counted: they are being removed.
///
/// # Errors
/// The system's; a folder that isn't there has none.
pub fn segments(store: &Path) -> io::Result<Vec<u64>> {
    let begin = layout::begin(store)?;
    let mut found = layout::numbered(&store.join(layout::WAL))?;
    found.retain(|first| *first >= begin);
    Ok(found)
}

/// Where a volume begins, according to the segments' headers.
///
/// # Errors
/// The system's.
pub fn volumes(store: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for first in segments(store)? {
        let mut start = [0; HEADER_BYTES as usize];
        let read = File::open(path(store, first))?.read_exact(&mut start);
        if read.is_ok() && start == header(first, Kind::Volume) {
            found.push(first);
        }
    }
    Ok(found)
}
