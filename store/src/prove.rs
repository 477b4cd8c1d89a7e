//! Makes proofs of a journal: one pass over it, in the memory of what is proven.

use std::ops::Range;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use crate::chain;
use crate::error::ReadError;
use crate::journal::{Cursor, JournalReader};
use crate::proof::bundle::call::PlacedCommit;
use crate::proof::bundle::{CallProof, CompletenessProof, ConsistencyProof, Proof, Statement};
use crate::proof::entries::Entry;
use crate::proof::leaf::Leaf;
use crate::proof::path::{self, Sized, Wanted};
use crate::proof::tree::{Frontier, Hash, Node};
use crate::verify::{Damage, Progress};

/// Why nothing was proven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// The checkpoint covers nothing of what was asked for.
    #[error("the checkpoint covers {events} events, and nothing of {what}")]
    Uncovered {
        /// How many it covers.
        events: u64,
        /// What was asked for.
        what: String,
    },
    /// What was asked for was removed on purpose.
    #[error("the checkpoint covers {size} commits, but the first {removed} were removed from the journal")]
    Removed {
        /// How many it covers.
        size: u64,
        /// How many were removed.
        removed: u64,
    },
    /// The journal is not what the checkpoint was made of.
    #[error("the journal does not lead to the checkpoint of {0} commits")]
    Differs(u64),
    /// The stored bytes of a commit are not those that this callbox would write.
    #[error("the commit at sequence {seq} reads back as other bytes than were stored")]
    Rewritten {
        /// Where.
        seq: u64,
    },
    /// The older checkpoint covers more than the newer one.
    #[error("the older checkpoint covers {older} commits, the newer one only {newer}")]
    Order {
        /// Commits of the older.
        older: u64,
        /// Commits of the newer.
        newer: u64,
    },
    /// The journal can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl ProveError {
    /// What to do about it, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Uncovered { .. } => {
                "an engine makes a checkpoint every minute and when it closes: try again then"
            }
            Self::Removed { .. } => {
                "name a newer checkpoint; a proof that was made before the removal still holds"
            }
            Self::Differs(_) => "`callbox verify` tells where they part",
            Self::Rewritten { .. } => {
                "use the callbox that wrote it; `callbox verify` tells whether it is damaged"
            }
            Self::Order { .. } => "name the older checkpoint first",
            Self::Read(error) => error.hint(),
        }
    }
}

/// Proves all commits of a call that `under` covers.
///
/// # Errors
/// [`ProveError`].
pub fn call(
    reader: &dyn JournalReader,
    call: CallId,
    under: &Entry,
    progress: &mut dyn FnMut(Progress),
) -> Result<CallProof, ProveError> {
    let tree = under.checkpoint.tree;
    let mut wanted = Wanted::default();
    let mut found: Vec<(u64, StoredCommit)> = Vec::new();
    let pass = Pass { reader, tree, progress };
    pass.over(&mut wanted, |index, stored, wanted, frontier| {
        if stored.commit.call == call {
            want(wanted, &path::inclusion(index, tree.size), frontier);
            found.push((index, stored));
        }
    })?;
    if found.is_empty() {
        return Err(uncovered(under, format!("call {call}")));
    }
    let mut link = chain::START;
    let mut placed = |(index, stored): (u64, StoredCommit)| {
        let path = wanted.hashes(&path::inclusion(index, tree.size)).ok_or(ProveError::Differs(tree.size))?;
        let payload = stored.payload().map_err(|error| ReadError::at_seq(stored.seq, error.to_string()))?;
        let payload = payload.into_owned();
        link = chain::link(&link, &payload);
        if link != stored.hash {
            return Err(ProveError::Rewritten { seq: stored.seq });
        }
        Ok(PlacedCommit { index, seq: stored.seq, payload, path })
    };
    let commits = found.into_iter().map(&mut placed).collect::<Result<_, ProveError>>()?;
    Ok(CallProof { call_id: call, checkpoint: under.note.to_string(), commits })
}

/// Proves that these are all commits with events of these global sequence numbers, as far as `under` covers them.
///
/// # Errors
/// [`ProveError`].
pub fn completeness(
    reader: &dyn JournalReader,
    events: &Range<u64>,
    under: &Entry,
    progress: &mut dyn FnMut(Progress),
) -> Result<CompletenessProof, ProveError> {
    let tree = under.checkpoint.tree;
    let mut wanted = Wanted::default();
    let (mut first_index, mut leaves) = (0, Vec::<Leaf>::new());
    let pass = Pass { reader, tree, progress };
    pass.over(&mut wanted, |index, stored, wanted, frontier| {
        let leaf = Leaf::of(&stored).filter(|leaf| leaf.seq < events.end && leaf.end() > events.start);
        match leaf {
            Some(leaf) => {
                if leaves.is_empty() {
                    first_index = index;
                    // What lies to the left of the stretch lies to the left of its first leaf.
                    want(wanted, &path::beside(&(index..tree.size), tree.size), frontier);
                }
                leaves.push(leaf);
            }
            // The first commit behind it: nothing of what lies to the right is in the tree yet.
            None if index == first_index + leaves.len() as u64 => {
                wanted.add(&path::beside(&(first_index..index), tree.size));
            }
            None => {}
        }
    })?;
    if leaves.is_empty() {
        return Err(uncovered(
            under,
            format!("sequence {} to {}", events.start, events.end.saturating_sub(1)),
        ));
    }
    let beside = path::beside(&(first_index..first_index + leaves.len() as u64), tree.size);
    let beside = wanted.hashes(&beside).ok_or(ProveError::Differs(tree.size))?;
    let statement = Statement::of(&leaves, tree.root, tree.size).map_err(corrupt)?;
    let checkpoint = under.note.to_string();
    Ok(CompletenessProof { statement, checkpoint, first_index, leaves, beside })
}

/// Proves that the journal of `newer` is the continuation of that of `older`.
///
/// # Errors
/// [`ProveError`].
pub fn consistency(
    reader: &dyn JournalReader,
    older: &Entry,
    newer: &Entry,
    progress: &mut dyn FnMut(Progress),
) -> Result<ConsistencyProof, ProveError> {
    let (old, new) = (older.checkpoint.tree, newer.checkpoint.tree);
    if old.size > new.size {
        return Err(ProveError::Order { older: old.size, newer: new.size });
    }
    let subtrees = path::consistency(old.size, new.size);
    let mut wanted = Wanted::default();
    wanted.add(&subtrees);
    Pass { reader, tree: new, progress }.over(&mut wanted, |_, _, _, _| {})?;
    let path = wanted.hashes(&subtrees).ok_or(ProveError::Differs(new.size))?;
    if !path::verify_consistency(&old, &new, &path) {
        return Err(ProveError::Differs(old.size));
    }
    Ok(ConsistencyProof { older: older.note.to_string(), newer: newer.note.to_string(), path })
}

impl From<CallProof> for Proof {
    fn from(proof: CallProof) -> Self {
        Self::Call(proof)
    }
}

impl From<CompletenessProof> for Proof {
    fn from(proof: CompletenessProof) -> Self {
        Self::Completeness(proof)
    }
}

impl From<ConsistencyProof> for Proof {
    fn from(proof: ConsistencyProof) -> Self {
        Self::Consistency(proof)
    }
}

fn uncovered(under: &Entry, what: String) -> ProveError {
    ProveError::Uncovered { events: under.checkpoint.extension.events.unwrap_or_default(), what }
}

fn corrupt(damage: Damage) -> ReadError {
    ReadError::Corrupt { place: damage.place, what: damage.what }
}

/// Wants these subtrees. Those to the left are complete already: they are the peaks of the tree as it is.
fn want(wanted: &mut Wanted, subtrees: &[Range<u64>], frontier: &Frontier) {
    wanted.add(subtrees);
    for (node, hash) in frontier.nodes() {
        wanted.see(node, hash);
    }
}

/// One walk over the commits that a tree is made of.
struct Pass<'a> {
    reader: &'a dyn JournalReader,
    tree: Sized,
    progress: &'a mut dyn FnMut(Progress),
}

impl Pass<'_> {
    /// Tells `look` each commit and its number, before it is in the tree; fails if the tree isn't the one expected.
    fn over(
        self,
        wanted: &mut Wanted,
        mut look: impl FnMut(u64, StoredCommit, &mut Wanted, &Frontier),
    ) -> Result<(), ProveError> {
        let Sized { size, root } = self.tree;
        let of = self.reader.tail()?.seq();
        let pruned = self.reader.pruned()?;
        let begins = pruned.as_ref().map_or(Cursor::START, |pruned| pruned.begins());
        let mut frontier = pruned.map_or_else(Frontier::new, |pruned| pruned.frontier);
        if size < frontier.size() {
            return Err(ProveError::Removed { size, removed: frontier.size() });
        }
        frontier.nodes().for_each(|(node, hash)| wanted.see(node, hash));
        for stored in self.reader.read_all(begins)? {
            if frontier.size() == size {
                break;
            }
            let stored = stored?;
            let events = Cursor::after(&stored).seq();
            let leaf = Leaf::of(&stored).ok_or(ProveError::Differs(size))?;
            look(frontier.size(), stored, wanted, &frontier);
            frontier.push_seen(leaf.hash(), |node: Node, hash: &Hash| wanted.see(node, hash));
            if frontier.size().is_multiple_of(4_096) {
                (self.progress)(Progress { events, of });
            }
        }
        let same = frontier.size() == size && frontier.root() == root;
        same.then_some(()).ok_or(ProveError::Differs(size))
    }
}
