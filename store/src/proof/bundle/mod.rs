//! Proofs as documents: JSON that carries all that its verification needs besides the public key.
//!
//! | `kind` | what it proves |
//! |---|---|
//! | `call` | these commits of a call stand in the journal at these places, unchanged and without a gap |
//! | `completeness` | these are all events of a stretch of the journal |
//! | `consistency` | the journal of one checkpoint is the beginning of that of another |
//!
//! All hashes, payloads and paths are base64; a path is an audit path of RFC 6962 §2.1.1, from the leaf to the root. So
//! anybody can verify them with SHA-256 alone; `FORMAT.md` tells how.

pub mod call;
pub mod completeness;
pub mod consistency;

use serde::{Deserialize, Serialize};

pub use self::call::{CallProof, ProvenCall};
pub use self::completeness::{CompletenessProof, Statement};
pub use self::consistency::ConsistencyProof;
use super::entries::Entry;
use crate::verify::Damage;

/// The version of the documents.
pub const VERSION: u32 = 1;

/// A proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Proof {
    /// Of one call.
    Call(CallProof),
    /// Of a stretch of the journal.
    Completeness(CompletenessProof),
    /// Of growth.
    Consistency(ConsistencyProof),
}

/// What a sound proof proves, provided that its checkpoints are genuine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proven {
    /// Of one call, under this checkpoint.
    Call(ProvenCall, Box<Entry>),
    /// Of a stretch, under this checkpoint.
    Completeness(Statement, Box<Entry>),
    /// Of growth, from one checkpoint to the other.
    Consistency(Box<Entry>, Box<Entry>),
}

#[derive(Serialize, Deserialize)]
struct Document {
    callbox_proof: u32,
    #[serde(flatten)]
    proof: Proof,
}

#[derive(Deserialize)]
struct Version {
    callbox_proof: u32,
}

impl Proof {
    /// Reads a document.
    ///
    /// # Errors
    /// [`Damage`] says what it is instead.
    pub fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let flaw = |what: String| Damage { place: "the proof".into(), what };
        let Version { callbox_proof: version } = serde_json::from_slice(bytes)
            .map_err(|error| flaw(format!("it is no proof of callbox: {error}")))?;
        if version != VERSION {
            return Err(flaw(format!("it has version {version}; this callbox reads version {VERSION}")));
        }
        let document: Document =
            serde_json::from_slice(bytes).map_err(|error| flaw(format!("it can't be read: {error}")))?;
        Ok(document.proof)
    }

    /// The document: one line of JSON.
    ///
    /// # Errors
    /// serde's, which no proof provokes.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Document { callbox_proof: VERSION, proof: self.clone() })
    }

    /// Computes everything again. Whether the checkpoints are genuine is for the holder of a key to tell.
    ///
    /// # Errors
    /// [`Damage`]: what is wrong, and where in the document.
    pub fn verify(&self) -> Result<Proven, Damage> {
        match self {
            Self::Call(proof) => proof.verify(),
            Self::Completeness(proof) => proof.verify(),
            Self::Consistency(proof) => proof.verify(),
        }
    }
}

impl Proven {
    /// The checkpoints it rests on.
    #[must_use]
    pub fn checkpoints(&self) -> Vec<&Entry> {
        match self {
            Self::Call(_, entry) | Self::Completeness(_, entry) => vec![entry.as_ref()],
            Self::Consistency(older, newer) => vec![older.as_ref(), newer.as_ref()],
        }
    }
}

/// A checkpoint inside a document.
fn checkpoint(place: &str, note: &str) -> Result<Entry, Damage> {
    Entry::parse(note).map_err(|error| Damage { place: place.into(), what: error.to_string() })
}
