//! Opening a store, step by step, with what sled 0.34.7 needs done around it.
//!
//! 1. Take the lock; look at `FORMAT`.
//! 2. Delete `snap.*.generating`: left by a kill during an earlier open, it makes every later open fail.
//! 3. Open sled, guarded: on damage it panics. If that fails, try again without `snap.*`: sled then reads its whole log.
//! 4. Sync what sled created but never syncs: `conf`, `db`, `blobs`, the directory and its parent.
//! 5. Read the young end of what sled holds: is it contiguous, is every checksum right?
//! 6. Go on in the write-ahead log, from the place that sled names, to its end.
//! 7. If any of 3 to 5 fails, make sled's directory again from the write-ahead log (`rebuild`).
//! 8. Does all this reach the watermark?

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::log::{InTree, Log, frames};
use super::read;
use super::rebuild;
use super::store::Store;
use super::table::Table;
use super::tree::{Batch, Fault, Tree};
use super::young::{Item, Ripeness, Young};
use super::{CACHE_BYTES, Options};
use crate::error::ReadError;
use crate::frame::Frame;
use crate::keys;
use crate::layout::{self, FORMAT_VERSION};
use crate::lock::Lock;
use crate::open_error::OpenError;
use crate::wal::reader::{End, Step, Walk};
use crate::wal::record::Record;
use crate::wal::writer::Writer as Wal;
use crate::wal::{HEADER_BYTES, Place};
use crate::watermark::{self, Level};

/// The writer waits for sled once so much is durable and not carried over.
const MOST_YOUNG_BYTES: usize = 16 * 1024 * 1024;

/// What was found in a store.
pub struct Found {
    /// The log, with what is too young for sled.
    pub log: Arc<Log>,
    /// What the index does not name yet.
    pub table: Table,
    /// The global sequence number behind the last event.
    pub tail: u64,
    /// Where the write-ahead log goes on; `None` if that is not where it ends, so that a new segment has to be begun.
    pub wal: Option<Place>,
}

/// Opens a store for writing, creating it if need be. The caller holds the lock.
pub fn writable(store: &Path, lock: Lock, options: &Options) -> Result<(Arc<Store>, Wal), OpenError> {
    let log = layout::log_dir(store, 0);
    fs::create_dir_all(&log).map_err(OpenError::io("creating", &log))?;
    let found = open_or_rebuild(store, options)?;
    sync_files(store, &log).map_err(OpenError::io("syncing", &log))?;
    reaches_watermark(store, store, found.tail)?;
    let wal = match found.wal {
        Some(place) => Wal::resume(store, place, options.segment_bytes),
        None => Wal::begin(store, found.tail, options.segment_bytes),
    };
    let wal = wal.map_err(OpenError::io("opening", &store.join(layout::WAL)))?;
    let opened =
        Store::new(found.log, found.table, found.tail, store.to_owned(), Some(lock), options.cache_bytes);
    Ok((opened, wal))
}

/// Opens a private copy of a store. Nothing is written to the write-ahead log, which may be the original's.
pub fn copied(copy: &Path, original: &Path) -> Result<Arc<Store>, OpenError> {
    let log = layout::log_dir(copy, 0);
    fs::create_dir_all(&log).map_err(OpenError::io("creating", &log))?;
    let found = open_or_rebuild(copy, &Options::default()).map_err(|error| renamed(error, original))?;
    reaches_watermark(original, copy, found.tail)?;
    let store = Store::new(found.log, found.table, found.tail, copy.to_owned(), None, CACHE_BYTES);
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

/// Why a store could not be read up to its end.
enum Broken {
    /// sled, or what it holds: can be made again from the write-ahead log.
    Tree(OpenError),
    /// The write-ahead log, behind what sled holds; or the system.
    Else(OpenError),
}

fn open_or_rebuild(store: &Path, options: &Options) -> Result<Found, OpenError> {
    let error = match find(store, options) {
        Ok(found) => return Ok(found),
        Err(Broken::Else(error)) => return Err(error),
        Err(Broken::Tree(error)) => error,
    };
    tracing::warn!(%error, "sled's part of the store can't be used; it is made again from the write-ahead log");
    if let Err(why) = rebuild::from_wal(store, options.cache_bytes) {
        tracing::error!(%why, "it can't be made again");
        return Err(error);
    }
    as_it_is(store, options)
}

/// Opens sled as it is, without making anything again.
pub fn as_it_is(store: &Path, options: &Options) -> Result<Found, OpenError> {
    find(store, options).map_err(|broken| match broken {
        Broken::Tree(error) | Broken::Else(error) => error,
    })
}

fn find(store: &Path, options: &Options) -> Result<Found, Broken> {
    let in_tree = |fault| Broken::Tree(broken(store, "log")(fault));
    let tree = open_tree(&layout::log_dir(store, 0), options.cache_bytes).map_err(in_tree)?;
    if tree.is_empty().map_err(in_tree)? {
        let mut batch = Batch::default();
        batch.put(keys::VERSION, &FORMAT_VERSION.to_be_bytes());
        tree.commit(batch).map_err(in_tree)?;
    }
    check_version(store, &tree)?;
    let ripeness =
        Ripeness { bytes: options.sink_bytes.max(1), age: options.sink_delay, most: MOST_YOUNG_BYTES };
    let log = Arc::new(Log::new(tree, Young::new(ripeness), store));
    let (mut table, carried) = recover(&log).map_err(|error| Broken::Tree(unreadable(store)(error)))?;
    let (tail, end) = go_on(store, &log, &mut table, carried)?;
    let wal = end.map(|end| end.place).filter(|place| place.offset >= HEADER_BYTES);
    Ok(Found { log, table, tail, wal })
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

pub(super) fn broken(store: &Path, place: &str) -> impl Fn(Fault) -> OpenError {
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

fn check_version(store: &Path, tree: &Tree) -> Result<(), Broken> {
    let dir = store.to_owned();
    let value =
        tree.get(keys::VERSION).map_err(|fault| Broken::Tree(broken(store, "format version")(fault)))?;
    match value.and_then(|value| value.as_ref().try_into().ok()).map(u16::from_be_bytes) {
        Some(FORMAT_VERSION) => Ok(()),
        Some(found) if found > FORMAT_VERSION => {
            Err(Broken::Else(OpenError::Newer { dir, found, supported: FORMAT_VERSION }))
        }
        Some(_) | None => {
            let what = "the log does not say which format it has".into();
            Err(Broken::Tree(OpenError::Corrupt { dir, place: "log".into(), what }))
        }
    }
}

/// Reads what the table needs of what sled holds, and checks what it reads; returns where that ends.
fn recover(log: &Arc<Log>) -> Result<(Table, u64), ReadError> {
    let tree = log.tree();
    let floor = floor_of(&tree)?.unwrap_or(0);
    let newest = tree.last(&[keys::ROW])?;
    let newest = newest.and_then(|(key, _)| keys::parse_row(&key)).map(|(call, _)| call);
    let mut table = Table::new(floor, newest);
    let tail = rebuild_table(log, &mut table, floor)?;
    Ok((table, tail))
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
        ReadError::TooNew { .. }
        | ReadError::Unavailable { .. }
        | ReadError::Interrupted { .. }
        | ReadError::Beyond { .. } => {
            OpenError::Corrupt { dir, place: "log".into(), what: error.to_string() }
        }
    }
}

/// Fills the table from the young end of what sled holds; returns where that ends.
pub fn rebuild_table(log: &Arc<Log>, table: &mut Table, floor: u64) -> Result<u64, ReadError> {
    let (mut tail, tree) = (floor, log.tree());
    for record in InTree::new(&tree, floor)? {
        let (seq, record) = record?;
        if seq != tail {
            return Err(ReadError::at_seq(tail, format!("the log has a gap: after it comes {seq}")));
        }
        tail = read::frames(seq, &frames(seq, &record)?, |frame| {
            note(table, seq, &frame)?;
            if frame.facts.last {
                // Its row was written along with it.
                table.forget(frame.facts.call);
            }
            Ok(())
        })?;
    }
    for call in table.known() {
        table.indexed(call, read::last_indexed(&tree, call)?);
    }
    table.sort_by_age();
    Ok(tail)
}

/// Takes note of a frame, checked against what its call had before.
pub fn note(
    table: &mut Table,
    record: u64,
    frame: &Frame<'_>,
) -> Result<Option<super::table::Row>, ReadError> {
    let damaged = |what: String| ReadError::at_seq(frame.seq, what);
    frame.sound()?;
    if let Some(entry) = table.get(frame.facts.call) {
        if entry.version != frame.facts.version {
            return Err(damaged(format!(
                "call {} skips to version {}",
                frame.facts.call, frame.facts.version
            )));
        }
        frame.check_chain(&entry.hash).map_err(|error| damaged(error.to_string()))?;
    }
    Ok(table.note(&frame.facts, frame.hash, frame.seq, record))
}

/// Goes on in the write-ahead log behind what sled holds: what is there is young. Returns where the log ends.
fn go_on(store: &Path, log: &Log, table: &mut Table, carried: u64) -> Result<(u64, Option<End>), Broken> {
    let io = |error| Broken::Else(OpenError::io("reading", &store.join(layout::WAL))(error));
    let corrupt = |error: ReadError| Broken::Else(unreadable(store)(error));
    let place = log.tree().get(keys::PLACE).map_err(|fault| Broken::Tree(broken(store, "log")(fault)))?;
    let mut walk = match place.map(|value| Place::from_bytes(&value)) {
        Some(Some(place)) => Walk::from(store, place).map_err(io)?,
        None if carried == 0 => Walk::all(store).map_err(io)?,
        Some(None) | None => {
            let what = "sled does not say how far it holds the write-ahead log";
            return Err(Broken::Tree(unreadable(store)(ReadError::at_seq(carried, what))));
        }
    };
    let mut tail = carried;
    for step in walk.by_ref() {
        match step.map_err(io)? {
            Step::Record { at, bytes } => {
                let item = young(table, tail, at, bytes).map_err(|error| match corrupt(error) {
                    // Then it is sled that does not know how far it holds the log.
                    Broken::Else(error) if tail == carried => Broken::Tree(error),
                    broken => broken,
                })?;
                tail = item.end;
                log.young.push(item);
            }
            Step::Damage { at, what } => {
                return Err(corrupt(ReadError::at_seq(tail, format!("{what} ({at})"))));
            }
        }
    }
    if walk.end().is_some_and(|end| end.torn) {
        tracing::info!(
            tail,
            "what was being written when the engine died is cut off; it was never acknowledged"
        );
    }
    Ok((tail, walk.end()))
}

/// One record of the write-ahead log as what is young; it must begin at `expected`.
pub fn young(table: &mut Table, expected: u64, at: Place, bytes: Vec<u8>) -> Result<Item, ReadError> {
    let damaged = |what: String| ReadError::at_seq(expected, what);
    let record = Record::read(&bytes).map_err(|error| damaged(error.to_string()))?;
    let (seq, end) = (record.seq, record.end());
    if seq != expected {
        return Err(damaged(format!("a gap: after it comes {seq}")));
    }
    let frames = record.frames().map_err(|error| damaged(error.to_string()))?;
    let mut rows = Vec::new();
    let reached = read::frames(seq, &frames, |frame| {
        rows.extend(note(table, seq, &frame)?);
        Ok(())
    })?;
    if reached != end {
        return Err(damaged(format!(
            "the record says that it ends at {end}, but its frames do at {reached}"
        )));
    }
    rows.extend(table.sweep(end));
    let floor = table.rise(end);
    let behind = Place { offset: at.offset + bytes.len() as u64, ..at };
    Ok(Item { seq, end, record: bytes.into(), rows, floor, behind })
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
