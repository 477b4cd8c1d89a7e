//! The asking half.

use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use super::protocol::{self, Reply, Request};
use super::{Raw, socket};
use crate::error::ReadError;
use crate::frame;
use crate::journal::{CallIds, Commits, Cursor, Head, JournalReader};
use crate::subscription::{Bell, Source, Subscription};

/// Reads a journal through the process that writes it. Each request has a connection of its own.
#[derive(Debug, Clone)]
pub struct LiveReader {
    store: PathBuf,
}

/// The answers to one request.
struct Replies {
    input: BufReader<UnixStream>,
    done: bool,
}

impl LiveReader {
    /// Connects once, to see whether somebody answers.
    ///
    /// # Errors
    /// The system's; `InvalidData` if what answers is something else.
    pub fn open(store: &Path) -> io::Result<Self> {
        let reader = Self { store: store.to_owned() };
        reader.ask(Request::Tail)?;
        Ok(reader)
    }

    fn ask(&self, request: Request) -> io::Result<Replies> {
        let mut stream = socket::connect(&self.store)?;
        protocol::greet(&mut stream)?;
        let mut input = BufReader::with_capacity(64 * 1024, stream);
        protocol::greeted(&mut input)?;
        request.write(input.get_mut())?;
        Ok(Replies { input, done: false })
    }

    fn replies(&self, request: Request) -> Result<Replies, ReadError> {
        self.ask(request).map_err(|error| gone(&error))
    }

    fn one(&self, request: Request) -> Result<Option<Reply>, ReadError> {
        let mut replies = self.replies(request)?;
        let first = replies.next().transpose()?;
        if first.is_some() {
            // The end, or why there is none.
            replies.next().transpose()?;
        }
        Ok(first)
    }
}

fn gone(error: &io::Error) -> ReadError {
    ReadError::Unavailable { why: format!("the process that writes the journal doesn't answer: {error}") }
}

fn unexpected() -> ReadError {
    ReadError::Unavailable { why: "the process that writes the journal answered something else".into() }
}

impl Iterator for Replies {
    type Item = Result<Reply, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        match Reply::read(&mut self.input) {
            Ok(Reply::End) => {
                self.done = true;
                None
            }
            Ok(Reply::Failed(error)) => {
                self.done = true;
                Some(Err(error))
            }
            Ok(reply) => Some(Ok(reply)),
            Err(error) => {
                self.done = true;
                Some(Err(gone(&error)))
            }
        }
    }
}

fn commit(reply: Result<Reply, ReadError>) -> Result<StoredCommit, ReadError> {
    match reply? {
        Reply::Commit(Raw { seq, hash, payload }) => frame::stored(seq, hash, &payload, None),
        Reply::Call(_) | Reply::Cursor(_) | Reply::Head(_) | Reply::End | Reply::Failed(_) => {
            Err(unexpected())
        }
    }
}

fn call(reply: Result<Reply, ReadError>) -> Result<CallId, ReadError> {
    match reply? {
        Reply::Call(call) => Ok(call),
        Reply::Commit(_) | Reply::Cursor(_) | Reply::Head(_) | Reply::End | Reply::Failed(_) => {
            Err(unexpected())
        }
    }
}

fn cursor(reply: Result<Reply, ReadError>) -> Result<Cursor, ReadError> {
    match reply? {
        Reply::Cursor(cursor) => Ok(cursor),
        Reply::Commit(_) | Reply::Call(_) | Reply::Head(_) | Reply::End | Reply::Failed(_) => {
            Err(unexpected())
        }
    }
}

impl JournalReader for LiveReader {
    fn read(&self, call: CallId) -> Result<Vec<StoredCommit>, ReadError> {
        self.replies(Request::Read(call))?.map(commit).collect()
    }

    fn read_all(&self, from: Cursor) -> Result<Commits<'_>, ReadError> {
        let mut replies = self.replies(Request::ReadAll(from, 0))?.peekable();
        // A refusal belongs to the request, not to the first commit.
        if let Some(Err(error)) = replies.next_if(Result::is_err) {
            return Err(error);
        }
        Ok(Box::new(replies.map(commit)))
    }

    fn calls(&self) -> Result<CallIds<'_>, ReadError> {
        Ok(Box::new(self.replies(Request::Calls)?.map(call)))
    }

    fn tail(&self) -> Result<Cursor, ReadError> {
        self.one(Request::Tail)?.map_or_else(|| Err(unexpected()), |reply| cursor(Ok(reply)))
    }

    fn head(&self, call: CallId) -> Result<Option<Head>, ReadError> {
        match self.one(Request::Head(call))? {
            None => Ok(None),
            Some(Reply::Head(head)) => Ok(Some(head)),
            Some(Reply::Commit(_) | Reply::Call(_) | Reply::Cursor(_) | Reply::End | Reply::Failed(_)) => {
                Err(unexpected())
            }
        }
    }

    fn latest(&self) -> Result<Option<CallId>, ReadError> {
        self.one(Request::Latest)?.map(|reply| call(Ok(reply))).transpose()
    }

    fn subscribe(&self, from: Cursor) -> Result<Subscription, ReadError> {
        let tail = self.tail()?;
        if from > tail {
            return Err(ReadError::Beyond { wanted: from.seq(), tail: tail.seq() });
        }
        let bell = Arc::new(Bell::new(tail));
        let watched = self.replies(Request::Watch(tail))?;
        let ring = Arc::downgrade(&bell);
        let thread = thread::Builder::new().name("callbox-watch".into());
        thread.spawn(move || watch(watched, &ring)).map_err(|error| gone(&error))?;
        Ok(Subscription::new(Arc::new(self.clone()), bell, from))
    }
}

/// Rings until the journal closes or nobody listens any more, which is seen at the next heartbeat.
fn watch(replies: Replies, ring: &Weak<Bell>) {
    for reply in replies {
        let (Ok(tail), Some(bell)) = (cursor(reply), ring.upgrade()) else { break };
        bell.ring(tail);
    }
    if let Some(bell) = ring.upgrade() {
        bell.close();
    }
}

impl Source for LiveReader {
    fn batch(&self, from: Cursor, limit: usize) -> Result<Vec<StoredCommit>, ReadError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.replies(Request::ReadAll(from, limit))?.map(commit).collect()
    }
}
