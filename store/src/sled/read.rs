//! Reading the log: chunks to frames, one call through the index, everything in order.

use std::collections::{BTreeSet, VecDeque};

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use super::tree::{Chunk, Fault, Pairs, Tree};
use crate::chain;
use crate::error::ReadError;
use crate::frame::{self, Frame};
use crate::journal::Head;
use crate::keys;

/// Calls `each` for every frame of a chunk that begins at `seq`. Checks lengths only.
pub fn frames<'a>(
    seq: u64,
    chunk: &'a [u8],
    mut each: impl FnMut(Frame<'a>) -> Result<(), ReadError>,
) -> Result<u64, ReadError> {
    let (mut seq, mut rest) = (seq, chunk);
    while !rest.is_empty() {
        let (frame, behind) =
            Frame::split(seq, rest).map_err(|error| ReadError::at_seq(seq, error.to_string()))?;
        (seq, rest) = (frame.end(), behind);
        each(frame)?;
    }
    Ok(seq)
}

/// The chunks that the index names for a call.
pub fn indexed(tree: &Tree, call: CallId) -> Result<BTreeSet<u64>, ReadError> {
    let prefix = keys::rows(call);
    let mut chunks = BTreeSet::new();
    for pair in tree.scan(&prefix, &prefix)? {
        let (_, value) = pair?;
        let row =
            keys::read_list(&value).ok_or_else(|| ReadError::in_call(call, "its index row can't be read"))?;
        chunks.extend(row);
    }
    Ok(chunks)
}

/// The last chunk that the index names for a call.
pub fn last_indexed(tree: &Tree, call: CallId) -> Result<Option<u64>, ReadError> {
    let Some((_, value)) = tree.last(&keys::rows(call))? else { return Ok(None) };
    let row =
        keys::read_list(&value).ok_or_else(|| ReadError::in_call(call, "its index row can't be read"))?;
    Ok(row.last().copied())
}

/// The commits of a call: from the chunks that the index names and those in `pending`, as far as they lie before
/// `durable`. Checks the checksum of each, their order and the chain.
pub fn call(
    tree: &Tree,
    call: CallId,
    pending: &[u64],
    durable: u64,
) -> Result<Vec<StoredCommit>, ReadError> {
    let mut chunks = indexed(tree, call)?;
    chunks.extend(pending);
    let mut commits = Vec::new();
    let mut head = Head { version: 0, hash: chain::START };
    for seq in chunks.range(..durable) {
        let chunk = tree.chunk(*seq)?;
        let chunk = chunk.ok_or_else(|| ReadError::at_seq(*seq, format!("missing; it holds call {call}")))?;
        let before = commits.len();
        frames(*seq, &chunk, |frame| {
            if frame.facts.call == call {
                commits.push(checked(&frame, &mut head)?);
            }
            Ok(())
        })?;
        if commits.len() == before {
            return Err(ReadError::at_seq(
                *seq,
                format!("the index names it for call {call}, which isn't there"),
            ));
        }
    }
    Ok(commits)
}

fn checked(frame: &Frame<'_>, head: &mut Head) -> Result<StoredCommit, ReadError> {
    let damaged = |error: frame::FrameError| ReadError::at_seq(frame.seq, error.to_string());
    frame.check().map_err(damaged)?;
    if frame.facts.version != head.version {
        let what =
            format!("call {} goes on at {}, not {}", frame.facts.call, frame.facts.version, head.version);
        return Err(ReadError::at_seq(frame.seq, what));
    }
    frame.check_chain(&head.hash).map_err(damaged)?;
    *head = Head { version: frame.next_version(), hash: frame.hash };
    frame.decode()
}

/// The head of a call that is in the index altogether.
pub fn head_on_disk(tree: &Tree, call: CallId) -> Result<Option<Head>, ReadError> {
    let Some(seq) = last_indexed(tree, call)? else { return Ok(None) };
    let missing = || ReadError::at_seq(seq, format!("the index names it for call {call}, which isn't there"));
    let chunk = tree.chunk(seq)?.ok_or_else(missing)?;
    let mut head = None;
    frames(seq, &chunk, |frame| {
        if frame.facts.call == call {
            frame.check().map_err(|error| ReadError::at_seq(frame.seq, error.to_string()))?;
            head = Some(Head { version: frame.next_version(), hash: frame.hash });
        }
        Ok(())
    })?;
    head.map(Some).ok_or_else(missing)
}

/// Chunks in order, large frames joined from their parts, gaps found.
pub struct Chunks {
    pairs: Pairs,
    ahead: Option<(keys::ChunkKey, sled::IVec)>,
    next: Option<u64>,
}

impl Chunks {
    /// From the chunk that begins at `from` on. With `contiguous` it must be there.
    pub fn new(tree: &Tree, from: u64, contiguous: bool) -> Result<Self, Fault> {
        let pairs = tree.scan(&[keys::CHUNK], &keys::chunk(from))?;
        Ok(Self { pairs, ahead: None, next: contiguous.then_some(from) })
    }

    /// What comes after the last chunk given must begin here.
    pub fn expect(&mut self, next: u64) {
        self.next = Some(next);
    }

    fn pull(&mut self) -> Result<Option<(keys::ChunkKey, sled::IVec)>, ReadError> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        let Some(pair) = self.pairs.next() else { return Ok(None) };
        let (key, value) = pair?;
        let key = keys::parse_chunk(&key).ok_or_else(|| ReadError::Corrupt {
            place: "the log".into(),
            what: "a key that is none".into(),
        })?;
        Ok(Some((key, value)))
    }

    fn advance(&mut self) -> Result<Option<(u64, Chunk)>, ReadError> {
        let Some((key, value)) = self.pull()? else { return Ok(None) };
        let expected = self.next.unwrap_or(key.seq);
        if key.seq != expected || key.part != 0 {
            let what = format!("the log has a gap: after it comes {} (part {})", key.seq, key.part);
            return Err(ReadError::at_seq(expected, what));
        }
        let wanted = frame::length(&value).unwrap_or(0);
        if wanted <= value.len() {
            return Ok(Some((key.seq, Chunk::One(value))));
        }
        let mut joined = value.to_vec();
        while let Some((part, value)) = self.pull()? {
            if part.seq != key.seq || joined.len() >= wanted {
                self.ahead = Some((part, value));
                break;
            }
            joined.extend_from_slice(&value);
        }
        Ok(Some((key.seq, Chunk::Joined(joined))))
    }
}

impl Iterator for Chunks {
    type Item = Result<(u64, Chunk), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

/// What a scan makes of each frame.
pub type Make<T> = fn(&Frame<'_>) -> Result<T, ReadError>;

/// Commits in global order up to a place, decoded or raw. After an error it ends.
pub struct Scan<T> {
    chunks: Chunks,
    ready: VecDeque<Result<T, ReadError>>,
    make: Make<T>,
    from: u64,
    until: u64,
    done: bool,
}

impl<T> Scan<T> {
    /// The commits that end behind `from` and begin before `until`.
    pub fn new(tree: &Tree, from: u64, until: u64, make: Make<T>) -> Result<Self, ReadError> {
        let start = tree.chunk_at(from)?.unwrap_or(0);
        let chunks = Chunks::new(tree, start, true)?;
        Ok(Self { chunks, ready: VecDeque::new(), make, from, until, done: from >= until })
    }

    fn load(&mut self) -> Result<(), ReadError> {
        let Some(next) = self.chunks.next() else {
            self.done = true;
            let reached = self.chunks.next.unwrap_or(self.from);
            return Err(ReadError::at_seq(reached, format!("the log ends here, before {}", self.until)));
        };
        let (seq, chunk) = next?;
        let (from, make, ready) = (self.from, self.make, &mut self.ready);
        let end = frames(seq, &chunk, |frame| {
            if frame.end() > from {
                frame.check().map_err(|error| ReadError::at_seq(frame.seq, error.to_string()))?;
                ready.push_back(Ok(make(&frame)?));
            }
            Ok(())
        })?;
        self.chunks.expect(end);
        self.done = end >= self.until;
        Ok(())
    }
}

impl<T> Iterator for Scan<T> {
    type Item = Result<T, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.done {
            if let Err(error) = self.load() {
                self.done = true;
                self.ready.push_back(Err(error));
            }
        }
        self.ready.pop_front()
    }
}
