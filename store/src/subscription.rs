//! Following a journal: catch up, then live.
//!
//! A subscription *pulls*: it remembers where it is, reads the next few commits from the journal, and sleeps on a
//! [`Bell`] when there are none. The writer only rings. So a slow subscriber costs the writer nothing, its memory is
//! bounded by one small batch, and the step from catching up to live can neither skip nor repeat a commit.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use callbox_events::schema::StoredCommit;
use futures::Stream;

use crate::error::ReadError;
use crate::journal::Cursor;

/// How many commits a subscription reads at once.
const BATCH: usize = 64;

/// Where a subscription reads from.
pub trait Source: Send + Sync {
    /// Up to `limit` durable commits from `from` on; empty if there are none yet.
    ///
    /// # Errors
    /// [`ReadError`].
    fn batch(&self, from: Cursor, limit: usize) -> Result<Vec<StoredCommit>, ReadError>;
}

/// Tells subscriptions that the journal has grown or was closed.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<Rung>,
    changed: Condvar,
    next_key: AtomicU64,
}

#[derive(Debug, Default)]
struct Rung {
    tail: u64,
    closed: bool,
    failed: Option<ReadError>,
    sleeping: HashMap<u64, Waker>,
    blocked: usize,
}

impl Bell {
    /// A bell for a journal that ends at `tail`.
    #[must_use]
    pub fn new(tail: Cursor) -> Self {
        let bell = Self::default();
        bell.lock().tail = tail.seq();
        bell
    }

    /// The journal is durable up to `tail`.
    pub fn ring(&self, tail: Cursor) {
        self.change(|state| state.tail = state.tail.max(tail.seq()));
    }

    /// The journal is closed: subscriptions end once they have had everything.
    pub fn close(&self) {
        self.change(|state| state.closed = true);
    }

    /// Nothing more will be heard of the journal, whether or not it goes on: subscriptions end with this error once they
    /// have had everything before.
    pub fn fail(&self, error: ReadError) {
        self.change(|state| state.failed = state.failed.take().or(Some(error)));
    }

    fn failure(&self) -> Option<ReadError> {
        self.lock().failed.clone()
    }

    /// The place behind the last durable commit.
    #[must_use]
    pub fn tail(&self) -> Cursor {
        Cursor::at(self.lock().tail)
    }

    /// Waits until the journal is durable beyond `from`, closed, or out of reach, at most this long. Blocks the thread.
    #[must_use]
    pub fn wait(&self, from: Cursor, limit: Duration) -> Heard {
        let mut state = self.lock();
        state.blocked += 1;
        let waiting = |state: &mut Rung| state.tail <= from.seq() && !state.closed && state.failed.is_none();
        let waited = self.changed.wait_timeout_while(state, limit, waiting);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.blocked -= 1;
        Heard { tail: Cursor::at(state.tail), closed: state.closed }
    }

    fn change(&self, change: impl FnOnce(&mut Rung)) {
        let mut state = self.lock();
        change(&mut state);
        let sleeping = std::mem::take(&mut state.sleeping);
        let blocked = state.blocked > 0;
        drop(state);
        if blocked {
            self.changed.notify_all();
        }
        sleeping.into_values().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Rung> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a [`Bell`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// The place behind the last durable commit.
    pub tail: Cursor,
    /// True if nothing more will come.
    pub closed: bool,
}

/// What came of waiting a bounded time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The next commit.
    Commit(Box<StoredCommit>),
    /// Nothing came in time.
    Timeout,
    /// The journal was closed and everything in it has been given.
    Closed,
}

/// Commits from a place on, for as long as the journal is open. Also a [`Stream`].
///
/// Catching up reads in small batches on the caller's thread.
pub struct Subscription {
    source: Arc<dyn Source>,
    bell: Arc<Bell>,
    key: u64,
    cursor: Cursor,
    ready: VecDeque<StoredCommit>,
}

impl Subscription {
    /// Follows `source` from `from`, woken by `bell`.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, bell: Arc<Bell>, from: Cursor) -> Self {
        let key = bell.next_key.fetch_add(1, Ordering::Relaxed);
        Self { source, bell, key, cursor: from, ready: VecDeque::new() }
    }

    /// The same commits through another source, which `wrap` makes of this one's.
    #[must_use]
    pub fn through(self, wrap: impl FnOnce(Arc<dyn Source>) -> Arc<dyn Source>) -> Self {
        Self::new(wrap(Arc::clone(&self.source)), Arc::clone(&self.bell), self.cursor)
    }

    /// Where it stands: the place behind the last commit given.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The next commit, or `None` once the journal is closed and everything has been given.
    ///
    /// # Errors
    /// As an item: [`ReadError`]. It is repeated on the next call if it persists.
    pub async fn next(&mut self) -> Option<Result<StoredCommit, ReadError>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// Waits for the next commit, at most this long. Blocks the thread.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Next, ReadError> {
        if let Some(commit) = self.take()? {
            return Ok(Next::Commit(Box::new(commit)));
        }
        let heard = self.bell.wait(self.cursor, limit);
        if let Some(commit) = self.take()? {
            return Ok(Next::Commit(Box::new(commit)));
        }
        match self.bell.failure() {
            Some(error) => Err(error),
            None if heard.closed && heard.tail <= self.cursor => Ok(Next::Closed),
            None => Ok(Next::Timeout),
        }
    }

    fn take(&mut self) -> Result<Option<StoredCommit>, ReadError> {
        if self.ready.is_empty() && self.cursor < self.bell.tail() {
            self.ready.extend(self.source.batch(self.cursor, BATCH)?);
        }
        let next = self.ready.pop_front();
        if let Some(commit) = &next {
            self.cursor = Cursor::after(commit);
        }
        Ok(next)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<StoredCommit, ReadError>>> {
        loop {
            match self.take() {
                Ok(Some(commit)) => return Poll::Ready(Some(Ok(commit))),
                Err(error) => return Poll::Ready(Some(Err(error))),
                Ok(None) => {}
            }
            let mut state = self.bell.lock();
            if state.tail > self.cursor.seq() {
                continue;
            }
            if let Some(error) = &state.failed {
                return Poll::Ready(Some(Err(error.clone())));
            }
            if state.closed {
                return Poll::Ready(None);
            }
            state.sleeping.insert(self.key, context.waker().clone());
            return Poll::Pending;
        }
    }
}

impl Stream for Subscription {
    type Item = Result<StoredCommit, ReadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.bell.lock().sleeping.remove(&self.key);
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}
