//! Reading from the write-ahead log what sled can't give any more. Slower, but the same.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use super::read;
use crate::error::ReadError;
use crate::journal::Head;
use crate::wal::reader::{Step, Walk};
use crate::wal::{self, Place};

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
        Ok(Self { walk: Walk::from(store, place).map_err(unavailable)?, ahead: None })
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

/// Calls `each` for every frame before `until` that can be read.
fn every_frame(
    store: &Path,
    until: u64,
    why: &ReadError,
    mut each: impl FnMut(&crate::frame::Frame<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let walk = Frames::new(store, 0, why)?.walk;
    for step in walk {
        let Step::Record { bytes, .. } = step.map_err(unavailable)? else { continue };
        let seq = wal::record::Record::read(&bytes).map_or(u64::MAX, |record| record.seq);
        if seq >= until {
            break;
        }
        let frames = super::log::frames(seq, &bytes)?;
        read::frames(seq, &frames, |frame| each(&frame))?;
    }
    Ok(())
}

/// The commits of a call, without the index.
pub fn call(store: &Path, call: CallId, until: u64, why: &ReadError) -> Result<Vec<StoredCommit>, ReadError> {
    let mut commits = read::Gathered::new(call);
    every_frame(store, until, why, |frame| commits.take(frame))?;
    Ok(commits.commits)
}

/// The head of a call, without the index.
pub fn head(store: &Path, call: CallId, why: &ReadError) -> Result<Option<Head>, ReadError> {
    let mut head = None;
    every_frame(store, u64::MAX, why, |frame| {
        if frame.facts.call == call {
            frame.sound()?;
            head = Some(Head { version: frame.next_version(), hash: frame.hash });
        }
        Ok(())
    })?;
    Ok(head)
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

/// Every call, without the index.
pub fn calls(store: &Path, until: u64, why: &ReadError) -> Result<BTreeSet<CallId>, ReadError> {
    let mut calls = BTreeSet::new();
    every_frame(store, until, why, |frame| {
        calls.insert(frame.facts.call);
        Ok(())
    })?;
    Ok(calls)
}
