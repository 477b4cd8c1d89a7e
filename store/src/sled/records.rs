//! A walk through the log's records: from volume to volume, to what is young, and through the write-ahead log where sled
//! is damaged.

use std::sync::Arc;

use super::log::{InTree, Log, frames};
use super::salvage;
use crate::error::ReadError;

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
                Ok(None) => self.salvaged(&salvage::missing(self.next))?,
                Err(gone @ ReadError::Unavailable { .. }) => return Err(gone),
                Err(damage) => {
                    let damage = self.log.doubt_at(self.next, damage);
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
        let volume = self.log.volume(self.next)?;
        let mut tree = InTree::new(&self.log.volumes.tree(&volume)?, self.next)?;
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
