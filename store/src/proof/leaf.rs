//! What the tree says of one commit.

use callbox_events::schema::StoredCommit;
use callbox_events::time::rfc3339;
use callbox_events::{CallId, Timestamp};
use serde::{Deserialize, Serialize};

use super::text::base64_hash;
use super::tree::{self, Hash};
use crate::chain::Link;

/// The form of a leaf's bytes.
const FORM: u8 = 1;

/// The bytes of a leaf.
pub const LEAF_BYTES: usize = 1 + 8 + 16 + 8 + 2 + 8 + 32;

/// One commit as a leaf of the tree.
///
/// The link alone would fix the content (it covers the payload and all that the call did before), and with the sequence
/// number the place. The rest is in the payload as well; it stands here so that a stretch of the journal can be shown
/// to be complete, with its calls and times, without showing what was said in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// Global sequence number of the first event.
    pub seq: u64,
    /// The call.
    #[serde(rename = "call_id")]
    pub call: CallId,
    /// Sequence number of the first event within the call.
    pub version: u64,
    /// Number of events.
    pub events: u16,
    /// When it was recorded.
    #[serde(with = "rfc3339")]
    pub at: Timestamp,
    /// The call's chain after it.
    #[serde(with = "base64_hash")]
    pub link: Link,
}

impl Leaf {
    /// The leaf of a commit; `None` for one with more than 65,535 events, which no journal takes.
    #[must_use]
    pub fn of(stored: &StoredCommit) -> Option<Self> {
        let commit = &stored.commit;
        Some(Self {
            seq: stored.seq,
            call: commit.call,
            version: commit.version,
            events: u16::try_from(commit.events.len()).ok()?,
            at: commit.at,
            link: stored.hash,
        })
    }

    /// The global sequence number behind it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.seq.saturating_add(u64::from(self.events))
    }

    /// Its bytes: form (1), sequence number (8), call (16), version (8), events (2), microseconds since 1970 (8),
    /// link (32); big endian.
    #[must_use]
    pub fn bytes(&self) -> [u8; LEAF_BYTES] {
        let mut bytes = [FORM; LEAF_BYTES];
        let parts: [&[u8]; 6] = [
            &self.seq.to_be_bytes(),
            self.call.as_bytes(),
            &self.version.to_be_bytes(),
            &self.events.to_be_bytes(),
            &self.at.micros().to_be_bytes(),
            &self.link,
        ];
        let content = parts.into_iter().flatten();
        bytes.iter_mut().skip(1).zip(content).for_each(|(byte, content)| *byte = *content);
        bytes
    }

    /// Its hash in the tree.
    #[must_use]
    pub fn hash(&self) -> Hash {
        tree::leaf_hash(&self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layout is for ever: this is the example of `FORMAT.md`.
    #[test]
    fn the_bytes_are_those_of_the_format() {
        let leaf = Leaf {
            seq: 1,
            call: CallId::from_bytes([2; 16]),
            version: 3,
            events: 4,
            at: Timestamp::from_micros(5),
            link: [6; 32],
        };
        let hex: String = leaf.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = [
            "01",
            "0000000000000001",
            &"02".repeat(16),
            "0000000000000003",
            "0004",
            "0000000000000005",
            &"06".repeat(32),
        ];
        assert_eq!(hex, expected.concat());
    }
}
