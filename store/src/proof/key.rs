//! Keys in the text forms of C2SP `signed-note`.
//!
//! | key | form |
//! |---|---|
//! | public | `name+id+` and the base64 of 0x01 and the key's 32 bytes |
//! | private | `PRIVATE+KEY+name+id+` and the base64 of 0x01 and the seed's 32 bytes |
//!
//! 0x01 is Ed25519 (RFC 8032). The id is the beginning of SHA-256 over the name, a newline, and what is encoded behind
//! it for the public key: it tells keys apart, it protects nothing.

use std::fmt;

use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};

use super::note::{Note, Signature, is_key_name};
use super::text::{base64, from_base64};

const ED25519: u8 = 1;
const PRIVATE: &str = "PRIVATE+KEY+";

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `name+id+base64`, or with the private prefix where a public key is wanted, or the other way round.
    #[error("{wanted} reads like {example}")]
    Form {
        /// What was wanted.
        wanted: &'static str,
        /// How it looks.
        example: &'static str,
    },
    /// The name is empty or has a space or a plus sign in it.
    #[error("a key's name is not empty and has no space and no plus sign in it")]
    Name,
    /// The id is not the one of this name and key: something was mistyped.
    #[error("its id doesn't fit its name and key: it should be {0:08x}")]
    Id(u32),
    /// Another kind of key than Ed25519, or a damaged one.
    #[error("it is no Ed25519 key")]
    Kind,
}

/// The private key that signs checkpoints.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    public: PublicKey,
    key: ed25519_dalek::SigningKey,
}

/// The public key that tells whether a checkpoint is genuine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    id: u32,
    key: ed25519_dalek::VerifyingKey,
}

/// What a note's signatures are worth to somebody who has one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Signed with this key.
    Signed,
    /// Not signed with it; perhaps with others.
    Unsigned,
    /// There is a signature in this key's name that doesn't fit: the text was changed, or the signature forged.
    Forged,
}

impl SigningKey {
    /// The key that grows from 32 bytes of randomness.
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        Ok(Self { public: PublicKey::new(name, key.verifying_key())?, key })
    }

    /// Reads a private key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let form = KeyError::Form { wanted: "a private key", example: "PRIVATE+KEY+name+id+base64" };
        let (name, id, seed) = text.trim().strip_prefix(PRIVATE).and_then(fields).ok_or(form)?;
        let key = Self::from_seed(name, &seed?)?;
        if key.public.id == id { Ok(key) } else { Err(KeyError::Id(key.public.id)) }
    }

    /// The private key as text; not for logs.
    #[must_use]
    pub fn to_private_text(&self) -> String {
        let PublicKey { name, id, .. } = &self.public;
        format!("{PRIVATE}{name}+{id:08x}+{}", encoded(self.key.as_bytes()))
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a note.
    pub fn sign(&self, note: &mut Note) {
        let bytes = self.key.sign(note.text().as_bytes()).to_bytes().to_vec();
        note.add(Signature { name: self.public.name.clone(), id: self.public.id, bytes });
    }
}

/// Shows the public half alone.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public.to_string()).finish_non_exhaustive()
    }
}

impl PublicKey {
    fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        let hash =
            Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(key.as_bytes());
        let [a, b, c, d, ..]: [u8; 32] = hash.finalize().into();
        Ok(Self { name: name.to_owned(), id: u32::from_be_bytes([a, b, c, d]), key })
    }

    /// Reads a public key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let form = KeyError::Form { wanted: "a public key", example: "name+id+base64" };
        let text = text.trim();
        if text.starts_with(PRIVATE) {
            return Err(form);
        }
        let (name, id, bytes) = fields(text).ok_or(form)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes?).map_err(|_| KeyError::Kind)?;
        let key = Self::new(name, key)?;
        if key.id == id { Ok(key) } else { Err(KeyError::Id(key.id)) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a note's signatures are worth.
    #[must_use]
    pub fn standing(&self, note: &Note) -> Standing {
        let mine = |signature: &&Signature| signature.name == self.name && signature.id == self.id;
        let mut standing = Standing::Unsigned;
        for signature in note.signatures().iter().filter(mine) {
            let parsed = ed25519_dalek::Signature::from_slice(&signature.bytes);
            let fits =
                parsed.is_ok_and(|parsed| self.key.verify_strict(note.text().as_bytes(), &parsed).is_ok());
            if !fits {
                return Standing::Forged;
            }
            standing = Standing::Signed;
        }
        standing
    }
}

/// The public key as text.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}+{}", self.name, self.id, encoded(self.key.as_bytes()))
    }
}

fn encoded(key: &[u8; 32]) -> String {
    let mut bytes = vec![ED25519];
    bytes.extend_from_slice(key);
    base64(&bytes)
}

type Fields<'a> = (&'a str, u32, Result<[u8; 32], KeyError>);

/// Name, id and key. The base64 may have plus signs of its own.
fn fields(text: &str) -> Option<Fields<'_>> {
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let lower = id.len() == 8 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let id = lower.then(|| u32::from_str_radix(id, 16).ok()).flatten()?;
    let bytes = from_base64(key)?;
    let key = match bytes.split_first() {
        Some((&ED25519, key)) => key.try_into().map_err(|_| KeyError::Kind),
        Some(_) | None => Err(KeyError::Kind),
    };
    Some((name, id, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of Go's package `golang.org/x/mod/sumdb/note`, where the format comes from.
    const PRIVATE_KEY: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const PUBLIC_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    // The example of the C2SP specification.
    const SPEC_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const SPEC_NOTE: &str = "This is an example message.\n\n\
        — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_published_examples_are_read_verified_and_signed_to_the_byte() {
        let key = SigningKey::parse(PRIVATE_KEY).unwrap();
        assert_eq!(key.to_private_text(), PRIVATE_KEY);
        assert_eq!(key.public().to_string(), PUBLIC_KEY);
        let published = Note::parse(NOTE).unwrap();
        let mut note = Note::new(published.text()).unwrap();
        key.sign(&mut note);
        assert_eq!(note.to_string(), NOTE);
        for (key, note) in [(PUBLIC_KEY, NOTE), (SPEC_KEY, SPEC_NOTE)] {
            let key = PublicKey::parse(key).unwrap();
            assert_eq!(key.standing(&Note::parse(note).unwrap()), Standing::Signed);
        }
    }

    #[test]
    fn a_changed_text_is_forged_and_a_foreign_signature_is_none() {
        let key = PublicKey::parse(PUBLIC_KEY).unwrap();
        let changed = Note::parse(&NOTE.replace("answer", "Answer")).unwrap();
        assert_eq!(key.standing(&changed), Standing::Forged);
        assert_eq!(key.standing(&Note::parse(SPEC_NOTE).unwrap()), Standing::Unsigned);
        assert_eq!(key.standing(&Note::new("nobody signed").unwrap()), Standing::Unsigned);
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_reason() {
        let mistyped = PUBLIC_KEY.replace("c74f20a3", "c74f20a4");
        assert_eq!(PublicKey::parse(&mistyped), Err(KeyError::Id(0xc74f_20a3)));
        assert!(matches!(PublicKey::parse(PRIVATE_KEY), Err(KeyError::Form { .. })));
        assert!(matches!(SigningKey::parse(PUBLIC_KEY), Err(KeyError::Form { .. })));
        assert!(matches!(
            PublicKey::parse(&SPEC_KEY.replace("530d903a", "530D903A")),
            Err(KeyError::Form { .. })
        ));
        assert_eq!(PublicKey::parse("a+00000000+AAAA"), Err(KeyError::Kind));
        assert_eq!(SigningKey::from_seed("a b", &[0; 32]), Err(KeyError::Name));
        assert!(!format!("{:?}", SigningKey::parse(PRIVATE_KEY).unwrap()).contains("AYEKFALV"));
    }
}
