//! The Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1), built leaf by leaf in the memory of one path.

use sha2::{Digest, Sha256};

/// A node of the tree.
pub type Hash = [u8; 32];

/// What keeps a leaf from being taken for an inner node, and the other way round (RFC 6962 §2.1).
const LEAF: u8 = 0;
const INNER: u8 = 1;

/// The hash of a leaf: SHA-256 over 0x00 and its bytes.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Sha256::new().chain_update([LEAF]).chain_update(bytes).finalize().into()
}

/// The hash of an inner node: SHA-256 over 0x01 and its two children.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([INNER]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree without leaves: SHA-256 over nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::new().finalize().into()
}

/// A perfect subtree: `1 << level` leaves, the first of which has the number `index << level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Its height; 0 is a leaf.
    pub level: u32,
    /// Its number among those of its height.
    pub index: u64,
}

/// The right edge of a growing tree: the roots of the perfect subtrees that its leaves make, at most one of each
/// height. Enough to append and to tell the root; 64 hashes are the most there can be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// The largest subtree, which is the leftmost, first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// A tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The frontier of a tree of `size` leaves with these peaks; `None` if their number doesn't fit.
    #[must_use]
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its perfect subtrees, the leftmost first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The same with their places.
    pub fn nodes(&self) -> impl Iterator<Item = (Node, &Hash)> {
        let mut start = 0;
        let levels = (0..u64::BITS).rev().filter(|level| self.size >> level & 1 == 1);
        levels.zip(&self.peaks).map(move |(level, hash)| {
            let node = Node { level, index: start >> level };
            start += 1 << level;
            (node, hash)
        })
    }

    /// Appends a leaf, given its hash.
    pub fn push(&mut self, leaf: Hash) {
        self.push_seen(leaf, |_, _| {});
    }

    /// Appends a leaf and tells `see` every perfect subtree that it completes, itself first.
    pub fn push_seen(&mut self, leaf: Hash, see: impl FnMut(Node, &Hash)) {
        self.join(0, leaf, see);
    }

    /// Appends a perfect subtree of `1 << level` leaves, given its root. False, and nothing is done, where none of that
    /// height can begin: the number of leaves before it is no multiple of its own.
    #[must_use]
    pub fn push_subtree(&mut self, level: u32, root: Hash) -> bool {
        let fits = level < u64::BITS && self.size.trailing_zeros() >= level;
        let fits = fits && self.size.checked_add(1 << level).is_some();
        if fits {
            self.join(level, root, |_, _| {});
        }
        fits
    }

    fn join(&mut self, level: u32, root: Hash, mut see: impl FnMut(Node, &Hash)) {
        let mut node = Node { level, index: self.size >> level };
        let mut hash = root;
        see(node, &hash);
        while node.index & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            node = Node { level: node.level + 1, index: node.index >> 1 };
            see(node, &hash);
        }
        self.peaks.push(hash);
        self.size += 1 << level;
    }

    /// The root of the tree as it is.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.peaks).unwrap_or_else(empty_root)
    }
}

/// Joins subtrees that lie side by side, the largest first, as the tree above them does: from the right.
pub(super) fn fold(peaks: &[Hash]) -> Option<Hash> {
    let (last, others) = peaks.split_last()?;
    Some(others.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::vectors::{LEAVES, ROOTS, hash};

    #[test]
    fn the_roots_are_those_of_certificate_transparency() {
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root(), hash(ROOTS[0]));
        for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
            frontier.push(leaf_hash(leaf));
            assert_eq!(frontier.root(), hash(root));
        }
    }

    #[test]
    fn a_subtree_stands_for_its_leaves_where_one_can_begin() {
        for (before, level) in [(0, 3), (8, 3), (4, 2), (6, 1), (3, 0), (16, 4)] {
            let mut leaves = Frontier::new();
            (0..before).for_each(|number| leaves.push([number; 32]));
            let (mut subtree, mut jumping) = (Frontier::new(), leaves.clone());
            for number in before..before + (1 << level) {
                leaves.push([number; 32]);
                subtree.push([number; 32]);
            }
            assert!(jumping.push_subtree(level, subtree.root()));
            assert_eq!(jumping, leaves, "{before} leaves, then a subtree of height {level}");
        }
        let mut frontier = Frontier::from_peaks(6, vec![[1; 32]; 2]).unwrap();
        assert!(!frontier.push_subtree(2, [0; 32]) && !frontier.push_subtree(64, [0; 32]));
        assert_eq!(frontier.size(), 6);
    }

    #[test]
    fn a_frontier_goes_on_from_its_peaks() {
        let mut whole = Frontier::new();
        for number in 0..100u8 {
            let mut resumed = Frontier::from_peaks(whole.size(), whole.peaks().to_vec()).unwrap();
            whole.push([number; 32]);
            resumed.push([number; 32]);
            assert_eq!(resumed, whole);
            assert!(whole.peaks().len() <= 7);
        }
        assert_eq!(Frontier::from_peaks(5, vec![[0; 32]; 3]), None);
    }
}
