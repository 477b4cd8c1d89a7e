//! Opening a store, step by step, with what sled 0.34.7 needs done around it.
//!
//! 1. Take the lock; look at `FORMAT`.
//! 2. Delete `snap.*.generating`: left by a kill during an earlier open, it makes every later open fail.
//! 3. Open sled, guarded: on damage it panics.
//! 4. If that fails, copy the log aside and try again without `snap.*`: sled then reads its whole log.
//! 5. Sync what sled created but never syncs: `conf`, `db`, `blobs`, the directory and its parent.
//! 6. Read the young end of the log: is it contiguous, is every checksum right, does it reach the watermark?

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::CACHE_BYTES;
use super::read::{self, Chunks};
use super::store::Store;
use super::table::Table;
use super::tree::{Batch, Fault, Tree};
use crate::error::ReadError;
use crate::frame::Frame;
use crate::keys;
use crate::layout::{self, FORMAT_VERSION};
use crate::lock::Lock;
use crate::open_error::OpenError;
use crate::watermark::{self, Level};

/// At most so many copies of broken logs are kept.
const ASIDE_COPIES: u32 = 3;

/// Opens a store for writing, creating it if need be. The caller holds the lock.
pub fn writable(store: &Path, lock: Lock, cache_bytes: u64) -> Result<Arc<Store>, OpenError> {
    let log = layout::log_dir(store, 0);
    if !log.join("db").exists() {
        // Before sled makes a new one in its place.
        reaches_watermark(store, store, 0)?;
    }
    fs::create_dir_all(&log).map_err(OpenError::io("creating", &log))?;
    let tree = open_or_repair(store, &log, cache_bytes)?;
    sync_files(store, &log).map_err(OpenError::io("syncing", &log))?;
    if tree.is_empty().map_err(broken(store, "log"))? {
        reaches_watermark(store, store, 0)?;
        let mut batch = Batch::default();
        batch.put(keys::VERSION, &FORMAT_VERSION.to_be_bytes());
        tree.commit(batch).map_err(broken(store, "log"))?;
    }
    let (table, tail) = recover(store, &tree)?;
    Ok(Store::new(tree, table, tail, store.to_owned(), Some(lock)))
}

/// Opens a private copy of a store.
pub fn copied(copy: &Path, original: &Path) -> Result<Arc<Store>, OpenError> {
    let (tree, table, tail) = match copied_tree(copy).map_err(|error| renamed(error, original))? {
        Some(tree) => {
            let (table, tail) = recover(copy, &tree).map_err(|error| renamed(error, original))?;
            (tree, table, tail)
        }
        None => {
            reaches_watermark(original, copy, 0)?;
            let log = layout::log_dir(copy, 0);
            fs::create_dir_all(&log).map_err(OpenError::io("creating", &log))?;
            (Tree::open(&log, CACHE_BYTES).map_err(broken(original, "log"))?, Table::default(), 0)
        }
    };
    let store = Store::new(tree, table, tail, copy.to_owned(), None);
    store.bell.close();
    Ok(store)
}

/// Opens the log of a private copy; `None` if nothing was ever written.
pub fn copied_tree(copy: &Path) -> Result<Option<Tree>, OpenError> {
    let log = layout::log_dir(copy, 0);
    if !log.join("db").exists() {
        return Ok(None);
    }
    delete(&log, is_generating).map_err(OpenError::io("cleaning", &log))?;
    let tree = Tree::open(&log, CACHE_BYTES).or_else(|_| {
        delete(&log, is_snapshot)?;
        Tree::open(&log, CACHE_BYTES)
    });
    let tree = tree.map_err(broken(copy, "log"))?;
    Ok(if tree.is_empty().map_err(broken(copy, "log"))? { None } else { Some(tree) })
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
        | OpenError::Io { .. } => error,
    }
}

fn broken(store: &Path, place: &str) -> impl Fn(Fault) -> OpenError {
    let (dir, place) = (store.to_owned(), place.to_owned());
    move |fault| match fault {
        Fault::Full => {
            let source = io::Error::from(io::ErrorKind::StorageFull);
            OpenError::Io { what: "opening", path: dir.clone(), source }
        }
        Fault::Io(what) => {
            OpenError::Io { what: "opening", path: dir.clone(), source: io::Error::other(what) }
        }
        Fault::Damage(what) => OpenError::Corrupt { dir: dir.clone(), place: place.clone(), what },
    }
}

fn open_or_repair(store: &Path, log: &Path, cache_bytes: u64) -> Result<Tree, OpenError> {
    delete(log, is_generating).map_err(OpenError::io("cleaning", log))?;
    let fault = match Tree::open(log, cache_bytes) {
        Ok(tree) => return Ok(tree),
        Err(fault) => fault,
    };
    tracing::warn!(%fault, "the log does not open; a copy is put aside and its snapshot rebuilt");
    put_aside(store, log).map_err(OpenError::io("copying aside", log))?;
    delete(log, is_generating).map_err(OpenError::io("cleaning", log))?;
    delete(log, is_snapshot).map_err(OpenError::io("cleaning", log))?;
    Tree::open(log, cache_bytes).map_err(broken(store, "log"))
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

fn put_aside(store: &Path, log: &Path) -> io::Result<()> {
    for number in 1..=ASIDE_COPIES {
        let copy = store.join(layout::ASIDE).join(number.to_string());
        if !copy.exists() {
            return copy_dir(log, &copy);
        }
    }
    tracing::warn!("there are {ASIDE_COPIES} copies aside already; no further one is made");
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

fn sync_files(store: &Path, log: &Path) -> io::Result<()> {
    for name in ["conf", "db"] {
        File::open(log.join(name))?.sync_all()?;
    }
    for dir in [&log.join("blobs"), log, &store.join(layout::LOG), store] {
        layout::sync_dir(dir)?;
    }
    Ok(())
}

/// Reads what the table needs and checks what it reads.
fn recover(store: &Path, tree: &Tree) -> Result<(Table, u64), OpenError> {
    check_version(store, tree)?;
    let floor = floor_of(tree).map_err(unreadable(store))?.unwrap_or(0);
    let newest = tree.last(&[keys::ROW]).map_err(broken(store, "index"))?;
    let newest = newest.and_then(|(key, _)| keys::parse_row(&key)).map(|(call, _)| call);
    let mut table = Table::new(floor, newest);
    let tail = rebuild(tree, &mut table, floor).map_err(unreadable(store))?;
    reaches_watermark(store, store, tail)?;
    Ok((table, tail))
}

fn check_version(store: &Path, tree: &Tree) -> Result<(), OpenError> {
    let dir = store.to_owned();
    let value = tree.get(keys::VERSION).map_err(broken(store, "format version"))?;
    match value.and_then(|value| value.as_ref().try_into().ok()).map(u16::from_be_bytes) {
        Some(FORMAT_VERSION) => Ok(()),
        Some(found) if found > FORMAT_VERSION => {
            Err(OpenError::Newer { dir, found, supported: FORMAT_VERSION })
        }
        Some(_) | None => {
            let what = "the log does not say which format it has".into();
            Err(OpenError::Corrupt { dir, place: "log".into(), what })
        }
    }
}

/// Up to where the index is complete; `None` if that was never recorded.
pub fn floor_of(tree: &Tree) -> Result<Option<u64>, ReadError> {
    let Some(value) = tree.get(keys::FLOOR)? else { return Ok(None) };
    let floor = value.as_ref().try_into().map(u64::from_be_bytes);
    floor
        .map(Some)
        .map_err(|_| ReadError::Corrupt { place: "the index".into(), what: "its floor can't be read".into() })
}

fn unreadable(store: &Path) -> impl FnOnce(ReadError) -> OpenError {
    let dir = store.to_owned();
    move |error| match error {
        ReadError::Corrupt { place, what } => OpenError::Corrupt { dir, place, what },
        ReadError::TooNew { .. } | ReadError::Unavailable { .. } | ReadError::Beyond { .. } => {
            OpenError::Corrupt { dir, place: "log".into(), what: error.to_string() }
        }
    }
}

/// Fills the table from the log's young end; returns where the log ends.
pub fn rebuild(tree: &Tree, table: &mut Table, floor: u64) -> Result<u64, ReadError> {
    let mut tail = floor;
    let mut chunks = Chunks::new(tree, floor, true)?;
    while let Some(chunk) = chunks.next() {
        let (seq, chunk) = chunk?;
        tail = read::frames(seq, &chunk, |frame| note(table, seq, &frame))?;
        chunks.expect(tail);
    }
    for call in table.known() {
        table.indexed(call, read::last_indexed(tree, call)?);
    }
    table.sort_by_age();
    Ok(tail)
}

fn note(table: &mut Table, chunk: u64, frame: &Frame<'_>) -> Result<(), ReadError> {
    let damaged = |what: String| ReadError::at_seq(frame.seq, what);
    frame.check().map_err(|error| damaged(error.to_string()))?;
    if let Some(entry) = table.get(frame.facts.call) {
        if entry.version != frame.facts.version {
            return Err(damaged(format!(
                "call {} skips to version {}",
                frame.facts.call, frame.facts.version
            )));
        }
        frame.check_chain(&entry.hash).map_err(|error| damaged(error.to_string()))?;
    }
    table.note(&frame.facts, frame.hash, frame.seq, chunk);
    if frame.facts.last {
        table.forget(frame.facts.call);
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
