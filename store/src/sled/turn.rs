//! From one volume to the next.
//!
//! The writer has begun a segment of the write-ahead log that begins the new volume, and gave the rows of all calls that
//! go on, so that the old volume's index is complete. Here the old one is finished, in this order: its rows, its floor,
//! its facts; then the new one's sled is made. A kill in between leaves a volume without facts, which the next opening
//! finishes.

use std::fs;
use std::sync::Arc;

use super::facts::Facts;
use super::open::sync_files;
use super::rebuild::version;
use super::store::Store;
use super::table::Row;
use super::tree::{Batch, Fault, Tree};
use crate::keys;
use crate::layout;

/// Rows that are written at once.
const ROWS: usize = 512;

/// Finishes the active volume, of which everything was carried over, with these rows, and begins the one at `first`.
pub fn turn(store: &Store, rows: &[Row], first: u64) -> Result<(), Fault> {
    let Some(active) = store.log.volumes.active().filter(|active| active.first < first) else {
        return Ok(());
    };
    let tree = store.log.volumes.tree(&active)?;
    index(&tree, rows, first)?;
    store.table().settle(rows);
    let facts = Facts::gather(&store.dir, active.first, first, &tree)?;
    if let Some(facts) = &facts {
        facts.write(&store.dir, active.first)?;
    }
    let begun = begin(store, first);
    if let Err(fault) = &begun {
        tracing::error!(%fault, "the sled of a new volume could not be made");
    }
    store.log.volumes.turn(facts, first, begun.ok());
    tracing::info!(volume = first, "a new volume of the journal begins");
    Ok(())
}

/// Completes the index of a tree, whose records end before `end`, with these rows.
pub fn index(tree: &Tree, rows: &[Row], end: u64) -> Result<(), Fault> {
    for rows in rows.chunks(ROWS) {
        let mut batch = Batch::default();
        rows.iter().for_each(|Row { key, value, .. }| batch.put(key, value));
        tree.commit(batch)?;
    }
    let mut batch = Batch::default();
    batch.put(keys::FLOOR, &end.to_be_bytes());
    tree.commit(batch)
}

/// Makes the sled of a volume that is empty.
pub fn begin(store: &Store, first: u64) -> Result<Arc<Tree>, Fault> {
    let dir = layout::log_dir(&store.dir, first);
    fs::create_dir_all(&dir)?;
    let tree = Tree::open(&dir, store.cache_bytes)?;
    tree.commit(version())?;
    sync_files(&store.dir, &dir)?;
    Ok(tree)
}
