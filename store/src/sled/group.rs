//! One group of commits: placed, packed into chunks, turned into one batch.

use callbox_events::CallId;

use super::queue::Request;
use super::read;
use super::table::{Row, Table};
use super::tree::{Batch, Tree};
use crate::append::Ack;
use crate::chain::{self, Link};
use crate::error::{AppendError, ReadError};
use crate::frame::{self, Facts};
use crate::journal::{Head, Position};
use crate::keys;

/// The most bytes of a chunk, and of a part of a larger frame.
pub const CHUNK_BYTES: usize = 4096;

/// A group being built.
pub struct Group {
    batch: Batch,
    chunk: Vec<u8>,
    chunk_seq: u64,
    next: u64,
    acks: Vec<(Ack, Position)>,
    rowed: Vec<CallId>,
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
    /// To be applied.
    pub batch: Batch,
    /// To be resolved once that is durable.
    pub acks: Vec<(Ack, Position)>,
    /// The calls whose rows are in the batch.
    pub rowed: Vec<CallId>,
    /// The global sequence number behind it.
    pub tail: u64,
}

impl Group {
    /// An empty group after `tail`.
    pub fn new(tail: u64) -> Self {
        Self {
            batch: Batch::default(),
            chunk: Vec::with_capacity(CHUNK_BYTES),
            chunk_seq: tail,
            next: tail,
            acks: Vec::new(),
            rowed: Vec::new(),
        }
    }

    /// True if nothing has to be written.
    pub fn is_empty(&self) -> bool {
        self.acks.is_empty()
    }

    /// Adds a commit, or answers why not.
    pub fn place(&mut self, request: Request, table: &mut Table, tree: &Tree) -> Placed {
        let head = match head(table, tree, request.facts.call) {
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
        let twin = twin(&request, table, tree);
        request.ack.resolve(match twin {
            Ok(Some(position)) => Ok(position),
            Ok(None) => Err(AppendError::Conflict { actual: head.version }),
            Err(error) => Err(unreadable(&error)),
        });
        Placed::Done
    }

    fn add(&mut self, request: Request, previous: &Link, table: &mut Table) {
        let Request { facts, payload, ack, urgent: _ } = request;
        let hash = chain::link(previous, &payload);
        let seq = self.next;
        if !self.chunk.is_empty() && self.chunk.len() + frame::HEADER_BYTES + payload.len() > CHUNK_BYTES {
            self.seal();
        }
        frame::write(&mut self.chunk, seq, &facts, &hash, &payload);
        self.next = seq + u64::from(facts.events);
        if let Some(row) = table.note(&facts, hash, seq, self.chunk_seq) {
            self.put(&row);
        }
        self.acks.push((ack, Position { seq }));
    }

    fn put(&mut self, row: &Row) {
        self.batch.put(&row.key, &row.value);
        self.rowed.push(row.call);
    }

    /// Puts the chunk into the batch and begins the next.
    fn seal(&mut self) {
        let (first, rest) = self.chunk.split_at(self.chunk.len().min(CHUNK_BYTES));
        if !first.is_empty() {
            self.batch.put(&keys::chunk(self.chunk_seq), first);
        }
        for (number, part) in (1u16..).zip(rest.chunks(CHUNK_BYTES)) {
            self.batch.put(&keys::part(self.chunk_seq, number), part);
        }
        self.chunk.clear();
        self.chunk_seq = self.next;
    }

    /// Seals it, with rows for calls that have become old. An empty group is not written, so it takes no rows along.
    pub fn finish(mut self, table: &mut Table) -> Finished {
        if !self.is_empty() {
            self.seal();
            for row in table.sweep(self.next) {
                self.put(&row);
            }
            if let Some(floor) = table.rise(self.next) {
                self.batch.put(keys::FLOOR, &floor.to_be_bytes());
            }
        }
        Finished { batch: self.batch, acks: self.acks, rowed: self.rowed, tail: self.next }
    }
}

/// The head of a call, with everything that was taken so far.
fn head(table: &Table, tree: &Tree, call: CallId) -> Result<Head, ReadError> {
    let new = Head { version: 0, hash: chain::START };
    match table.get(call) {
        Some(entry) => Ok(Head { version: entry.version, hash: entry.hash }),
        None if table.is_surely_new(call) => Ok(new),
        None => Ok(read::head_on_disk(tree, call)?.unwrap_or(new)),
    }
}

/// The place of an equal commit that was appended before.
fn twin(request: &Request, table: &Table, tree: &Tree) -> Result<Option<Position>, ReadError> {
    let Facts { call, version, .. } = request.facts;
    let commits = read::call(tree, call, &table.pending(call), u64::MAX)?;
    let Some(stored) = commits.into_iter().find(|stored| stored.commit.version == version) else {
        return Ok(None);
    };
    let asked = frame::stored(stored.seq, stored.hash, &request.payload, None)?;
    Ok((asked.commit == stored.commit).then_some(Position { seq: stored.seq }))
}

fn unreadable(error: &ReadError) -> AppendError {
    AppendError::Unavailable { why: error.to_string() }
}
