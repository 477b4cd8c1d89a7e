//! Makes checkpoints of a tree that grows.

use callbox_events::Timestamp;

use super::beat::Beat;
use super::checkpoint::{self, Checkpoint, Extension, UNSIGNED_ORIGIN};
use super::cut::Cut;
use super::entries::Entry;
use super::key::SigningKey;
use super::leaf::Leaf;
use super::note::{Note, NoteError};
use super::path::Sized;
use super::tree::{Frontier, Hash};

/// The tree over all commits so far, and what is needed to make the next checkpoint of it.
#[derive(Debug, Clone, Default)]
pub struct Sealer {
    frontier: Frontier,
    events: u64,
    last: Option<Last>,
    pruned: Option<Cut>,
}

/// The newest checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Last {
    time: Timestamp,
    size: u64,
    text: Hash,
    pruned: Option<Cut>,
}

impl Sealer {
    /// Goes on behind `frontier`, whose commits have so many events.
    #[must_use]
    pub fn resume(frontier: Frontier, events: u64) -> Self {
        Self { frontier, events, last: None, pruned: None }
    }

    /// Goes on behind this checkpoint: the next one names it as the one before, and has no earlier time.
    pub fn follow(&mut self, entry: &Entry) {
        let Checkpoint { tree, extension, .. } = &entry.checkpoint;
        let time = extension.time.unwrap_or_default();
        let (text, pruned) = (checkpoint::text_hash(&entry.note), extension.pruned);
        self.last = Some(Last { time, size: tree.size, text, pruned });
    }

    /// From now on checkpoints say that these were removed.
    pub fn prune(&mut self, cut: Cut) {
        self.pruned = Some(cut);
    }

    /// Takes the next commit.
    pub fn add(&mut self, leaf: &Leaf) {
        self.frontier.push(leaf.hash());
        self.events = leaf.end();
    }

    /// The tree's right edge.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The number of events in the commits taken.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Whether there are commits that no checkpoint covers, or removed ones of which none says so.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        let told = self.last.map_or((0, None), |last| (last.size, last.pruned));
        told != (self.frontier.size(), self.pruned)
    }

    /// The next checkpoint. Should the clock have gone back, it has the time of the one before.
    ///
    /// # Errors
    /// [`NoteError`] if a beat's addresses make it longer than a note may be.
    pub fn checkpoint(
        &mut self,
        now: Timestamp,
        beats: Vec<Beat>,
        key: Option<&SigningKey>,
    ) -> Result<Entry, NoteError> {
        let time = self.last.map_or(now, |last| now.max(last.time));
        let extension = Extension {
            time: Some(time),
            events: Some(self.events),
            previous: self.last.map(|last| last.text),
            pruned: self.pruned,
            beats,
        };
        let origin = key.map_or(UNSIGNED_ORIGIN, |key| key.public().name()).to_owned();
        let tree = Sized { size: self.frontier.size(), root: self.frontier.root() };
        let checkpoint = Checkpoint { origin, tree, extension };
        let mut note = Note::new(&checkpoint.to_string())?;
        if let Some(key) = key {
            key.sign(&mut note);
        }
        let entry = Entry { note, checkpoint };
        self.follow(&entry);
        Ok(entry)
    }
}
