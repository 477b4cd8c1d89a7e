//! Tamper evidence: a Merkle tree over the journal's commits, signed checkpoints of it, proofs for strangers.
//!
//! One promise carries it: **whoever holds one signed checkpoint can tell whether any commit that it covers was
//! changed, dropped, added or moved afterwards**, also by somebody who owns the disk. Nothing in here does IO or reads
//! a clock.
//!
//! 1. [`leaf`]: what the tree says of one commit. [`tree`]: RFC 6962, built in the memory of one path.
//! 2. [`sealer`] makes [`checkpoint`]s of it, each a signed [`note`] in the forms of C2SP, with the [`beat`]s of the
//!    engines that listened meanwhile. [`entries`] reads the file they are kept in. [`key`] signs and verifies.
//! 3. [`audit`] recomputes the tree from a journal and compares each checkpoint with it.
//!    The oldest commits may have been removed: a [`cut`] says so.
//! 4. [`path`]: which hashes prove something, and whether they do. [`bundle`]: proofs as documents that need no store:
//!    one call, all that happened in a stretch of the journal, one checkpoint being the continuation of another.

pub mod audit;
pub mod beat;
pub mod bundle;
pub mod checkpoint;
pub mod coverage;
pub mod cut;
pub mod entries;
pub mod key;
pub mod leaf;
pub mod note;
pub mod path;
pub mod sealer;
pub mod text;
pub mod tree;
#[cfg(test)]
mod vectors;
