//! The journal as the engine and the tools see it, whatever keeps it.

use std::sync::{Arc, Weak};

use callbox_events::CallId;
use callbox_events::schema::{Commit, StoredCommit};

use crate::append::Append;
use crate::chain::Link;
use crate::erasable::CallKeys;
use crate::error::{AppendError, CloseError, ReadError};
use crate::proof::beat::Liveness;
use crate::retention::pruned::Pruned;
use crate::subscription::Subscription;

/// What an append takes to be true of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expect {
    /// The call is unknown so far; the commit's version is 0.
    New,
    /// The call has this many events; the commit's version is the same number.
    At(u64),
}

impl Expect {
    /// What a commit of this version expects: the usual case.
    #[must_use]
    pub fn of(commit: &Commit) -> Self {
        if commit.version == 0 { Self::New } else { Self::At(commit.version) }
    }

    /// The expected version; 0 is an unknown call.
    #[must_use]
    pub fn version(self) -> u64 {
        match self {
            Self::New => 0,
            Self::At(version) => version,
        }
    }
}

/// Where a commit stands in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Global sequence number of the commit's first event.
    pub seq: u64,
}

/// The end of one call's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    /// How many events the call has: the version of its next commit.
    pub version: u64,
    /// The newest link of its chain.
    pub hash: Link,
}

impl Head {
    /// The end of a record whose newest commit is this one.
    #[must_use]
    pub fn after(last: &StoredCommit) -> Self {
        Self { version: last.commit.next_version(), hash: last.hash }
    }
}

/// A place to read on from. Opaque to most; a backend with several shards would keep one number per shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cursor(u64);

impl Cursor {
    /// The beginning of the journal.
    pub const START: Self = Self(0);

    /// Wants the event with this global sequence number next. A commit that contains it in its middle is given whole.
    #[must_use]
    pub const fn at(seq: u64) -> Self {
        Self(seq)
    }

    /// The global sequence number wanted next.
    #[must_use]
    pub const fn seq(self) -> u64 {
        self.0
    }

    /// The place behind this commit.
    #[must_use]
    pub fn after(commit: &StoredCommit) -> Self {
        Self(commit.seq + commit.commit.events.len() as u64)
    }
}

/// What a backend can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// The backend's name.
    pub backend: &'static str,
    /// True if an acknowledged commit survives the loss of power.
    pub durable: bool,
    /// The most bytes an encoded commit may have.
    pub max_commit_bytes: usize,
    /// The number of independent orders; global sequence numbers are total within one.
    pub shards: u16,
}

/// Commits in global order.
pub type Commits<'a> = Box<dyn Iterator<Item = Result<StoredCommit, ReadError>> + Send + 'a>;

/// Calls in the order of their ids, which is the order of their starts.
pub type CallIds<'a> = Box<dyn Iterator<Item = Result<CallId, ReadError>> + Send + 'a>;

/// The reading half: what tools need. Shows durable commits only.
pub trait JournalReader: Send + Sync {
    /// All commits of one call in order; empty for an unknown call.
    ///
    /// # Errors
    /// [`ReadError`].
    fn read(&self, call: CallId) -> Result<Vec<StoredCommit>, ReadError>;

    /// All commits from a place to the end as it is now, in global order.
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::Beyond`] for a cursor behind the tail. After an error item the iterator ends.
    fn read_all(&self, from: Cursor) -> Result<Commits<'_>, ReadError>;

    /// Every call, by the order of ids.
    ///
    /// # Errors
    /// [`ReadError`].
    fn calls(&self) -> Result<CallIds<'_>, ReadError>;

    /// What was removed from the beginning, if anything was. What is left begins there.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] if it can't be asked for.
    fn pruned(&self) -> Result<Option<Pruned>, ReadError> {
        Ok(None)
    }

    /// The first place that is kept: what was recorded before has been removed. Calls that began before it are gone: they
    /// are neither listed nor read, and [`read_all`](Self::read_all) from an earlier place begins here.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] if it can't be asked for.
    fn begins(&self) -> Result<Cursor, ReadError> {
        Ok(self.pruned()?.map_or(Cursor::START, |pruned| pruned.begins()))
    }

    /// The place behind the last durable commit.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] if it can't be asked for.
    fn tail(&self) -> Result<Cursor, ReadError>;

    /// Follows the journal from a place: what is there already, then what comes, without gap or repetition.
    /// Over a journal that nobody writes to it ends once everything has been given.
    ///
    /// # Errors
    /// [`ReadError::Beyond`] for a cursor behind the tail.
    fn subscribe(&self, from: Cursor) -> Result<Subscription, ReadError>;

    /// What opens the sealed commits of an erasable journal, to be handed on with them; `None` for any other.
    fn call_keys(&self) -> Option<Arc<dyn CallKeys>> {
        None
    }

    /// The end of a call's record; `None` for an unknown call.
    ///
    /// # Errors
    /// [`ReadError`].
    fn head(&self, call: CallId) -> Result<Option<Head>, ReadError> {
        Ok(self.read(call)?.last().map(Head::after))
    }

    /// The call that started last.
    ///
    /// # Errors
    /// [`ReadError`].
    fn latest(&self) -> Result<Option<CallId>, ReadError> {
        self.calls()?.last().transpose()
    }
}

/// The journal an engine writes to.
///
/// Appends of one caller are taken in the order they were handed over; a commit may be handed over while its
/// predecessor is not acknowledged yet.
pub trait Journal: JournalReader {
    /// Hands a commit over. Returns at once; the [`Append`] resolves when the commit is durable.
    ///
    /// Repeating an append of equal content returns the first one's position, at any later time.
    fn append(&self, commit: Commit, expect: Expect) -> Append;

    /// What this backend can do.
    fn caps(&self) -> Caps;

    /// Asks for a beat of `liveness` in every checkpoint from now on, as long as it lives. Does nothing in a journal
    /// that makes no checkpoints.
    fn attend(&self, liveness: Weak<dyn Liveness>) {
        let _ = liveness;
    }

    /// Makes a checkpoint now instead of at the next interval, if this journal makes any. Blocks until it is durable.
    fn checkpoint(&self) {}

    /// Why new calls are refused now: it is closed, a write failed, or the disk is full, which may pass. `None` while it
    /// takes them.
    fn refusal(&self) -> Option<AppendError>;

    /// Writes what waits, then stops: later appends are [`AppendError::Unavailable`],
    /// subscriptions end. Idempotent.
    ///
    /// # Errors
    /// [`CloseError`] if something that waited could not be written.
    fn close(&self) -> Result<(), CloseError>;
}
