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

use super::open::{self, sync_files};
use super::sink;
use super::table::Table;
use super::tree::{Batch, Tree};
use super::young::Item;
use crate::error::ReadError;
use crate::keys;
use crate::layout::{self, FORMAT_VERSION};
use crate::wal::reader::{Step, Walk};

/// At most so many directories that were replaced are kept.
const ASIDE: u32 = 3;

/// So many bytes go to sled at once.
const BATCH_BYTES: usize = 256 * 1024;

/// Makes the directory again, or says why that is not possible; then nothing has changed.
pub fn from_wal(store: &Path, cache_bytes: u64) -> Result<(), String> {
    let new = store.join(layout::LOG).join("new");
    if new.exists() {
        fs::remove_dir_all(&new).map_err(|error| error.to_string())?;
    }
    fs::create_dir_all(&new).map_err(|error| error.to_string())?;
    let tree = Arc::new(Tree::open(&new, cache_bytes).map_err(|fault| fault.to_string())?);
    let filled = fill(store, &tree);
    drop(tree);
    let replaced = filled.and_then(|events| {
        replace(store, &new).map_err(|error| error.to_string())?;
        Ok(events)
    });
    match replaced {
        Ok(events) => {
            tracing::info!(events, "sled's part was made again from the write-ahead log");
            Ok(())
        }
        Err(why) => {
            // What is left of the attempt is in nobody's way.
            let _ = fs::remove_dir_all(&new);
            Err(why)
        }
    }
}

/// Carries the whole write-ahead log over; returns how many events it has.
fn fill(store: &Path, tree: &Tree) -> Result<u64, String> {
    let mut batch = Batch::default();
    batch.put(keys::VERSION, &FORMAT_VERSION.to_be_bytes());
    tree.apply(batch).map_err(|fault| fault.to_string())?;
    let (mut table, mut tail) = (Table::new(0, None), 0);
    let (mut items, mut bytes): (Vec<Item>, usize) = (Vec::new(), 0);
    for step in Walk::all(store).map_err(|error| error.to_string())? {
        match step.map_err(|error| error.to_string())? {
            Step::Record { at, bytes: record } => {
                bytes += record.len();
                let item = open::young(&mut table, tail, at, record).map_err(|error| error.to_string())?;
                tail = item.end;
                items.push(item);
            }
            Step::Damage { at, what } => {
                return Err(ReadError::at_seq(tail, format!("{what} ({at})")).to_string());
            }
        }
        if bytes >= BATCH_BYTES {
            carry_over(tree, &mut table, &mut items)?;
            bytes = 0;
        }
    }
    carry_over(tree, &mut table, &mut items)?;
    tree.sync().map_err(|fault| fault.to_string())?;
    Ok(tail)
}

fn carry_over(tree: &Tree, table: &mut Table, items: &mut Vec<Item>) -> Result<(), String> {
    tree.apply(sink::batch(items)).map_err(|fault| fault.to_string())?;
    table.settle(items.iter().flat_map(|item| &item.rows));
    items.clear();
    Ok(())
}

/// Puts the new directory in the place of the old one, and the old one aside.
fn replace(store: &Path, new: &Path) -> io::Result<()> {
    sync_files(store, new)?;
    let old = layout::log_dir(store, 0);
    if old.exists() {
        fs::create_dir_all(store.join(layout::ASIDE))?;
        let aside = (1..=ASIDE).map(|number| store.join(layout::ASIDE).join(number.to_string()));
        match aside.into_iter().find(|place| !place.exists()) {
            Some(place) => fs::rename(&old, place)?,
            None => fs::remove_dir_all(&old)?,
        }
    }
    fs::rename(new, &old)?;
    layout::sync_dir(&store.join(layout::LOG))?;
    layout::sync_dir(store)
}
