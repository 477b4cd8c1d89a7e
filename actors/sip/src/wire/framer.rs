//! Messages out of a stream (RFC 3261 §18.3, RFC 5626 §3.5.1).

use bytes::{Buf, BytesMut};
use memchr::memmem;

use super::call_id::field;
use super::parse::{Framing, content_length, parse_framed};
use super::{HeaderName, Limits, Message, ParseError, ParseErrorKind, Reject};

/// Cuts a stream into messages; what comes out does not depend on how the bytes were cut on their way.
///
/// Feed it with [`Framer::push`], then take messages from it as an iterator until it has no more. A message that is
/// malformed but whose end is known is an error, and the stream goes on. If the end is not known the stream is
/// broken for good ([`Framer::is_broken`]): answer the error if it says how, then close the connection.
#[derive(Debug)]
pub struct Framer {
    limits: Limits,
    buffer: BytesMut,
    /// Up to where the end of the header was looked for in vain.
    searched: usize,
    /// Bytes of the message whose header is complete.
    needed: Option<usize>,
    pings: usize,
    broken: bool,
}

impl Framer {
    /// A framer at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, buffer: BytesMut::new(), searched: 0, needed: None, pings: 0, broken: false }
    }

    /// Takes bytes that came in; a broken stream takes none.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Whether the place where the next message begins is lost.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Bytes that wait for the rest of their message.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// How many keep-alive pings (two line ends) came since last asked; each wants one line end back.
    pub fn take_pings(&mut self) -> usize {
        std::mem::take(&mut self.pings)
    }

    /// Drops line ends between messages; `false` if more bytes must tell what they are.
    fn skip_line_ends(&mut self) -> bool {
        loop {
            match self.buffer.get(..self.buffer.len().min(4)).unwrap_or_default() {
                b"" | b"\r" | b"\r\n" | b"\r\n\r" => return false,
                b"\r\n\r\n" => {
                    self.pings += 1;
                    self.buffer.advance(4);
                }
                [b'\r', b'\n', ..] => self.buffer.advance(2),
                _ => return true,
            }
        }
    }

    /// The length of the message at the front, once its header is there.
    fn measure(&mut self) -> Result<Option<usize>, ParseErrorKind> {
        if self.needed.is_some() {
            return Ok(self.needed);
        }
        self.needed = measure_from(&self.buffer, self.searched.saturating_sub(3), &self.limits)?;
        self.searched = self.buffer.len();
        Ok(self.needed)
    }

    fn give_up(&mut self, kind: ParseErrorKind) -> ParseError {
        let raw = self.buffer.split_to(self.buffer.len().min(self.limits.max_message)).freeze();
        let head = memmem::find(&raw, b"\r\n\r\n").map_or(raw.len(), |at| at + 4);
        let reply = Reject::of(raw.get(..head).unwrap_or_default(), &kind).map(Box::new);
        self.broken = true;
        self.buffer.clear();
        ParseError { kind, reply }
    }
}

impl Iterator for Framer {
    type Item = Result<Message, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken || !self.skip_line_ends() {
            return None;
        }
        let needed = match self.measure() {
            Ok(needed) => needed.filter(|&needed| needed <= self.buffer.len())?,
            Err(kind) => return Some(Err(self.give_up(kind))),
        };
        let raw = self.buffer.split_to(needed).freeze();
        self.needed = None;
        self.searched = 0;
        let parsed = parse_framed(raw, &self.limits, Framing::Stream);
        if parsed.as_ref().is_err_and(|error| loses_sync(&error.kind)) {
            self.broken = true;
            self.buffer.clear();
        }
        Some(parsed)
    }
}

/// The length of the message that a stream goes on with: start line to body, in bytes. `None` while the end of its header
/// is not there. `bytes` begin with a start line. For readers of streams that must find back into them after a loss;
/// others use a [`Framer`].
///
/// # Errors
/// As the [`Framer`] does: there is no usable Content-Length, or the message exceeds a limit.
pub fn measure(bytes: &[u8], limits: &Limits) -> Result<Option<usize>, ParseErrorKind> {
    measure_from(bytes, 0, limits)
}

/// The same if the header does not end before `from`.
fn measure_from(bytes: &[u8], from: usize, limits: &Limits) -> Result<Option<usize>, ParseErrorKind> {
    let max = limits.max_message;
    let found = memmem::find(bytes.get(from..).unwrap_or_default(), b"\r\n\r\n").map(|at| from + at + 4);
    let Some(head) = found.filter(|&head| head <= max) else {
        // Also when the end is there but too far off: the same answer, however the bytes were cut.
        return if bytes.len() >= max { Err(ParseErrorKind::TooLarge) } else { Ok(None) };
    };
    let head_bytes = bytes.get(..head).unwrap_or_default();
    let value = field(head_bytes, b"Content-Length", b'l')
        .ok_or(ParseErrorKind::Missing(HeaderName::ContentLength))?;
    let length =
        std::str::from_utf8(value).map_err(|_| ParseErrorKind::ContentLength).and_then(content_length)?;
    if length > limits.max_body {
        return Err(ParseErrorKind::BodyTooLarge);
    }
    let total = head.saturating_add(length);
    if total > max { Err(ParseErrorKind::TooLarge) } else { Ok(Some(total)) }
}

/// Whether an error leaves it in doubt where the next message begins.
fn loses_sync(kind: &ParseErrorKind) -> bool {
    match kind {
        ParseErrorKind::Empty
        | ParseErrorKind::NotSip
        | ParseErrorKind::ControlByte
        | ParseErrorKind::Truncated
        | ParseErrorKind::ContentLength
        | ParseErrorKind::BodyTooShort
        | ParseErrorKind::BodyTooLarge
        | ParseErrorKind::TooLarge
        | ParseErrorKind::Missing(HeaderName::ContentLength)
        | ParseErrorKind::Duplicate(HeaderName::ContentLength) => true,
        ParseErrorKind::StartLine
        | ParseErrorKind::Version
        | ParseErrorKind::RequestUri
        | ParseErrorKind::StartLineTooLong
        | ParseErrorKind::HeaderLine
        | ParseErrorKind::Duplicate(_)
        | ParseErrorKind::Missing(_)
        | ParseErrorKind::Malformed(_)
        | ParseErrorKind::CSeqMismatch
        | ParseErrorKind::UnknownMethodMismatch => false,
    }
}
