//! Reading the log: records to frames, one call through the index, everything in order.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use super::log::{Fetch, Log, Records};
use super::salvage;
use super::tree::Tree;
use crate::chain;
use crate::error::ReadError;
use crate::frame::{self, Frame};
use crate::journal::Head;
use crate::keys;

/// Calls `each` for every frame of a record that begins at `seq`. Checks lengths only.
pub fn frames<'a>(
    seq: u64,
    frames: &'a [u8],
    mut each: impl FnMut(Frame<'a>) -> Result<(), ReadError>,
) -> Result<u64, ReadError> {
    let (mut seq, mut rest) = (seq, frames);
    while !rest.is_empty() {
        let (frame, behind) =
            Frame::split(seq, rest).map_err(|error| ReadError::at_seq(seq, error.to_string()))?;
        (seq, rest) = (frame.end(), behind);
        each(frame)?;
    }
    Ok(seq)
}

/// The chunks that the index names for a call.
pub fn indexed(tree: &Arc<Tree>, call: CallId) -> Result<BTreeSet<u64>, ReadError> {
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

/// The last chunk that the index names for a call. Not that of the last row: where sled was made again, an older row
/// may have been written over by a longer one.
pub fn last_indexed(tree: &Arc<Tree>, call: CallId) -> Result<Option<u64>, ReadError> {
    Ok(indexed(tree, call)?.last().copied())
}

/// Where the record after these frames begins.
pub fn end(seq: u64, bytes: &[u8]) -> Result<u64, ReadError> {
    frames(seq, bytes, |_| Ok(()))
}

/// The commits of a call: from the records that the index names and those in `pending`, as far as they lie before
/// `durable`. Checks the checksum of each, their order and the chain. Where sled is damaged the write-ahead log serves.
pub fn call(log: &Log, call: CallId, pending: &[u64], durable: u64) -> Result<Vec<StoredCommit>, ReadError> {
    match call_by_index(log, call, pending, durable) {
        Err(damage @ ReadError::Corrupt { .. }) => {
            let damage = log.doubt(damage);
            let found = salvage::call(&log.store, call, durable, &damage)?;
            if found.is_empty() { Err(damage) } else { Ok(found) }
        }
        other => other,
    }
}

fn call_by_index(
    log: &Log,
    call: CallId,
    pending: &[u64],
    durable: u64,
) -> Result<Vec<StoredCommit>, ReadError> {
    let mut records = indexed(&log.index()?, call)?;
    records.extend(pending);
    let mut gathered = Gathered::new(call);
    let mut fetch = Fetch::new(log);
    for seq in records.range(..durable) {
        let record = fetch.frames(*seq)?;
        let record =
            record.ok_or_else(|| ReadError::at_seq(*seq, format!("missing; it holds call {call}")))?;
        let before = gathered.commits.len();
        frames(*seq, &record, |frame| gathered.take(&frame))?;
        if gathered.commits.len() == before {
            return Err(ReadError::at_seq(
                *seq,
                format!("the index names it for call {call}, which isn't there"),
            ));
        }
    }
    Ok(gathered.commits)
}

/// The commits of one call as they are met, each checked against the one before.
pub struct Gathered {
    call: CallId,
    head: Head,
    /// So far.
    pub commits: Vec<StoredCommit>,
}

impl Gathered {
    /// None yet.
    pub fn new(call: CallId) -> Self {
        Self { call, head: Head { version: 0, hash: chain::START }, commits: Vec::new() }
    }

    /// Takes a frame if it is of this call.
    pub fn take(&mut self, frame: &Frame<'_>) -> Result<(), ReadError> {
        if frame.facts.call == self.call {
            self.commits.push(checked(frame, &mut self.head)?);
        }
        Ok(())
    }
}

fn checked(frame: &Frame<'_>, head: &mut Head) -> Result<StoredCommit, ReadError> {
    let damaged = |error: frame::FrameError| ReadError::at_seq(frame.seq, error.to_string());
    frame.sound()?;
    if frame.facts.version != head.version {
        let what =
            format!("call {} goes on at {}, not {}", frame.facts.call, frame.facts.version, head.version);
        return Err(ReadError::at_seq(frame.seq, what));
    }
    frame.check_chain(&head.hash).map_err(damaged)?;
    *head = Head { version: frame.next_version(), hash: frame.hash };
    frame.decode()
}

/// The head of a call that is in the index altogether. Where sled is damaged the write-ahead log serves.
pub fn head_on_disk(log: &Log, call: CallId) -> Result<Option<Head>, ReadError> {
    match head_by_index(log, call) {
        Err(damage @ ReadError::Corrupt { .. }) => salvage::head(&log.store, call, &log.doubt(damage)),
        other => other,
    }
}

fn head_by_index(log: &Log, call: CallId) -> Result<Option<Head>, ReadError> {
    let Some(seq) = last_indexed(&log.index()?, call)? else { return Ok(None) };
    let missing = || ReadError::at_seq(seq, format!("the index names it for call {call}, which isn't there"));
    let record = Fetch::new(log).frames(seq)?.ok_or_else(missing)?;
    let mut head = None;
    frames(seq, &record, |frame| {
        if frame.facts.call == call {
            frame.sound()?;
            head = Some(Head { version: frame.next_version(), hash: frame.hash });
        }
        Ok(())
    })?;
    head.map(Some).ok_or_else(missing)
}

/// What a scan makes of each frame.
pub type Make<T> = fn(&Frame<'_>) -> Result<T, ReadError>;

/// Commits in global order up to a place, decoded or raw. After an error it ends.
pub struct Scan<T> {
    records: Records,
    ready: VecDeque<Result<T, ReadError>>,
    make: Make<T>,
    from: u64,
    until: u64,
    done: bool,
}

impl<T> Scan<T> {
    /// The commits that end behind `from` and begin before `until`.
    pub fn new(log: &Arc<Log>, from: u64, until: u64, make: Make<T>) -> Result<Self, ReadError> {
        let start = log.record_at(from)?.unwrap_or(0);
        let records = Records::new(log, start);
        Ok(Self { records, ready: VecDeque::new(), make, from, until, done: from >= until })
    }

    fn load(&mut self) -> Result<(), ReadError> {
        let Some(next) = self.records.next() else {
            self.done = true;
            let reached = self.records.expected();
            return Err(ReadError::at_seq(reached, format!("the log ends here, before {}", self.until)));
        };
        let (seq, bytes) = next?;
        let (from, make, ready) = (self.from, self.make, &mut self.ready);
        let end = frames(seq, &bytes, |frame| {
            if frame.end() > from {
                frame.sound()?;
                ready.push_back(Ok(make(&frame)?));
            }
            Ok(())
        })?;
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
