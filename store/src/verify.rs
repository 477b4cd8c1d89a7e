//! Looking at everything: every checksum, every sequence number, every chain, the index.
//!
//! What is checked:
//! 1. the store's own marks: format, watermark;
//! 2. the log, once through: no gap, each frame's checksum, each commit readable and equal to its header, each call's
//!    versions without a gap, each link of its chain;
//! 3. the index: each row readable, each call read through it gives exactly the commits that the log holds;
//! 4. the checkpoints: each genuine, linked to the one before, and made of just these commits;
//! 5. of an erasable store, the keys and the receipts of what was erased.
//!
//! Memory is bounded by the number of calls that are open at one place of the log, not by its length.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use crate::chain::{self, Link};
use crate::erasable::{self, Erasures};
use crate::error::ReadError;
use crate::frame::Facts;
use crate::journal::{Cursor, Head, JournalReader};
use crate::layout;
use crate::open_error::OpenError;
use crate::proof::audit::{Audit, Kept, Seals};
use crate::proof::entries::Entry;
use crate::proof::key::PublicKey;
use crate::proof::leaf::Leaf;
use crate::reader::{self, Attached};
use crate::retention::pruned::Pruned;
use crate::seal;
use crate::sled;

/// More damages than this are counted, not listed.
pub const MAX_LISTED: usize = 1_000;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where: a file, a sequence number, a call.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl From<ReadError> for Damage {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Corrupt { place, what } => Self { place, what },
            ReadError::TooNew { ref place, .. } => Self { place: place.clone(), what: error.to_string() },
            ReadError::Unavailable { .. } | ReadError::Interrupted { .. } | ReadError::Beyond { .. } => {
                Self { place: "the journal".into(), what: error.to_string() }
            }
        }
    }
}

/// How far a check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Events looked at.
    pub events: u64,
    /// Events in all, as far as is known.
    pub of: u64,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Commits that are whole.
    pub commits: u64,
    /// Their events.
    pub events: u64,
    /// Calls, by their first commits.
    pub calls: u64,
    /// What is damaged, at most [`MAX_LISTED`] of it.
    pub damages: Vec<Damage>,
    /// How many damages there are in all.
    pub damaged: u64,
    /// The checkpoints.
    pub seals: Seals,
    /// The keys and the receipts of an erasable store.
    pub erasures: Option<Erasures>,
}

impl Report {
    /// True if everything is as it was written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damaged == 0
    }

    pub(crate) fn add(&mut self, damage: impl Into<Damage>) {
        self.damaged += 1;
        if self.damages.len() < MAX_LISTED {
            self.damages.push(damage.into());
        }
    }
}

/// What an auditor brings along.
#[derive(Debug, Clone, Default)]
pub struct Brought {
    /// Keys that checkpoints must be signed with, each with one of them.
    pub keys: Vec<PublicKey>,
    /// Checkpoints that were kept elsewhere: the journal must be a continuation of each.
    pub checkpoints: Vec<Entry>,
}

/// Checks a store: through its writer if there is one, otherwise a copy of it.
///
/// # Errors
/// [`OpenError`] if there is nothing that could be checked. Damage is no error but part of the report.
pub fn verify(dir: impl AsRef<Path>, progress: &mut dyn FnMut(Progress)) -> Result<Report, OpenError> {
    verify_with(dir, &Brought::default(), progress)
}

/// The same for somebody who knows more than the store says of itself.
///
/// # Errors
/// As above.
pub fn verify_with(
    dir: impl AsRef<Path>,
    brought: &Brought,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, OpenError> {
    let dir = dir.as_ref();
    let kept = seal::kept(dir).map_err(OpenError::io("reading", &dir.join(layout::CHECKPOINTS)))?;
    // Before the journal is: what is removed meanwhile is missed then, not passed over. Damage of it is told on the way.
    let pruned = Pruned::of(dir).unwrap_or_default();
    let audit = Audit::new(kept, brought.checkpoints.clone(), &brought.keys).after(pruned.as_ref());
    let walk = Walk { begins: pruned.map_or(0, |pruned| pruned.cut.events), ..Walk::new(audit) };
    let mut report = match reader::attach(dir)? {
        Attached::Live(reader) => {
            let lost = |error| OpenError::io("reading", dir)(io::Error::other(error));
            through_reader(&reader, walk, progress).map_err(lost)?
        }
        Attached::Free(copy) => {
            let copied = sled::Copied { copy: copy.path(), original: dir };
            sled::check_copy(copied, walk, progress)
        }
    };
    report.erasures = erasable::audit(dir, &brought.keys, &mut report)?;
    Ok(report)
}

/// Checks what any reader gives: sequence, versions, chains. The reader compares checksums itself.
pub fn verify_reader(reader: &dyn JournalReader, progress: &mut dyn FnMut(Progress)) -> Report {
    let none = Audit::new(Box::new(std::iter::empty()), Vec::new(), &[]);
    through_reader(reader, Walk::new(none), progress).unwrap_or_else(|error| {
        let mut report = Report::default();
        report.add(error);
        report
    })
}

/// The same with the checkpoints of the reader's store, asked for before (`kept`), and for somebody who knows more than the
/// store says of itself: all that can be seen from afar.
///
/// # Errors
/// [`ReadError::Interrupted`] if the reader's engine went away: that is no damage.
pub fn verify_reader_with(
    reader: &dyn JournalReader,
    kept: Kept<'_>,
    brought: &Brought,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, ReadError> {
    let pruned = reader.pruned()?;
    let audit = Audit::new(kept, brought.checkpoints.clone(), &brought.keys).after(pruned.as_ref());
    let walk = Walk { begins: pruned.map_or(0, |pruned| pruned.cut.events), ..Walk::new(audit) };
    through_reader(reader, walk, progress)
}

fn through_reader(
    reader: &dyn JournalReader,
    mut walk: Walk<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, ReadError> {
    let mut report = Report::default();
    walk.audit.begin(&mut report);
    match walk_through(reader, &mut walk, &mut report, progress) {
        // Nothing was found out about what did not come.
        Err(lost @ ReadError::Interrupted { .. }) => return Err(lost),
        Err(error) => report.add(error),
        Ok(()) => {}
    }
    walk.finish(&mut report);
    Ok(report)
}

fn walk_through(
    reader: &dyn JournalReader,
    walk: &mut Walk<'_>,
    report: &mut Report,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ReadError> {
    let tail = reader.tail()?.seq();
    let mut next = walk.begins;
    for stored in reader.read_all(Cursor::START)? {
        let stored = stored?;
        if stored.seq != next {
            report.add(ReadError::at_seq(next, format!("a gap: after it comes {}", stored.seq)));
        }
        next = Cursor::after(&stored).seq();
        let payload = stored.payload().map_err(|error| ReadError::at_seq(stored.seq, error.to_string()))?;
        if let Some(facts) = Facts::of(&stored.commit) {
            walk.chains.follow(stored.seq, &facts, &stored.hash, &payload, report);
        }
        walk.seal(&stored, report);
        report.tell(next, tail, progress);
    }
    if next < tail {
        report.add(ReadError::at_seq(next, format!("the log ends here, before {tail}")));
    }
    Ok(())
}

impl Report {
    /// Counts a whole commit's way through, and tells now and then.
    pub(crate) fn tell(&mut self, events: u64, of: u64, progress: &mut dyn FnMut(Progress)) {
        if self.commits.is_multiple_of(4_096) || events == of {
            progress(Progress { events, of });
        }
    }
}

/// What is carried along on the way through the log.
pub(crate) struct Walk<'a> {
    pub(crate) chains: Chains,
    pub(crate) audit: Audit<'a>,
    /// The global sequence number of the first event that is kept.
    pub(crate) begins: u64,
}

impl<'a> Walk<'a> {
    fn new(audit: Audit<'a>) -> Self {
        Self { chains: Chains::default(), audit, begins: 0 }
    }

    /// Puts a commit into the tree.
    pub(crate) fn seal(&mut self, stored: &StoredCommit, report: &mut Report) {
        if let Some(leaf) = Leaf::of(stored) {
            self.audit.add(&leaf, report);
        }
    }

    /// Looks at what should come behind the last commit. If something is damaged already, that checkpoints reach further
    /// is a consequence.
    pub(crate) fn finish(self, report: &mut Report) {
        let whole = report.is_sound();
        report.seals = self.audit.finish(whole, report);
    }
}

/// The heads of the calls that are open at the current place.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    open: HashMap<CallId, Head>,
}

impl Chains {
    /// Compares a commit with what its call had before, and counts it.
    pub(crate) fn follow(
        &mut self,
        seq: u64,
        facts: &Facts,
        hash: &Link,
        payload: &[u8],
        report: &mut Report,
    ) {
        let call = facts.call;
        let start = Head { version: 0, hash: chain::START };
        let head = self.open.get(&call).copied().unwrap_or(start);
        if facts.version == 0 {
            report.calls += 1;
        }
        // A commit after the end of its call is legal but rare: its predecessor is not remembered any more.
        let forgotten = facts.version != 0 && head.version == 0;
        if facts.version != head.version && !forgotten {
            let what = format!("call {call} goes on at {} instead of {}", facts.version, head.version);
            report.add(ReadError::at_seq(seq, what));
        } else if !forgotten && chain::link(&head.hash, payload) != *hash {
            report.add(ReadError::at_seq(seq, format!("the hash chain of call {call} is broken")));
        }
        report.commits += 1;
        report.events += u64::from(facts.events);
        let version = facts.version.saturating_add(u64::from(facts.events));
        if facts.last {
            self.open.remove(&call);
        } else {
            self.open.insert(call, Head { version, hash: *hash });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryJournal;
    use crate::testing::conformance::put;
    use crate::testing::sample::{offered, released};

    #[test]
    fn a_sound_journal_is_counted() {
        let journal = MemoryJournal::new();
        for number in 0..5 {
            put(&journal, offered(number));
            put(&journal, released(number, 1));
        }
        let mut told = Vec::new();
        let report = verify_reader(&journal, &mut |progress| told.push(progress));
        assert_eq!((report.commits, report.events, report.calls, report.damaged), (10, 15, 5, 0));
        assert!(report.is_sound());
        assert_eq!(told.last(), Some(&Progress { events: 15, of: 15 }));
    }
}
