//! The key of pseudonyms.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The block of SHA-256.
const BLOCK_BYTES: usize = 64;

/// A secret. Whoever has it can find out pseudonyms by trying.
#[derive(Clone)]
pub struct Key {
    mac: Hmac<Sha256>,
}

impl Key {
    /// Of these bytes, of any number.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        // As HMAC pads keys (RFC 2104 §2): so there is nothing that could fail.
        let mut block = [0; BLOCK_BYTES];
        let hashed = Sha256::digest(secret);
        let secret = if secret.len() > BLOCK_BYTES { hashed.as_slice() } else { secret };
        block.iter_mut().zip(secret).for_each(|(place, byte)| *place = *byte);
        Self { mac: Hmac::new(&block.into()) }
    }

    /// A keyed hash; `purpose` keeps those of different uses apart.
    #[must_use]
    pub fn hash(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(purpose.as_bytes());
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}
