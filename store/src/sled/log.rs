//! The log as it is read: what sled holds, what is too young for it, and the write-ahead log where sled is damaged.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::salvage;
use super::tree::{Fault, Pairs, Tree};
use super::young::Young;
use crate::error::ReadError;
use crate::keys;
use crate::wal::record::{self, Record};

/// The log.
pub struct Log {
    /// What was carried over to sled. Another one takes its place when it had to be made again.
    tree: RwLock<Arc<Tree>>,
    /// Whether sled was given up: then nothing is carried over any more, and its index says less than there is.
    without: AtomicBool,
    /// What was not.
    pub young: Young,
    /// The store's directory: where the write-ahead log is.
    pub store: PathBuf,
}

/// A group's record: as sled gave it, joined from its parts, or still in memory.
#[derive(Debug)]
pub enum Bytes {
    /// One value.
    One(sled::IVec),
    /// Several values joined.
    Joined(Vec<u8>),
    /// Not in sled yet.
    Young(Arc<[u8]>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::One(value) => value,
            Self::Joined(bytes) => bytes,
            Self::Young(record) => record,
        }
    }
}

/// The frames of a record, one after another, if it is the one that belongs at `seq`.
pub fn frames(seq: u64, record: &[u8]) -> Result<Vec<u8>, ReadError> {
    let damaged = |what: String| ReadError::at_seq(seq, what);
    let record = Record::read(record).map_err(|error| damaged(error.to_string()))?;
    if record.seq != seq {
        return Err(damaged(format!("here stands the record of sequence {}", record.seq)));
    }
    record.frames().map_err(|error| damaged(error.to_string()))
}

impl Log {
    /// A log whose older part is in this tree.
    pub fn new(tree: Arc<Tree>, young: Young, store: &Path) -> Self {
        let (tree, without) = (RwLock::new(tree), AtomicBool::new(false));
        Self { tree, without, young, store: store.to_owned() }
    }

    /// What was carried over to sled.
    pub fn tree(&self) -> Arc<Tree> {
        Arc::clone(&self.tree.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same for somebody who believes what its index says.
    pub fn index(&self) -> Result<Arc<Tree>, Fault> {
        if self.is_without() { Err(Fault::Damage("sled is out of use".into())) } else { Ok(self.tree()) }
    }

    /// A reader found this wrong with sled: it is looked into.
    pub fn doubt(&self, why: ReadError) -> ReadError {
        if !self.is_without() {
            self.young.doubt(&why);
        }
        why
    }

    /// Another one takes its place, which holds at least as much.
    pub fn put(&self, tree: Arc<Tree>) {
        *self.tree.write().unwrap_or_else(PoisonError::into_inner) = tree;
        self.without.store(false, Ordering::Release);
    }

    /// sled is given up.
    pub fn go_without(&self) {
        self.without.store(true, Ordering::Release);
    }

    /// Whether it is.
    pub fn is_without(&self) -> bool {
        self.without.load(Ordering::Acquire)
    }

    /// The frames of the record that begins at this global sequence number.
    fn frames(&self, seq: u64) -> Result<Option<Vec<u8>>, ReadError> {
        // In this order: it may move to sled between two looks, never back.
        let record = match self.young.get(seq) {
            Some(record) => Some(Bytes::Young(record)),
            None => self.stored(seq)?,
        };
        record.map(|record| frames(seq, &record)).transpose()
    }

    /// The global sequence number of the record that holds `seq`, or of the last one before it.
    pub fn record_at(&self, seq: u64) -> Result<Option<u64>, ReadError> {
        if let Some(first) = self.young.group_at(seq) {
            return Ok(Some(first));
        }
        self.tree().chunk_at(seq).or_else(|fault| {
            let why = self.doubt(fault.into());
            salvage::record_at(&self.store, seq, &why)
        })
    }

    /// A record in sled, joined if it has several parts.
    pub fn stored(&self, seq: u64) -> Result<Option<Bytes>, ReadError> {
        let tree = self.tree();
        let Some(first) = tree.get(&keys::chunk(seq))? else { return Ok(None) };
        let wanted = record::length(&first).unwrap_or(0);
        if wanted <= first.len() {
            return Ok(Some(Bytes::One(first)));
        }
        let record = InTree::new(&tree, seq)?.advance()?;
        Ok(record.filter(|(found, _)| *found == seq).map(|(_, bytes)| bytes))
    }
}

/// Single records in ascending order, from the write-ahead log where sled fails.
pub struct Fetch<'a> {
    log: &'a Log,
    wal: Option<salvage::Frames>,
}

impl<'a> Fetch<'a> {
    /// Nothing was looked at yet.
    pub fn new(log: &'a Log) -> Self {
        Self { log, wal: None }
    }

    /// The frames of the record that begins at this global sequence number.
    pub fn frames(&mut self, seq: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let why = match self.log.frames(seq) {
            Ok(None) => missing(seq),
            Err(damage @ ReadError::Corrupt { .. }) => self.log.doubt(damage),
            found => return found,
        };
        let wal = match &mut self.wal {
            Some(wal) => wal,
            none => none.insert(salvage::Frames::new(&self.log.store, seq, &why)?),
        };
        wal.advance(seq)
    }
}

/// The records that sled holds, in order, joined from their parts. Whether they are whole is not looked at.
pub struct InTree {
    pairs: Pairs,
    ahead: Option<(keys::ChunkKey, sled::IVec)>,
}

impl InTree {
    /// From this global sequence number on.
    pub fn new(tree: &Arc<Tree>, from: u64) -> Result<Self, Fault> {
        Ok(Self { pairs: tree.scan(&[keys::CHUNK], &keys::chunk(from))?, ahead: None })
    }

    fn pull(&mut self) -> Result<Option<(keys::ChunkKey, sled::IVec)>, ReadError> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        let Some(pair) = self.pairs.next() else { return Ok(None) };
        let (key, value) = pair?;
        let key = keys::parse_chunk(&key).ok_or_else(|| ReadError::Corrupt {
            place: "the log".into(),
            what: "a key that is none".into(),
        })?;
        Ok(Some((key, value)))
    }

    fn advance(&mut self) -> Result<Option<(u64, Bytes)>, ReadError> {
        let Some((key, first)) = self.pull()? else { return Ok(None) };
        if key.part != 0 {
            let what = format!("part {} of a record whose beginning is missing", key.part);
            return Err(ReadError::at_seq(key.seq, what));
        }
        let wanted = record::length(&first).unwrap_or(0);
        if wanted <= first.len() {
            return Ok(Some((key.seq, Bytes::One(first))));
        }
        let mut joined = first.to_vec();
        while let Some((part, value)) = self.pull()? {
            if part.seq != key.seq || joined.len() >= wanted {
                self.ahead = Some((part, value));
                break;
            }
            joined.extend_from_slice(&value);
        }
        Ok(Some((key.seq, Bytes::Joined(joined))))
    }
}

impl Iterator for InTree {
    type Item = Result<(u64, Bytes), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

/// The log's records as frames, in order and without a gap, from wherever they are whole.
pub struct Records {
    log: Arc<Log>,
    source: Source,
    next: u64,
}

enum Source {
    /// Nothing was looked at yet.
    Unopened,
    Tree(Box<InTree>),
    /// sled is damaged; the rest comes from here.
    Wal(salvage::Frames),
}

fn missing(seq: u64) -> ReadError {
    ReadError::at_seq(seq, "sled does not have it")
}

impl Records {
    /// From the record that begins at `from` on; it must be there, or be the end.
    pub fn new(log: &Arc<Log>, from: u64) -> Self {
        Self { log: Arc::clone(log), source: Source::Unopened, next: from }
    }

    /// Where the next record must begin.
    pub fn expected(&self) -> u64 {
        self.next
    }

    fn advance(&mut self) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
        let frames = match &mut self.source {
            Source::Wal(wal) => match wal.advance(self.next) {
                // Each copy serves where the other one is damaged.
                Err(damage) => Some(self.log.frames(self.next).ok().flatten().ok_or(damage)?),
                found => found?,
            },
            // A walk that a batch overtook may see half of it; a new one sees all.
            Source::Unopened | Source::Tree(_) => match self.next_in_tree().or_else(|_| self.look_again()) {
                Ok(Some(frames)) => Some(frames),
                Ok(None) => self.salvaged(&missing(self.next))?,
                Err(damage) => {
                    let damage = self.log.doubt(damage);
                    Some(self.salvaged(&damage)?.ok_or(damage)?)
                }
            },
        };
        let Some(frames) = frames else { return Ok(None) };
        let seq = self.next;
        self.next = super::read::end(seq, &frames)?;
        Ok(Some((seq, frames)))
    }

    /// The next one from the write-ahead log, and from then on all.
    fn salvaged(&mut self, why: &ReadError) -> Result<Option<Vec<u8>>, ReadError> {
        let mut wal = salvage::Frames::new(&self.log.store, self.next, why)?;
        let frames = wal.advance(self.next)?;
        self.source = Source::Wal(wal);
        Ok(frames)
    }

    fn next_in_tree(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let Source::Tree(tree) = &mut self.source else { return self.beyond_the_tree() };
        let Some((seq, record)) = tree.advance()? else { return self.beyond_the_tree() };
        if seq != self.next {
            return Err(ReadError::at_seq(self.next, format!("the log has a gap: after it comes {seq}")));
        }
        frames(seq, &record).map(Some)
    }

    /// What is young; or what was, and moved to sled since the walk through it began.
    fn beyond_the_tree(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        if let Some(record) = self.log.young.get(self.next) {
            return frames(self.next, &record).map(Some);
        }
        self.look_again()
    }

    fn look_again(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let mut tree = InTree::new(&self.log.tree(), self.next)?;
        match tree.advance()? {
            Some((seq, record)) if seq == self.next => {
                let frames = frames(seq, &record)?;
                self.source = Source::Tree(Box::new(tree));
                Ok(Some(frames))
            }
            Some((seq, _)) => {
                Err(ReadError::at_seq(self.next, format!("the log has a gap: after it comes {seq}")))
            }
            None => Ok(None),
        }
    }
}

impl Iterator for Records {
    type Item = Result<(u64, Vec<u8>), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}
