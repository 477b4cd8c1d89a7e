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

use super::fill::{Fill, Stopped};
use super::open::{open_tree, sync_files};
use super::recover::Opened;
use super::store::Store;
use super::table::Table;
use super::tree::{Batch, Fault, Tree};
use super::turn;
use super::volumes::Volume;
use crate::keys;
use crate::layout::{self, FORMAT_VERSION};
use crate::wal::{self, Place};

/// At most so many directories that were replaced are kept.
const ASIDE: u32 = 3;

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
    store.log.volumes.made_again(volume, facts, || replace(dir, span.start))?;
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
        let filled = fill_new(store, &span)?;
        let joined = put_to_use(store, &volume, &span, filled).map_err(|stopped| match stopped {
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
    let opened = Opened { tree, table, tail, place };
    let mut fill = Fill::resume(dir, span, opened, Some(&store.log));
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
