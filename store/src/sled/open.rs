//! Opening a store, step by step, with what sled 0.34.7 needs done around it.
//!
//! 1. Take the lock; look at `FORMAT`; remove what is left of volumes that were removed.
//! 2. Of the volumes, only the newest is opened. One before it that has no facts was not finished: it is.
//! 3. Delete `snap.*.generating`: left by a kill during an earlier open, it makes every later open fail.
//! 4. Open sled, guarded: on damage it panics. If that fails, try again without `snap.*`: sled then reads its whole log.
//! 5. Sync what sled created but never syncs: `conf`, `db`, `blobs`, the directory and its parent.
//! 6. Read the young end of what sled holds: is it contiguous, is every checksum right?
//! 7. Go on in the write-ahead log, from the place that sled names, to its end.
//! 8. If any of 4 to 6 fails, make the volume's sled again from the write-ahead log (`rebuild`).
//! 9. Does all this reach the watermark?

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::facts::Facts;
use super::fill::Fill;
use super::log::Log;
use super::rebuild;
use super::recover::{Broken, broken, catch_up, go_on, opened};
use super::store::{Held, Store};
use super::table::Table;
use super::tree::{Fault, Tree};
use super::volume_files;
use super::volumes::Volumes;
use super::young::{Ripeness, Young};
use super::{CACHE_BYTES, Options};
use crate::layout;
use crate::lock::Lock;
use crate::open_error::OpenError;
use crate::wal::writer::Writer as Wal;
use crate::wal::{HEADER_BYTES, Kind, Place};
use crate::watermark::{self, Level};

/// The writer waits for sled once so much is durable and not carried over.
const MOST_YOUNG_BYTES: usize = 16 * 1024 * 1024;

/// What was found in a store.
pub struct Found {
    /// The log, with what is too young for sled.
    pub log: Arc<Log>,
    /// The sled of the active volume.
    pub tree: Arc<Tree>,
    /// What the index does not name yet.
    pub table: Table,
    /// The global sequence number behind the last event.
    pub tail: u64,
    /// Where the active volume begins.
    pub first: u64,
    /// Where the write-ahead log goes on; `None` if that is not where it ends, so that a new segment has to be begun.
    pub wal: Option<Place>,
}

/// What is opened, and how.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The directory: a store, or a private copy of one.
    pub store: &'a Path,
    /// For a copy: the store that finished volumes are copied from when they are needed.
    pub original: Option<&'a Path>,
    /// How.
    pub options: &'a Options,
}

/// Opens a store for writing, creating it if need be. The caller holds the lock. Returns what the writer goes on with: its
/// end of the write-ahead log, and where the active volume begins.
pub fn writable(store: &Path, lock: Lock, options: &Options) -> Result<(Arc<Store>, Wal, u64), OpenError> {
    let begin = layout::begin(store).map_err(OpenError::io("reading", &store.join(layout::PRUNED)))?;
    volume_files::remove_before(store, begin).map_err(OpenError::io("removing old volumes of", store))?;
    let found = open_or_rebuild(Target { store, original: None, options })?;
    let log = layout::log_dir(store, found.first);
    sync_files(store, &log).map_err(OpenError::io("syncing", &log))?;
    reaches_watermark(store, store, found.tail)?;
    let wal = match found.wal {
        Some(place) => Wal::resume(store, place, options.segment_bytes),
        None => {
            let kind = if found.tail == found.first { Kind::Volume } else { Kind::Further };
            Wal::begin(store, found.tail, kind, options.segment_bytes)
        }
    };
    let wal = wal.map_err(OpenError::io("opening", &store.join(layout::WAL)))?;
    let first = found.first;
    let opened = Store::new(
        found.log,
        found.table,
        found.tail,
        store.to_owned(),
        Held::Lock { _lock: lock },
        options.cache_bytes,
    );
    Ok((opened, wal, first))
}

/// Opens a private copy of a store. Nothing is written to the write-ahead log, which may be the original's.
pub fn copied(copy: TempDir, original: &Path) -> Result<Arc<Store>, OpenError> {
    let dir = copy.path().to_owned();
    let target = Target { store: &dir, original: Some(original), options: &Options::default() };
    let found = open_or_rebuild(target).map_err(|error| renamed(error, original))?;
    reaches_watermark(original, &dir, found.tail)?;
    let held = Held::Copy { _dir: copy };
    let store = Store::new(found.log, found.table, found.tail, dir, held, CACHE_BYTES);
    store.bell.close();
    Ok(store)
}

/// The same error about the original of a copy.
fn renamed(error: OpenError, original: &Path) -> OpenError {
    let dir = original.to_owned();
    match error {
        OpenError::Corrupt { place, what, .. } => OpenError::Corrupt { dir, place, what },
        OpenError::Newer { found, supported, .. } => OpenError::Newer { dir, found, supported },
        OpenError::Missing { .. }
        | OpenError::NotAStore { .. }
        | OpenError::Locked { .. }
        | OpenError::MissingRecording { .. }
        | OpenError::NotARecording { .. }
        | OpenError::Io { .. } => error,
    }
}

/// Opens the active volume, after those before it were finished that were not.
fn open_or_rebuild(target: Target<'_>) -> Result<Found, OpenError> {
    let store = target.store;
    let firsts = volume_files::firsts(store).map_err(OpenError::io("listing", store))?;
    for (first, next) in firsts.iter().zip(firsts.iter().skip(1)) {
        let span = *first..*next;
        if Facts::read(store, span.start).is_none_or(|facts| facts.end != span.end) {
            or_rebuild(target, &span, || finish(target, &span))?;
        }
    }
    let (active, finished) = firsts.split_last().map_or((0, &[][..]), |(active, rest)| (*active, rest));
    let span = active..u64::MAX;
    or_rebuild(target, &span, || find(target, &span, finished))
}

fn or_rebuild<T>(
    target: Target<'_>,
    span: &Range<u64>,
    open: impl Fn() -> Result<T, Broken>,
) -> Result<T, OpenError> {
    let error = match open() {
        Ok(found) => return Ok(found),
        Err(Broken::Else(error)) => return Err(error),
        Err(Broken::Tree(error)) => error,
    };
    let volume = span.start;
    tracing::warn!(%error, volume, "sled's part of a volume can't be used; it is made again from the write-ahead log");
    if let Err(why) = rebuild::from_wal(target.store, span, target.options.cache_bytes) {
        tracing::error!(%why, volume, "it can't be made again");
        return Err(error);
    }
    open().map_err(either)
}

fn either(broken: Broken) -> OpenError {
    match broken {
        Broken::Tree(error) | Broken::Else(error) => error,
    }
}

/// Opens one volume as it is, without making anything again.
pub fn as_it_is(target: Target<'_>, span: &Range<u64>) -> Result<Found, OpenError> {
    find(target, span, &[]).map_err(either)
}

/// Brings a volume to its end that was left before it was finished.
fn finish(target: Target<'_>, span: &Range<u64>) -> Result<(), Broken> {
    let mut fill = Fill::resume(target.store, span, opened(target, span, None)?, None);
    let filled = fill.up_to(span.end, &|| false).and_then(|()| fill.complete());
    filled.map(drop).map_err(|stopped| Broken::Tree(broken(target.store, "log")(stopped.fault())))?;
    let log = layout::log_dir(target.store, span.start);
    sync_files(target.store, &log).map_err(|error| Broken::Else(OpenError::io("syncing", &log)(error)))
}

fn find(target: Target<'_>, span: &Range<u64>, finished: &[u64]) -> Result<Found, Broken> {
    let (store, options, first) = (target.store, target.options, span.start);
    let newest = finished.iter().filter_map(|first| Facts::read(store, *first));
    let newest = newest.filter_map(|facts| facts.calls.highest()).max();
    let mut opened = catch_up(target, span, opened(target, span, newest)?)?;
    let io = |error| Broken::Else(OpenError::io("listing", store)(error));
    let active = (first, Arc::clone(&opened.tree));
    let volumes = Volumes::new(store, target.original, options.cache_bytes, finished, active).map_err(io)?;
    let ripeness =
        Ripeness { bytes: options.sink_bytes.max(1), age: options.sink_delay, most: MOST_YOUNG_BYTES };
    let log = Arc::new(Log { volumes, young: Young::new(ripeness), store: store.to_owned() });
    let (tail, end) = go_on(&log, span, &mut opened)?;
    let wal = end.map(|end| end.place).filter(|place| place.offset >= HEADER_BYTES);
    Ok(Found { log, tree: opened.tree, table: opened.table, tail, first, wal })
}

/// Opens sled's directory, without its snapshot if need be. The directory may be changed by that.
pub fn open_tree(log: &Path, cache_bytes: u64) -> Result<Arc<Tree>, Fault> {
    delete(log, is_generating)?;
    Tree::open(log, cache_bytes).or_else(|fault| {
        tracing::warn!(%fault, "the log does not open; its snapshot is rebuilt");
        delete(log, is_generating)?;
        delete(log, is_snapshot)?;
        Tree::open(log, cache_bytes)
    })
}

fn is_generating(name: &str) -> bool {
    name.starts_with("snap.") && name.ends_with(".generating")
}

fn is_snapshot(name: &str) -> bool {
    name.starts_with("snap.")
}

fn delete(dir: &Path, which: fn(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(which) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Copies a directory with everything in it.
pub fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

pub(super) fn sync_files(store: &Path, log: &Path) -> io::Result<()> {
    for name in ["conf", "db"] {
        File::open(log.join(name))?.sync_all()?;
    }
    for dir in [&log.join("blobs"), log, &store.join(layout::LOG), store] {
        layout::sync_dir(dir)?;
    }
    Ok(())
}

fn reaches_watermark(dir: &Path, marked: &Path, tail: u64) -> Result<(), OpenError> {
    match watermark::read(marked).map_err(OpenError::io("reading", &marked.join(layout::WATERMARK)))? {
        Level::At(seq) if seq > tail => Err(OpenError::Corrupt {
            dir: dir.to_owned(),
            place: format!("sequence {tail}"),
            what: format!("the log ends here, but everything before {seq} was acknowledged"),
        }),
        Level::At(_) | Level::Absent => Ok(()),
        Level::Damaged => {
            tracing::warn!("the watermark is damaged; whether the log's end is missing can't be told");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
