//! One group of commits: placed one after another, to become one record.

use super::log::Log;
use super::queue::Request;
use super::read;
use super::table::{Row, Table};
use crate::append::Ack;
use crate::chain::{self, Link};
use crate::error::{AppendError, ReadError};
use crate::frame::{self, Facts};
use crate::journal::{Head, Position};
use crate::proof::leaf::Leaf;
use callbox_events::CallId;

/// A group being built.
pub struct Group {
    /// Its frames so far.
    frames: Vec<u8>,
    first: u64,
    next: u64,
    acks: Vec<(Ack, Position)>,
    leaves: Vec<Leaf>,
    rows: Vec<Row>,
}

/// What became of a request.
pub enum Placed {
    /// It is answered, or will be with the group.
    Done,
    /// It may have been appended before: to be asked again once the group is durable.
    Later(Request),
}

/// A finished group.
pub struct Finished {
    /// The global sequence number of its first event.
    pub first: u64,
    /// The one behind its last.
    pub end: u64,
    /// Its frames, one after another.
    pub frames: Vec<u8>,
    /// To be resolved once it is durable.
    pub acks: Vec<(Ack, Position)>,
    /// What the tree over the journal says of its commits.
    pub leaves: Vec<Leaf>,
    /// The rows of the index that go with it.
    pub rows: Vec<Row>,
    /// Up to where the index is complete with them, if that is to be kept.
    pub floor: Option<u64>,
}

impl Group {
    /// An empty group after `tail`, in a buffer that was used before.
    pub fn new(tail: u64, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self {
            frames: buffer,
            first: tail,
            next: tail,
            acks: Vec::new(),
            leaves: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// True if nothing has to be written.
    pub fn is_empty(&self) -> bool {
        self.acks.is_empty()
    }

    /// Adds a commit, or answers why not.
    pub fn place(&mut self, request: Request, table: &mut Table, log: &Log) -> Placed {
        let head = match head(table, log, request.facts.call) {
            Ok(head) => head,
            Err(error) => {
                request.ack.resolve(Err(unreadable(&error)));
                return Placed::Done;
            }
        };
        if request.facts.version == head.version {
            self.add(request, &head.hash, table);
            return Placed::Done;
        }
        if request.facts.version > head.version {
            request.ack.resolve(Err(AppendError::Conflict { actual: head.version }));
            return Placed::Done;
        }
        if !self.is_empty() {
            return Placed::Later(request);
        }
        let twin = twin(&request, table, log);
        request.ack.resolve(match twin {
            Ok(Some(position)) => Ok(position),
            Ok(None) => Err(AppendError::Conflict { actual: head.version }),
            Err(error) => Err(unreadable(&error)),
        });
        Placed::Done
    }

    fn add(&mut self, request: Request, previous: &Link, table: &mut Table) {
        let Request { facts, at, payload, ack, opener: _, urgent: _ } = request;
        let hash = chain::link(previous, &payload);
        let seq = self.next;
        frame::write(&mut self.frames, seq, &facts, &hash, &payload);
        self.next = seq + u64::from(facts.events);
        self.rows.extend(table.note(&facts, hash, seq, self.first));
        let Facts { call, version, events, last: _ } = facts;
        self.leaves.push(Leaf { seq, call, version, events, at, link: hash });
        self.acks.push((ack, Position { seq }));
    }

    /// Finishes it, with rows for calls that have become old. An empty group is not written, so it takes no rows along.
    pub fn finish(mut self, table: &mut Table) -> Finished {
        let mut floor = None;
        if !self.is_empty() {
            self.rows.extend(table.sweep(self.next));
            floor = table.rise(self.next);
        }
        let Self { frames, first, next: end, acks, leaves, rows } = self;
        Finished { first, end, frames, acks, leaves, rows, floor }
    }
}

/// The head of a call, with everything that was taken so far.
fn head(table: &Table, log: &Log, call: CallId) -> Result<Head, ReadError> {
    let new = Head { version: 0, hash: chain::START };
    match table.get(call) {
        Some(entry) => Ok(Head { version: entry.version, hash: entry.hash }),
        None if table.is_surely_new(call) => Ok(new),
        None => Ok(read::last_on_disk(log, call)?.map_or(new, |last| last.head)),
    }
}

/// The place of an equal commit that was appended before.
fn twin(request: &Request, table: &Table, log: &Log) -> Result<Option<Position>, ReadError> {
    let Facts { call, version, .. } = request.facts;
    let commits = read::call(log, call, &table.pending(call), u64::MAX)?;
    let Some(stored) = commits.into_iter().find(|stored| stored.commit.version == version) else {
        return Ok(None);
    };
    let asked = request.opener.open(frame::stored(stored.seq, stored.hash, &request.payload, None)?)?;
    let stored = request.opener.open(stored)?;
    Ok((asked.commit == stored.commit).then_some(Position { seq: stored.seq }))
}

fn unreadable(error: &ReadError) -> AppendError {
    AppendError::Unavailable { why: error.to_string() }
}
