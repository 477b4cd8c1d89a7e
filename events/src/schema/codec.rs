//! Commits as bytes: MessagePack with named fields, behind a version.

use super::recorded::Commit;

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
    let mut bytes = Vec::with_capacity(1024);
    bytes.extend_from_slice(&SCHEMA_VERSION.to_be_bytes());
    rmp_serde::encode::write_named(&mut bytes, commit).map_err(|e| CodecError::Malformed(e.to_string()))?;
    Ok(bytes)
}

/// Reads a commit of this or any earlier version.
///
/// # Errors
/// [`CodecError`] says whether the bytes are from the future or no commit at all.
pub fn decode(bytes: &[u8]) -> Result<Commit, CodecError> {
    let (version, body) = bytes
        .split_first_chunk::<2>()
        .ok_or_else(|| CodecError::Malformed("shorter than its version".into()))?;
    match u16::from_be_bytes(*version) {
        1 => rmp_serde::from_slice(body).map_err(|e| CodecError::Malformed(e.to_string())),
        found if found > SCHEMA_VERSION => Err(CodecError::TooNew { found }),
        found => Err(CodecError::Malformed(format!("schema version {found} never existed"))),
    }
}
