//! Writing a new store from what is sound in a damaged one.
//!
//! Both copies of the log are walked through, so what is damaged in one of them alone is not lost. The calls keep their
//! records and chains; global sequence numbers are given anew, without a gap. A call with a hole keeps what stands before
//! the hole, because nothing behind it can be proven to belong there.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::Path;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use crate::append::Append;
use crate::error::{AppendError, ReadError};
use crate::frame::Facts;
use crate::journal::{Cursor, Expect, Journal};
use crate::layout::{ERASURES, KEYS};
use crate::open_error::OpenError;
use crate::reader::{self, Attached};
use crate::sled;
use crate::sled::{Options, SledJournal};
use crate::verify::{Damage, Progress};
use crate::watermark::{self, Level};

/// How many appends are under way at once.
const AHEAD: usize = 4_096;

/// What a repair did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repair {
    /// Commits that were written to the new store.
    pub commits: u64,
    /// Their events.
    pub events: u64,
    /// What was found damaged in at least one copy; most of it is lost in none.
    pub damages: Vec<Damage>,
    /// The global sequence numbers that are lost in both copies: from, and up to but not including.
    pub lost: Vec<(u64, u64)>,
    /// Calls that lost something and went on afterwards: from which version on.
    pub incomplete: BTreeMap<CallId, u64>,
}

/// Why a repair could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// One of the two stores can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The damaged store can't be read at all.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The new store can't be written.
    #[error("the new store can't be written: {0}")]
    Append(#[from] AppendError),
    /// The store is in use: it is not damaged enough to be replaced under its writer.
    #[error("the store is in use; end its writer first")]
    InUse,
    /// There is something in the way.
    #[error("the new store must not exist yet")]
    Exists,
}

/// Writes what is sound in the store `dir` to a new store `into`. The old one is not changed.
///
/// # Errors
/// [`RepairError`].
pub fn repair(dir: &Path, into: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Repair, RepairError> {
    if into.exists() {
        return Err(RepairError::Exists);
    }
    let Attached::Free(copy) = reader::attach(dir)? else { return Err(RepairError::InUse) };
    bring_keys(dir, into)?;
    let journal = SledJournal::open(into, Options { serve_readers: false, ..Options::default() })?;
    let mut work = Work { journal: &journal, waiting: VecDeque::new(), next: 0, repair: Repair::default() };
    let mut damages = Vec::new();
    let copied = sled::Copied { copy: copy.path(), original: dir };
    sled::each_sound_commit(copied, &mut |damage| damages.push(damage), &mut |stored| {
        work.take(stored)?;
        let events = work.repair.events;
        if work.repair.commits.is_multiple_of(4_096) {
            progress(Progress { events, of: events });
        }
        Ok::<(), RepairError>(())
    })?;
    work.settle(0)?;
    if let Level::At(seq) = watermark::read(copy.path()).unwrap_or(Level::Damaged) {
        work.expect(seq);
    }
    let mut repair = work.repair;
    repair.damages = damages;
    progress(Progress { events: repair.events, of: repair.events });
    journal.close().map_err(|error| AppendError::Unavailable { why: error.why })?;
    Ok(repair)
}

/// What is sealed stays sealed, so the keys come along, and the receipts of those that are gone.
fn bring_keys(dir: &Path, into: &Path) -> Result<(), OpenError> {
    for name in [KEYS, ERASURES] {
        let from = dir.join(name);
        if from.exists() {
            fs::create_dir_all(into).map_err(OpenError::io("creating", into))?;
            fs::copy(&from, into.join(name)).map_err(OpenError::io("copying", &from))?;
        }
    }
    Ok(())
}

struct Work<'a> {
    journal: &'a SledJournal,
    waiting: VecDeque<(CallId, u16, Append)>,
    /// Where the next commit should begin.
    next: u64,
    repair: Repair,
}

impl Work<'_> {
    fn take(&mut self, stored: StoredCommit) -> Result<(), RepairError> {
        let call = stored.commit.call;
        self.expect(stored.seq);
        self.next = Cursor::after(&stored).seq();
        if self.repair.incomplete.contains_key(&call) {
            return Ok(());
        }
        let events = Facts::of(&stored.commit).map_or(0, |facts| facts.events);
        let expect = Expect::of(&stored.commit);
        self.waiting.push_back((call, events, self.journal.append_as_kept(stored, expect)));
        self.settle(AHEAD)
    }

    /// Something stands, or stood, at this global sequence number: what lies before it and was not met is lost.
    fn expect(&mut self, seq: u64) {
        if seq > self.next {
            self.repair.lost.push((self.next, seq));
        }
    }

    /// Waits until at most so many appends are under way.
    fn settle(&mut self, most: usize) -> Result<(), RepairError> {
        while self.waiting.len() > most {
            let Some((call, events, append)) = self.waiting.pop_front() else { break };
            match append.wait() {
                Ok(_) => {
                    self.repair.commits += 1;
                    self.repair.events += u64::from(events);
                }
                Err(AppendError::Conflict { actual }) => {
                    let lost = self.repair.incomplete.entry(call).or_insert(actual);
                    *lost = actual.min(*lost);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
