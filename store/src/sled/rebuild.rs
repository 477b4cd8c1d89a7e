//! Making a volume's sled directory again from the write-ahead log.
//!
//! Whatever became of sled (it does not open, it lost what it had, a byte of it is wrong): the log has every
//! acknowledged commit of the volume. The new directory is made beside the old one and takes its place once it is whole
//! and synced; the old one is put aside for a look. A kill in between leaves the old one, and the next open begins again.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::facts::Facts;
use super::log::Log;
use super::open::{open_tree, sync_files};
use super::recover::{self, Opened};
use super::sink;
use super::store::Store;
use super::table::Table;
use super::tree::{Batch, Fault, Tree};
use super::turn;
use super::volumes::Volume;
use super::young::Item;
use crate::error::ReadError;
use crate::keys;
use crate::layout::{self, FORMAT_VERSION};
use crate::wal::reader::{Step, Walk};
use crate::wal::record::Record;
use crate::wal::{self, Place};

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

/// Makes the directory of a volume again that nobody has open, or says why that is not possible; then nothing has changed.
pub fn from_wal(store: &Path, span: &Range<u64>, cache_bytes: u64) -> Result<(), Fault> {
    let filled = begin(store, cache_bytes).map_err(Stopped::from).and_then(|tree| {
        let mut fill = Fill::new(store, span, tree, None);
        fill.up_to(span.end, &|| false)?;
        fill.finish()?;
        Ok(fill.tail)
    });
    match filled.and_then(|tail| Ok(replace(store, span.start).map(|()| tail)?)) {
        Ok(tail) => {
            let (from, to) = (span.start, tail);
            tracing::info!(from, to, "a volume's sled was made again from the write-ahead log");
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

/// The same for a finished volume of an open journal.
pub fn finished(store: &Store, volume: &Volume, span: &Range<u64>) -> Result<(), Stopped> {
    let dir = &store.dir;
    let tree = begin(dir, store.cache_bytes)?;
    let mut fill = Fill::new(dir, span, tree, Some(&store.log));
    fill.up_to(span.end, &|| store.log.young.is_closed_within(Duration::ZERO))?;
    let facts = fill.complete()?;
    drop(fill);
    replace(dir, span.start)?;
    store.log.volumes.made_again(volume, facts);
    store.counted.remade.fetch_add(1, Ordering::Relaxed);
    tracing::info!(volume = span.start, "a volume's sled was made again from the write-ahead log");
    Ok(())
}

/// The same for the active volume of an open journal, whose sled failed: the new one takes its place. If the log has begun
/// further volumes meanwhile, so do these.
pub fn active(store: &Store) -> Result<(), Stopped> {
    loop {
        let volume = store.log.volumes.active().ok_or_else(|| Fault::Io("there is no volume".into()))?;
        let next = wal::volumes(&store.dir)?.into_iter().find(|first| *first > volume.first);
        let span = volume.first..next.unwrap_or(u64::MAX);
        let (table, tail, place) = fill_new(store, &span)?;
        let joined =
            put_to_use(store, &volume, &span, (table, tail, place)).map_err(|stopped| match stopped {
                Stopped::Fault(fault) => Stopped::Halfway(fault),
                halfway @ (Stopped::Halfway(_) | Stopped::Closed) => halfway,
            })?;
        store.counted.remade.fetch_add(1, Ordering::Relaxed);
        if joined {
            tracing::info!("sled was made again from the write-ahead log and is in use");
            return Ok(());
        }
    }
}

/// How far a volume is filled: what its index does not name yet, where it ends, and where that is in the log.
type Filled = (Table, u64, Option<Place>);

/// Fills a new directory, and puts it in the place of the old one.
fn fill_new(store: &Store, span: &Range<u64>) -> Result<Filled, Stopped> {
    let dir = &store.dir;
    let tree = begin(dir, store.cache_bytes)?;
    let mut fill = Fill::new(dir, span, tree, Some(&store.log));
    fill.up_to(store.durable(), &|| store.log.young.is_closed_within(Duration::ZERO))?;
    fill.tree.sync()?;
    // sled does not notice that its directory moves, so it is closed for that.
    let Fill { tree, table, tail, place, .. } = fill;
    drop(tree);
    replace(dir, span.start)?;
    Ok((table, tail, place))
}

/// Opens the new one in its place, brings it up to where the young begin, and hands it to the readers. False if the volume
/// ends before that: then it is finished, and the next one is active and has to be filled.
fn put_to_use(
    store: &Store,
    volume: &Volume,
    span: &Range<u64>,
    (table, tail, place): Filled,
) -> Result<bool, Stopped> {
    let (dir, young) = (&store.dir, &store.log.young);
    let tree = open_tree(&layout::log_dir(dir, span.start), store.cache_bytes)?;
    let mut fill = Fill { table, tail, place, ..Fill::new(dir, span, tree, Some(&store.log)) };
    while fill.tail < span.end && !young.keep_from(fill.tail) {
        fill.up_to(store.durable(), &|| young.is_closed_within(Duration::ZERO))?;
    }
    let ends = fill.tail >= span.end;
    let facts = if ends {
        fill.complete()?
    } else {
        {
            fill.finish()?;
            None
        }
    };
    store.log.volumes.put(volume, Arc::clone(&fill.tree));
    // In this order: until the table forgets them, they are found through both.
    store.table().indexed_before(fill.tail);
    if ends {
        store.log.volumes.turn(facts, span.end, turn::begin(store, span.end).ok());
    }
    young.forget_before(fill.tail);
    Ok(!ends || young.keep_from(fill.tail))
}

fn new_dir(store: &Path) -> std::path::PathBuf {
    store.join(layout::LOG).join("new")
}

/// What stands first in every tree.
pub fn version() -> Batch {
    let mut batch = Batch::default();
    batch.put(keys::VERSION, &FORMAT_VERSION.to_be_bytes());
    batch
}

/// An empty tree beside the old one.
fn begin(store: &Path, cache_bytes: u64) -> Result<Arc<Tree>, Fault> {
    let new = new_dir(store);
    if new.exists() {
        fs::remove_dir_all(&new)?;
    }
    fs::create_dir_all(&new)?;
    let tree = Tree::open(&new, cache_bytes)?;
    tree.apply(version())?;
    Ok(tree)
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
    pub fn resume(store: &'a Path, span: &Range<u64>, opened: Opened) -> Self {
        let Opened { tree, table, tail, place } = opened;
        Self { table, tail, place, ..Self::new(store, span, tree, None) }
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

/// Puts the new directory in the place of the old one, and the old one aside.
fn replace(store: &Path, first: u64) -> io::Result<()> {
    let new = new_dir(store);
    sync_files(store, &new)?;
    let old = layout::log_dir(store, first);
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
