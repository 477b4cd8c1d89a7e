//! Identity of a call.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::party::Role;
use crate::time::Timestamp;

/// Our name for one side's view of one call: 16 bytes, the start time in milliseconds (6 bytes) and then a hash of
/// what names the call on the wire (10 bytes).
///
/// The byte order is chronological, so that a journal's keys are written in order. The *text* puts the hash first
/// (`hash` 20 hex digits, then `time` 12), so that a few leading characters already name a call.
///
/// The hash covers the role (or that the call was only watched), the SIP Call-ID, the From tag and the first CSeq: a retransmitted INVITE that reaches
/// another node yields the same hash and can be seen as a duplicate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId([u8; 16]);

/// A text that is no [`CallId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a call id has 32 hexadecimal digits")]
pub struct InvalidCallId;

const TIME_BYTES: usize = 6;

impl CallId {
    /// Derives the id of the call that starts at `at`.
    #[must_use]
    pub fn derive(at: Timestamp, role: Role, sip_call_id: &str, from_tag: &str, cseq: u32) -> Self {
        let view = match role {
            Role::Caller => 1,
            Role::Callee => 2,
        };
        Self::hashed(at, view, sip_call_id, from_tag, cseq)
    }

    /// Derives the id of a call of others that was first seen at `at`.
    #[must_use]
    pub fn derive_observed(at: Timestamp, sip_call_id: &str, from_tag: &str, cseq: u32) -> Self {
        Self::hashed(at, 3, sip_call_id, from_tag, cseq)
    }

    fn hashed(at: Timestamp, view: u8, sip_call_id: &str, from_tag: &str, cseq: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update([view]);
        for part in [sip_call_id.as_bytes(), from_tag.as_bytes(), &cseq.to_be_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let mut id = [0; 16];
        id[..TIME_BYTES].copy_from_slice(&(at.micros() / 1000).to_be_bytes()[2..]);
        id[TIME_BYTES..].copy_from_slice(&digest[..16 - TIME_BYTES]);
        Self(id)
    }

    /// The bytes in chronological order, as a journal's keys hold them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id with these bytes (in chronological order).
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, hash) = self.0.split_at(TIME_BYTES);
        hash.iter().chain(time).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CallId {
    type Err = InvalidCallId;

    fn from_str(text: &str) -> Result<Self, InvalidCallId> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(InvalidCallId);
        }
        let mut shown = [0; 16];
        for (index, byte) in shown.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| InvalidCallId)?;
        }
        let mut id = [0; 16];
        id[TIME_BYTES..].copy_from_slice(&shown[..16 - TIME_BYTES]);
        id[..TIME_BYTES].copy_from_slice(&shown[16 - TIME_BYTES..]);
        Ok(Self(id))
    }
}

impl Serialize for CallId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serde_bytes::Bytes::new(&self.0).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for CallId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            let bytes = serde_bytes::ByteArray::<16>::deserialize(deserializer)?;
            Ok(Self(bytes.into_array()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_leads_with_the_hash_and_reads_back() {
        let id = CallId::derive(Timestamp::from_micros(1_700_000_000_000_000), Role::Caller, "a@b", "t", 1);
        let text = id.to_string();
        assert_eq!(text.parse::<CallId>(), Ok(id));
        assert!(text.ends_with("018bcfe56800"), "{text}");
        assert_eq!("zz".parse::<CallId>(), Err(InvalidCallId));
    }

    #[test]
    fn both_sides_of_one_call_have_different_ids() {
        let at = Timestamp::from_micros(0);
        assert_ne!(
            CallId::derive(at, Role::Caller, "a", "t", 1),
            CallId::derive(at, Role::Callee, "a", "t", 1)
        );
    }
}
