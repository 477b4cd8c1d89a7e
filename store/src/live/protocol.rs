//! The messages between a reader and the process that writes.
//!
//! Both ends take bytes from strangers: every length is bounded before anything is allocated, and text that will be shown
//! to people is stripped of what a terminal would obey.

use std::io::{self, Read, Write};

use callbox_events::CallId;

use super::Raw;
use crate::error::ReadError;
use crate::journal::{Cursor, Head};

/// The version of the protocol.
pub const VERSION: u16 = 1;

const MAGIC: &[u8; 8] = b"callbox\n";

/// No message is longer: a commit has at most 72 KiB.
const MAX_MESSAGE: usize = 1024 * 1024;

/// No question, which is a greeting and one request, is longer.
pub const MAX_QUESTION: usize = 256;

/// The greeting's bytes.
pub const GREETING: usize = MAGIC.len() + 2;

/// The bytes of a document that travel in one message, at most.
pub const PIECE: usize = 64 * 1024;

/// Text from the other end is cut to so many characters.
const MAX_TEXT: usize = 1_000;

/// What came is not of this protocol, or not of this version of it. Inside an [`io::Error`] of the kind `InvalidData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotUnderstood {
    /// No greeting of ours.
    #[error("the other end is no callbox")]
    Foreign,
    /// A greeting of another version.
    #[error("the other end speaks version {found} of the protocol, this one {VERSION}")]
    Version {
        /// Its version.
        found: u16,
    },
    /// No request that is known here.
    #[error("the request is not known")]
    Request,
    /// No reply that is known here.
    #[error("the answer is not readable")]
    Reply,
}

impl NotUnderstood {
    /// The one inside an error, if that is the reason.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<NotUnderstood> for io::Error {
    fn from(error: NotUnderstood) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// What a store keeps beside its commits and gives to readers byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// The file of checkpoints, as long as it is when it is asked for.
    Checkpoints,
    /// What was removed from the journal's beginning.
    Pruned,
}

impl Document {
    fn code(self) -> u8 {
        match self {
            Self::Checkpoints => 1,
            Self::Pruned => 2,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Checkpoints),
            2 => Some(Self::Pruned),
            _ => None,
        }
    }
}

/// What a client may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// The tail. Answer: `Cursor`.
    Tail,
    /// All calls. Answer: `Call`s.
    Calls,
    /// One call. Answer: `Commit`s.
    Read(CallId),
    /// Commits from a place on, at most so many; 0 is all. Answer: `Commit`s.
    ReadAll(Cursor, u32),
    /// The head of a call. Answer: `Head` or nothing.
    Head(CallId),
    /// The call that started last. Answer: `Call` or nothing.
    Latest,
    /// To be told when the journal grows beyond this place. Answer: a `Cursor` each time and at least once a second,
    /// until the journal is closed.
    Watch(Cursor),
    /// A document. Answer: its bytes as `Piece`s; none if there is no such document.
    Document(Document),
    /// To erase a party: the number of its key, its calls and its commits as they were counted. Answer: `Receipt`.
    Erase(u32, u64, u64),
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A commit.
    Commit(Raw),
    /// A call.
    Call(CallId),
    /// A place.
    Cursor(Cursor),
    /// A head.
    Head(Head),
    /// The next bytes of a document.
    Piece(Vec<u8>),
    /// The receipt of an erasure, a signed note.
    Receipt(String),
    /// That was all.
    End,
    /// It could not be read.
    Failed(ReadError),
}

/// Sends the greeting.
///
/// # Errors
/// The system's.
pub fn greet(out: &mut impl Write) -> io::Result<()> {
    out.write_all(MAGIC)?;
    out.write_all(&VERSION.to_be_bytes())?;
    out.flush()
}

/// Reads the other end's greeting.
///
/// # Errors
/// The system's; `InvalidData` if it is none or has another version.
pub fn greeted(input: &mut impl Read) -> io::Result<()> {
    let magic: [u8; 8] = array(input)?;
    let version = u16::from_be_bytes(array(input)?);
    if &magic != MAGIC {
        return Err(NotUnderstood::Foreign.into());
    }
    if version != VERSION {
        return Err(NotUnderstood::Version { found: version }.into());
    }
    Ok(())
}

fn array<const N: usize>(input: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn number(input: &mut impl Read) -> io::Result<u64> {
    array(input).map(u64::from_be_bytes)
}

impl Request {
    /// A greeting and this request: all that a reader sends.
    ///
    /// # Errors
    /// None in practice: it is written to memory.
    pub fn question(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(64);
        greet(&mut bytes)?;
        self.write(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads a whole question.
    ///
    /// # Errors
    /// What of it is not understood; bytes behind the request are [`NotUnderstood::Request`].
    pub fn asked(mut question: &[u8]) -> Result<Self, NotUnderstood> {
        greeted(&mut question)
            .map_err(|error| NotUnderstood::of(&error).unwrap_or(NotUnderstood::Foreign))?;
        match Self::read(&mut question) {
            Ok(Some(request)) if question.is_empty() => Ok(request),
            Ok(_) | Err(_) => Err(NotUnderstood::Request),
        }
    }

    /// Whether it only reads.
    #[must_use]
    pub fn reads(&self) -> bool {
        match self {
            Self::Erase(..) => false,
            Self::Tail
            | Self::Calls
            | Self::Read(_)
            | Self::ReadAll(..)
            | Self::Head(_)
            | Self::Latest
            | Self::Watch(_)
            | Self::Document(_) => true,
        }
    }

    /// Whether the answer goes on until the journal is closed.
    #[must_use]
    pub fn follows(&self) -> bool {
        match self {
            Self::Watch(_) => true,
            Self::Tail
            | Self::Calls
            | Self::Read(_)
            | Self::ReadAll(..)
            | Self::Head(_)
            | Self::Latest
            | Self::Document(_)
            | Self::Erase(..) => false,
        }
    }

    /// Sends it.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(32);
        match self {
            Self::Tail => bytes.push(1),
            Self::Calls => bytes.push(2),
            Self::Read(call) => {
                bytes.push(3);
                bytes.extend_from_slice(call.as_bytes());
            }
            Self::ReadAll(from, limit) => {
                bytes.push(4);
                bytes.extend_from_slice(&from.seq().to_be_bytes());
                bytes.extend_from_slice(&limit.to_be_bytes());
            }
            Self::Head(call) => {
                bytes.push(5);
                bytes.extend_from_slice(call.as_bytes());
            }
            Self::Latest => bytes.push(6),
            Self::Watch(from) => {
                bytes.push(7);
                bytes.extend_from_slice(&from.seq().to_be_bytes());
            }
            Self::Document(document) => bytes.extend_from_slice(&[8, document.code()]),
            Self::Erase(party, calls, commits) => {
                bytes.push(9);
                bytes.extend_from_slice(&party.to_be_bytes());
                bytes.extend_from_slice(&calls.to_be_bytes());
                bytes.extend_from_slice(&commits.to_be_bytes());
            }
        }
        out.write_all(&bytes)?;
        out.flush()
    }

    /// Reads the next one; `None` if the client has gone.
    ///
    /// # Errors
    /// The system's; `InvalidData` for an unknown kind.
    pub fn read(input: &mut impl Read) -> io::Result<Option<Self>> {
        let mut kind = [0];
        if input.read(&mut kind)? == 0 {
            return Ok(None);
        }
        let [kind] = kind;
        Ok(Some(match kind {
            1 => Self::Tail,
            2 => Self::Calls,
            3 => Self::Read(CallId::from_bytes(array(input)?)),
            4 => Self::ReadAll(Cursor::at(number(input)?), u32::from_be_bytes(array(input)?)),
            5 => Self::Head(CallId::from_bytes(array(input)?)),
            6 => Self::Latest,
            7 => Self::Watch(Cursor::at(number(input)?)),
            8 => {
                let [code] = array(input)?;
                Self::Document(Document::from_code(code).ok_or(NotUnderstood::Request)?)
            }
            9 => Self::Erase(u32::from_be_bytes(array(input)?), number(input)?, number(input)?),
            _ => return Err(NotUnderstood::Request.into()),
        }))
    }
}

impl Reply {
    /// Sends it; the caller flushes.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut bytes = Vec::new();
        let kind = match self {
            Self::Commit(raw) => {
                bytes.extend_from_slice(&raw.seq.to_be_bytes());
                bytes.extend_from_slice(&raw.hash);
                bytes.extend_from_slice(&raw.payload);
                b'c'
            }
            Self::Call(call) => {
                bytes.extend_from_slice(call.as_bytes());
                b'i'
            }
            Self::Cursor(cursor) => {
                bytes.extend_from_slice(&cursor.seq().to_be_bytes());
                b't'
            }
            Self::Head(head) => {
                bytes.extend_from_slice(&head.version.to_be_bytes());
                bytes.extend_from_slice(&head.hash);
                b'h'
            }
            Self::Piece(piece) => {
                bytes.extend_from_slice(piece);
                b'p'
            }
            Self::Receipt(note) => {
                bytes.extend_from_slice(note.as_bytes());
                b'r'
            }
            Self::End => b'.',
            Self::Failed(error) => {
                bytes.extend_from_slice(error_to_json(error).to_string().as_bytes());
                b'!'
            }
        };
        let length = u32::try_from(bytes.len() + 1).map_err(|_| NotUnderstood::Reply)?;
        out.write_all(&length.to_be_bytes())?;
        out.write_all(&[kind])?;
        out.write_all(&bytes)
    }

    /// Reads the next one.
    ///
    /// # Errors
    /// The system's; `InvalidData` if it is none.
    pub fn read(input: &mut impl Read) -> io::Result<Self> {
        let length = u32::from_be_bytes(array(input)?) as usize;
        if length == 0 || length > MAX_MESSAGE {
            return Err(NotUnderstood::Reply.into());
        }
        let mut bytes = vec![0; length];
        input.read_exact(&mut bytes)?;
        Self::parse(&bytes).ok_or_else(|| NotUnderstood::Reply.into())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        match kind {
            b'c' => {
                let (seq, rest) = rest.split_first_chunk::<8>()?;
                let (hash, payload) = rest.split_first_chunk::<32>()?;
                let (seq, payload) = (u64::from_be_bytes(*seq), payload.to_vec());
                Some(Self::Commit(Raw { seq, hash: *hash, payload }))
            }
            b'i' => Some(Self::Call(CallId::from_bytes(rest.try_into().ok()?))),
            b't' => Some(Self::Cursor(Cursor::at(u64::from_be_bytes(rest.try_into().ok()?)))),
            b'h' => {
                let (version, hash) = rest.split_first_chunk::<8>()?;
                let version = u64::from_be_bytes(*version);
                Some(Self::Head(Head { version, hash: hash.try_into().ok()? }))
            }
            b'p' => Some(Self::Piece(rest.to_vec())),
            b'r' => Some(Self::Receipt(String::from_utf8(rest.to_vec()).ok()?)),
            b'.' => rest.is_empty().then_some(Self::End),
            b'!' => Some(Self::Failed(error_from_json(&serde_json::from_slice(rest).ok()?)?)),
            _ => None,
        }
    }
}

fn error_to_json(error: &ReadError) -> serde_json::Value {
    match error {
        ReadError::Corrupt { place, what } => serde_json::json!(["corrupt", place, what]),
        ReadError::TooNew { place, found } => serde_json::json!(["too_new", place, found]),
        ReadError::Unavailable { why } => serde_json::json!(["unavailable", why]),
        ReadError::Interrupted { why } => serde_json::json!(["interrupted", why]),
        ReadError::Beyond { wanted, tail } => serde_json::json!(["beyond", wanted, tail]),
    }
}

fn error_from_json(value: &serde_json::Value) -> Option<ReadError> {
    let text = |n: usize| Some(plain(value.get(n)?.as_str()?));
    let number = |n: usize| value.get(n)?.as_u64();
    Some(match value.get(0)?.as_str()? {
        "corrupt" => ReadError::Corrupt { place: text(1)?, what: text(2)? },
        "too_new" => ReadError::TooNew { place: text(1)?, found: u16::try_from(number(2)?).ok()? },
        "unavailable" => ReadError::Unavailable { why: text(1)? },
        "interrupted" => ReadError::Interrupted { why: text(1)? },
        "beyond" => ReadError::Beyond { wanted: number(1)?, tail: number(2)? },
        _ => return None,
    })
}

/// Text of the other end's, fit for a terminal: control characters and changes of direction could hide what is true.
#[must_use]
pub fn plain(text: &str) -> String {
    let hides = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().take(MAX_TEXT).map(|c| if hides(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests;
