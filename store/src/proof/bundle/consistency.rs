//! The proof that nothing was rewritten between two checkpoints.

use serde::{Deserialize, Serialize};

use super::{Proven, checkpoint};
use crate::proof::path::verify_consistency;
use crate::proof::text::base64_hashes;
use crate::proof::tree::Hash;
use crate::verify::Damage;

/// That the journal of the older checkpoint is the beginning of that of the newer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyProof {
    /// The signed note of the smaller tree.
    pub older: String,
    /// The signed note of the larger tree.
    pub newer: String,
    /// The path of RFC 6962 §2.1.2.
    #[serde(with = "base64_hashes")]
    pub path: Vec<Hash>,
}

impl ConsistencyProof {
    pub(super) fn verify(&self) -> Result<Proven, Damage> {
        let older = checkpoint("the older checkpoint", &self.older)?;
        let newer = checkpoint("the newer checkpoint", &self.newer)?;
        if !verify_consistency(&older.checkpoint.tree, &newer.checkpoint.tree, &self.path) {
            let what = "the newer one is no continuation of the older one: history was written anew";
            return Err(Damage { place: "the checkpoints".into(), what: what.into() });
        }
        Ok(Proven::Consistency(Box::new(older), Box::new(newer)))
    }
}
