//! Reading the log: records to frames, one call through the index, everything in order.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use super::log::{Fetch, Log};
use super::records::Records;
use super::salvage::{self, Passed};
use super::tree::Tree;
use super::volumes::Volume;
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

/// The commits of a call: from the records that the index of each volume names and those in `pending`, as far as they lie
/// before `durable`. Checks the checksum of each, their order and the chain. Where sled is damaged the write-ahead log
/// serves. Empty if the call began before the journal does.
pub fn call(log: &Log, call: CallId, pending: &[u64], durable: u64) -> Result<Vec<StoredCommit>, ReadError> {
    let mut gathered = Gathered::new(call, log.volumes.begin() > 0);
    for (volume, span) in log.volumes.of(call) {
        let span = span.start..span.end.min(durable);
        let before = gathered.mark();
        match call_by_index(log, &volume, &span, pending, &mut gathered) {
            Err(damage @ ReadError::Corrupt { .. }) => {
                let damage = log.doubt(volume.first, damage);
                gathered.back_to(before);
                salvaged(log, &span, &mut gathered, damage)?;
            }
            other => other?,
        }
    }
    Ok(gathered.commits)
}

/// The commits of a volume from the write-ahead log; those of all volumes, if these don't join on to what was found before.
fn salvaged(
    log: &Log,
    span: &Range<u64>,
    gathered: &mut Gathered,
    damage: ReadError,
) -> Result<(), ReadError> {
    let before = gathered.mark();
    let mut found = salvage::call(&log.store, span, gathered, &damage);
    if found.is_err() && log.volumes.begin() < span.start {
        gathered.back_to(Mark::default());
        found = salvage::call(&log.store, &(log.volumes.begin()..span.end), gathered, &damage);
    }
    match found? {
        Passed::Over if gathered.mark() == before => Err(damage),
        Passed::Over | Passed::Nothing => Ok(()),
    }
}

fn call_by_index(
    log: &Log,
    volume: &Volume,
    span: &Range<u64>,
    pending: &[u64],
    gathered: &mut Gathered,
) -> Result<(), ReadError> {
    let call = gathered.call;
    let mut records = indexed(&log.volumes.index(volume)?, call)?;
    records.extend(pending);
    let mut fetch = Fetch::new(log);
    for seq in records.range(span.clone()) {
        let record = fetch.frames(*seq)?;
        let record =
            record.ok_or_else(|| ReadError::at_seq(*seq, format!("missing; it holds call {call}")))?;
        let mut there = false;
        frames(*seq, &record, |frame| {
            there |= frame.facts.call == call;
            gathered.take(&frame)
        })?;
        if !there {
            return Err(ReadError::at_seq(
                *seq,
                format!("the index names it for call {call}, which isn't there"),
            ));
        }
    }
    Ok(())
}

/// How many commits of a call the index of a volume and `pending` lead to.
pub fn count(log: &Log, span: &Range<u64>, call: CallId, pending: &[u64]) -> Result<u64, ReadError> {
    let volume = log.volume(span.start)?;
    let mut records = indexed(&log.volumes.index(&volume)?, call)?;
    records.extend(pending);
    let (mut count, mut fetch) = (0, Fetch::new(log));
    for seq in records {
        let missing =
            || ReadError::at_seq(seq, format!("the index names it for call {call}, which isn't there"));
        let (record, before) = (fetch.frames(seq)?.ok_or_else(missing)?, count);
        frames(seq, &record, |frame| {
            frame.sound()?;
            count += u64::from(frame.facts.call == call);
            Ok(())
        })?;
        if count == before {
            return Err(missing());
        }
    }
    Ok(count)
}

/// The commits of one call as they are met, each checked against the one before.
pub struct Gathered {
    call: CallId,
    head: Head,
    /// So far.
    pub commits: Vec<StoredCommit>,
    /// Whether a call may have begun before the journal does.
    may_be_gone: bool,
}

/// How far a call was gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    head: Head,
    commits: usize,
}

impl Default for Mark {
    fn default() -> Self {
        Self { head: Head { version: 0, hash: chain::START }, commits: 0 }
    }
}

impl Gathered {
    /// None yet.
    pub fn new(call: CallId, may_be_gone: bool) -> Self {
        Self { call, head: Mark::default().head, commits: Vec::new(), may_be_gone }
    }

    fn mark(&self) -> Mark {
        Mark { head: self.head, commits: self.commits.len() }
    }

    fn back_to(&mut self, mark: Mark) {
        self.head = mark.head;
        self.commits.truncate(mark.commits);
    }

    /// Takes a frame if it is of this call, and the call did not begin before the journal does.
    pub fn take(&mut self, frame: &Frame<'_>) -> Result<(), ReadError> {
        let is_gone = self.may_be_gone && self.commits.is_empty() && frame.facts.version != 0;
        if frame.facts.call == self.call && !is_gone {
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

/// What the last commit of a call leaves.
#[derive(Debug, Clone, Copy)]
pub struct Last {
    /// The call's head.
    pub head: Head,
    /// Whether the call was released with it.
    pub released: bool,
}

impl Last {
    /// What this frame leaves.
    pub fn of(frame: &Frame<'_>) -> Self {
        let head = Head { version: frame.next_version(), hash: frame.hash };
        Self { head, released: frame.facts.last }
    }
}

/// What the last commit of a call leaves that is in the index altogether. Where sled is damaged the write-ahead log serves.
pub fn last_on_disk(log: &Log, call: CallId) -> Result<Option<Last>, ReadError> {
    for (volume, span) in log.volumes.of(call).iter().rev() {
        let last = match last_by_index(log, volume, call) {
            Err(damage @ ReadError::Corrupt { .. }) => {
                let damage = log.doubt(volume.first, damage);
                salvage::last(&log.store, span, call, &damage)?
            }
            other => other?,
        };
        if last.is_some() {
            return Ok(last);
        }
    }
    Ok(None)
}

fn last_by_index(log: &Log, volume: &Volume, call: CallId) -> Result<Option<Last>, ReadError> {
    match last_indexed(&log.volumes.index(volume)?, call)? {
        Some(seq) => last_in(log, call, seq).map(Some),
        None => Ok(None),
    }
}

/// What the last commit of a call in a record leaves.
pub fn last_in(log: &Log, call: CallId, seq: u64) -> Result<Last, ReadError> {
    let missing = || ReadError::at_seq(seq, format!("the index names it for call {call}, which isn't there"));
    let record = Fetch::new(log).frames(seq)?.ok_or_else(missing)?;
    let mut last = None;
    frames(seq, &record, |frame| {
        if frame.facts.call == call {
            frame.sound()?;
            last = Some(Last::of(&frame));
        }
        Ok(())
    })?;
    last.ok_or_else(missing)
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
        let from = from.max(log.volumes.begin());
        let start = if from < until { log.record_at(from)?.unwrap_or(from) } else { from };
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
