//! The messages between a reader and the process that writes.

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
        return Err(invalid("the other end is no callbox"));
    }
    if version != VERSION {
        return Err(invalid(&format!("the other end speaks version {version}, this one {VERSION}")));
    }
    Ok(())
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
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
            _ => return Err(invalid("unknown request")),
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
            Self::End => b'.',
            Self::Failed(error) => {
                bytes.extend_from_slice(error_to_json(error).to_string().as_bytes());
                b'!'
            }
        };
        let length = u32::try_from(bytes.len() + 1).map_err(|_| invalid("message too long"))?;
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
            return Err(invalid("message of impossible length"));
        }
        let mut bytes = vec![0; length];
        input.read_exact(&mut bytes)?;
        Self::parse(&bytes).ok_or_else(|| invalid("unreadable message"))
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
            b'.' => Some(Self::End),
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
        ReadError::Beyond { wanted, tail } => serde_json::json!(["beyond", wanted, tail]),
    }
}

fn error_from_json(value: &serde_json::Value) -> Option<ReadError> {
    let text = |n: usize| Some(value.get(n)?.as_str()?.to_owned());
    let number = |n: usize| value.get(n)?.as_u64();
    Some(match value.get(0)?.as_str()? {
        "corrupt" => ReadError::Corrupt { place: text(1)?, what: text(2)? },
        "too_new" => ReadError::TooNew { place: text(1)?, found: u16::try_from(number(2)?).ok()? },
        "unavailable" => ReadError::Unavailable { why: text(1)? },
        "beyond" => ReadError::Beyond { wanted: number(1)?, tail: number(2)? },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_reads_back() {
        let call = CallId::from_bytes([3; 16]);
        for request in [
            Request::Tail,
            Request::Calls,
            Request::Read(call),
            Request::ReadAll(Cursor::at(9), 64),
            Request::Head(call),
            Request::Latest,
            Request::Watch(Cursor::at(7)),
        ] {
            let mut bytes = Vec::new();
            request.write(&mut bytes).unwrap();
            assert_eq!(Request::read(&mut bytes.as_slice()).unwrap(), Some(request));
        }
        assert!(Request::read(&mut [9u8].as_slice()).is_err());
    }

    #[test]
    fn every_reply_reads_back_and_a_broken_one_is_refused() {
        for reply in [
            Reply::Commit(Raw { seq: 4, hash: [1; 32], payload: b"abc".to_vec() }),
            Reply::Call(CallId::from_bytes([3; 16])),
            Reply::Cursor(Cursor::at(8)),
            Reply::Head(Head { version: 3, hash: [2; 32] }),
            Reply::End,
            Reply::Failed(ReadError::at_seq(4, "wrong checksum")),
            Reply::Failed(ReadError::TooNew { place: "x".into(), found: 2 }),
            Reply::Failed(ReadError::Unavailable { why: "y".into() }),
            Reply::Failed(ReadError::Beyond { wanted: 5, tail: 4 }),
        ] {
            let mut bytes = Vec::new();
            reply.write(&mut bytes).unwrap();
            assert_eq!(Reply::read(&mut bytes.as_slice()).unwrap(), reply);
            assert!(Reply::read(&mut &bytes[..bytes.len() - 1]).is_err());
        }
        assert!(Reply::read(&mut [0xffu8; 8].as_slice()).is_err());
    }
}
