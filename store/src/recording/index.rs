//! Where each call of a recording has its last commit.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io;

use callbox_events::CallId;

use super::format::RECORD_BYTES;
use super::walk::Tape;
use crate::error::ReadError;

/// Entries in one index record: 1.5 MiB.
pub const BLOCK: usize = 1 << 16;

/// Bytes of an entry.
pub const ENTRY_BYTES: usize = 24;

/// A block's bytes.
pub fn encode(entries: &[(CallId, u64)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    for (call, place) in entries {
        bytes.extend_from_slice(call.as_bytes());
        bytes.extend_from_slice(&place.to_be_bytes());
    }
    bytes
}

/// An entry's call and place.
pub fn entry(bytes: &[u8; ENTRY_BYTES]) -> Option<(CallId, u64)> {
    let (call, place) = bytes.split_first_chunk::<16>()?;
    Some((CallId::from_bytes(*call), u64::from_be_bytes(*place.first_chunk::<8>()?)))
}

/// Its entries; none if the bytes are no whole number of them or not ascending.
pub fn decode(bytes: &[u8]) -> Option<Vec<(CallId, u64)>> {
    let (chunks, rest) = bytes.as_chunks::<ENTRY_BYTES>();
    let entries: Vec<(CallId, u64)> = chunks.iter().map(entry).collect::<Option<_>>()?;
    (rest.is_empty() && entries.is_sorted_by(|(one, _), (other, _)| one < other)).then_some(entries)
}

/// The index of an open recording: on disk, or made anew where the one on disk is not to be trusted.
#[derive(Debug)]
pub enum Index {
    /// Where its records stand. Their checksums were compared when the file was opened.
    Stored(Vec<Block>),
    /// All calls.
    Rebuilt(BTreeMap<CallId, u64>),
}

impl Index {
    /// Where the last commit of a call stands.
    pub fn find(&self, tape: &Tape, call: CallId) -> Result<Option<u64>, ReadError> {
        match self {
            Self::Rebuilt(all) => Ok(all.get(&call).copied()),
            Self::Stored(blocks) => {
                let behind = blocks.partition_point(|block| block.first <= call);
                match behind.checked_sub(1).and_then(|at| blocks.get(at)) {
                    Some(block) => block.find(tape, call),
                    None => Ok(None),
                }
            }
        }
    }

    /// All calls in order; one block in memory at a time.
    pub fn calls<'a>(
        &'a self,
        tape: &'a Tape,
    ) -> Box<dyn DoubleEndedIterator<Item = Result<CallId, ReadError>> + Send + 'a> {
        match self {
            Self::Rebuilt(all) => Box::new(all.keys().copied().map(Ok)),
            Self::Stored(blocks) => {
                let in_block = |block: &Block| -> Vec<Result<CallId, ReadError>> {
                    match block.entries(tape) {
                        Ok(entries) => entries.into_iter().map(|(call, _)| Ok(call)).collect(),
                        Err(error) => vec![Err(error)],
                    }
                };
                Box::new(blocks.iter().flat_map(in_block))
            }
        }
    }
}

/// One index record.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// The first call in it.
    pub first: CallId,
    /// Where it stands.
    pub place: u64,
    /// Its entries.
    pub count: usize,
}

impl Block {
    /// Looks a call up entry by entry: a block is too large to be read for each.
    fn find(&self, tape: &Tape, call: CallId) -> Result<Option<u64>, ReadError> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let offset = RECORD_BYTES + middle * ENTRY_BYTES;
            let bytes: [u8; ENTRY_BYTES] = tape.bytes(self.place + offset as u64).map_err(unavailable)?;
            let Some((found, place)) = entry(&bytes) else { return Err(self.changed()) };
            match found.cmp(&call) {
                Ordering::Equal => return Ok(Some(place)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    fn entries(&self, tape: &Tape) -> Result<Vec<(CallId, u64)>, ReadError> {
        let record = tape.at(self.place).map_err(unavailable)?.ok_or_else(|| self.changed())?;
        decode(&record.body).ok_or_else(|| self.changed())
    }

    fn changed(&self) -> ReadError {
        let what = "the index is not what it was when the recording was opened".into();
        ReadError::Corrupt { place: format!("byte {}", self.place), what }
    }
}

fn unavailable(error: io::Error) -> ReadError {
    ReadError::Unavailable { why: error.to_string() }
}
