//! What proves that the commits of a recording stand in the journal that a checkpoint covers: the roots of what was left
//! out between them. With those and the commits themselves, the tree is built once more from left to right.
//!
//! The content of the sections `proofs`, one after another: entries of
//!
//! | bytes | content |
//! |---|---|
//! | 8 | how many commits of the recording, the next ones in order, stand in the tree side by side |
//! | 8 | how many commits that are not in the recording follow them there |
//! | 32 each | the roots of the perfect subtrees which those make, the largest that fit, from left to right |

use std::ops::Range;

use super::write::Section;
use crate::proof::entries::Entry;
use crate::proof::leaf::Leaf;
use crate::proof::tree::{Frontier, Hash, Node, node_hash};
use crate::prove::ProveError;
use crate::retention::pruned::Pruned;

/// The name of the section with a checkpoint: its note, as text.
pub const CHECKPOINT: &str = "checkpoint";

/// The name of the sections with what was left out.
pub const PROOFS: &str = "proofs";

/// The version of both.
pub const VERSION: u16 = 1;

/// A section is complete once it has so many bytes.
const SECTION_BYTES: usize = 1 << 16;

/// The heights of the largest perfect subtrees that make the leaves `range` of a tree, from left to right.
pub fn subtrees(range: Range<u64>) -> impl Iterator<Item = u32> {
    let Range { mut start, end } = range;
    std::iter::from_fn(move || {
        let left = end.checked_sub(start).filter(|left| *left > 0)?;
        let level = start.trailing_zeros().min(63 - left.leading_zeros());
        start += 1 << level;
        Some(level)
    })
}

/// Makes the proofs of a recording while it is written, in the memory of two paths of the tree. It has to be told every
/// commit of the journal from its beginning on.
#[derive(Debug)]
pub struct Prover {
    under: Entry,
    whole: Frontier,
    /// Commits of the recording since the last entry.
    kept: u64,
    /// What was left out behind those.
    left_out: u64,
    roots: Vec<(Node, Hash)>,
    bytes: Vec<u8>,
    /// The first event of the journal that is kept.
    begins: u64,
    /// A commit of the recording was removed from the journal: it is held beside it, and has no place there any more.
    outside: bool,
}

impl Prover {
    /// Proofs that lead to this checkpoint. What was removed from the journal's beginning was left out.
    #[must_use]
    pub fn new(under: Entry, pruned: Option<&Pruned>) -> Self {
        let (begins, whole) = pruned
            .map_or_else(|| (0, Frontier::new()), |pruned| (pruned.cut.events, pruned.frontier.clone()));
        let roots = whole.nodes().map(|(node, hash)| (node, *hash)).collect();
        let left_out = whole.size();
        Self { under, whole, kept: 0, left_out, roots, bytes: Vec::new(), begins, outside: false }
    }

    /// Takes the next commit of the journal; `kept` says that it is in the recording. Returns a section to be written
    /// now and then.
    pub fn add(&mut self, leaf: &Leaf, kept: bool) -> Option<Section> {
        if leaf.seq < self.begins {
            self.outside |= kept;
            return None;
        }
        if self.outside || self.whole.size() >= self.under.checkpoint.tree.size {
            return None;
        }
        let (index, hash) = (self.whole.size(), leaf.hash());
        self.whole.push(hash);
        if !kept {
            self.leave_out(Node { level: 0, index }, hash);
            return None;
        }
        if self.left_out > 0 {
            self.entry();
        }
        self.kept += 1;
        (self.bytes.len() >= SECTION_BYTES).then(|| self.section())
    }

    fn leave_out(&mut self, mut node: Node, mut hash: Hash) {
        self.left_out += 1;
        while let Some((_, left)) =
            self.roots.pop_if(|(left, _)| left.level == node.level && left.index & 1 == 0)
        {
            hash = node_hash(&left, &hash);
            node = Node { level: node.level + 1, index: node.index >> 1 };
        }
        self.roots.push((node, hash));
    }

    fn entry(&mut self) {
        self.bytes.extend_from_slice(&self.kept.to_be_bytes());
        self.bytes.extend_from_slice(&self.left_out.to_be_bytes());
        self.bytes.extend(self.roots.drain(..).flat_map(|(_, hash)| hash));
        (self.kept, self.left_out) = (0, 0);
    }

    fn section(&mut self) -> Section {
        let bytes = std::mem::take(&mut self.bytes);
        Section { name: PROOFS.into(), version: VERSION, bytes }
    }

    /// The last sections, the checkpoint's among them.
    ///
    /// # Errors
    /// [`ProveError::Differs`]: the journal does not lead to the checkpoint, so nothing is proven.
    pub fn finish(mut self) -> Result<Vec<Section>, ProveError> {
        let tree = self.under.checkpoint.tree;
        if self.outside || (self.whole.size(), self.whole.root()) != (tree.size, tree.root) {
            return Err(ProveError::Differs(tree.size));
        }
        self.entry();
        let last = self.section();
        Ok(vec![last, checkpoint(&self.under)])
    }
}

/// The section with a checkpoint. A redacted recording has it alone: it says which journal the commitments were made of,
/// and shows nothing from which a redacted number could be guessed.
#[must_use]
pub fn checkpoint(entry: &Entry) -> Section {
    Section { name: CHECKPOINT.into(), version: VERSION, bytes: entry.note.to_string().into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtrees_are_the_largest_that_fit() {
        for (range, expected) in [
            (0..0, &[][..]),
            (0..1, &[0]),
            (0..8, &[3]),
            (0..7, &[2, 1, 0]),
            (1..8, &[0, 1, 2]),
            (3..14, &[0, 2, 2, 1]),
            (5..6, &[0]),
            (6..8, &[1]),
        ] {
            assert_eq!(subtrees(range.clone()).collect::<Vec<_>>(), expected, "{range:?}");
        }
    }
}
