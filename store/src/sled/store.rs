//! An open store as readers see it: what is durable, and no more.

use std::io::{self, Read};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;
use tempfile::TempDir;

use super::calls::{Calls, is_before};
use super::log::Log;
use super::read::{self, Make, Scan};
use super::salvage;
use super::table::Table;
use super::volumes::Volume;
use crate::error::ReadError;
use crate::journal::{CallIds, Commits, Cursor, Head, JournalReader};
use crate::keys;
use crate::live::protocol::Document;
use crate::live::{Raw, Raws, Served};
use crate::lock::Lock;
use crate::retention::pruned::Pruned;
use crate::seal;
use crate::subscription::{Bell, Source, Subscription};

/// An open store.
pub struct Store {
    /// Dropped before what is held: sled writes when it closes.
    pub(super) log: Arc<Log>,
    pub(super) table: Mutex<Table>,
    /// Everything before this global sequence number is durable.
    durable: AtomicU64,
    pub(super) bell: Arc<Bell>,
    pub(super) dir: PathBuf,
    pub(super) counted: Counted,
    pub(super) cache_bytes: u64,
    /// Held by whoever removes volumes.
    pub(super) pruning: Mutex<()>,
    _held: Held,
}

/// What an open store holds on to until it is closed.
pub(super) enum Held {
    /// The original's lock.
    Lock { _lock: Lock },
    /// The directory of a private copy, which vanishes.
    Copy { _dir: TempDir },
}

/// What the writer has written since the store was opened.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub groups: AtomicU64,
    pub commits: AtomicU64,
    pub bytes: AtomicU64,
    pub batches: AtomicU64,
    pub remade: AtomicU64,
}

impl Store {
    pub(super) fn new(
        log: Arc<Log>,
        table: Table,
        tail: u64,
        dir: PathBuf,
        held: Held,
        cache_bytes: u64,
    ) -> Arc<Self> {
        Arc::new(Self {
            log,
            table: Mutex::new(table),
            durable: AtomicU64::new(tail),
            bell: Arc::new(Bell::new(Cursor::at(tail))),
            dir,
            counted: Counted::default(),
            cache_bytes,
            pruning: Mutex::default(),
            _held: held,
        })
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Everything before `tail` is durable now.
    pub(super) fn publish(&self, tail: u64) {
        self.durable.store(tail, Ordering::Release);
        self.bell.ring(Cursor::at(tail));
    }

    fn check(&self, from: Cursor) -> Result<(), ReadError> {
        let tail = self.durable();
        if from.seq() > tail { Err(ReadError::Beyond { wanted: from.seq(), tail }) } else { Ok(()) }
    }

    /// Follows it; `self` stays open for as long as the subscription lives.
    pub fn follow(self: &Arc<Self>, from: Cursor) -> Result<Subscription, ReadError> {
        self.check(from)?;
        let source: Arc<dyn Source> = Arc::<Self>::clone(self);
        let from = from.max(Cursor::at(self.log.volumes.begin()));
        Ok(Subscription::new(source, Arc::clone(&self.bell), from))
    }

    /// All commits of one call.
    pub fn read(&self, call: CallId) -> Result<Vec<StoredCommit>, ReadError> {
        // In this order: chunks may go from the table to the index meanwhile, never back.
        let durable = self.durable();
        let pending = self.table().pending(call);
        read::call(&self.log, call, &pending, durable)
    }

    /// The head of a call.
    pub fn head(&self, call: CallId) -> Result<Option<Head>, ReadError> {
        let durable = self.durable();
        let entry = self.table().get(call).map(|entry| (entry.last_seq, entry.version, entry.hash));
        match entry {
            Some((last, version, hash)) if last < durable && self.log.volumes.begin() == 0 => {
                Ok(Some(Head { version, hash }))
            }
            // A commit is on its way, the call is in the index altogether, or it may have begun before the journal does.
            Some(_) | None => Ok(self.read(call)?.last().map(Head::after)),
        }
    }

    /// Commits from a place on.
    pub fn read_all(&self, from: Cursor) -> Result<Commits<'static>, ReadError> {
        self.check(from)?;
        let scan = Scan::new(&self.log, from.seq(), self.durable(), |frame| frame.decode())?;
        Ok(Box::new(scan))
    }

    /// Every call with a durable commit that did not begin before the journal does.
    pub fn calls(&self) -> Result<CallIds<'static>, ReadError> {
        let durable = self.durable();
        let is_durable = |(call, chunk, version)| (chunk < durable).then_some((call, version));
        let mut young: Vec<(CallId, u64)> = self.table().calls().filter_map(is_durable).collect();
        young.sort_unstable();
        Ok(Box::new(Calls::new(&self.log, durable, young)))
    }

    /// The call that started last.
    pub fn latest(&self) -> Result<Option<CallId>, ReadError> {
        let durable = self.durable();
        let young =
            self.table().calls().filter(|(_, chunk, _)| *chunk < durable).map(|(call, ..)| call).max();
        let mut latest = young;
        for (volume, span) in self.log.volumes.spans() {
            latest = latest.max(self.highest(&volume, span.start..span.end.min(durable))?);
        }
        match latest {
            // It began before the journal does, which is rare: a call that goes on for longer than anything is kept.
            Some(call) if self.log.volumes.begin() > 0 && self.head(call)?.is_none() => {
                self.calls()?.last().transpose()
            }
            latest => Ok(latest),
        }
    }

    /// The highest id in a volume.
    fn highest(&self, volume: &Volume, span: Range<u64>) -> Result<Option<CallId>, ReadError> {
        if let Some(facts) = volume.facts() {
            return Ok(facts.calls.highest());
        }
        match self.log.volumes.index(volume).and_then(|tree| tree.last(&[keys::ROW])) {
            Ok(row) => {
                let row = row.filter(|(_, value)| is_before(value, span.end));
                Ok(row.and_then(|(key, _)| keys::parse_row(&key)).map(|(call, _)| call))
            }
            Err(damage) => {
                let damage = self.log.doubt(volume.first, damage.into());
                Ok(salvage::calls(&self.log.store, &span, &damage)?.pop_last().map(|(call, _)| call))
            }
        }
    }

    /// The first place that is kept.
    pub fn begins(&self) -> Cursor {
        Cursor::at(self.log.volumes.begin())
    }
}

impl Served for Arc<Store> {
    fn raw_all(&self, from: Cursor) -> Result<Raws<'_>, ReadError> {
        self.check(from)?;
        let make: Make<Raw> =
            |frame| Ok(Raw { seq: frame.seq, hash: frame.hash, payload: frame.payload.to_vec() });
        Ok(Box::new(Scan::new(&self.log, from.seq(), self.durable(), make)?))
    }

    fn document(&self, which: Document) -> io::Result<Option<Box<dyn Read + Send>>> {
        match which {
            Document::Checkpoints => {
                let file = seal::document(&self.dir)?;
                Ok(file.map(|file| -> Box<dyn Read + Send> { Box::new(file) }))
            }
            Document::Pruned => {
                let text = Pruned::read(&self.dir)?.map(|pruned| pruned.to_string());
                Ok(text.map(|text| -> Box<dyn Read + Send> { Box::new(io::Cursor::new(text)) }))
            }
        }
    }

    fn bell(&self) -> &Bell {
        &self.bell
    }
}

impl Source for Store {
    fn batch(&self, from: Cursor, limit: usize) -> Result<Vec<StoredCommit>, ReadError> {
        Scan::new(&self.log, from.seq(), self.durable(), |frame| frame.decode())?.take(limit).collect()
    }
}

impl JournalReader for Arc<Store> {
    fn read(&self, call: CallId) -> Result<Vec<StoredCommit>, ReadError> {
        Store::read(self, call)
    }

    fn read_all(&self, from: Cursor) -> Result<Commits<'_>, ReadError> {
        Store::read_all(self, from)
    }

    fn calls(&self) -> Result<CallIds<'_>, ReadError> {
        Store::calls(self)
    }

    fn tail(&self) -> Result<Cursor, ReadError> {
        Ok(Cursor::at(self.durable()))
    }

    fn begins(&self) -> Result<Cursor, ReadError> {
        Ok(Cursor::at(self.log.volumes.begin()))
    }

    fn pruned(&self) -> Result<Option<Pruned>, ReadError> {
        Pruned::of(&self.dir)
    }

    fn subscribe(&self, from: Cursor) -> Result<Subscription, ReadError> {
        self.follow(from)
    }

    fn head(&self, call: CallId) -> Result<Option<Head>, ReadError> {
        Store::head(self, call)
    }

    fn latest(&self) -> Result<Option<CallId>, ReadError> {
        Store::latest(self)
    }
}
