//! Reading from the write-ahead log what sled can't give any more. Slower, but the same.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::Path;

use callbox_events::CallId;

use super::read;
use crate::error::ReadError;
use crate::wal::reader::{Step, Walk};
use crate::wal::{self, Place};

/// Why the write-ahead log is asked where sled is not known to be damaged.
pub fn missing(seq: u64) -> ReadError {
    ReadError::at_seq(seq, "sled does not have it")
}

/// The frames of the write-ahead log's records.
pub struct Frames {
    walk: Walk,
    /// A record that was met too early.
    ahead: Option<(u64, Vec<u8>)>,
}

impl Frames {
    /// From the segment on that holds this global sequence number. `why` is told: sled needs to be made again.
    pub fn new(store: &Path, from: u64, why: &ReadError) -> Result<Self, ReadError> {
        tracing::warn!(%why, "sled is damaged; reading from the write-ahead log instead (open the store again after `callbox verify`)");
        let first = wal::segments(store).map_err(unavailable)?.into_iter().rfind(|first| *first <= from);
        let place = Place { segment: first.unwrap_or(0), offset: 0 };
        Ok(Self { walk: Walk::from(store, place, u64::MAX).map_err(unavailable)?, ahead: None })
    }

    /// The frames of the record that begins at `seq`; later ones follow, earlier ones are passed over.
    pub fn advance(&mut self, seq: u64) -> Result<Option<Vec<u8>>, ReadError> {
        while let Some((found, bytes)) = self.pull()? {
            if found == seq {
                return super::log::frames(seq, &bytes).map(Some);
            }
            if found > seq {
                self.ahead = Some((found, bytes));
                let what = format!("damaged or missing in both copies of the log; after it comes {found}");
                return Err(ReadError::at_seq(seq, what));
            }
        }
        Ok(None)
    }

    fn pull(&mut self) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        for step in self.walk.by_ref() {
            let Step::Record { bytes, .. } = step.map_err(unavailable)? else { continue };
            let found = wal::record::Record::read(&bytes).map_or(0, |record| record.seq);
            return Ok(Some((found, bytes)));
        }
        Ok(None)
    }
}

fn unavailable(error: io::Error) -> ReadError {
    ReadError::Unavailable { why: error.to_string() }
}

/// What a walk came across.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// Nothing that it could not read.
    Nothing,
    /// Something was damaged here too, and was passed over.
    Over,
}

/// Calls `each` for every frame of these global sequence numbers that can be read.
fn every_frame(
    store: &Path,
    span: &Range<u64>,
    why: &ReadError,
    mut each: impl FnMut(&crate::frame::Frame<'_>) -> Result<(), ReadError>,
) -> Result<Passed, ReadError> {
    let mut passed = Passed::Nothing;
    let walk = Frames::new(store, span.start, why)?.walk;
    for step in walk {
        let Step::Record { bytes, .. } = step.map_err(unavailable)? else {
            passed = Passed::Over;
            continue;
        };
        let seq = wal::record::Record::read(&bytes).map_or(u64::MAX, |record| record.seq);
        if seq >= span.end {
            break;
        }
        if seq >= span.start {
            let frames = super::log::frames(seq, &bytes)?;
            read::frames(seq, &frames, |frame| each(&frame))?;
        }
    }
    Ok(passed)
}

/// The commits of a call in here, without the index.
pub fn call(
    store: &Path,
    span: &Range<u64>,
    gathered: &mut read::Gathered,
    why: &ReadError,
) -> Result<Passed, ReadError> {
    every_frame(store, span, why, |frame| gathered.take(frame))
}

/// What the last commit of a call in here leaves, without the index.
pub fn last(
    store: &Path,
    span: &Range<u64>,
    call: CallId,
    why: &ReadError,
) -> Result<Option<read::Last>, ReadError> {
    let mut last = None;
    every_frame(store, span, why, |frame| {
        if frame.facts.call == call {
            frame.sound()?;
            last = Some(read::Last::of(frame));
        }
        Ok(())
    })?;
    Ok(last)
}

/// Where the record begins that holds this global sequence number, without sled.
pub fn record_at(store: &Path, seq: u64, why: &ReadError) -> Result<Option<u64>, ReadError> {
    let mut frames = Frames::new(store, seq, why)?;
    let mut found = None;
    while let Some((first, _)) = frames.pull()?.filter(|(first, _)| *first <= seq) {
        found = Some(first);
    }
    Ok(found)
}

/// Every call in here, with the version of its first commit in here, without the index.
pub fn calls(store: &Path, span: &Range<u64>, why: &ReadError) -> Result<BTreeMap<CallId, u64>, ReadError> {
    let mut calls = BTreeMap::new();
    every_frame(store, span, why, |frame| {
        calls.entry(frame.facts.call).or_insert(frame.facts.version);
        Ok(())
    })?;
    Ok(calls)
}
