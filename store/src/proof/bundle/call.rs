//! The proof of one call: its commits as they are stored, and the way of each to the root.

use callbox_events::schema::StoredCommit;
use callbox_events::time::rfc3339;
use callbox_events::{CallId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Proven, checkpoint};
use crate::chain::{self, Link};
use crate::error::ReadError;
use crate::frame;
use crate::proof::leaf::Leaf;
use crate::proof::path::{Sized, verify_inclusion};
use crate::proof::text::{base64_bytes, base64_hashes};
use crate::proof::tree::Hash;
use crate::verify::Damage;

/// The commits of one call from its first on, as far as the checkpoint covers them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallProof {
    /// The call.
    pub call_id: CallId,
    /// The signed note.
    pub checkpoint: String,
    /// The commits, in order.
    pub commits: Vec<PlacedCommit>,
}

/// A commit and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedCommit {
    /// Its number in the tree.
    pub index: u64,
    /// Global sequence number of its first event.
    pub seq: u64,
    /// The encoded commit.
    #[serde(with = "base64_bytes")]
    pub payload: Vec<u8>,
    /// The audit path.
    #[serde(with = "base64_hashes")]
    pub path: Vec<Hash>,
}

/// What such a proof proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvenCall {
    /// The call.
    pub call_id: CallId,
    /// Its commits.
    pub commits: u64,
    /// Their events.
    pub events: u64,
    /// Global sequence number of its first event.
    pub first_seq: u64,
    /// Global sequence number of its last event.
    pub last_seq: u64,
    /// When the first commit was recorded.
    #[serde(with = "rfc3339")]
    pub from: Timestamp,
    /// When the last one was.
    #[serde(with = "rfc3339")]
    pub until: Timestamp,
    /// Whether the record is closed: its last commit releases the call. Otherwise more may have followed.
    pub complete: bool,
}

impl CallProof {
    /// The commits, decoded; what they say is proven by [`Proof::verify`](super::Proof::verify) alone.
    ///
    /// # Errors
    /// [`Damage`] for a payload that is no commit.
    pub fn commits(&self) -> Result<Vec<StoredCommit>, Damage> {
        let mut previous = chain::START;
        self.commits
            .iter()
            .map(|placed| {
                previous = chain::link(&previous, &placed.payload);
                placed.decode(previous)
            })
            .collect()
    }

    pub(super) fn verify(&self) -> Result<Proven, Damage> {
        let entry = checkpoint("the checkpoint", &self.checkpoint)?;
        let commits = self.commits()?;
        let mut before: Option<(u64, Leaf)> = None;
        for (placed, stored) in self.commits.iter().zip(&commits) {
            let leaf = self.follows(before, placed, stored).map_err(|what| placed.flaw(what))?;
            placed.lies_under(&leaf, &entry.checkpoint.tree).map_err(|what| placed.flaw(what))?;
            before = Some((placed.index, leaf));
        }
        let (Some(first), Some(last), Some((_, end))) = (commits.first(), commits.last(), before) else {
            return Err(Damage { place: "the proof".into(), what: "it has no commits".into() });
        };
        let released = |stored: &StoredCommit| stored.commit.releases();
        let proven = ProvenCall {
            call_id: self.call_id,
            commits: commits.len() as u64,
            events: end.version.saturating_add(u64::from(end.events)),
            first_seq: first.seq,
            last_seq: end.end().saturating_sub(1),
            from: first.commit.at,
            until: last.commit.at,
            complete: released(last),
        };
        Ok(Proven::Call(proven, Box::new(entry)))
    }

    /// The leaf of a commit, if it may stand behind the one before.
    fn follows(
        &self,
        before: Option<(u64, Leaf)>,
        placed: &PlacedCommit,
        stored: &StoredCommit,
    ) -> Result<Leaf, &'static str> {
        let leaf = Leaf::of(stored).ok_or("it has too many events")?;
        if leaf.call != self.call_id {
            return Err("it belongs to another call");
        }
        let version = before.map_or(0, |(_, before)| before.version.saturating_add(u64::from(before.events)));
        if leaf.version != version {
            return Err("a commit of the call is missing before it, or it stands in another's place");
        }
        if before.is_some_and(|(index, before)| placed.index <= index || leaf.seq < before.end()) {
            return Err("it stands before the commit that it follows");
        }
        Ok(leaf)
    }
}

impl PlacedCommit {
    fn decode(&self, link: Link) -> Result<StoredCommit, Damage> {
        frame::stored(self.seq, link, &self.payload, None).map_err(|error| match error {
            ReadError::Corrupt { what, .. } => self.flaw(what),
            ReadError::TooNew { .. }
            | ReadError::Unavailable { .. }
            | ReadError::Interrupted { .. }
            | ReadError::Beyond { .. } => self.flaw(error.to_string()),
        })
    }

    fn lies_under(&self, leaf: &Leaf, tree: &Sized) -> Result<(), &'static str> {
        let lies = verify_inclusion(&leaf.hash(), self.index, tree.size, &self.path, &tree.root);
        lies.then_some(()).ok_or("it does not lead to the checkpoint's root: it was changed, moved or put in")
    }

    fn flaw(&self, what: impl Into<String>) -> Damage {
        Damage { place: format!("sequence {}", self.seq), what: what.into() }
    }
}
