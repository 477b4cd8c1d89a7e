//! Making sled's directory again from the write-ahead log.
//!
//! Whatever became of sled (it does not open, it lost what it had, a byte of it is wrong): the log has every
//! acknowledged commit since the store began. The new directory is made beside the old one and takes its place once it
//! is whole and synced; the old one is put aside for a look. A kill in between leaves the old one, and the next open
//! begins again.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::log::Log;
use super::open::{self, open_tree, sync_files};
use super::sink;
use super::store::Store;
use super::table::{Row, Table};
use super::tree::{Batch, Fault, Tree};
use super::young::Item;
use crate::error::ReadError;
use crate::keys;
use crate::layout::{self, FORMAT_VERSION};
use crate::wal::Place;
use crate::wal::reader::{Step, Walk};
use crate::wal::record::Record;

/// At most so many directories that were replaced are kept.
const ASIDE: u32 = 3;

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

/// Makes the directory of a store again that nobody has open, or says why that is not possible; then nothing has changed.
pub fn from_wal(store: &Path, cache_bytes: u64) -> Result<(), Fault> {
    let new = begin(store, cache_bytes)?;
    let mut fill = Fill { store, tree: new, table: Table::new(0, None), tail: 0, place: None, older: None };
    let filled = fill.up_to(u64::MAX, &|| false).and_then(|()| fill.finish());
    let tail = fill.tail;
    drop(fill);
    match filled.and_then(|()| Ok(replace(store)?)) {
        Ok(()) => {
            tracing::info!(events = tail, "sled's part was made again from the write-ahead log");
            Ok(())
        }
        Err(Stopped::Closed) => Ok(()),
        Err(Stopped::Fault(fault) | Stopped::Halfway(fault)) => {
            // What is left of the attempt is in nobody's way.
            let _ = fs::remove_dir_all(new_dir(store));
            Err(fault)
        }
    }
}

/// The same for an open journal, whose sled failed: the new one takes its place.
pub fn while_open(store: &Store) -> Result<(), Stopped> {
    let (dir, young) = (&store.dir, &store.log.young);
    let closed = || young.is_closed_within(Duration::ZERO);
    let tree = begin(dir, store.cache_bytes)?;
    let older = Some(&*store.log);
    let mut fill = Fill { store: dir, tree, table: Table::new(0, None), tail: 0, place: None, older };
    fill.up_to(store.durable(), &closed)?;
    fill.tree.sync()?;
    // sled does not notice that its directory moves, so it is closed for that.
    let Fill { tree, table, tail, place, .. } = fill;
    drop(tree);
    replace(dir)?;
    put_to_use(store, older, (table, tail, place)).map_err(|stopped| match stopped {
        Stopped::Fault(fault) => Stopped::Halfway(fault),
        halfway @ (Stopped::Halfway(_) | Stopped::Closed) => halfway,
    })
}

/// Opens the new one in its place, brings it up to where the young begin, and hands it to the readers.
fn put_to_use(
    store: &Store,
    older: Option<&Log>,
    (table, tail, place): (Table, u64, Option<Place>),
) -> Result<(), Stopped> {
    let (dir, young) = (&store.dir, &store.log.young);
    let tree = open_tree(&layout::log_dir(dir, 0), store.cache_bytes)?;
    let mut fill = Fill { store: dir, tree, table, tail, place, older };
    while !young.keep_from(fill.tail) {
        fill.up_to(store.durable(), &|| young.is_closed_within(Duration::ZERO))?;
    }
    fill.finish()?;
    store.log.put(fill.tree);
    // In this order: until the table forgets them, they are found through both.
    store.table().indexed_before(fill.tail);
    young.forget_before(fill.tail);
    store.counted.remade.fetch_add(1, Ordering::Relaxed);
    tracing::info!(events = fill.tail, "sled was made again from the write-ahead log and is in use");
    Ok(())
}

fn new_dir(store: &Path) -> std::path::PathBuf {
    store.join(layout::LOG).join("new")
}

/// An empty tree beside the old one.
fn begin(store: &Path, cache_bytes: u64) -> Result<Arc<Tree>, Fault> {
    let new = new_dir(store);
    if new.exists() {
        fs::remove_dir_all(&new)?;
    }
    fs::create_dir_all(&new)?;
    let tree = Tree::open(&new, cache_bytes)?;
    let mut batch = Batch::default();
    batch.put(keys::VERSION, &FORMAT_VERSION.to_be_bytes());
    tree.apply(batch)?;
    Ok(tree)
}

/// A tree that is being filled from the write-ahead log.
struct Fill<'a> {
    store: &'a Path,
    tree: Arc<Tree>,
    /// What its index does not name yet.
    table: Table,
    /// Everything before this global sequence number is in it,
    tail: u64,
    /// which ends here in the log.
    place: Option<Place>,
    /// The log with the sled that failed: it may still have what the write-ahead log has lost.
    older: Option<&'a Log>,
}

impl Fill<'_> {
    /// Carries over what the write-ahead log has, as far as it begins before `until`.
    fn up_to(&mut self, until: u64, closed: &dyn Fn() -> bool) -> Result<(), Stopped> {
        let walk = match self.place {
            Some(place) => Walk::from(self.store, place)?,
            None => Walk::all(self.store)?,
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
        let item = open::young(&mut self.table, self.tail, at, record)?;
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

    /// Completes the index up to the end, and makes everything durable.
    fn finish(&mut self) -> Result<(), Stopped> {
        let rows = self.table.flush();
        for rows in rows.chunks(512) {
            let mut batch = Batch::default();
            rows.iter().for_each(|Row { key, value, .. }| batch.put(key, value));
            self.tree.apply(batch)?;
        }
        self.table.settle(&rows);
        let mut batch = Batch::default();
        batch.put(keys::FLOOR, &self.tail.to_be_bytes());
        Ok(self.tree.commit(batch)?)
    }
}

/// Puts the new directory in the place of the old one, and the old one aside.
fn replace(store: &Path) -> io::Result<()> {
    let new = new_dir(store);
    sync_files(store, &new)?;
    let old = layout::log_dir(store, 0);
    if old.exists() {
        fs::create_dir_all(store.join(layout::ASIDE))?;
        let aside = (1..=ASIDE).map(|number| store.join(layout::ASIDE).join(number.to_string()));
        match aside.into_iter().find(|place| !place.exists()) {
            Some(place) => fs::rename(&old, place)?,
            None => fs::remove_dir_all(&old)?,
        }
    }
    fs::rename(&new, &old)?;
    layout::sync_dir(&store.join(layout::LOG))?;
    layout::sync_dir(store)
}
