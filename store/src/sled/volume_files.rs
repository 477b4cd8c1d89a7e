//! The files of volumes: which there are, copying them for a reader, removing them.

use std::fs;
use std::io;
use std::path::Path;

use super::facts::Facts;
use super::open::copy_dir;
use super::tree::Fault;
use crate::layout;
use crate::lock::Lock;
use crate::wal;

/// Where volumes begin: what the names of sled's directories say and the segments' headers. At least one.
pub fn firsts(store: &Path) -> io::Result<Vec<u64>> {
    let begin = layout::begin(store)?;
    let mut firsts = layout::numbered(&store.join(layout::LOG))?;
    firsts.extend(wal::volumes(store)?);
    // A store of the older format: its segments don't say that they begin a volume.
    firsts.extend(wal::segments(store)?.first().filter(|first| **first == begin));
    firsts.retain(|first| *first >= begin);
    if firsts.is_empty() {
        firsts.push(begin);
    }
    firsts.sort_unstable();
    firsts.dedup();
    Ok(firsts)
}

/// Copies of sled's part of a store what opening the copy needs: the facts of finished volumes, and the directories of the
/// others. Finished ones are copied when somebody asks for what is in them.
pub fn copy_what_is_needed(store: &Path, copy: &Path) -> io::Result<()> {
    fs::create_dir_all(copy.join(layout::LOG))?;
    let firsts = firsts(store)?;
    for (number, first) in firsts.iter().enumerate() {
        let facts = layout::facts_file(store, *first);
        if facts.exists() {
            fs::copy(facts, layout::facts_file(copy, *first))?;
        }
        let next = firsts.get(number + 1);
        let finished =
            next.is_some_and(|next| Facts::read(store, *first).is_some_and(|facts| facts.end == *next));
        let dir = layout::log_dir(store, *first);
        if !finished && dir.exists() {
            copy_dir(&dir, &layout::log_dir(copy, *first))?;
        }
    }
    Ok(())
}

/// Copies a volume that a copy of the store does not have yet. Nobody may write meanwhile: then the write-ahead log, which
/// is the original, has to do.
pub fn fetch(original: &Path, first: u64, dir: &Path) -> Result<(), Fault> {
    let from = layout::log_dir(original, first);
    if dir.exists() || !from.exists() {
        return Ok(());
    }
    let lock = Lock::shared(original).map_err(|error| Fault::Io(error.to_string()))?;
    let what = "an engine opened the store before this volume was copied; try again";
    let _lock = lock.map_err(|_| Fault::Damage(what.into()))?;
    Ok(copy_dir(&from, dir)?)
}

/// Removes what belongs to volumes before this global sequence number.
pub fn remove_before(store: &Path, begin: u64) -> io::Result<()> {
    let (log, wal) = (store.join(layout::LOG), store.join(layout::WAL));
    for first in layout::numbered(&wal)?.into_iter().filter(|first| *first < begin) {
        fs::remove_file(wal::path(store, first))?;
    }
    for first in layout::numbered(&log)?.into_iter().filter(|first| *first < begin) {
        fs::remove_file(layout::facts_file(store, first)).or_else(missing_is_fine)?;
        fs::remove_dir_all(layout::log_dir(store, first))?;
    }
    for dir in [&log, &wal].into_iter().filter(|dir| dir.exists()) {
        layout::sync_dir(dir)?;
    }
    Ok(())
}

fn missing_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
