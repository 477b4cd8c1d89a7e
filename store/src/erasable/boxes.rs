//! Locking and unlocking the boxes of sealed commits: AES-256-GCM-SIV (RFC 8452), whose nonces may be used again without
//! harm when an append is repeated after a crash.
//!
//! A box is locked with a key of its people for this one call, so that a call can be handed out with the keys to it and
//! to nothing else:
//!
//! - of one person: HMAC-SHA-256 (the party's key, "callbox call" and the call's 16 bytes);
//! - of several: HMAC-SHA-256 (the first one's, "callbox together" and the others'), in the order of the people.
//!
//! The nonce is the commit's version (8 bytes) and the box's number (4); the box's people (2 bytes) are authenticated.

use std::io;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use callbox_events::CallId;

use super::keys::{Key, hmac};

/// Which box it is.
#[derive(Debug, Clone, Copy)]
pub struct Which {
    /// The call.
    pub call: CallId,
    /// The commit's version.
    pub version: u64,
    /// The box's number within the commit.
    pub number: u32,
    /// Its people.
    pub whose: u16,
}

impl Which {
    fn nonce(&self) -> Nonce {
        let mut nonce = [0; 12];
        let bytes = self.version.to_be_bytes().into_iter().chain(self.number.to_be_bytes());
        nonce.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        nonce.into()
    }
}

/// A party's key for one call.
pub fn call_key(key: &Key, call: CallId) -> Key {
    hmac(key, &[b"callbox call", call.as_bytes()])
}

/// The key of several people together, from their keys for the call.
pub fn together(keys: &[Key]) -> Option<Key> {
    match keys {
        [] => None,
        [only] => Some(*only),
        [first, others @ ..] => {
            let mut parts: Vec<&[u8]> = vec![b"callbox together"];
            parts.extend(others.iter().map(<[u8; 32]>::as_slice));
            Some(hmac(first, &parts))
        }
    }
}

/// Encrypts.
pub fn lock(key: &Key, which: Which, content: &[u8]) -> io::Result<Vec<u8>> {
    let cipher = Aes256GcmSiv::new(&(*key).into());
    let aad = which.whose.to_be_bytes();
    let locked = cipher.encrypt(&which.nonce(), Payload { msg: content, aad: &aad });
    locked.map_err(|_| io::Error::other("a box could not be encrypted"))
}

/// Decrypts; `None` if it was locked with another key, or is damaged.
pub fn unlock(key: &Key, which: Which, bytes: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes256GcmSiv::new(&(*key).into());
    let aad = which.whose.to_be_bytes();
    cipher.decrypt(&which.nonce(), Payload { msg: bytes, aad: &aad }).ok()
}
