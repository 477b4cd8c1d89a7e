//! Filling a volume's tree from the write-ahead log, with its index.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::facts::Facts;
use super::log::Log;
use super::recover::{self, Opened};
use super::sink;
use super::table::Table;
use super::tree::{Fault, Tree};
use super::turn;
use super::young::Item;
use crate::error::ReadError;
use crate::wal::Place;
use crate::wal::reader::{Step, Walk};
use crate::wal::record::Record;

/// So many bytes go to sled at once.
const BATCH_BYTES: usize = 256 * 1024;

/// Why it was not made again.
pub enum Stopped {
    /// That is not possible; nothing has changed.
    Fault(Fault),
    /// It was begun, and the old one is out of its place.
    Halfway(Fault),
    /// The journal was closed.
    Closed,
}

impl Stopped {
    /// Why, for somebody who does not close anything meanwhile.
    pub fn fault(self) -> Fault {
        match self {
            Self::Fault(fault) | Self::Halfway(fault) => fault,
            Self::Closed => Fault::Io("closed".into()),
        }
    }
}

impl<F: Into<Fault>> From<F> for Stopped {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        Self::Damage(error.to_string())
    }
}

/// A tree of a volume that is being filled from the write-ahead log.
pub struct Fill<'a> {
    store: &'a Path,
    span: Range<u64>,
    /// The tree.
    pub tree: Arc<Tree>,
    /// What its index does not name yet.
    pub table: Table,
    /// Everything before this global sequence number is in it,
    pub tail: u64,
    /// which ends here in the log.
    pub place: Option<Place>,
    /// The log with the sled that failed: it may still have what the write-ahead log has lost.
    older: Option<&'a Log>,
}

impl<'a> Fill<'a> {
    /// A tree with nothing in it.
    pub fn new(store: &'a Path, span: &Range<u64>, tree: Arc<Tree>, older: Option<&'a Log>) -> Self {
        let table = Table::new(span.start, None);
        Self { store, span: span.clone(), tree, table, tail: span.start, place: None, older }
    }

    /// A tree that has something already.
    pub fn resume(store: &'a Path, span: &Range<u64>, opened: Opened, older: Option<&'a Log>) -> Self {
        let Opened { tree, table, tail, place } = opened;
        Self { table, tail, place, ..Self::new(store, span, tree, older) }
    }
}

impl Fill<'_> {
    /// Carries over what the write-ahead log has, as far as it begins before `until`.
    pub fn up_to(&mut self, until: u64, closed: &dyn Fn() -> bool) -> Result<(), Stopped> {
        let until = until.min(self.span.end);
        let walk = match self.place {
            Some(place) => Walk::from(self.store, place, self.span.end)?,
            None => Walk::within(self.store, &self.span)?,
        };
        let (mut items, mut bytes, mut damage) = (Vec::new(), 0, None);
        for step in walk {
            let (at, record) = match step? {
                Step::Record { at, bytes } => (at, bytes),
                Step::Damage { at, what } => {
                    damage = Some(format!("{what} ({at})"));
                    continue;
                }
            };
            let seq = Record::read(&record).map_or(until, |record| record.seq);
            self.bridge(seq.min(until), at, damage.take(), &mut items)?;
            if seq >= until {
                break;
            }
            bytes += record.len();
            self.take(at, record, &mut items)?;
            if bytes >= BATCH_BYTES {
                self.carry_over(&mut items)?;
                bytes = 0;
                if closed() {
                    return Err(Stopped::Closed);
                }
            }
        }
        match damage {
            Some(what) => Err(Fault::from(ReadError::at_seq(self.tail, what)).into()),
            None => Ok(self.carry_over(&mut items)?),
        }
    }

    fn take(&mut self, at: Place, record: Vec<u8>, items: &mut Vec<Item>) -> Result<(), Fault> {
        let item = recover::young(&mut self.table, self.tail, at, record)?;
        self.tail = item.end;
        items.push(item);
        Ok(())
    }

    /// What is missing up to `seq` is taken from the sled that failed, if it still has it.
    fn bridge(
        &mut self,
        seq: u64,
        at: Place,
        damage: Option<String>,
        items: &mut Vec<Item>,
    ) -> Result<(), Fault> {
        let Some(what) = damage else { return Ok(()) };
        while self.tail < seq {
            let older = self.older.map(|log| log.stored(self.tail)).transpose()?.flatten();
            let older = older.ok_or_else(|| ReadError::at_seq(self.tail, what.as_str()))?;
            self.take(at, older.to_vec(), items)?;
            if let Some(item) = items.last_mut() {
                item.behind = at;
            }
        }
        Ok(())
    }

    fn carry_over(&mut self, items: &mut Vec<Item>) -> Result<(), Fault> {
        let Some(last) = items.last() else { return Ok(()) };
        self.place = Some(last.behind);
        self.tree.has_room()?;
        self.tree.apply(sink::batch(items))?;
        self.table.settle(items.iter().flat_map(|item| &item.rows));
        items.clear();
        Ok(())
    }

    /// The same for a volume that is whole: nothing may be missing. Its facts say from now on that it is.
    pub fn complete(&mut self) -> Result<Option<Facts>, Stopped> {
        if self.tail != self.span.end {
            let what = format!("the volume ends here, but the next one begins at {}", self.span.end);
            return Err(Fault::from(ReadError::at_seq(self.tail, what)).into());
        }
        self.finish()?;
        let facts =
            Facts::gather(self.store, self.span.start, self.span.end, &self.tree).map_err(Fault::from)?;
        if let Some(facts) = &facts {
            facts.write(self.store, self.span.start)?;
        }
        Ok(facts)
    }

    /// Completes the index up to the end, and makes everything durable.
    pub fn finish(&mut self) -> Result<(), Fault> {
        let rows = self.table.flush();
        turn::index(&self.tree, &rows, self.tail)?;
        self.table.settle(&rows);
        Ok(())
    }
}
