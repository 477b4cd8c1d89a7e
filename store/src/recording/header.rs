//! What a recording says about itself.

use serde::{Deserialize, Serialize};

/// The first record, as JSON. Unknown fields are skipped, so that it may grow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Header {
    /// The program that wrote it: `callbox 0.1.0`.
    #[serde(default)]
    pub created_by: String,
    /// When, as RFC 3339.
    #[serde(default)]
    pub created_at: String,
    /// Which calls were chosen, in the words of the command line; empty for all.
    #[serde(default)]
    pub selection: Vec<String>,
    /// The global sequence number up to which the store was durable when the choice was made: of the chosen calls,
    /// everything before it is in here.
    #[serde(default)]
    pub watermark: u64,
    /// Whether personal data was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redacted: Option<Redaction>,
}

/// What was replaced, and what that leaves to be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// `numbers` or `all`.
    pub level: String,
    /// True if the pseudonyms are the same in every export made with the same key.
    pub stable: bool,
    /// How the commitments in front of the frames are made, for whoever has to open one.
    pub commitment: String,
}
