//! The hash chain of a call: each commit's link covers everything the call did before.

use sha2::{Digest, Sha256};

/// A link of a call's chain.
pub type Link = [u8; 32];

/// What stands before the first link of every call.
pub const START: Link = [0; 32];

/// The link after `previous` for a commit with these bytes: SHA-256 over both.
#[must_use]
pub fn link(previous: &Link, encoded: &[u8]) -> Link {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(encoded);
    hash.finalize().into()
}
