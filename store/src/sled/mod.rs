//! The durable journal on sled 0.34.7: the one home of sled.
//!
//! sled alone does not keep what it acknowledges: its `flush` doesn't reach the disk, batches larger than a segment can
//! tear, large values go to files that it never syncs, and it panics on damage. So: exactly one bounded batch per
//! group, values of at most 4 KiB, a sync on our own descriptor, checksums and chain of our own, and every call
//! guarded. `FORMAT.md` describes the bytes.

mod check;
mod group;
mod open;
mod queue;
mod quiet;
mod read;
mod store;
mod table;
mod tree;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use callbox_events::CallId;
use callbox_events::call::Input;
use callbox_events::schema::{self, Commit, StoredCommit, WireDirection};

pub(crate) use self::check::check_copy;
pub(crate) use self::open::copy_dir;
use self::queue::{Growth, Limits, Queue, Request};
pub(crate) use self::store::Store;
use self::writer::Writer;
use crate::append::Append;
use crate::error::{AppendError, CloseError, ReadError};
use crate::frame::Facts;
use crate::journal::{CallIds, Caps, Commits, Cursor, Expect, Head, Journal, JournalReader};
use crate::layout;
use crate::live::server::Server;
use crate::lock::Lock;
use crate::open_error::OpenError;
use crate::subscription::Subscription;
use crate::watermark::Watermark;

/// The most bytes an encoded commit may have. For every byte sled writes up to five, for it rewrites whole pages, and all
/// it writes for one batch must fit into one segment of 512 KiB (`tests/segment.rs` measures it).
pub const MAX_COMMIT_BYTES: usize = 72 * 1024;

/// How a [`SledJournal`] works. The defaults are measured; see `benches/append.rs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Under load, how long a group may grow before it is synced. Zero syncs at once always.
    pub group_delay: Duration,
    /// Under load, how much longer it may grow while nothing in it has a message or an answer waiting for its ack.
    pub relaxed_delay: Duration,
    /// The most commits of a group.
    pub group_commits: usize,
    /// The most bytes of a group, unless it is a single commit. More could exceed what sled keeps whole: see
    /// [`MAX_COMMIT_BYTES`].
    pub group_bytes: usize,
    /// The most commits that may wait.
    pub queue_commits: usize,
    /// The most encoded bytes that may wait.
    pub queue_bytes: usize,
    /// sled's cache.
    pub cache_bytes: u64,
    /// Whether other processes can read through a socket in the store's directory.
    pub serve_readers: bool,
}

const CACHE_BYTES: u64 = 64 * 1024 * 1024;

impl Default for Options {
    fn default() -> Self {
        Self {
            group_delay: Duration::from_millis(8),
            relaxed_delay: Duration::from_millis(12),
            group_commits: 512,
            group_bytes: MAX_COMMIT_BYTES,
            queue_commits: 65_536,
            queue_bytes: 64 * 1024 * 1024,
            cache_bytes: CACHE_BYTES,
            serve_readers: true,
        }
    }
}

/// The durable journal of one engine.
///
/// It holds the store's lock until it and all its subscriptions are dropped. After [`close`](Journal::close) it can
/// still be read.
pub struct SledJournal {
    store: Arc<Store>,
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
    server: Option<Server>,
}

/// What a journal has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Groups written, which is the number of syncs.
    pub groups: u64,
    /// Commits written.
    pub commits: u64,
    /// Bytes of keys and values handed to sled.
    pub bytes: u64,
    /// Commits that wait.
    pub waiting: usize,
}

impl SledJournal {
    /// Opens the store in `dir`, creating it if there is none.
    ///
    /// # Errors
    /// [`OpenError`]: locked, not a store, newer, damaged, or refused by the system.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let dir = dir.as_ref();
        std::fs::create_dir_all(dir).map_err(OpenError::io("creating", dir))?;
        if dir.join(layout::FORMAT).exists() {
            layout::check(dir)?;
        } else {
            layout::refuse_foreign(dir)?;
        }
        let lock = Lock::exclusive(dir)?;
        layout::create(dir)?;
        let store = open::writable(dir, lock, options.cache_bytes)?;
        let watermark =
            Watermark::open(dir).map_err(OpenError::io("opening", &dir.join(layout::WATERMARK)))?;
        Self::start(store, watermark, &options)
    }

    fn start(store: Arc<Store>, watermark: Watermark, options: &Options) -> Result<Self, OpenError> {
        let capacity = Limits { commits: options.queue_commits, bytes: options.queue_bytes };
        let group = Limits { commits: options.group_commits.max(1), bytes: options.group_bytes.max(1) };
        let queue = Arc::new(Queue::new(capacity, group));
        let growth = Growth { any: options.group_delay, relaxed: options.relaxed_delay };
        let writer = Writer::new(Arc::clone(&store), Arc::clone(&queue), watermark, growth);
        let thread = std::thread::Builder::new().name("callbox-journal".into()).spawn(move || writer.run());
        let thread = thread.map_err(OpenError::io("starting the writer for", &store.dir))?;
        let mut journal = Self { store, queue, writer: Mutex::new(Some(thread)), server: None };
        if options.serve_readers {
            let server = Server::start(&journal.store.dir, Arc::new(Arc::clone(&journal.store)));
            journal.server = Some(server.map_err(OpenError::io("listening in", &journal.store.dir))?);
        }
        Ok(journal)
    }

    /// What it has done: a measure of load.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counted = &self.store.counted;
        let (groups, commits, bytes) =
            (count(&counted.groups), count(&counted.commits), count(&counted.bytes));
        Stats { groups, commits, bytes, waiting: self.queue.waiting() }
    }

    fn stop(&self, why: &str) -> Result<(), CloseError> {
        self.queue.close(AppendError::Unavailable { why: why.into() });
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let joined = thread.map_or(Ok(()), JoinHandle::join);
        joined.map_err(|_| CloseError { why: "the writer panicked".into() })
    }
}

impl Drop for SledJournal {
    fn drop(&mut self) {
        // In this order: whoever follows is told the end before the socket goes away.
        let _ = self.stop(CLOSED);
        self.server = None;
    }
}

/// Opens a private copy of a store for reading.
pub(crate) fn open_copy(copy: &Path, original: &Path) -> Result<Arc<Store>, OpenError> {
    open::copied(copy, original)
}

const CLOSED: &str = "it is closed";

/// Whether anything waits for this commit's ack: a message that may leave then, or a command's answer. The others (an ACK
/// that came, a call that drained) lose nothing by waiting for company.
fn is_urgent(commit: &Commit) -> bool {
    matches!(commit.input, Input::Command(_))
        || commit.wire.iter().any(|message| message.direction == WireDirection::Out)
}

/// The request for a commit, or why it can't be appended anywhere.
fn request(commit: &Commit, expect: Expect) -> Result<(Request, Append), AppendError> {
    crate::memory::check(commit, expect)?;
    let malformed = |why: String| AppendError::Malformed { why };
    let facts = Facts::of(commit).ok_or_else(|| malformed("it has more than 65,535 events".into()))?;
    if facts.version > u64::from(u32::MAX) {
        return Err(malformed("a call has at most 4,294,967,295 events".into()));
    }
    let payload = schema::encode(commit).map_err(|error| malformed(error.to_string()))?;
    if payload.len() > MAX_COMMIT_BYTES {
        return Err(AppendError::TooLarge { bytes: payload.len(), limit: MAX_COMMIT_BYTES });
    }
    let (ack, append) = Append::pending();
    Ok((Request { facts, payload, urgent: is_urgent(commit), ack }, append))
}

impl Journal for SledJournal {
    fn append(&self, commit: Commit, expect: Expect) -> Append {
        match request(&commit, expect) {
            Ok((request, append)) => {
                self.queue.push(request);
                append
            }
            Err(error) => Append::known(Err(error)),
        }
    }

    fn caps(&self) -> Caps {
        Caps { backend: "sled", durable: true, max_commit_bytes: MAX_COMMIT_BYTES, shards: 1 }
    }

    fn refusal(&self) -> Option<AppendError> {
        self.queue.closed()
    }

    fn close(&self) -> Result<(), CloseError> {
        self.stop(CLOSED)?;
        match self.queue.closed() {
            Some(AppendError::Unavailable { why }) if why == CLOSED => Ok(()),
            Some(error) => Err(CloseError { why: error.to_string() }),
            None => Ok(()),
        }
    }
}

impl JournalReader for SledJournal {
    fn read(&self, call: CallId) -> Result<Vec<StoredCommit>, ReadError> {
        self.store.read(call)
    }

    fn read_all(&self, from: Cursor) -> Result<Commits<'_>, ReadError> {
        self.store.read_all(from)
    }

    fn calls(&self) -> Result<CallIds<'_>, ReadError> {
        self.store.calls()
    }

    fn tail(&self) -> Result<Cursor, ReadError> {
        self.store.tail()
    }

    fn subscribe(&self, from: Cursor) -> Result<Subscription, ReadError> {
        self.store.follow(from)
    }

    fn head(&self, call: CallId) -> Result<Option<Head>, ReadError> {
        self.store.head(call)
    }

    fn latest(&self) -> Result<Option<CallId>, ReadError> {
        self.store.latest()
    }
}
