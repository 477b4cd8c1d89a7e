//! Proofs over the tree: which nodes they consist of, and how they are verified.
//!
//! The two halves share no code. The first half names the nodes of a proof by following the definitions of RFC 6962
//! from the root down; the second computes from the leaves up, as RFC 9162 §2.1.3.2 and §2.1.4.2 tell a verifier to.

use std::collections::HashMap;
use std::ops::Range;

use super::tree::{Hash, Node, fold, node_hash};

/// The largest power of two below `count`: how many leaves the left half of a subtree has (RFC 6962 §2.1).
fn split(count: u64) -> u64 {
    1 << (63 - (count.max(2) - 1).leading_zeros())
}

/// The subtrees of the audit path of a leaf, in the order of RFC 6962 §2.1.1: from the leaf to the root.
#[must_use]
pub fn inclusion(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut path = Vec::new();
    let mut within = 0..size;
    while within.end - within.start > 1 {
        let middle = within.start + split(within.end - within.start);
        if index < middle {
            path.push(middle..within.end);
            within.end = middle;
        } else {
            path.push(within.start..middle);
            within.start = middle;
        }
    }
    path.reverse();
    path
}

/// The subtrees of the proof that a tree of `old` leaves is the beginning of one of `new`, in the order of RFC 6962
/// §2.1.2. Nothing has to be proven of an empty or an equal tree.
#[must_use]
pub fn consistency(old: u64, new: u64) -> Vec<Range<u64>> {
    let mut path = Vec::new();
    if old == 0 || old >= new {
        return path;
    }
    let mut within = 0..new;
    let mut is_old_tree = true;
    while within.end != old {
        let middle = within.start + split(within.end - within.start);
        if old <= middle {
            path.push(middle..within.end);
            within.end = middle;
        } else {
            path.push(within.start..middle);
            within.start = middle;
            is_old_tree = false;
        }
    }
    if !is_old_tree {
        path.push(within);
    }
    path.reverse();
    path
}

/// The subtrees beside the leaves `inner`, from left to right: with those leaves they make the whole tree.
#[must_use]
pub fn beside(inner: &Range<u64>, size: u64) -> Vec<Range<u64>> {
    let mut outer = Vec::new();
    walk(0..size, inner, &mut |subtree| outer.push(subtree));
    outer
}

fn walk(within: Range<u64>, inner: &Range<u64>, tell: &mut impl FnMut(Range<u64>)) {
    if within.end <= inner.start || within.start >= inner.end {
        tell(within);
    } else if within.start < inner.start || within.end > inner.end {
        let middle = within.start + split(within.end - within.start);
        walk(within.start..middle, inner, tell);
        walk(middle..within.end, inner, tell);
    }
}

/// The perfect subtrees that make the leaves `range` of a tree, the largest first. `range` is a subtree of the tree, so
/// it begins at a multiple of the largest.
fn perfect(range: &Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let (mut start, mut left) = (range.start, range.end.saturating_sub(range.start));
    while left > 0 {
        let level = 63 - left.leading_zeros();
        nodes.push(Node { level, index: start >> level });
        start += 1 << level;
        left -= 1 << level;
    }
    nodes
}

/// Picks the nodes of proofs out of a tree that is being built, so that proving takes one pass and no tree in memory.
#[derive(Debug, Default)]
pub struct Wanted {
    nodes: HashMap<Node, Option<Hash>>,
}

impl Wanted {
    /// Wants these subtrees.
    pub fn add(&mut self, subtrees: &[Range<u64>]) {
        for node in subtrees.iter().flat_map(perfect) {
            self.nodes.entry(node).or_default();
        }
    }

    /// Takes a node if it is wanted; to be told all that [`Frontier::push_seen`](super::tree::Frontier::push_seen)
    /// tells.
    pub fn see(&mut self, node: Node, hash: &Hash) {
        if let Some(place) = self.nodes.get_mut(&node) {
            *place = Some(*hash);
        }
    }

    /// The roots of these subtrees; `None` if one was not wanted or not seen.
    #[must_use]
    pub fn hashes(&self, subtrees: &[Range<u64>]) -> Option<Vec<Hash>> {
        let seen = |node| self.nodes.get(&node).copied().flatten();
        let root = |subtree| {
            let peaks: Option<Vec<Hash>> = perfect(subtree).into_iter().map(seen).collect();
            fold(&peaks?)
        };
        subtrees.iter().map(root).collect()
    }
}

/// Whether `path` leads from the leaf number `index` to the root of a tree of `size` leaves (RFC 9162 §2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// A tree as far as a proof is concerned: how many leaves and which root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sized {
    /// The number of leaves.
    pub size: u64,
    /// The root.
    pub root: Hash,
}

/// Whether `path` shows that the old tree is the beginning of the new one (RFC 9162 §2.1.4.2).
#[must_use]
pub fn verify_consistency(old: &Sized, new: &Sized, path: &[Hash]) -> bool {
    if old.size == 0 || old.size >= new.size {
        let same = old.size == new.size && old.root == new.root;
        return path.is_empty() && (same || old.size == 0 && old.root == super::tree::empty_root());
    }
    // A tree of a power of two is a subtree of the new one: its root begins the path without being sent.
    let (first, rest) = match path.split_first() {
        _ if old.size.is_power_of_two() => (&old.root, path),
        Some((first, rest)) => (first, rest),
        None => return false,
    };
    let (mut place, mut last) = (old.size - 1, new.size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut of_old, mut of_new) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            of_old = node_hash(sibling, &of_old);
            of_new = node_hash(sibling, &of_new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            of_new = node_hash(&of_new, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && of_old == old.root && of_new == new.root
}

/// The root of the tree of `size` leaves in which `leaves` are those from number `first` on and `beside` the subtrees
/// beside them, from left to right; `None` if these are not exactly what such a tree has.
#[must_use]
pub fn root_around(first: u64, leaves: &[Hash], size: u64, beside: &[Hash]) -> Option<Hash> {
    let end = first.checked_add(leaves.len() as u64)?;
    if leaves.is_empty() || end > size {
        return None;
    }
    let mut around = Around { first, leaves, end, beside: beside.iter() };
    let root = around.root(0..size)?;
    around.beside.next().is_none().then_some(root)
}

struct Around<'a> {
    first: u64,
    leaves: &'a [Hash],
    end: u64,
    beside: std::slice::Iter<'a, Hash>,
}

impl Around<'_> {
    fn root(&mut self, within: Range<u64>) -> Option<Hash> {
        if within.end <= self.first || within.start >= self.end {
            return self.beside.next().copied();
        }
        if within.end - within.start == 1 {
            return self.leaves.get(usize::try_from(within.start - self.first).ok()?).copied();
        }
        let middle = within.start + split(within.end - within.start);
        let left = self.root(within.start..middle)?;
        let right = self.root(middle..within.end)?;
        Some(node_hash(&left, &right))
    }
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::*;
    use crate::proof::tree::{Frontier, leaf_hash};
    use crate::proof::vectors::{CONSISTENCIES, INCLUSIONS, LEAVES, ROOTS, hash};

    /// The nodes of a proof over a tree of these leaves, picked while it grows.
    fn picked(leaves: &[Hash], subtrees: &[Range<u64>]) -> Vec<Hash> {
        let mut wanted = Wanted::default();
        wanted.add(subtrees);
        let mut frontier = Frontier::new();
        for leaf in leaves {
            frontier.push_seen(*leaf, |node, hash| wanted.see(node, hash));
        }
        wanted.hashes(subtrees).unwrap()
    }

    fn root(leaves: &[Hash]) -> Hash {
        let mut frontier = Frontier::new();
        leaves.iter().for_each(|leaf| frontier.push(*leaf));
        frontier.root()
    }

    fn some_leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    #[test]
    fn the_published_proofs_are_made_and_verified() {
        let leaves: Vec<Hash> = LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect();
        for (index, size, hashes) in INCLUSIONS {
            let path: Vec<Hash> = hashes.iter().map(|hex| hash(hex)).collect();
            assert_eq!(picked(&leaves[..size as usize], &inclusion(index, size)), path, "{index} in {size}");
            let (leaf, root) = (&leaves[index as usize], hash(ROOTS[size as usize]));
            assert!(verify_inclusion(leaf, index, size, &path, &root));
        }
        for (old, new, hashes) in CONSISTENCIES {
            let path: Vec<Hash> = hashes.iter().map(|hex| hash(hex)).collect();
            assert_eq!(picked(&leaves[..new as usize], &consistency(old, new)), path, "{old} to {new}");
            let sized = |size: u64| Sized { size, root: hash(ROOTS[size as usize]) };
            assert!(verify_consistency(&sized(old), &sized(new), &path));
        }
    }

    /// Every tree up to 40 leaves, every proof in it.
    #[test]
    fn every_proof_of_small_trees_holds_and_holds_of_nothing_else() {
        for size in 1..40 {
            let leaves = some_leaves(size);
            let whole = Sized { size, root: root(&leaves) };
            for index in 0..size {
                let path = picked(&leaves, &inclusion(index, size));
                for claimed in 0..=size {
                    let held = verify_inclusion(&leaves[index as usize], claimed, size, &path, &whole.root);
                    assert_eq!(held, claimed == index, "leaf {index} as {claimed} of {size}");
                }
                let old = Sized { size: index, root: root(&leaves[..index as usize]) };
                let path = picked(&leaves, &consistency(index, size));
                assert!(verify_consistency(&old, &whole, &path), "{index} to {size}");
                let other = Sized { root: [9; 32], ..old };
                assert!(!verify_consistency(&other, &whole, &path), "{index} to {size}");
            }
        }
    }

    /// Another implementation of RFC 6962 accepts our proofs.
    fn theirs(leaves: &[u64]) -> MemoryBackedTree<Sha256, Vec<u8>> {
        let mut tree = MemoryBackedTree::new();
        leaves.iter().for_each(|leaf| tree.push(leaf.to_be_bytes().to_vec()));
        tree
    }

    fn their_root(sized: &Sized) -> RootHash<Sha256> {
        RootHash::new(sized.root.into(), sized.size)
    }

    fn trees() -> impl Strategy<Value = (Vec<u64>, u64, u64)> {
        prop::collection::vec(any::<u64>(), 1..400).prop_flat_map(|leaves| {
            let size = leaves.len() as u64;
            (Just(leaves), 0..size, 0..size)
        })
    }

    proptest! {
        #[test]
        fn proofs_agree_with_another_implementation((values, one, other) in trees()) {
            let leaves: Vec<Hash> = values.iter().map(|value| leaf_hash(&value.to_be_bytes())).collect();
            let whole = Sized { size: leaves.len() as u64, root: root(&leaves) };
            let tree = theirs(&values);
            prop_assert!(tree.root() == their_root(&whole));

            let path = picked(&leaves, &inclusion(one, whole.size));
            prop_assert!(path.concat() == tree.prove_inclusion(one as usize).as_bytes());
            let proof = InclusionProof::<Sha256>::from_bytes(path.concat());
            let value = values[one as usize].to_be_bytes().to_vec();
            prop_assert!(their_root(&whole).verify_inclusion(&value, one, &proof).is_ok());

            let old = other + 1;
            let path = picked(&leaves, &consistency(old, whole.size));
            let older = Sized { size: old, root: root(&leaves[..old as usize]) };
            prop_assert!(verify_consistency(&older, &whole, &path));
            let proof = ConsistencyProof::<Sha256>::try_from_bytes(path.concat()).unwrap();
            prop_assert!(their_root(&whole).verify_consistency(&their_root(&older), &proof).is_ok());
        }

        #[test]
        fn any_flipped_bit_breaks_an_inclusion_proof((values, index, _) in trees(), bit: prop::sample::Index) {
            let leaves: Vec<Hash> = values.iter().map(|value| leaf_hash(&value.to_be_bytes())).collect();
            let (size, root) = (leaves.len() as u64, root(&leaves));
            let mut parts = vec![leaves[index as usize], root];
            parts.extend(picked(&leaves, &inclusion(index, size)));
            let bit = bit.index(parts.len() * 256);
            parts[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
            prop_assert!(!verify_inclusion(&parts[0], index, size, &parts[2..], &parts[1]));
        }

        #[test]
        fn any_flipped_bit_breaks_a_consistency_proof((values, old, _) in trees(), bit: prop::sample::Index) {
            let leaves: Vec<Hash> = values.iter().map(|value| leaf_hash(&value.to_be_bytes())).collect();
            let (size, old) = (leaves.len() as u64, old + 1);
            let mut parts = vec![root(&leaves[..old as usize]), root(&leaves)];
            parts.extend(picked(&leaves, &consistency(old, size)));
            let bit = bit.index(parts.len() * 256);
            parts[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
            let (older, newer) = (Sized { size: old, root: parts[0] }, Sized { size, root: parts[1] });
            prop_assert!(!verify_consistency(&older, &newer, &parts[2..]));
        }

        #[test]
        fn a_stretch_leads_to_the_root_and_a_changed_one_elsewhere(
            (values, one, other) in trees(),
            changed: prop::sample::Index,
        ) {
            let leaves: Vec<Hash> = values.iter().map(|value| leaf_hash(&value.to_be_bytes())).collect();
            let (size, root) = (leaves.len() as u64, root(&leaves));
            let (first, end) = (one.min(other), one.max(other) + 1);
            let around = picked(&leaves, &beside(&(first..end), size));
            let mut inner = leaves[first as usize..end as usize].to_vec();
            prop_assert_eq!(root_around(first, &inner, size, &around), Some(root));
            prop_assert_ne!(root_around(first + 1, &inner, size, &around), Some(root));
            prop_assert_eq!(root_around(first, &inner, size, &[around.clone(), vec![root]].concat()), None);
            if first > 0 || end < size {
                prop_assert_eq!(root_around(first, &inner, size, &around[1..]), None);
            }
            let changed = changed.index(inner.len());
            inner[changed][0] ^= 1;
            prop_assert_ne!(root_around(first, &inner, size, &around), Some(root));
        }
    }
}
