//! Text of a message, cheap to keep: a slice of the datagram wherever possible.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use bytestring::ByteString;
use memchr::memchr3_iter;

/// A piece of text as it stood on the wire; derefs to `str`.
///
/// Most are slices that share the datagram's memory, so cloning counts a reference and copies nothing. Text that
/// was not UTF-8 is read as Latin-1 and remembers it: [`Str::to_wire`] gives back the very bytes that came.
#[derive(Clone, Default)]
pub struct Str {
    text: ByteString,
    latin1: bool,
}

impl Str {
    /// Text known at compile time.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self { text: ByteString::from_static(text), latin1: false }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Reads bytes of unknown encoding: UTF-8, or else Latin-1, in which every byte is a character.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::from(text),
            Err(_) => Self {
                text: bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into(),
                latin1: true,
            },
        }
    }

    /// The bytes as they stand, or stood, on the wire.
    #[must_use]
    pub fn to_wire(&self) -> std::borrow::Cow<'_, [u8]> {
        if self.latin1 {
            // A text read as Latin-1 has no character above U+00FF, so nothing is lost here.
            self.text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect::<Vec<u8>>().into()
        } else {
            self.text.as_bytes().as_ref().into()
        }
    }

    /// Whether the bytes were not UTF-8 and were read as Latin-1.
    #[must_use]
    pub fn is_latin1(&self) -> bool {
        self.latin1
    }

    /// The part of this text that `part`, a slice of it, covers; shares the memory.
    pub(crate) fn part(&self, part: &str) -> Self {
        Self { text: self.text.slice_ref(part), latin1: self.latin1 }
    }

    /// The same text in another writing (unfolded, say), of the same encoding.
    pub(crate) fn rewritten(&self, text: String) -> Self {
        Self { text: text.into(), latin1: self.latin1 }
    }

    /// Text without a copy, if the bytes are UTF-8.
    pub(crate) fn try_from_bytes(bytes: bytes::Bytes) -> Option<Self> {
        ByteString::try_from(bytes).ok().map(|text| Self { text, latin1: false })
    }
}

impl Deref for Str {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self { text: text.into(), latin1: false }
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self { text: text.into(), latin1: false }
    }
}

impl From<Str> for String {
    fn from(text: Str) -> Self {
        text.as_str().to_owned()
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether bytes hold what no header value may: CR, LF, or a NUL that is not escaped (RFC 3261 §25.1 quoted-pair).
pub(super) fn has_control(bytes: &[u8]) -> bool {
    memchr3_iter(b'\r', b'\n', 0, bytes).any(|at| !is_escaped_nul(bytes, at))
}

/// Whether the byte at `at` is a NUL behind a backslash: legal in a quoted string (RFC 4475 §3.1.1.2).
pub(super) fn is_escaped_nul(bytes: &[u8], at: usize) -> bool {
    bytes.get(at) == Some(&0) && at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\\')
}
