//! The durable journal: a write-ahead log that acknowledgements rest on, and sled 0.34.7 that is read. The one home of
//! sled.
//!
//! 1. `queue`, `group`, `writer`: what waits becomes one record of the write-ahead log, synced once; then it is durable,
//!    visible and acknowledged.
//! 2. `young`, `sink`: what is durable is carried over to sled, in larger batches, by a thread of its own.
//! 3. `volumes`, `facts`, `turn`: at a size or an age everything goes to a new sled directory. A volume needs no other one.
//! 4. `log`, `records`, `read`, `calls`, `store`: readers see all of it as one.
//! 5. `room`: a full disk is waited out.
//! 6. `open`, `rebuild`: sled is opened and brought up to the log's end, or made again from the log.
//! 7. `heal`: the same while the journal runs.
//!
//! sled alone does not keep what it acknowledges: its `flush` doesn't reach the disk, batches larger than a segment can
//! tear, large values go to files that it never syncs, and it panics on damage. So no acknowledgement rests on it, and
//! every call into it is guarded. `FORMAT.md` describes the bytes.

mod both;
mod calls;
mod check;
mod erasing;
mod facts;
mod fill;
mod group;
mod heal;
mod keeper;
mod log;
mod open;
mod options;
mod queue;
mod quiet;
mod read;
mod rebuild;
mod records;
mod recover;
mod retention;
mod room;
mod salvage;
mod sink;
mod store;
mod table;
mod tree;
mod turn;
mod volume_files;
mod volumes;
mod writer;
mod young;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::SystemTime;

use callbox_events::CallId;
use callbox_events::call::Input;
use callbox_events::schema::{self, Commit, StoredCommit, WireDirection};
use tempfile::TempDir;

pub(crate) use self::check::{Copied, check_copy, each_sound_commit};
use self::erasing::Erasing;
use self::keeper::Keeper;
use self::options::CACHE_BYTES;
pub use self::options::Options;
use self::queue::{Growth, Limits, Queue, Request};
pub(crate) use self::store::Store;
pub(crate) use self::volume_files::copy_what_is_needed;
use self::writer::{Files, Growing, Writer};
use crate::append::Append;
use crate::erasable::opening::Opener;
use crate::erasable::{CallKeys, Erasable};
use crate::error::{AppendError, CloseError, ReadError};
use crate::frame::Facts;
use crate::journal::{CallIds, Caps, Commits, Cursor, Expect, Head, Journal, JournalReader};
use crate::layout;
use crate::live::Eraser;
use crate::live::server::Server;
use crate::lock::Lock;
use crate::open_error::OpenError;
use crate::proof::beat::Liveness;
use crate::retention::pruned::Pruned;
use crate::seal::{SealFile, Seals};
use crate::subscription::Subscription;
use crate::wal::record::MAX_FRAMES_BYTES;
use crate::wal::writer::Writer as Wal;
use crate::watermark::Watermark;

/// The most bytes an encoded commit may have. For every byte sled writes up to five, for it rewrites whole pages, and all
/// it writes for one batch should fit into one segment of 512 KiB (`tests/segment.rs` measures it).
pub const MAX_COMMIT_BYTES: usize = 72 * 1024;

/// The durable journal of one engine.
///
/// It holds the store's lock until it and all its subscriptions are dropped. After [`close`](Journal::close) it can
/// still be read.
pub struct SledJournal {
    store: Arc<Store>,
    erasable: Option<Arc<Erasable>>,
    opener: Opener,
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
    seals: Option<Arc<Seals>>,
    sink: Mutex<Option<JoinHandle<()>>>,
    keeper: Mutex<Option<Keeper>>,
    server: Option<Server>,
}

/// What a journal has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Groups written, which is the number of syncs.
    pub groups: u64,
    /// Commits written.
    pub commits: u64,
    /// Packed bytes written to the write-ahead log.
    pub bytes: u64,
    /// Batches carried over to sled.
    pub batches: u64,
    /// Commits that wait.
    pub waiting: usize,
    /// How often sled failed and was made again from the write-ahead log.
    pub remade: u64,
    /// Whether that is not possible: then the write-ahead log serves alone, which is slow to read.
    pub without_sled: bool,
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
        let erasable = Erasable::open(dir, &options)?.map(Arc::new);
        let (store, wal, first) = open::writable(dir, lock, &options)?;
        let watermark =
            Watermark::open(dir).map_err(OpenError::io("opening", &dir.join(layout::WATERMARK)))?;
        let volume = growing(&store, first, &options)?;
        Self::start(store, erasable, (wal, volume), watermark, &options)
    }

    fn start(
        store: Arc<Store>,
        erasable: Option<Arc<Erasable>>,
        (wal, volume): (Wal, Growing),
        watermark: Watermark,
        options: &Options,
    ) -> Result<Self, OpenError> {
        let capacity = Limits { commits: options.queue_commits, bytes: options.queue_bytes };
        let group_bytes = options.group_bytes.clamp(1, MAX_FRAMES_BYTES / 2);
        let group = Limits { commits: options.group_commits.max(1), bytes: group_bytes };
        let queue = Arc::new(Queue::new(capacity, group));
        let growth = Growth { any: options.group_delay, relaxed: options.relaxed_delay };
        let seals = open_seals(&store, options)?;
        let keys = erasable.as_ref().map(|erasable| Arc::clone(&erasable.keys));
        let files = Files { wal, watermark, keys: keys.clone() };
        let pace = (growth, volume);
        let writer = Writer::new(Arc::clone(&store), Arc::clone(&queue), files, seals.clone(), pace);
        let sink = (Arc::clone(&store), Arc::clone(&queue));
        let mut journal = Self {
            store,
            erasable,
            opener: Opener::new(keys),
            queue,
            writer: Mutex::default(),
            seals,
            sink: Mutex::default(),
            keeper: Mutex::default(),
            server: None,
        };
        journal.spawn(&journal.sink, "callbox-sink", move || sink::run(&sink.0, &sink.1))?;
        journal.spawn(&journal.writer, "callbox-journal", move || writer.run())?;
        let keeper = Keeper::start(&journal.store, journal.seals.as_ref(), options.retention);
        let keeper = keeper.map_err(OpenError::io("starting a thread for", &journal.store.dir))?;
        journal.keeper = Mutex::new(keeper);
        if options.serve_readers {
            let served = Arc::new(Arc::clone(&journal.store));
            let server = Server::start(&journal.store.dir, served, journal.eraser(options));
            journal.server = Some(server.map_err(OpenError::io("listening in", &journal.store.dir))?);
        }
        Ok(journal)
    }

    /// What erases parties while the journal is written.
    fn eraser(&self, options: &Options) -> Option<Box<dyn Eraser>> {
        let erasable = Arc::clone(self.erasable.as_ref()?);
        let (store, seals, key) = (Arc::clone(&self.store), self.seals.clone(), options.signing_key.clone());
        Some(Box::new(Erasing { erasable, store, seals, key }))
    }

    fn spawn(
        &self,
        place: &Mutex<Option<JoinHandle<()>>>,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), OpenError> {
        let thread = std::thread::Builder::new().name(name.into()).spawn(work);
        let thread = thread.map_err(OpenError::io("starting a thread for", &self.store.dir))?;
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// Appends what another journal of the same keys kept, as it is.
    pub(crate) fn append_as_kept(&self, stored: StoredCommit, expect: Expect) -> Append {
        let kept = |_: &Facts, encoded| Ok(stored.sealed.map_or(encoded, |sealed| sealed.to_vec()));
        self.hand_over(request(&stored.commit, expect, &self.opener, kept))
    }

    fn hand_over(&self, request: Result<(Request, Append), AppendError>) -> Append {
        match request {
            Ok((request, append)) => {
                self.queue.push(request);
                append
            }
            Err(error) => Append::known(Err(error)),
        }
    }

    /// What it has done: a measure of load.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counted = &self.store.counted;
        let (groups, commits, bytes) =
            (count(&counted.groups), count(&counted.commits), count(&counted.bytes));
        let (batches, remade) = (count(&counted.batches), count(&counted.remade));
        let active = self.store.log.volumes.active();
        let without_sled = active.is_some_and(|active| active.is_without());
        let waiting = self.queue.waiting();
        Stats { groups, commits, bytes, batches, waiting, remade, without_sled }
    }

    fn stop(&self, why: &str) -> Result<(), CloseError> {
        // First: what it has begun to remove ends in a checkpoint.
        drop(self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.queue.close(AppendError::Unavailable { why: why.into() });
        let joined = [join(&self.writer), {
            // Nothing more will come, whether or not a writer ever ran.
            self.store.log.young.close();
            join(&self.sink)
        }];
        if let Some(seals) = &self.seals {
            seals.finish();
        }
        if joined.iter().all(Result::is_ok) {
            return Ok(());
        }
        Err(CloseError { why: "a thread of the journal panicked".into() })
    }
}

fn join(place: &Mutex<Option<JoinHandle<()>>>) -> std::thread::Result<()> {
    let thread = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    thread.map_or(Ok(()), JoinHandle::join)
}

impl Drop for SledJournal {
    fn drop(&mut self) {
        // In this order: whoever follows is told the end before the socket goes away.
        let _ = self.stop(CLOSED);
        self.server = None;
    }
}

/// The volume that grows.
fn growing(store: &Store, first: u64, options: &Options) -> Result<Growing, OpenError> {
    let dir = layout::log_dir(&store.dir, first);
    let bytes = facts::bytes(&store.dir, first, u64::MAX);
    let bytes = bytes.map_err(OpenError::io("listing", &store.dir.join(layout::WAL)))?;
    // sled writes it once. Where it was made again, the volume is as old as that, which does no harm.
    let began = std::fs::metadata(dir.join("conf")).and_then(|conf| conf.modified());
    let began = began.unwrap_or_else(|_| SystemTime::now());
    let (most_bytes, most_age) = (options.volume_bytes, options.volume_age);
    Ok(Growing { first, bytes, began, most_bytes, most_age })
}

/// Goes on with the checkpoints of a store. What can't be read can't be sealed: then there are none, and the calls go on.
fn open_seals(store: &Arc<Store>, options: &Options) -> Result<Option<Arc<Seals>>, OpenError> {
    let opened = SealFile::open(&store.dir, store.durable(), |from| store.read_all(from))?;
    let Some((file, sealer)) = opened else { return Ok(None) };
    let seals = Seals::start(file, sealer, options.signing_key.clone(), options.checkpoint_interval);
    seals.map(Arc::new).map(Some).map_err(OpenError::io("starting the checkpoints of", &store.dir))
}

/// Opens a private copy of a store for reading.
pub(crate) fn open_copy(copy: TempDir, original: &Path) -> Result<Arc<Store>, OpenError> {
    open::copied(copy, original)
}

const CLOSED: &str = "it is closed";

/// Whether anything waits for this commit's ack: a message that may leave then, or a command's answer. The others (an ACK
/// that came, a call that drained) lose nothing by waiting for company.
fn is_urgent(commit: &Commit) -> bool {
    matches!(commit.input, Input::Command(_))
        || commit.wire.iter().any(|message| message.direction == WireDirection::Out)
}

/// The request for a commit, or why it can't be appended anywhere. `kept` makes of the encoded commit what is kept.
fn request(
    commit: &Commit,
    expect: Expect,
    opener: &Opener,
    kept: impl FnOnce(&Facts, Vec<u8>) -> Result<Vec<u8>, AppendError>,
) -> Result<(Request, Append), AppendError> {
    crate::memory::check(commit, expect)?;
    let malformed = |why: String| AppendError::Malformed { why };
    let facts = Facts::of(commit).ok_or_else(|| malformed("it has more than 65,535 events".into()))?;
    if facts.version > u64::from(u32::MAX) {
        return Err(malformed("a call has at most 4,294,967,295 events".into()));
    }
    let payload = schema::encode(commit).map_err(|error| malformed(error.to_string()))?;
    let payload = kept(&facts, payload)?;
    if payload.len() > MAX_COMMIT_BYTES {
        return Err(AppendError::TooLarge { bytes: payload.len(), limit: MAX_COMMIT_BYTES });
    }
    let (ack, append) = Append::pending();
    let at = commit.at;
    let (urgent, opener) = (is_urgent(commit), opener.clone());
    Ok((Request { facts, at, payload, opener, urgent, ack }, append))
}

impl Journal for SledJournal {
    fn append(&self, commit: Commit, expect: Expect) -> Append {
        let before = || self.read(commit.call);
        let kept = |facts: &Facts, encoded: Vec<u8>| match &self.erasable {
            Some(erasable) => erasable.seal(&commit, facts, &encoded, before),
            None => Ok(encoded),
        };
        self.hand_over(request(&commit, expect, &self.opener, kept))
    }

    fn caps(&self) -> Caps {
        Caps { backend: "sled", durable: true, max_commit_bytes: MAX_COMMIT_BYTES, shards: 1 }
    }

    fn refusal(&self) -> Option<AppendError> {
        self.queue.refusal()
    }

    fn attend(&self, liveness: Weak<dyn Liveness>) {
        if let Some(seals) = &self.seals {
            seals.attend(liveness);
        }
    }

    fn checkpoint(&self) {
        if let Some(seals) = &self.seals {
            seals.checkpoint(self.store.durable());
        }
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
        self.opener.open_all(self.store.read(call)?)
    }

    fn read_all(&self, from: Cursor) -> Result<Commits<'_>, ReadError> {
        self.store.read_all(from).map(|commits| self.opener.open_each(commits))
    }

    fn calls(&self) -> Result<CallIds<'_>, ReadError> {
        self.store.calls()
    }

    fn pruned(&self) -> Result<Option<Pruned>, ReadError> {
        self.store.pruned()
    }

    fn tail(&self) -> Result<Cursor, ReadError> {
        self.store.tail()
    }

    fn begins(&self) -> Result<Cursor, ReadError> {
        self.store.begins()
    }

    fn subscribe(&self, from: Cursor) -> Result<Subscription, ReadError> {
        self.store.follow(from).map(|subscription| self.opener.follow(subscription))
    }

    fn call_keys(&self) -> Option<Arc<dyn CallKeys>> {
        self.opener.call_keys()
    }

    fn head(&self, call: CallId) -> Result<Option<Head>, ReadError> {
        self.store.head(call)
    }

    fn latest(&self) -> Result<Option<CallId>, ReadError> {
        self.store.latest()
    }
}
