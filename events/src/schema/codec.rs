//! Commits as bytes: MessagePack with named fields, behind a version.
//!
//! Named fields cost some bytes and buy a record that explains itself: a reader of any later version finds each field by
//! its name, unknown ones are skipped, absent ones get their defaults. What that can't express raises the version and
//! adds an upcast (see [`super::upcast`]).

use super::recorded::Commit;
use super::sealed::{self, Sealed};
use super::upcast::{self, UPCASTS};

/// The schema version that this build writes. Additive changes keep it; anything else raises it and adds an upcast.
pub const SCHEMA_VERSION: u16 = 1;

/// Bytes that are no commit of a known version.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Written by a newer callbox.
    #[error("the commit has schema version {found}; this callbox reads up to {SCHEMA_VERSION}")]
    TooNew {
        /// The version found.
        found: u16,
    },
    /// Not a commit.
    #[error("the commit can't be read: {0}")]
    Malformed(String),
}

/// The commit as bytes: version (2 bytes, big endian), then MessagePack with named fields.
///
/// # Errors
/// [`CodecError::Malformed`] if serde refuses, which no commit of this crate's types does.
pub fn encode(commit: &Commit) -> Result<Vec<u8>, CodecError> {
    let wire: usize = commit.wire.iter().map(|message| message.bytes.len()).sum();
    let mut bytes = Vec::with_capacity(1024 + wire);
    bytes.extend_from_slice(&SCHEMA_VERSION.to_be_bytes());
    rmp_serde::encode::write_named(&mut bytes, commit).map_err(malformed)?;
    Ok(bytes)
}

/// Reads a commit of this or any earlier version. Of a sealed one, what needs keys is read as pseudonyms.
///
/// # Errors
/// [`CodecError`] says whether the bytes are from the future or no commit at all.
pub fn decode(bytes: &[u8]) -> Result<Commit, CodecError> {
    if sealed::is_sealed(bytes) {
        let sealed = Sealed::read(bytes)?;
        return decode_body(sealed.version, sealed.template());
    }
    let (version, body) = bytes
        .split_first_chunk::<2>()
        .ok_or_else(|| CodecError::Malformed("shorter than its version".into()))?;
    decode_body(u16::from_be_bytes(*version), body)
}

fn decode_body(version: u16, body: &[u8]) -> Result<Commit, CodecError> {
    match version {
        SCHEMA_VERSION => rmp_serde::from_slice(body).map_err(malformed),
        0 => Err(CodecError::Malformed("schema version 0 never existed".into())),
        found if found > SCHEMA_VERSION => Err(CodecError::TooNew { found }),
        older => {
            let lifted = upcast::lift(older, body, UPCASTS)?;
            rmpv::ext::from_value(lifted).map_err(malformed)
        }
    }
}

fn malformed(error: impl std::fmt::Display) -> CodecError {
    CodecError::Malformed(error.to_string())
}
