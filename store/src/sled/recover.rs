//! What a volume holds, read up to its end: sled's young end, then the write-ahead log behind it.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use callbox_events::CallId;

use super::facts;
use super::fill::Fill;
use super::log::{InTree, Log, frames};
use super::open::{Target, open_tree};
use super::read;
use super::rebuild;
use super::table::{Row, Table};
use super::tree::{Fault, Tree};
use super::young::Item;
use crate::error::ReadError;
use crate::frame::Frame;
use crate::keys;
use crate::layout::{self, FORMAT_VERSION, SINGLE_VOLUME};
use crate::open_error::OpenError;
use crate::wal::Place;
use crate::wal::reader::{End, Step, Walk};
use crate::wal::record::Record;

/// More than this is carried over at the opening; less is kept in memory, to be carried over later.
const MOST_LEFT_BYTES: u64 = 8 * 1024 * 1024;

/// Why a store could not be read up to its end.
pub enum Broken {
    /// sled, or what it holds: can be made again from the write-ahead log.
    Tree(OpenError),
    /// The write-ahead log, behind what sled holds; or the system.
    Else(OpenError),
}

/// The sled of a volume, and what the table needs of it.
pub fn opened(target: Target<'_>, span: &Range<u64>, newest: Option<CallId>) -> Result<Opened, Broken> {
    let (store, log) = (target.store, layout::log_dir(target.store, span.start));
    let in_tree = |fault| Broken::Tree(broken(store, "log")(fault));
    fs::create_dir_all(&log).map_err(|error| Broken::Else(OpenError::io("creating", &log)(error)))?;
    let tree = open_tree(&log, target.options.cache_bytes).map_err(in_tree)?;
    if tree.is_empty().map_err(in_tree)? {
        tree.commit(rebuild::version()).map_err(in_tree)?;
    }
    check_version(store, &tree)?;
    let (table, tail) =
        recover(&tree, span.start, newest).map_err(|error| Broken::Tree(unreadable(store)(error)))?;
    let place = tree.get(keys::PLACE).map_err(in_tree)?;
    let place = match place.map(|value| Place::from_bytes(&value)) {
        Some(Some(place)) => Some(place),
        None if tail == span.start => None,
        Some(None) | None => {
            let what = "sled does not say how far it holds the write-ahead log";
            return Err(Broken::Tree(unreadable(store)(ReadError::at_seq(tail, what))));
        }
    };
    Ok(Opened { tree, table, tail, place })
}

/// A volume as far as sled holds it.
pub struct Opened {
    /// Its sled.
    pub tree: Arc<Tree>,
    /// What the index does not name.
    pub table: Table,
    /// The global sequence number behind its last event.
    pub tail: u64,
    /// Where that is in the write-ahead log; `None` at its beginning.
    pub place: Option<Place>,
}

/// Where far more stands in the write-ahead log than belongs into memory, carries it over.
pub fn catch_up(target: Target<'_>, span: &Range<u64>, opened: Opened) -> Result<Opened, Broken> {
    let store = target.store;
    let io = |error| Broken::Else(OpenError::io("reading", &store.join(layout::WAL))(error));
    let from = opened.place.map_or(span.start, |place| place.segment);
    let left = facts::bytes(store, from, span.end).map_err(io)?;
    if left.saturating_sub(opened.place.map_or(0, |place| place.offset)) <= MOST_LEFT_BYTES {
        return Ok(opened);
    }
    let mut fill = Fill::resume(store, span, opened, None);
    let filled = fill.up_to(span.end, &|| false).and_then(|()| Ok(fill.tree.sync()?));
    filled.map_err(|stopped| Broken::Tree(broken(store, "log")(stopped.fault())))?;
    let Fill { tree, table, tail, place, .. } = fill;
    Ok(Opened { tree, table, tail, place })
}

/// What is wrong with sled, as the error of an opening.
pub fn broken(store: &Path, place: &str) -> impl Fn(Fault) -> OpenError {
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

fn check_version(store: &Path, tree: &Tree) -> Result<(), Broken> {
    let dir = store.to_owned();
    let value =
        tree.get(keys::VERSION).map_err(|fault| Broken::Tree(broken(store, "format version")(fault)))?;
    match value.and_then(|value| value.as_ref().try_into().ok()).map(u16::from_be_bytes) {
        Some(SINGLE_VOLUME | FORMAT_VERSION) => Ok(()),
        Some(found) if found > FORMAT_VERSION => {
            Err(Broken::Else(OpenError::Newer { dir, found, supported: FORMAT_VERSION }))
        }
        Some(_) | None => {
            let what = "the log does not say which format it has".into();
            Err(Broken::Tree(OpenError::Corrupt { dir, place: "log".into(), what }))
        }
    }
}

/// Reads what the table needs of what sled holds of a volume, and checks what it reads; returns where that ends.
fn recover(tree: &Arc<Tree>, first: u64, newest: Option<CallId>) -> Result<(Table, u64), ReadError> {
    let floor = floor_of(tree)?.unwrap_or(first);
    let highest = tree.last(&[keys::ROW])?;
    let highest = highest.and_then(|(key, _)| keys::parse_row(&key)).map(|(call, _)| call);
    let mut table = Table::new(floor, newest.max(highest));
    let tail = rebuild_table(tree, &mut table, floor)?;
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

/// What can't be read, as the error of an opening.
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
fn rebuild_table(tree: &Arc<Tree>, table: &mut Table, floor: u64) -> Result<u64, ReadError> {
    let mut tail = floor;
    for record in InTree::new(tree, floor)? {
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
        table.indexed(call, read::last_indexed(tree, call)?);
    }
    table.sort_by_age();
    Ok(tail)
}

/// Takes note of a frame, checked against what its call had before.
pub fn note(table: &mut Table, record: u64, frame: &Frame<'_>) -> Result<Option<Row>, ReadError> {
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
pub fn go_on(log: &Log, span: &Range<u64>, opened: &mut Opened) -> Result<(u64, Option<End>), Broken> {
    let store = &log.store;
    let io = |error| Broken::Else(OpenError::io("reading", &store.join(layout::WAL))(error));
    let corrupt = |error: ReadError| Broken::Else(unreadable(store)(error));
    let mut walk = match opened.place {
        Some(place) => Walk::from(store, place, span.end),
        None => Walk::within(store, span),
    }
    .map_err(io)?;
    let carried = opened.tail;
    let mut tail = carried;
    for step in walk.by_ref() {
        match step.map_err(io)? {
            Step::Record { at, bytes } => {
                let item =
                    young(&mut opened.table, tail, at, bytes).map_err(|error| match corrupt(error) {
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
    Ok(Item { seq, end, record: bytes.into(), turn: None, rows, floor, behind })
}
