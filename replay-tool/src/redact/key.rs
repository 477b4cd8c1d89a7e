//! The key of pseudonyms and commitments.

use std::path::Path;

use callbox_events::schema::StoredCommit;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// A shorter secret could be guessed.
const MIN_BYTES: usize = 16;

/// A longer file is no key.
const MAX_BYTES: u64 = 64 << 10;

/// How a commitment is made, in words for the header of a recording.
pub const COMMITMENT: &str =
    "SHA-256(HMAC-SHA-256(key, \"callbox commitment\" | call | version) | link | original commit)";

/// A secret. Whoever has it can find out pseudonyms by trying.
pub struct Key {
    mac: Hmac<Sha256>,
}

impl Key {
    /// Of these bytes, of any number.
    pub fn of(secret: &[u8]) -> Result<Self, Failure> {
        let mac = Hmac::new_from_slice(secret)
            .map_err(|error| Failure::new(ExitCode::Failure, "redact_key", error.to_string()))?;
        Ok(Self { mac })
    }

    /// A key that nobody will ever have again.
    pub fn random() -> Result<Self, Failure> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| {
            Failure::new(
                ExitCode::Failure,
                "no_randomness",
                format!("the system gave no random bytes: {error}"),
            )
        })?;
        Self::of(&secret)
    }

    /// The content of a file, without blanks at its ends.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let unusable = |why: String| {
            Failure::new(ExitCode::Usage, "redact_key", format!("{} is no key: {why}", path.display()))
                .hint("make one with `openssl rand -hex 32 > FILE`, and keep it secret")
        };
        let metadata = std::fs::metadata(path).map_err(|error| unusable(error.to_string()))?;
        if metadata.len() > MAX_BYTES {
            return Err(unusable(format!("it has more than {MAX_BYTES} bytes")));
        }
        let bytes = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        let secret = bytes.trim_ascii();
        if secret.len() < MIN_BYTES {
            return Err(unusable(format!("it has fewer than {MIN_BYTES} bytes")));
        }
        Self::of(secret)
    }

    /// A keyed hash; `purpose` keeps those of different uses apart.
    pub fn hash(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(purpose.as_bytes());
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The commitment to an original commit (`store/RECORDING.md`).
    pub fn commitment(&self, stored: &StoredCommit, encoded: &[u8]) -> [u8; 32] {
        let version = stored.commit.version.to_be_bytes();
        let salt = self.hash("callbox commitment", &[stored.commit.call.as_bytes(), &version]);
        let mut hash = Sha256::new();
        hash.update(salt);
        hash.update(stored.hash);
        hash.update(encoded);
        hash.finalize().into()
    }
}

impl Clone for Key {
    fn clone(&self) -> Self {
        Self { mac: self.mac.clone() }
    }
}
