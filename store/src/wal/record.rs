//! One group of commits as bytes: in a segment, and as the value of a chunk in sled.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 4 | `cbx` and a zero byte: where to look for the next record behind a damage |
//! | 4 | 4 | CRC-32C over bytes 8.. to the end |
//! | 8 | 4 | length of the whole record |
//! | 12 | 4 | length of the frames, unpacked |
//! | 16 | 8 | global sequence number of the first event |
//! | 24 | 4 | number of events |
//! | 28 | 1 | codec: 0 plain, 1 zstd with dictionary 1 |
//! | 29 | 3 | 0 |
//! | 32 | … | the frames (see [`frame`](crate::frame)), packed |
//!
//! All numbers are big endian.

use super::pack::{self, Codec, Packer};

/// Bytes before the packed frames.
pub const HEADER_BYTES: usize = 32;

/// How a record begins.
pub const MAGIC: [u8; 4] = *b"cbx\0";

/// The most bytes that the frames of one record may have. Whoever reads allots no more.
pub const MAX_FRAMES_BYTES: usize = 1024 * 1024;

/// A record whose checksum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Global sequence number of its first event.
    pub seq: u64,
    /// How many events it has.
    pub events: u32,
    length: usize,
    codec: Codec,
    packed: &'a [u8],
}

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It doesn't begin like one.
    #[error("no record begins here")]
    None,
    /// The bytes end before the record does.
    #[error("cut off: {wanted} bytes wanted, {found} found")]
    Short {
        /// How many bytes the record has.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// The content is not what was written.
    #[error("wrong checksum")]
    Checksum,
    /// Right as it is, but packed in a way this build doesn't know, or not readable.
    #[error("its frames can't be unpacked")]
    Packing,
}

/// Writes a record of these frames; `out` is cleared first.
pub fn write(packer: &mut Packer, seq: u64, events: u32, frames: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&u32::try_from(frames.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(&events.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    let codec = packer.pack(frames, out);
    out[28] = codec.number();
    let length = u32::try_from(out.len()).unwrap_or(u32::MAX);
    out[8..12].copy_from_slice(&length.to_be_bytes());
    let sum = crc32c::crc32c(&out[8..]);
    out[4..8].copy_from_slice(&sum.to_be_bytes());
}

/// The whole length of the record whose beginning is given; `None` if it is no beginning of one.
#[must_use]
pub fn length(start: &[u8]) -> Option<usize> {
    let header = start.first_chunk::<12>()?;
    if header[..4] != MAGIC {
        return None;
    }
    let length = u32::from_be_bytes([header[8], header[9], header[10], header[11]]) as usize;
    (HEADER_BYTES..=HEADER_BYTES + MAX_FRAMES_BYTES).contains(&length).then_some(length)
}

impl<'a> Record<'a> {
    /// The record at the beginning of `bytes`, checked.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let wanted = length(bytes).ok_or(RecordError::None)?;
        let short = RecordError::Short { wanted, found: bytes.len() };
        let bytes = bytes.get(..wanted).ok_or(short)?;
        let (header, packed) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(short)?;
        let number =
            |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        if crc32c::crc32c(&bytes[8..]) != number(4) {
            return Err(RecordError::Checksum);
        }
        let length = number(12) as usize;
        let codec = Codec::from_number(header[28]).filter(|_| length <= MAX_FRAMES_BYTES);
        let codec = codec.ok_or(RecordError::Packing)?;
        let seq = u64::from(number(16)) << 32 | u64::from(number(20));
        Ok(Self { seq, events: number(24), length, codec, packed })
    }

    /// The global sequence number behind it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.seq.saturating_add(u64::from(self.events))
    }

    /// Its frames, one after another.
    ///
    /// # Errors
    /// [`RecordError::Packing`].
    pub fn frames(&self) -> Result<Vec<u8>, RecordError> {
        pack::unpack(self.codec, self.packed, self.length).ok_or(RecordError::Packing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(frames: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut Packer::default(), 7 << 33, 3, frames, &mut out);
        out
    }

    #[test]
    fn reads_back_whatever_stands_behind_it() {
        let frames = b"frames ".repeat(50);
        let mut bytes = record(&frames);
        bytes.extend_from_slice(b"what follows");
        let read = Record::read(&bytes).unwrap();
        assert_eq!((read.seq, read.end(), read.frames().unwrap()), (7 << 33, (7 << 33) + 3, frames));
    }

    #[test]
    fn any_flipped_bit_is_seen_and_any_cut() {
        let bytes = record(b"frames that are too short to be packed");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Record::read(&flipped).is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert!(Record::read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn foreign_bytes_are_no_record(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(Record::read(&bytes).is_err());
            let mut likely = record(&bytes);
            likely.truncate(HEADER_BYTES);
            likely.extend_from_slice(&bytes);
            if let Ok(record) = Record::read(&likely) {
                let _ = record.frames();
            }
        }
    }
}
