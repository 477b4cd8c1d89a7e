//! The proof that a stretch of the journal is complete: every commit's leaf, and the hashes beside them.
//!
//! The leaves carry their sequence numbers and their numbers of events, so that they join without a gap; the hashes
//! beside them join them to the root, so that none can be left out or put in. What was said in the commits is not in
//! it: who gets such a proof learns which calls there were and when, and nothing else.

use std::collections::BTreeSet;

use callbox_events::Timestamp;
use callbox_events::time::rfc3339;
use serde::{Deserialize, Serialize};

use super::{Proven, checkpoint};
use crate::proof::leaf::Leaf;
use crate::proof::path::root_around;
use crate::proof::text::{base64_hash, base64_hashes};
use crate::proof::tree::Hash;
use crate::verify::Damage;

/// Every commit from one place of the journal to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletenessProof {
    /// What it states, for people and programs that don't verify; verifying computes it again.
    pub statement: Statement,
    /// The signed note.
    pub checkpoint: String,
    /// The number of the first commit in the tree.
    pub first_index: u64,
    /// The commits, without gap.
    pub leaves: Vec<Leaf>,
    /// The hashes of the subtrees beside them, from left to right.
    #[serde(with = "base64_hashes")]
    pub beside: Vec<Hash>,
}

/// These are all events from one to the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Global sequence number of the first event.
    pub first_seq: u64,
    /// Global sequence number of the last event.
    pub last_seq: u64,
    /// How many events these are.
    pub events: u64,
    /// In how many commits.
    pub commits: u64,
    /// Of how many calls.
    pub calls: u64,
    /// The earliest time at which one of them was recorded.
    #[serde(with = "rfc3339")]
    pub from: Timestamp,
    /// The latest.
    #[serde(with = "rfc3339")]
    pub until: Timestamp,
    /// The root over the journal.
    #[serde(with = "base64_hash")]
    pub root: Hash,
    /// The commits under that root.
    pub of_commits: u64,
}

impl Statement {
    /// What these leaves state, if they join without a gap; otherwise between which sequence numbers they don't.
    pub(crate) fn of(leaves: &[Leaf], root: Hash, of_commits: u64) -> Result<Self, Damage> {
        let flaw = |place: String, what: &str| Damage { place, what: what.into() };
        let (Some(first), Some(last)) = (leaves.first(), leaves.last()) else {
            return Err(flaw("the proof".into(), "it has no commits"));
        };
        for (one, next) in leaves.iter().zip(leaves.iter().skip(1)) {
            if one.end() != next.seq {
                let what = "the commits do not join: one is missing, or out of its place";
                return Err(flaw(format!("sequence {}", one.end()), what));
            }
        }
        let calls: BTreeSet<_> = leaves.iter().map(|leaf| leaf.call).collect();
        Ok(Self {
            first_seq: first.seq,
            last_seq: last.end().saturating_sub(1),
            events: last.end().saturating_sub(first.seq),
            commits: leaves.len() as u64,
            calls: calls.len() as u64,
            from: leaves.iter().map(|leaf| leaf.at).min().unwrap_or_default(),
            until: leaves.iter().map(|leaf| leaf.at).max().unwrap_or_default(),
            root,
            of_commits,
        })
    }
}

impl CompletenessProof {
    pub(super) fn verify(&self) -> Result<Proven, Damage> {
        let entry = checkpoint("the checkpoint", &self.checkpoint)?;
        let tree = entry.checkpoint.tree;
        let computed = Statement::of(&self.leaves, tree.root, tree.size)?;
        let flaw = |place: &str, what: &str| Damage { place: place.into(), what: what.into() };
        let hashes: Vec<Hash> = self.leaves.iter().map(Leaf::hash).collect();
        if root_around(self.first_index, &hashes, tree.size, &self.beside) != Some(tree.root) {
            let what =
                "they do not lead to the checkpoint's root: one was changed, left out, put in or moved";
            return Err(flaw("the commits", what));
        }
        if computed != self.statement {
            return Err(flaw("the statement", "it says something else than the commits under it"));
        }
        Ok(Proven::Completeness(computed, Box::new(entry)))
    }
}
