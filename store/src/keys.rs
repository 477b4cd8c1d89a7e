//! The keys of the one tree, and the lists of numbers kept under some of them.
//!
//! | key | value |
//! |---|---|
//! | `C` call (16) version (4) | a row of the index: varints of the records that hold commits of this call, from the commit with this version on; the first absolute, the others relative to the one before |
//! | `F` | 8 bytes: every record before this global sequence number is in the index |
//! | `L` seq (8) | a record of the write-ahead log whose first event has this global sequence number; its first 4096 bytes |
//! | `L` seq (8) part (2) | the further parts of such a record, counted from 1 |
//! | `W` | 16 bytes: the place in the write-ahead log behind the last record that is in here: segment (8), offset (8) |
//! | `V` | 2 bytes: the version of this format |

use callbox_events::CallId;

/// The key of the format version.
pub const VERSION: &[u8] = b"V";
/// The key of the index floor.
pub const FLOOR: &[u8] = b"F";
/// The key of the place in the write-ahead log.
pub const PLACE: &[u8] = b"W";
/// The prefix of chunks.
pub const CHUNK: u8 = b'L';
/// The prefix of index rows.
pub const ROW: u8 = b'C';

/// A key of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkKey {
    /// The global sequence number of the first frame.
    pub seq: u64,
    /// 0 for a chunk, counted up for the further parts of a large frame.
    pub part: u16,
}

/// The key of a chunk.
#[must_use]
pub fn chunk(seq: u64) -> [u8; 9] {
    let mut key = [CHUNK; 9];
    key[1..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// The key of a further part of a large frame.
#[must_use]
pub fn part(seq: u64, part: u16) -> [u8; 11] {
    let mut key = [CHUNK; 11];
    key[1..9].copy_from_slice(&seq.to_be_bytes());
    key[9..].copy_from_slice(&part.to_be_bytes());
    key
}

/// Reads a key of the log.
#[must_use]
pub fn parse_chunk(key: &[u8]) -> Option<ChunkKey> {
    let rest = key.strip_prefix(&[CHUNK])?;
    let (seq, rest) = rest.split_first_chunk::<8>()?;
    let seq = u64::from_be_bytes(*seq);
    match rest {
        [] => Some(ChunkKey { seq, part: 0 }),
        [high, low] => Some(ChunkKey { seq, part: u16::from_be_bytes([*high, *low]) }),
        _ => None,
    }
}

/// The key of an index row. 21 bytes, which sled keeps without an allocation.
#[must_use]
pub fn row(call: CallId, version: u32) -> [u8; 21] {
    let mut key = [ROW; 21];
    key[1..17].copy_from_slice(call.as_bytes());
    key[17..].copy_from_slice(&version.to_be_bytes());
    key
}

/// The prefix of all rows of a call.
#[must_use]
pub fn rows(call: CallId) -> [u8; 17] {
    let mut key = [ROW; 17];
    key[1..].copy_from_slice(call.as_bytes());
    key
}

/// The call of an index row's key.
#[must_use]
pub fn parse_row(key: &[u8]) -> Option<(CallId, u32)> {
    let rest = key.strip_prefix(&[ROW])?;
    let (call, version) = rest.split_first_chunk::<16>()?;
    Some((CallId::from_bytes(*call), u32::from_be_bytes(version.try_into().ok()?)))
}

/// Ascending numbers as varints, each relative to the one before.
#[must_use]
pub fn write_list(numbers: &[u64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(numbers.len() * 2 + 4);
    let mut before = 0;
    for number in numbers {
        let mut rest = number.saturating_sub(before);
        while rest >= 0x80 {
            out.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        out.push((rest & 0x7f) as u8);
        before = *number;
    }
    out
}

/// Reads such a list; `None` if the bytes are none.
#[must_use]
pub fn read_list(bytes: &[u8]) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    let (mut before, mut value, mut shift) = (0u64, 0u64, 0u32);
    for byte in bytes {
        let bits = u64::from(byte & 0x7f);
        value |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
        shift += 7;
        if byte & 0x80 == 0 {
            before = before.checked_add(value)?;
            numbers.push(before);
            (value, shift) = (0, 0);
        }
    }
    (shift == 0).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ascending_lists_read_back(mut numbers in proptest::collection::vec(any::<u64>(), 0..20)) {
            numbers.sort_unstable();
            prop_assert_eq!(read_list(&write_list(&numbers)), Some(numbers));
        }

        #[test]
        fn any_bytes_are_a_list_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = read_list(&bytes);
        }

        #[test]
        fn keys_read_back_and_sort_as_they_should(seq: u64, number in 1u16.., id: [u8; 16], version: u32) {
            prop_assert_eq!(parse_chunk(&chunk(seq)), Some(ChunkKey { seq, part: 0 }));
            prop_assert_eq!(parse_chunk(&part(seq, number)), Some(ChunkKey { seq, part: number }));
            prop_assert!(chunk(seq)[..] < part(seq, number)[..]);
            let call = CallId::from_bytes(id);
            prop_assert_eq!(parse_row(&row(call, version)), Some((call, version)));
        }
    }
}
