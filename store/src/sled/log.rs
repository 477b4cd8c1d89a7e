//! The log as it is read: what sled holds, what is too young for it, and the write-ahead log where sled is damaged.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use super::salvage;
use super::tree::{Fault, Pairs, Tree};
use super::volumes::{Volume, Volumes};
use super::young::Young;
use crate::error::ReadError;
use crate::keys;
use crate::wal::record::{self, Record};

/// The log.
#[derive(Debug)]
pub struct Log {
    /// What was carried over to sled.
    pub volumes: Volumes,
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
    /// The volume that a global sequence number lies in.
    pub fn volume(&self, seq: u64) -> Result<Arc<Volume>, ReadError> {
        self.volumes.at(seq).ok_or_else(|| {
            let why = format!("what was recorded before sequence {} has been removed", self.volumes.begin());
            ReadError::Unavailable { why }
        })
    }

    /// A reader found this wrong with the sled of a volume: it is looked into.
    pub fn doubt(&self, volume: u64, why: ReadError) -> ReadError {
        self.young.doubt(volume, &why);
        why
    }

    /// The same for the volume of a global sequence number.
    pub fn doubt_at(&self, seq: u64, why: ReadError) -> ReadError {
        let volume = self.volumes.at(seq).map_or(0, |volume| volume.first);
        self.doubt(volume, why)
    }

    /// The frames of the record that begins at this global sequence number.
    pub fn frames(&self, seq: u64) -> Result<Option<Vec<u8>>, ReadError> {
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
        let volume = self.volume(seq)?;
        self.volumes.tree(&volume).and_then(|tree| tree.chunk_at(seq)).or_else(|fault| {
            let why = self.doubt(volume.first, fault.into());
            salvage::record_at(&self.store, seq, &why)
        })
    }

    /// A record in sled, joined if it has several parts.
    pub fn stored(&self, seq: u64) -> Result<Option<Bytes>, ReadError> {
        let volume = self.volume(seq)?;
        let tree = self.volumes.tree(&volume)?;
        let Some(first) = tree.get(&keys::chunk(seq))? else { return Ok(None) };
        let wanted = record::length(&first).unwrap_or(0);
        if wanted <= first.len() {
            return Ok(Some(Bytes::One(first)));
        }
        let record = InTree::new(&tree, seq)?.next().transpose()?;
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
            Ok(None) => salvage::missing(seq),
            Err(damage @ ReadError::Corrupt { .. }) => self.log.doubt_at(seq, damage),
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

    /// The next one.
    pub fn advance(&mut self) -> Result<Option<(u64, Bytes)>, ReadError> {
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
