//! One commit as bytes in the log: a header of fixed size, then the encoded commit.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 4 | length of the payload |
//! | 4 | 4 | CRC-32C over the global sequence number (8 bytes), then bytes 0..4, then bytes 8.. of the frame |
//! | 8 | 16 | the call, in chronological byte order |
//! | 24 | 8 | version: sequence number of the first event within the call |
//! | 32 | 2 | number of events |
//! | 34 | 1 | flags: bit 0 = the call's last commit |
//! | 35 | 1 | 0 |
//! | 36 | 32 | the call's chain after this commit |
//! | 68 | … | schema version (2 bytes), then MessagePack |
//!
//! All numbers are big endian. The checksum covers the global sequence number although it is not stored: a frame in
//! the wrong place is damage like any other.

use std::sync::Arc;

use callbox_events::CallId;
use callbox_events::schema::sealed;
use callbox_events::schema::{self, CodecError, Commit, StoredCommit};

use crate::chain::{self, Link};
use crate::error::ReadError;

/// Bytes before the payload.
pub const HEADER_BYTES: usize = 68;

const LAST: u8 = 1;

/// What the log needs to know of a commit without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The call.
    pub call: CallId,
    /// Sequence number of the first event within the call.
    pub version: u64,
    /// Number of events.
    pub events: u16,
    /// True for the last commit of its call.
    pub last: bool,
}

impl Facts {
    /// The facts of a commit; `None` if it has more than 65,535 events.
    #[must_use]
    pub fn of(commit: &Commit) -> Option<Self> {
        let events = u16::try_from(commit.events.len()).ok()?;
        let last = commit.releases();
        Some(Self { call: commit.call, version: commit.version, events, last })
    }
}

/// A frame in a chunk, not yet decoded.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Global sequence number of the first event.
    pub seq: u64,
    /// What the header says.
    pub facts: Facts,
    /// The call's chain after it.
    pub hash: Link,
    /// The encoded commit.
    pub payload: &'a [u8],
    checksum: u32,
    bytes: &'a [u8],
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes end before the frame does.
    #[error("cut off: {wanted} bytes wanted, {found} found")]
    Short {
        /// How many bytes the frame has.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// The content is not what was written, or stands in the wrong place.
    #[error("wrong checksum")]
    Checksum,
    /// The chain of the call doesn't lead here.
    #[error("the call's hash chain is broken")]
    Chain,
}

/// Appends the frame of a commit to `out`.
pub fn write(out: &mut Vec<u8>, seq: u64, facts: &Facts, hash: &Link, payload: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(facts.call.as_bytes());
    out.extend_from_slice(&facts.version.to_be_bytes());
    out.extend_from_slice(&facts.events.to_be_bytes());
    out.extend_from_slice(&[if facts.last { LAST } else { 0 }, 0]);
    out.extend_from_slice(hash);
    out.extend_from_slice(payload);
    let sum = out.get(start..).map_or(0, |frame| checksum(seq, frame));
    if let Some(place) = out.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
}

/// The whole length of the frame whose beginning is given, once its length field is there.
#[must_use]
pub fn length(start: &[u8]) -> Option<usize> {
    let (length, _) = start.split_first_chunk::<4>()?;
    Some(HEADER_BYTES + u32::from_be_bytes(*length) as usize)
}

fn checksum(seq: u64, frame: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&seq.to_be_bytes());
    let sum = crc32c::crc32c_append(sum, frame.get(..4).unwrap_or_default());
    crc32c::crc32c_append(sum, frame.get(8..).unwrap_or_default())
}

impl<'a> Frame<'a> {
    /// Splits the first frame off `bytes`, which begins at global sequence number `seq`. Checks lengths only.
    ///
    /// # Errors
    /// [`FrameError::Short`].
    pub fn split(seq: u64, bytes: &'a [u8]) -> Result<(Self, &'a [u8]), FrameError> {
        let wanted = length(bytes).unwrap_or(HEADER_BYTES);
        let short = FrameError::Short { wanted, found: bytes.len() };
        let (frame, rest) = bytes.split_at_checked(wanted).ok_or(short)?;
        Self::whole(seq, frame).map(|frame| (frame, rest)).ok_or(short)
    }

    fn whole(seq: u64, bytes: &'a [u8]) -> Option<Self> {
        let (_, rest) = bytes.split_first_chunk::<4>()?;
        let (checksum, rest) = rest.split_first_chunk::<4>()?;
        let (call, rest) = rest.split_first_chunk::<16>()?;
        let (version, rest) = rest.split_first_chunk::<8>()?;
        let (events, rest) = rest.split_first_chunk::<2>()?;
        let (flags, rest) = rest.split_first_chunk::<2>()?;
        let (hash, payload) = rest.split_first_chunk::<32>()?;
        let facts = Facts {
            call: CallId::from_bytes(*call),
            version: u64::from_be_bytes(*version),
            events: u16::from_be_bytes(*events),
            last: flags[0] & LAST != 0,
        };
        Some(Self { seq, facts, hash: *hash, payload, checksum: u32::from_be_bytes(*checksum), bytes })
    }

    /// The global sequence number behind it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.seq.saturating_add(u64::from(self.facts.events))
    }

    /// The version behind it.
    #[must_use]
    pub fn next_version(&self) -> u64 {
        self.facts.version.saturating_add(u64::from(self.facts.events))
    }

    /// Compares the checksum.
    ///
    /// # Errors
    /// [`FrameError::Checksum`].
    pub fn check(&self) -> Result<(), FrameError> {
        if checksum(self.seq, self.bytes) == self.checksum { Ok(()) } else { Err(FrameError::Checksum) }
    }

    /// The same for readers, who say where the damage is.
    ///
    /// # Errors
    /// [`ReadError::Corrupt`] at the frame's sequence number.
    pub(crate) fn sound(&self) -> Result<(), ReadError> {
        self.check().map_err(|error| ReadError::at_seq(self.seq, error.to_string()))
    }

    /// Compares the chain, given the link before.
    ///
    /// # Errors
    /// [`FrameError::Chain`].
    pub fn check_chain(&self, previous: &Link) -> Result<(), FrameError> {
        if chain::link(previous, self.payload) == self.hash { Ok(()) } else { Err(FrameError::Chain) }
    }

    /// Decodes the commit. The checksum should have been compared before.
    ///
    /// # Errors
    /// [`ReadError`] if it can't be read or isn't the commit that the header names.
    pub fn decode(&self) -> Result<StoredCommit, ReadError> {
        stored(self.seq, self.hash, self.payload, Some(&self.facts))
    }
}

/// A commit from its encoded form and its place. A sealed one has pseudonyms until it is opened.
pub(crate) fn stored(
    seq: u64,
    hash: Link,
    payload: &[u8],
    facts: Option<&Facts>,
) -> Result<StoredCommit, ReadError> {
    let commit = schema::decode(payload).map_err(|error| match error {
        CodecError::TooNew { found } => ReadError::TooNew { place: format!("sequence {seq}"), found },
        CodecError::Malformed(what) => ReadError::at_seq(seq, what),
    })?;
    if facts.is_some_and(|facts| Facts::of(&commit).as_ref() != Some(facts)) {
        return Err(ReadError::at_seq(seq, "the frame's header names another commit than it holds"));
    }
    let sealed = sealed::is_sealed(payload).then(|| Arc::from(payload));
    Ok(StoredCommit { seq, hash, commit, sealed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts { call: CallId::from_bytes([7; 16]), version: 3, events: 2, last: true }
    }

    #[test]
    fn a_frame_reads_back_and_knows_where_the_next_begins() {
        let mut bytes = Vec::new();
        write(&mut bytes, 10, &facts(), &[9; 32], b"payload");
        bytes.extend_from_slice(b"rest");
        let (frame, rest) = Frame::split(10, &bytes).unwrap();
        assert_eq!(
            (frame.facts, frame.hash, frame.payload, rest),
            (facts(), [9; 32], &b"payload"[..], &b"rest"[..])
        );
        assert_eq!((frame.end(), frame.next_version()), (12, 5));
        frame.check().unwrap();
    }

    #[test]
    fn any_flipped_bit_and_any_other_place_is_seen() {
        let mut bytes = Vec::new();
        write(&mut bytes, 10, &facts(), &[9; 32], b"payload");
        assert_eq!(Frame::split(11, &bytes).unwrap().0.check(), Err(FrameError::Checksum));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let seen = Frame::split(10, &flipped).and_then(|(frame, _)| frame.check());
            assert!(seen.is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert!(matches!(Frame::split(10, &bytes[..cut]), Err(FrameError::Short { .. })));
        }
    }
}
