//! An open store as readers see it: what is durable, and no more.

use std::io::{self, Read};
use std::iter::Peekable;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use super::log::Log;
use super::read::{self, Make, Scan};
use super::salvage;
use super::table::Table;
use super::tree::Pairs;
use crate::error::ReadError;
use crate::journal::{CallIds, Commits, Cursor, Head, JournalReader};
use crate::keys;
use crate::live::protocol::Document;
use crate::live::{Raw, Raws, Served};
use crate::lock::Lock;
use crate::seal;
use crate::subscription::{Bell, Source, Subscription};

/// An open store.
pub struct Store {
    /// Dropped before the lock: sled writes when it closes.
    pub(super) log: Arc<Log>,
    pub(super) table: Mutex<Table>,
    /// Everything before this global sequence number is durable.
    durable: AtomicU64,
    pub(super) bell: Arc<Bell>,
    pub(crate) dir: PathBuf,
    pub(super) counted: Counted,
    pub(super) cache_bytes: u64,
    _lock: Option<Lock>,
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
        lock: Option<Lock>,
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
            _lock: lock,
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
            Some((last, version, hash)) if last < durable => Ok(Some(Head { version, hash })),
            // A commit is on its way, or the call is in the index altogether.
            Some(_) | None => Ok(self.read(call)?.last().map(|last| Head {
                version: last.commit.version + last.commit.events.len() as u64,
                hash: last.hash,
            })),
        }
    }

    /// Commits from a place on.
    pub fn read_all(&self, from: Cursor) -> Result<Commits<'static>, ReadError> {
        self.check(from)?;
        let scan = Scan::new(&self.log, from.seq(), self.durable(), |frame| frame.decode())?;
        Ok(Box::new(scan))
    }

    /// Every call with a durable commit.
    pub fn calls(&self) -> Result<CallIds<'static>, ReadError> {
        let durable = self.durable();
        let mut young: Vec<CallId> =
            self.table().calls().filter(|(_, chunk)| *chunk < durable).map(|(call, _)| call).collect();
        young.sort_unstable();
        let pairs = self.log.index().and_then(|tree| tree.scan(&[keys::ROW], &[keys::ROW]));
        let origin = match pairs {
            Ok(pairs) => {
                let rows = Rows { pairs, durable };
                let merged = Merged { young: young.into_iter().peekable(), rows: rows.peekable() };
                Origin::Index(Box::new(merged))
            }
            Err(damage) => {
                let damage = self.log.doubt(damage.into());
                Origin::Log(salvage::calls(&self.log.store, durable, &damage)?.into_iter())
            }
        };
        Ok(Box::new(Calls { log: Arc::clone(&self.log), durable, origin, last: None }))
    }

    /// The call that started last.
    pub fn latest(&self) -> Result<Option<CallId>, ReadError> {
        let durable = self.durable();
        let young = self.table().calls().filter(|(_, chunk)| *chunk < durable).map(|(call, _)| call).max();
        let row = match self.log.index().and_then(|tree| tree.last(&[keys::ROW])) {
            Ok(row) => row,
            Err(damage) => {
                let damage = self.log.doubt(damage.into());
                return Ok(salvage::calls(&self.log.store, durable, &damage)?.pop_last());
            }
        };
        let old =
            row.filter(|(_, value)| is_before(value, durable)).and_then(|(key, _)| keys::parse_row(&key));
        Ok(young.max(old.map(|(call, _)| call)))
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

fn is_before(row: &[u8], durable: u64) -> bool {
    keys::read_list(row).and_then(|chunks| chunks.first().copied()).is_some_and(|chunk| chunk < durable)
}

/// The calls of the index, with repetitions.
struct Rows {
    pairs: Pairs,
    durable: u64,
}

impl Iterator for Rows {
    type Item = Result<CallId, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (key, value) = match self.pairs.next()? {
                Ok(pair) => pair,
                Err(fault) => return Some(Err(fault.into())),
            };
            if is_before(&value, self.durable) {
                let damage =
                    ReadError::Corrupt { place: "the index".into(), what: "a key that is none".into() };
                return Some(keys::parse_row(&key).map(|(call, _)| call).ok_or(damage));
            }
        }
    }
}

/// Every call once, in order.
struct Calls {
    log: Arc<Log>,
    durable: u64,
    origin: Origin,
    last: Option<CallId>,
}

enum Origin {
    Index(Box<Merged>),
    /// The index is damaged; the rest was gathered from the write-ahead log.
    Log(std::collections::btree_set::IntoIter<CallId>),
}

impl Iterator for Calls {
    type Item = Result<CallId, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let next = match &mut self.origin {
                Origin::Index(merged) => merged.smaller()?,
                Origin::Log(calls) => Ok(calls.next()?),
            };
            match next {
                Ok(call) if self.last.is_some_and(|last| call <= last) => {}
                Ok(call) => {
                    self.last = Some(call);
                    return Some(Ok(call));
                }
                Err(damage) => {
                    let damage = self.log.doubt(damage);
                    match salvage::calls(&self.log.store, self.durable, &damage) {
                        Ok(calls) => self.origin = Origin::Log(calls.into_iter()),
                        Err(error) => return Some(Err(error)),
                    }
                }
            }
        }
    }
}

/// Two ascending lists as one.
struct Merged {
    young: Peekable<std::vec::IntoIter<CallId>>,
    rows: Peekable<Rows>,
}

impl Merged {
    fn smaller(&mut self) -> Option<Result<CallId, ReadError>> {
        let young = self.young.peek().copied();
        match (young, self.rows.peek()) {
            (Some(young), Some(Ok(row))) if young < *row => self.young.next().map(Ok),
            (_, Some(_)) => self.rows.next(),
            (_, None) => self.young.next().map(Ok),
        }
    }
}
