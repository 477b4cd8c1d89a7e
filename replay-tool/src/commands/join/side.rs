//! The two records that are put together: each a store, a recording or a capture, as its content says.

use std::io::Write;
use std::path::Path;

use callbox_events::verdict::Direction;
use callbox_events::view::join::CallKey;
use callbox_store::recording::is_recording;
use callbox_store::sled::{Options, SledJournal};
use tempfile::TempDir;

use crate::cli::Common;
use crate::commands::import::{Opened, shown};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::scan::Scan;
use crate::source::{self, Source};

/// One of the two.
pub struct Side {
    pub reader: Source,
    pub calls: Vec<CallKey>,
    /// Where the calls of a capture are while they are read; goes after the reader.
    _place: Option<TempDir>,
}

/// Reads both. If they are one store, its outgoing calls are held against its incoming ones.
pub fn sides(a: &Path, b: &Path, common: &Common) -> Result<(Side, Side), Failure> {
    let same = a == b
        || std::fs::canonicalize(a).ok().zip(std::fs::canonicalize(b).ok()).is_some_and(|(a, b)| a == b);
    let mut sides = (Side::open(a, common)?, Side::open(b, common)?);
    if same {
        sides.0.calls.retain(|call| call.direction != Direction::Incoming);
        sides.1.calls.retain(|call| call.direction == Direction::Incoming);
    }
    Ok(sides)
}

impl Side {
    fn open(path: &Path, common: &Common) -> Result<Self, Failure> {
        // What is not there is most likely a store: its error says so.
        let is_file = path == Path::new("-") || path.metadata().is_ok_and(|about| !about.is_dir());
        let (reader, place): (Source, _) = match is_file {
            false => (source::open_at(path, common)?, None),
            true if is_recording(path) => (Box::new(source::recording(path)?), None),
            true => captured(path)?,
        };
        let mut calls = Vec::new();
        for commits in Scan::of(reader.as_ref(), Progress::events(reader.tail()?.seq()))? {
            calls.extend(CallKey::of(&commits?));
        }
        calls.sort_by_key(|call| (call.started_at, call.call));
        Ok(Self { reader, calls, _place: place })
    }
}

/// The calls of a capture, in a store for the time being: memory stays bounded, however large the capture is.
fn captured(path: &Path) -> Result<(Source, Option<TempDir>), Failure> {
    let opened = Opened::at(path)?;
    let place = tempfile::tempdir()?;
    let journal = SledJournal::open(place.path(), Options::default())?;
    let (outcome, _) = opened.record(Some(&journal))?;
    if let Some(broken) = outcome.broken {
        writeln!(anstream::stderr(), "warning: {}: {broken}; what comes before was read", shown(path))?;
    }
    Ok((Box::new(journal), Some(place)))
}
