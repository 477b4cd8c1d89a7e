//! Where each call of a recording has its last commit.

use std::collections::BTreeMap;
use std::io;

use callbox_events::CallId;

use super::walk::{Record, Tape};
use crate::error::ReadError;

/// Entries in one index record: 1.5 MiB.
pub const BLOCK: usize = 1 << 16;

const ENTRY_BYTES: usize = 24;

/// A block's bytes.
pub fn encode(entries: &[(CallId, u64)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    for (call, place) in entries {
        bytes.extend_from_slice(call.as_bytes());
        bytes.extend_from_slice(&place.to_be_bytes());
    }
    bytes
}

/// Its entries; none if the bytes are no whole number of them or not ascending.
pub fn decode(bytes: &[u8]) -> Option<Vec<(CallId, u64)>> {
    let (chunks, rest) = bytes.as_chunks::<ENTRY_BYTES>();
    let entry = |chunk: &[u8; ENTRY_BYTES]| {
        let (call, place) = chunk.split_first_chunk::<16>()?;
        Some((CallId::from_bytes(*call), u64::from_be_bytes(*place.first_chunk::<8>()?)))
    };
    let entries: Vec<(CallId, u64)> = chunks.iter().map(entry).collect::<Option<_>>()?;
    (rest.is_empty() && entries.is_sorted_by(|(one, _), (other, _)| one < other)).then_some(entries)
}

/// The index of an open recording: on disk, or made anew where the one on disk is not to be trusted.
#[derive(Debug)]
pub enum Index {
    /// The blocks: first call and place.
    Stored(Vec<(CallId, u64)>),
    /// All calls.
    Rebuilt(BTreeMap<CallId, u64>),
}

impl Index {
    /// Where the last commit of a call stands.
    pub fn find(&self, tape: &Tape, call: CallId) -> Result<Option<u64>, ReadError> {
        match self {
            Self::Rebuilt(all) => Ok(all.get(&call).copied()),
            Self::Stored(blocks) => {
                let behind = blocks.partition_point(|(first, _)| *first <= call);
                let Some((_, place)) = behind.checked_sub(1).and_then(|at| blocks.get(at)) else {
                    return Ok(None);
                };
                let entries = block(tape, *place)?;
                let found = entries.binary_search_by_key(&call, |(call, _)| *call).ok();
                Ok(found.and_then(|at| entries.get(at)).map(|(_, place)| *place))
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
                let in_block = |(_, place): &(CallId, u64)| -> Vec<Result<CallId, ReadError>> {
                    match block(tape, *place) {
                        Ok(entries) => entries.into_iter().map(|(call, _)| Ok(call)).collect(),
                        Err(error) => vec![Err(error)],
                    }
                };
                Box::new(blocks.iter().flat_map(in_block))
            }
        }
    }
}

fn block(tape: &Tape, place: u64) -> Result<Vec<(CallId, u64)>, ReadError> {
    let changed = || ReadError::Corrupt {
        place: format!("byte {place}"),
        what: "the index is not what it was when the recording was opened".into(),
    };
    let Record { body, .. } = tape
        .at(place)
        .map_err(|error: io::Error| ReadError::Unavailable { why: error.to_string() })?
        .ok_or_else(changed)?;
    decode(&body).ok_or_else(changed)
}
