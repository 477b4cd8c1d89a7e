//! Removing volumes: what is due is looked through, then given up, then removed.
//!
//! Every commit that is to go is read once more: its tree is what is kept of it, so it has to lead to the checkpoints that
//! cover it. If it doesn't, it was damaged or changed, and stays as evidence.

use std::collections::HashSet;
use std::io;

use callbox_events::{CallId, Timestamp};

use super::holds::Holds;
use super::policy::{self, Retention, Volume};
use super::pruned::Pruned;
use crate::error::ReadError;
use crate::journal::JournalReader;
use crate::proof::audit::{Audit, Kept};
use crate::proof::cut::Cut;
use crate::proof::leaf::Leaf;
use crate::proof::tree::Frontier;
use crate::verify::{Damage, Progress, Report};

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was removed, or would be.
    pub removed: Vec<Volume>,
    /// What was removed since the journal began, with these.
    pub cut: Option<Cut>,
    /// How many calls of them are held, and kept beside the journal.
    pub held: u64,
    /// The volume that was due as well, and the call for which it stays, with all that are younger: it is not over.
    pub stays: Option<(Volume, CallId)>,
}

/// Why nothing was removed.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// What was due is not as it was written.
    #[error("what is due is damaged at {}: {}", .0.place, .0.what)]
    Damaged(Damage),
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The system's.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What is known of a journal that is to be pruned.
pub(crate) struct Subject<'a> {
    pub reader: &'a dyn JournalReader,
    pub volumes: Vec<Volume>,
    /// Where it begins so far.
    pub pruned: Option<Pruned>,
    /// Whether a call is released, wherever that stands.
    pub is_released: &'a dyn Fn(CallId) -> Result<bool, ReadError>,
    pub holds: Holds,
    pub kept: Kept<'a>,
}

/// What may go.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub outcome: Outcome,
    /// Where the journal begins then; `None` if nothing goes.
    pub begins: Option<Pruned>,
    /// The held calls of each volume that goes.
    pub held: Vec<(Volume, HashSet<CallId>)>,
}

/// Looks through what is due.
pub(crate) fn plan(
    subject: Subject<'_>,
    retention: Retention,
    now: Timestamp,
    progress: &mut dyn FnMut(Progress),
) -> Result<Plan, PruneError> {
    let Subject { reader, volumes, pruned, is_released, holds, kept } = subject;
    let due = policy::due(retention, &volumes, now);
    let of = volumes.get(..due).and_then(<[Volume]>::last).map_or(0, |last| last.end.seq());
    let mut work = Work {
        reader,
        holds,
        audit: Audit::new(kept, Vec::new(), &[]).after(pruned.as_ref()),
        report: Report::default(),
        until: pruned.as_ref().map_or(Timestamp::default(), |pruned| pruned.cut.until),
        of,
    };
    work.audit.begin(&mut work.report);
    let mut plan = Plan::default();
    for volume in volumes.into_iter().take(due) {
        let looked = work.look_through(&volume, progress)?;
        if !retention.unfinished
            && let Some(call) = first_alive(&looked.open, is_released)?
        {
            plan.outcome.stays = Some((volume, call));
            break;
        }
        let held = looked.held;
        plan.begins = Some(work.given_up());
        plan.outcome.held += held.len() as u64;
        plan.outcome.removed.push(volume.clone());
        plan.held.push((volume, held));
    }
    plan.outcome.cut = plan.begins.as_ref().map(|pruned| pruned.cut);
    Ok(plan)
}

fn first_alive(
    open: &HashSet<CallId>,
    is_released: &dyn Fn(CallId) -> Result<bool, ReadError>,
) -> Result<Option<CallId>, ReadError> {
    let mut open: Vec<CallId> = open.iter().copied().collect();
    open.sort_unstable();
    for call in open {
        if !is_released(call)? {
            return Ok(Some(call));
        }
    }
    Ok(None)
}

/// What was found in a volume.
#[derive(Default)]
struct Looked {
    /// Calls that are held.
    held: HashSet<CallId>,
    /// Calls that are not released in it.
    open: HashSet<CallId>,
}

struct Work<'a> {
    reader: &'a dyn JournalReader,
    holds: Holds,
    audit: Audit<'a>,
    report: Report,
    until: Timestamp,
    of: u64,
}

impl Work<'_> {
    /// Takes a volume's commits into the tree.
    fn look_through(
        &mut self,
        volume: &Volume,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Looked, PruneError> {
        let mut looked = Looked::default();
        for (number, stored) in self.reader.read_all(volume.begin)?.enumerate() {
            let stored = stored?;
            if stored.seq >= volume.end.seq() {
                break;
            }
            let (call, at) = (stored.commit.call, stored.commit.at);
            if stored.commit.version == 0 && self.holds.hold(call, at) {
                looked.held.insert(call);
            }
            if stored.commit.releases() {
                looked.open.remove(&call);
            } else {
                looked.open.insert(call);
            }
            self.until = self.until.max(at);
            if let Some(leaf) = Leaf::of(&stored) {
                self.audit.add(&leaf, &mut self.report);
            }
            if number.is_multiple_of(4_096) {
                progress(Progress { events: stored.seq, of: self.of });
            }
        }
        if self.audit.built().1 != volume.end.seq() {
            let gap = ReadError::at_seq(
                self.audit.built().1,
                format!("a volume should reach {}", volume.end.seq()),
            );
            return Err(gap.into());
        }
        match self.report.damages.first() {
            Some(damage) => Err(PruneError::Damaged(damage.clone())),
            None => Ok(looked),
        }
    }

    fn given_up(&self) -> Pruned {
        let (frontier, events): (&Frontier, u64) = self.audit.built();
        let cut = Cut { commits: frontier.size(), events, until: self.until };
        Pruned { cut, frontier: frontier.clone() }
    }
}
