//! The reference journal: everything in memory, every rule spelled out, with hooks that let a test play the disk.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callbox_events::CallId;
use callbox_events::schema::{self, Commit, StoredCommit};

use crate::append::{Ack, Append};
use crate::chain;
use crate::error::{AppendError, CloseError, ReadError};
use crate::journal::{CallIds, Caps, Commits, Cursor, Expect, Head, Journal, JournalReader, Position};
use crate::subscription::{Bell, Source, Subscription};

/// The most bytes an encoded commit may have, as in the durable backend.
const MAX_COMMIT_BYTES: usize = 72 * 1024;

/// A journal in memory. Clones share one journal. Acknowledges at once unless a test holds the acks back.
#[derive(Debug, Clone)]
pub struct MemoryJournal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    bell: Arc<Bell>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Durable and acknowledged, in global order.
    commits: Vec<StoredCommit>,
    /// Indexes into `commits`, per call.
    calls: BTreeMap<CallId, Vec<usize>>,
    /// Taken but neither durable nor acknowledged.
    staged: VecDeque<(StoredCommit, Vec<Ack>)>,
    holding: bool,
    full: bool,
    failures: VecDeque<(AppendError, Fate)>,
    closed: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lost,
    Stored,
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::holding_commits(Vec::new())
    }

    fn holding_commits(commits: Vec<StoredCommit>) -> Self {
        let mut inner = Inner::default();
        for commit in commits {
            inner.keep(commit);
        }
        let bell = Arc::new(Bell::new(inner.tail()));
        Self { shared: Arc::new(Shared { inner: Mutex::new(inner), bell }) }
    }

    /// Test hook: from now on commits wait un-acknowledged (and are not readable) until released.
    pub fn hold_acks(&self) {
        self.lock().holding = true;
    }

    /// How many commits wait un-acknowledged.
    #[must_use]
    pub fn held(&self) -> usize {
        self.lock().staged.len()
    }

    /// Test hook: makes the oldest `count` waiting commits durable and acknowledges them.
    pub fn release(&self, count: usize) {
        let mut acks = Vec::new();
        let mut inner = self.lock();
        for _ in 0..count {
            let Some((stored, waiting)) = inner.staged.pop_front() else { break };
            let position = Position { seq: stored.seq };
            acks.extend(waiting.into_iter().map(|ack| (ack, position)));
            inner.keep(stored);
        }
        let tail = inner.tail();
        drop(inner);
        self.shared.bell.ring(tail);
        acks.into_iter().for_each(|(ack, position)| ack.resolve(Ok(position)));
    }

    /// Test hook: releases everything that waits and acknowledges at once again.
    pub fn release_all(&self) {
        self.lock().holding = false;
        self.release(usize::MAX);
    }

    /// Test hook: the disk is full, or no longer so. Like a durable journal on such a disk it refuses new calls then, and
    /// lets the commits of running ones wait for room.
    pub fn fill(&self, full: bool) {
        self.lock().full = full;
        if !full {
            self.release(usize::MAX);
        }
    }

    /// Test hook: the next append is answered with `error` and leaves no trace.
    pub fn fail_next(&self, error: AppendError) {
        self.lock().failures.push_back((error, Fate::Lost));
    }

    /// Test hook: the next append is answered with `error` although it is stored, as when an answer gets lost.
    pub fn store_but_fail_next(&self, error: AppendError) {
        self.lock().failures.push_back((error, Fate::Stored));
    }

    /// Test hook: the process dies. Of the un-acknowledged commits the oldest `kept` had reached the disk; the others
    /// are gone. Whoever waits learns [`AppendError::Unknown`]; this journal is unavailable from now on, and what a
    /// restart would find is returned.
    #[must_use]
    pub fn crash(&self, kept: usize) -> Self {
        let mut inner = self.lock();
        inner.closed = Some("it crashed");
        let mut commits = inner.commits.clone();
        commits.extend(inner.staged.drain(..).take(kept).map(|(stored, _)| stored));
        drop(inner);
        self.shared.bell.close();
        Self::holding_commits(commits)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.shared.lock()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn tail(&self) -> Cursor {
        self.commits.last().map_or(Cursor::START, Cursor::after)
    }

    fn keep(&mut self, stored: StoredCommit) {
        self.calls.entry(stored.commit.call).or_default().push(self.commits.len());
        self.commits.push(stored);
    }

    /// Commits of a call, durable and then staged.
    fn of_call(&self, call: CallId) -> impl DoubleEndedIterator<Item = &StoredCommit> {
        let durable =
            self.calls.get(&call).into_iter().flatten().filter_map(|index| self.commits.get(*index));
        durable.chain(self.staged.iter().map(|(stored, _)| stored).filter(move |s| s.commit.call == call))
    }

    /// The commit in its place, if it may be appended; the place of its twin, if it was appended before.
    fn place(&self, commit: Commit, expect: Expect) -> Result<Placed, AppendError> {
        check(&commit, expect)?;
        let encoded = schema::encode(&commit).map_err(|e| AppendError::Malformed { why: e.to_string() })?;
        if encoded.len() > MAX_COMMIT_BYTES {
            return Err(AppendError::TooLarge { bytes: encoded.len(), limit: MAX_COMMIT_BYTES });
        }
        let head = self.of_call(commit.call).next_back();
        let (actual, previous) = head.map_or((0, chain::START), |last| (end_of(last), last.hash));
        if commit.version == actual {
            let last = self.staged.back().map(|(stored, _)| stored).or(self.commits.last());
            let seq = last.map_or(Cursor::START, Cursor::after).seq();
            let hash = chain::link(&previous, &encoded);
            return Ok(Placed::Next(Box::new(StoredCommit::plain(seq, hash, commit))));
        }
        match self.of_call(commit.call).find(|stored| stored.commit == commit) {
            Some(twin) => Ok(Placed::Twin(Position { seq: twin.seq })),
            None => Err(AppendError::Conflict { actual }),
        }
    }
}

enum Placed {
    Next(Box<StoredCommit>),
    Twin(Position),
}

/// The rules every backend checks before it looks at the call.
pub(crate) fn check(commit: &Commit, expect: Expect) -> Result<(), AppendError> {
    if commit.events.is_empty() {
        return Err(AppendError::Malformed { why: "it has no events".into() });
    }
    if commit.version != expect.version() {
        let why = format!("its version is {}, but {} is expected", commit.version, expect.version());
        return Err(AppendError::Malformed { why });
    }
    Ok(())
}

fn end_of(stored: &StoredCommit) -> u64 {
    stored.commit.next_version()
}

impl Journal for MemoryJournal {
    fn append(&self, commit: Commit, expect: Expect) -> Append {
        let mut inner = self.lock();
        if let Some(why) = inner.closed {
            return Append::known(Err(AppendError::Unavailable { why: why.into() }));
        }
        if inner.full && commit.version == 0 {
            return Append::known(Err(AppendError::Full));
        }
        let failure = inner.failures.pop_front();
        if let Some((error, Fate::Lost)) = failure {
            return Append::known(Err(error));
        }
        let (ack, append) = Append::pending();
        match inner.place(commit, expect) {
            Err(error) => return Append::known(Err(error)),
            Ok(Placed::Next(stored)) => inner.staged.push_back((*stored, vec![ack])),
            Ok(Placed::Twin(position)) => {
                match inner.staged.iter_mut().find(|(stored, _)| stored.seq == position.seq) {
                    Some((_, acks)) => acks.push(ack),
                    None => ack.resolve(Ok(position)),
                }
            }
        }
        let holding = inner.holding || inner.full;
        drop(inner);
        if !holding {
            self.release(usize::MAX);
        }
        match failure {
            Some((error, _)) => Append::known(Err(error)),
            None => append,
        }
    }

    fn caps(&self) -> Caps {
        Caps { backend: "memory", durable: false, max_commit_bytes: MAX_COMMIT_BYTES, shards: 1 }
    }

    fn refusal(&self) -> Option<AppendError> {
        let inner = self.lock();
        let closed = inner.closed.map(|why| AppendError::Unavailable { why: why.into() });
        closed.or(inner.full.then_some(AppendError::Full))
    }

    fn close(&self) -> Result<(), CloseError> {
        self.release_all();
        self.lock().closed.get_or_insert("it is closed");
        self.shared.bell.close();
        Ok(())
    }
}

impl JournalReader for MemoryJournal {
    fn read(&self, call: CallId) -> Result<Vec<StoredCommit>, ReadError> {
        let inner = self.lock();
        let indexes = inner.calls.get(&call).into_iter().flatten();
        Ok(indexes.filter_map(|index| inner.commits.get(*index)).cloned().collect())
    }

    fn read_all(&self, from: Cursor) -> Result<Commits<'_>, ReadError> {
        let tail = self.tail()?;
        if from > tail {
            return Err(ReadError::Beyond { wanted: from.seq(), tail: tail.seq() });
        }
        Ok(Box::new(self.shared.batch(from, usize::MAX)?.into_iter().map(Ok)))
    }

    fn calls(&self) -> Result<CallIds<'_>, ReadError> {
        let calls: Vec<CallId> = self.lock().calls.keys().copied().collect();
        Ok(Box::new(calls.into_iter().map(Ok)))
    }

    fn tail(&self) -> Result<Cursor, ReadError> {
        Ok(self.lock().tail())
    }

    fn subscribe(&self, from: Cursor) -> Result<Subscription, ReadError> {
        let tail = self.tail()?;
        if from > tail {
            return Err(ReadError::Beyond { wanted: from.seq(), tail: tail.seq() });
        }
        let source: Arc<dyn Source> = Arc::<Shared>::clone(&self.shared);
        Ok(Subscription::new(source, Arc::clone(&self.shared.bell), from))
    }

    fn head(&self, call: CallId) -> Result<Option<Head>, ReadError> {
        let inner = self.lock();
        let last = inner.calls.get(&call).and_then(|indexes| inner.commits.get(*indexes.last()?));
        Ok(last.map(|last| Head { version: end_of(last), hash: last.hash }))
    }
}

impl Source for Shared {
    fn batch(&self, from: Cursor, limit: usize) -> Result<Vec<StoredCommit>, ReadError> {
        let inner = self.lock();
        let first = inner.commits.partition_point(|stored| Cursor::after(stored) <= from);
        Ok(inner.commits.iter().skip(first).take(limit).cloned().collect())
    }
}
