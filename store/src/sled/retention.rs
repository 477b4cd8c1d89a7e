//! What retention needs: which volumes there are, what they hold, and the removal of the oldest.

use std::fs;
use std::io;
use std::path::Path;

use callbox_events::{CallId, Timestamp};

use super::SledJournal;
use super::facts;
use super::keeper;
use super::read;
use super::records::Records;
use super::store::Store;
use crate::error::ReadError;
use crate::journal::Cursor;
use crate::layout;
use crate::retention::policy::{Retention, Volume};
use crate::retention::prune::{Outcome, PruneError};
use crate::verify::Progress;

impl Store {
    /// The volumes that are kept, oldest first.
    pub fn volumes(&self) -> Result<Vec<Volume>, ReadError> {
        let unavailable = |error: io::Error| ReadError::Unavailable { why: error.to_string() };
        let durable = self.durable();
        let mut found = Vec::new();
        for (volume, span) in self.log.volumes.spans() {
            let end = span.end.min(durable).max(span.start);
            let (begin, finished) = (Cursor::at(span.start), span.end != u64::MAX);
            let known = volume.facts().map(|facts| (facts.bytes, Some(facts.times)));
            let (logged, times) = match known {
                Some(known) => known,
                None => {
                    let bytes = facts::bytes(&self.dir, span.start, span.end).map_err(unavailable)?;
                    (bytes, self.times(span.start, end))
                }
            };
            let bytes = logged + taken(&layout::log_dir(&self.dir, span.start)).map_err(unavailable)?;
            found.push(Volume { begin, end: Cursor::at(end), bytes, times, finished });
        }
        Ok(found)
    }

    fn times(&self, first: u64, end: u64) -> Option<(Timestamp, Timestamp)> {
        let time = |seq, last| {
            let seq = self.log.record_at(seq).ok()??;
            let (seq, frames) = Records::new(&self.log, seq).next()?.ok()?;
            facts::time_in(seq, &frames, last).ok()?
        };
        let last = end.checked_sub(1).filter(|last| *last >= first)?;
        Some((time(first, false)?, time(last, true)?))
    }

    /// Whether a call is released.
    pub fn is_released(&self, call: CallId) -> Result<bool, ReadError> {
        // In this order: what is in the table may go to the index meanwhile, never back.
        let pending = self.table().pending(call).last().copied();
        let last = match pending.filter(|record| *record < self.durable()) {
            Some(record) => Some(read::last_in(&self.log, call, record)?),
            None => read::last_on_disk(&self.log, call)?,
        };
        Ok(last.is_some_and(|last| last.released))
    }
}

/// The bytes of a sled's file; its snapshots are small, and come and go.
fn taken(dir: &Path) -> io::Result<u64> {
    match fs::metadata(dir.join("db")) {
        Ok(meta) => Ok(meta.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

impl SledJournal {
    /// The volumes that are kept, oldest first; the last one is the active one.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn volumes(&self) -> Result<Vec<Volume>, ReadError> {
        self.store.volumes()
    }

    /// Removes the oldest finished volumes as far as they are due, after a look through all that is in them. Calls that began
    /// in them are gone, with all their commits, unless they are held. A crash on the way leaves the journal as before or
    /// as after. `dry_run` only tells.
    ///
    /// # Errors
    /// [`PruneError`]; then nothing was removed, or the rest is at the next opening.
    pub fn prune(
        &self,
        retention: Retention,
        dry_run: bool,
        now: Timestamp,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, PruneError> {
        keeper::prune(&self.store, self.seals.as_deref(), retention, dry_run, now, progress)
    }
}
