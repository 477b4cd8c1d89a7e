//! The secret behind an export's pseudonyms and commitments.

use std::path::Path;

use callbox_events::schema::StoredCommit;
use callbox_sip::redact::Key;
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

/// A key that nobody will ever have again.
pub fn random() -> Result<Key, Failure> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| {
        Failure::new(ExitCode::Failure, "no_randomness", format!("the system gave no random bytes: {error}"))
    })?;
    Ok(Key::of(&secret))
}

/// The content of a file, without blanks at its ends.
pub fn read(path: &Path) -> Result<Key, Failure> {
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
    Ok(Key::of(secret))
}

/// The commitment to an original commit (`store/RECORDING.md`).
pub fn commitment(key: &Key, stored: &StoredCommit, encoded: &[u8]) -> [u8; 32] {
    let version = stored.commit.version.to_be_bytes();
    let salt = key.hash("callbox commitment", &[stored.commit.call.as_bytes(), &version]);
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(stored.hash);
    hash.update(encoded);
    hash.finalize().into()
}
