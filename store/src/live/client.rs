//! The asking half.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Weak};
use std::thread;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use super::order::{Ascending, OneCall, unexpected};
use super::protocol::{self, Document, NotUnderstood, Reply, Request};
use super::{Connect, Raw};
use crate::erasable::receipt::{self, Receipt};
use crate::error::ReadError;
use crate::frame;
use crate::journal::{CallIds, Commits, Cursor, Head, JournalReader};
use crate::proof::audit::Kept;
use crate::proof::entries::Entries;
use crate::proof::note::Note;
use crate::retention::pruned::{NotPruned, Pruned};
use crate::subscription::{Bell, Source, Subscription};

/// The bytes of a document, at most: some millions of checkpoints.
const MAX_DOCUMENT: u64 = 4 * 1024 * 1024 * 1024;

/// The bytes of what was pruned, at most: 64 hashes and some lines.
const MAX_PRUNED: u64 = 64 * 1024;

const OTHER: &str = "another kind of reply";

/// Reads a journal through the process that writes it. Each request is a question of its own.
///
/// The other end is not trusted: whatever it sends, memory stays bounded, an answer that breaks off is an error, and what is
/// out of order is refused. Whether the commits are genuine is for [`verify`](mod@crate::verify) to say.
#[derive(Debug, Clone)]
pub struct LiveReader {
    way: Arc<dyn Connect>,
}

/// The answers to one request.
struct Replies {
    input: BufReader<Box<dyn Read + Send>>,
    done: bool,
}

impl LiveReader {
    /// Asks once, to see whether somebody answers.
    ///
    /// # Errors
    /// What [`Connect::ask`] says; [`NotUnderstood`] inside if what answers is something else.
    pub fn open(way: impl Connect + 'static) -> io::Result<Self> {
        let reader = Self { way: Arc::new(way) };
        reader.ask(Request::Tail)?;
        Ok(reader)
    }

    /// The checkpoints that the store keeps now, in the order they were written: as [`seal::kept`](crate::seal::kept) reads
    /// them beside it. They are fetched whole before the first is given.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn kept(&self) -> Result<Kept<'static>, ReadError> {
        let local = |error: io::Error| ReadError::Unavailable {
            why: format!("the checkpoints can't be put aside in a temporary file: {error}"),
        };
        let mut file = tempfile::tempfile().map_err(local)?;
        self.fetch(Document::Checkpoints, MAX_DOCUMENT, |piece| file.write_all(piece).map_err(local))?;
        file.seek(SeekFrom::Start(0)).map_err(local)?;
        Ok(Box::new(Entries::of(BufReader::new(file))))
    }

    /// Hands over the pieces of a document, of `most` bytes at most.
    fn fetch(
        &self,
        document: Document,
        most: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut length = 0;
        for reply in self.replies(Request::Document(document))? {
            let piece = piece(reply)?;
            length += piece.len() as u64;
            if length > most {
                return Err(unexpected("more of a document than there can be"));
            }
            take(&piece)?;
        }
        Ok(())
    }

    fn ask(&self, request: Request) -> io::Result<Replies> {
        let answer = self.way.ask(&request.question()?)?;
        let mut input = BufReader::with_capacity(64 * 1024, answer);
        protocol::greeted(&mut input)?;
        Ok(Replies { input, done: false })
    }

    fn replies(&self, request: Request) -> Result<Replies, ReadError> {
        self.ask(request).map_err(|error| gone(&error))
    }

    /// Has the process that writes erase a party.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] with the reason why it did not.
    pub fn erase(&self, party: u32, calls: u64, commits: u64) -> Result<receipt::Kept, ReadError> {
        let Some(Reply::Receipt(note)) = self.one(Request::Erase(party, calls, commits))? else {
            return Err(unexpected(OTHER));
        };
        let note = Note::parse(&note).ok();
        let kept = note.and_then(|note| Some(receipt::Kept { receipt: Receipt::parse(note.text())?, note }));
        kept.ok_or_else(|| unexpected("a receipt that is none"))
    }

    /// The one reply to a question that has at most one.
    fn one(&self, request: Request) -> Result<Option<Reply>, ReadError> {
        let mut replies = self.replies(request)?;
        let first = replies.next().transpose()?;
        if first.is_some() && replies.next().transpose()?.is_some() {
            return Err(unexpected("more than was asked for"));
        }
        Ok(first)
    }
}

/// There is no answer.
fn gone(error: &io::Error) -> ReadError {
    match NotUnderstood::of(error) {
        Some(what) => unexpected(&what.to_string()),
        None => ReadError::Interrupted { why: format!("it doesn't answer: {error}") },
    }
}

/// In the middle of an answer.
fn broken_off(error: &io::Error) -> ReadError {
    match NotUnderstood::of(error) {
        Some(what) => unexpected(&what.to_string()),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            ReadError::Interrupted { why: "its answer ends in the middle".into() }
        }
        None => ReadError::Interrupted { why: error.to_string() },
    }
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
                Some(Err(broken_off(&error)))
            }
        }
    }
}

fn raw(reply: Result<Reply, ReadError>) -> Result<Raw, ReadError> {
    let Reply::Commit(raw) = reply? else { return Err(unexpected(OTHER)) };
    Ok(raw)
}

fn call(reply: Result<Reply, ReadError>) -> Result<CallId, ReadError> {
    let Reply::Call(call) = reply? else { return Err(unexpected(OTHER)) };
    Ok(call)
}

fn cursor(reply: Result<Reply, ReadError>) -> Result<Cursor, ReadError> {
    let Reply::Cursor(cursor) = reply? else { return Err(unexpected(OTHER)) };
    Ok(cursor)
}

fn head(reply: Result<Reply, ReadError>) -> Result<Head, ReadError> {
    let Reply::Head(head) = reply? else { return Err(unexpected(OTHER)) };
    Ok(head)
}

fn piece(reply: Result<Reply, ReadError>) -> Result<Vec<u8>, ReadError> {
    let Reply::Piece(piece) = reply? else { return Err(unexpected(OTHER)) };
    Ok(piece)
}

fn decoded(raw: &Raw) -> Result<StoredCommit, ReadError> {
    frame::stored(raw.seq, raw.hash, &raw.payload, None)
}

impl JournalReader for LiveReader {
    fn read(&self, call: CallId) -> Result<Vec<StoredCommit>, ReadError> {
        let (mut order, mut one) = (Ascending::from(Cursor::START), OneCall::new(call));
        let take = |reply| {
            let raw = raw(reply)?;
            order.take(one.take(decoded(&raw)?, raw.payload.len())?)
        };
        self.replies(Request::Read(call))?.map(take).collect()
    }

    fn read_all(&self, from: Cursor) -> Result<Commits<'_>, ReadError> {
        let mut replies = self.replies(Request::ReadAll(from, 0))?.peekable();
        // A refusal belongs to the request, not to the first commit.
        if let Some(Err(error)) = replies.next_if(Result::is_err) {
            return Err(error);
        }
        let mut order = Ascending::from(from);
        let mut broken = false;
        Ok(Box::new(replies.map_while(move |reply| {
            if broken {
                return None;
            }
            let taken = raw(reply).and_then(|raw| order.take(decoded(&raw)?));
            broken = taken.is_err();
            Some(taken)
        })))
    }

    fn calls(&self) -> Result<CallIds<'_>, ReadError> {
        Ok(Box::new(self.replies(Request::Calls)?.map(call)))
    }

    fn pruned(&self) -> Result<Option<Pruned>, ReadError> {
        let mut bytes = Vec::new();
        self.fetch(Document::Pruned, MAX_PRUNED, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&bytes);
        text.parse().map(Some).map_err(|error: NotPruned| Pruned::damaged(&error))
    }

    fn tail(&self) -> Result<Cursor, ReadError> {
        match self.one(Request::Tail)? {
            Some(reply) => cursor(Ok(reply)),
            None => Err(unexpected("nothing")),
        }
    }

    fn head(&self, call: CallId) -> Result<Option<Head>, ReadError> {
        self.one(Request::Head(call))?.map(|reply| head(Ok(reply))).transpose()
    }

    fn latest(&self) -> Result<Option<CallId>, ReadError> {
        self.one(Request::Latest)?.map(|reply| call(Ok(reply))).transpose()
    }

    fn subscribe(&self, from: Cursor) -> Result<Subscription, ReadError> {
        let tail = self.tail()?;
        if from > tail {
            return Err(ReadError::Beyond { wanted: from.seq(), tail: tail.seq() });
        }
        let begins = self.begins()?;
        if begins > tail {
            return Err(unexpected("a beginning behind its end"));
        }
        let from = from.max(begins);
        let bell = Arc::new(Bell::new(tail));
        let watched = self.replies(Request::Watch(tail))?;
        let ring = Arc::downgrade(&bell);
        let thread = thread::Builder::new().name("callbox-watch".into());
        thread.spawn(move || watch(watched, &ring)).map_err(|error| gone(&error))?;
        Ok(Subscription::new(Arc::new(self.clone()), bell, from))
    }
}

/// Rings until the journal closes or nobody listens any more, which is seen at the next heartbeat. A connection that breaks
/// off is not the end of the journal, and is told as what it is.
fn watch(replies: Replies, ring: &Weak<Bell>) {
    for reply in replies {
        let Some(bell) = ring.upgrade() else { return };
        match cursor(reply) {
            Ok(tail) => bell.ring(tail),
            Err(error) => return bell.fail(error),
        }
    }
    if let Some(bell) = ring.upgrade() {
        bell.close();
    }
}

impl Source for LiveReader {
    fn batch(&self, from: Cursor, limit: usize) -> Result<Vec<StoredCommit>, ReadError> {
        let asked = u32::try_from(limit).unwrap_or(u32::MAX);
        let mut order = Ascending::from(from);
        let replies = self.replies(Request::ReadAll(from, asked))?;
        let commits = replies.map(|reply| raw(reply).and_then(|raw| order.take(decoded(&raw)?)));
        let commits: Vec<_> = commits.take(limit.saturating_add(1)).collect::<Result<_, _>>()?;
        // Asked for only where the other end said that there is more: an empty answer would be asked for again, for ever.
        if commits.is_empty() || commits.len() > limit {
            return Err(unexpected("not as many commits as it said"));
        }
        Ok(commits)
    }
}
