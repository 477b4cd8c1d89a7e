//! A second look at bytes that are no proper message, as a capture may hold them: line ends of another kind, an empty
//! line that is missing, a Via without a host, a body that the capture cut off. An engine refuses such a message; an
//! observer reads what is there, and says that it had to.

use bytes::Bytes;

use crate::wire::{Limits, Message, ParseError, ParseErrorKind, parse};

/// A message, and what was wrong with it.
pub(super) struct Read {
    pub message: Message,
    pub problem: Option<String>,
}

/// Reads a message, as it is or mended.
///
/// # Errors
/// What is wrong with it as it is, if mending does not help.
pub(super) fn read(bytes: &Bytes, limits: &Limits) -> Result<Read, ParseError> {
    let error = match parse(bytes.clone(), limits) {
        Ok(message) => return Ok(Read { message, problem: None }),
        Err(error) => error,
    };
    if bytes.len() > limits.max_message {
        return Err(error);
    }
    let text = mended(bytes);
    let again = match parse(text.clone(), limits) {
        Err(ParseError { kind: ParseErrorKind::RequestUri, .. }) => parse(elsewhere(&text), limits),
        other => other,
    };
    match again {
        Ok(message) => Ok(Read { message, problem: Some(error.to_string()) }),
        Err(_) => Err(error),
    }
}

/// The message with a Request-URI that can be read: who is called, To says as well.
fn elsewhere(bytes: &Bytes) -> Bytes {
    let end = memchr::memchr(b'\r', bytes).unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at(end);
    let method = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    [method, b" sip:malformed.invalid SIP/2.0", rest].concat().into()
}

/// The header with proper line ends and without Content-Length, so that the body is all that is there.
fn mended(bytes: &[u8]) -> Bytes {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n' | 0)).unwrap_or(bytes.len());
    let mut rest = bytes.get(start..).unwrap_or_default();
    let mut text = Vec::with_capacity(bytes.len() + 64);
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest);
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        rest = end.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
        let mut line: Vec<u8> = line.iter().copied().filter(|byte| !matches!(byte, b'\r' | 0)).collect();
        if line.is_empty() {
            break;
        }
        // A parameter that is announced and does not come (`Via: ...;branch=x;`).
        while text_ends_in_vain(&line) {
            line.pop();
        }
        // The last line may have been cut off in its name.
        let is_header = text.is_empty() || line.contains(&b':') || matches!(line.first(), Some(b' ' | b'\t'));
        if is_header && !is_content_length(&line) {
            text.extend_from_slice(&with_a_host(&line).unwrap_or(line));
            text.extend_from_slice(b"\r\n");
        }
    }
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(rest);
    text.into()
}

fn text_ends_in_vain(line: &[u8]) -> bool {
    matches!(line.last(), Some(b';' | b',' | b' ' | b'\t'))
}

fn is_content_length(line: &[u8]) -> bool {
    is_named(line, [b"content-length", b"l"])
}

fn is_named(line: &[u8], names: [&[u8]; 2]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// A Via that has a port or parameters where its host should stand; the branch behind it is what matters.
fn with_a_host(line: &[u8]) -> Option<Vec<u8>> {
    if !is_named(line, [b"via", b"v"]) {
        return None;
    }
    let protocol = line.windows(8).position(|part| part.eq_ignore_ascii_case(b"SIP/2.0/"))? + 8;
    let transport = line.get(protocol..)?.iter().position(|byte| matches!(byte, b' ' | b'\t'))?;
    let (head, sent_by) = line.split_at(protocol + transport);
    let sent_by = sent_by.trim_ascii_start();
    matches!(sent_by.first(), Some(b':' | b';')).then(|| [head, b" malformed.invalid", sent_by].concat())
}
