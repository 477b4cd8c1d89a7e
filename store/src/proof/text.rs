//! Hashes and bytes as text: standard base64 with padding (RFC 4648 §4), as in all C2SP formats.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::tree::Hash;

/// Bytes as base64.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Base64 as bytes; `None` if it is none, or not in its one canonical form.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Base64 as a hash.
#[must_use]
pub fn hash_from_base64(text: &str) -> Option<Hash> {
    from_base64(text)?.try_into().ok()
}

/// For `#[serde(with = "base64_hash")]`.
pub mod base64_hash {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::proof::tree::Hash;

    /// Writes a hash as base64.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::base64(hash))
    }

    /// Reads a hash from base64.
    ///
    /// # Errors
    /// The deserializer's, and text that is no hash.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::hash_from_base64(&text).ok_or_else(|| de::Error::custom("a hash has 32 bytes in base64"))
    }
}

/// For `#[serde(with = "base64_hashes")]`.
pub mod base64_hashes {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::proof::tree::Hash;

    /// Writes hashes as a list of base64.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(hashes: &[Hash], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(hashes.iter().map(|hash| super::base64(hash)))
    }

    /// Reads hashes from a list of base64.
    ///
    /// # Errors
    /// The deserializer's, and text that is no hash.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Hash>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let hashes = texts.iter().map(|text| super::hash_from_base64(text)).collect::<Option<_>>();
        hashes.ok_or_else(|| de::Error::custom("a hash has 32 bytes in base64"))
    }
}

/// For `#[serde(with = "base64_bytes")]`.
pub mod base64_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes bytes as base64.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::base64(bytes))
    }

    /// Reads bytes from base64.
    ///
    /// # Errors
    /// The deserializer's, and text that is no base64.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::from_base64(&text).ok_or_else(|| de::Error::custom("not base64"))
    }
}
