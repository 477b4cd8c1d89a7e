//! Whether bytes are SIP, by their first line alone: on the wire nothing else says so, ports least of all.

use memchr::memchr;

use crate::wire::{Limits, Method};

/// What the first line of some bytes says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// A request line with a method that has a name in some RFC, or a status line.
    Certain,
    /// A request line with a method nobody knows: SIP allows it, and the tail of a torn line can look like it.
    Likely,
    /// The line is not there as a whole, and what is there could begin one.
    Open,
    /// Something else.
    No,
}

/// Whether a datagram is a SIP message: whether it begins like one. Line ends before it are skipped.
#[must_use]
pub fn is_sip(datagram: &[u8]) -> bool {
    let start = datagram.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(datagram.len());
    matches!(start_of(datagram.get(start..).unwrap_or_default()), Start::Certain | Start::Likely)
}

/// What the first line of `bytes` says (RFC 3261 §7.1, §7.2). Cheap where the first byte already decides, as it does
/// for RTP, RTCP, STUN and TLS.
#[must_use]
pub fn start_of(bytes: &[u8]) -> Start {
    match bytes.first() {
        None => return Start::Open,
        Some(byte) if !is_token(*byte) => return Start::No,
        Some(_) => {}
    }
    let head = bytes.get(..bytes.len().min(Limits::default().max_start_line)).unwrap_or_default();
    let Some(end) = memchr(b'\n', head) else {
        return if head.len() < bytes.len() || !could_begin(head) { Start::No } else { Start::Open };
    };
    let line = head.get(..end).unwrap_or_default();
    of_line(line.strip_suffix(b"\r").unwrap_or(line))
}

fn of_line(line: &[u8]) -> Start {
    if let Some(rest) = strip_prefix_no_case(line, b"SIP/") {
        return if is_status(rest) { Start::Certain } else { Start::No };
    }
    let (Some(first), Some(last)) = (memchr(b' ', line), line.iter().rposition(|byte| *byte == b' ')) else {
        return Start::No;
    };
    let (method, version) = (line.get(..first).unwrap_or_default(), line.get(last + 1..).unwrap_or_default());
    let is_request = first < last
        && method.iter().copied().all(is_token)
        && strip_prefix_no_case(version, b"SIP/")
            .is_some_and(|number| number.first().is_some_and(u8::is_ascii_digit));
    match std::str::from_utf8(method).ok().and_then(Method::known) {
        _ if !is_request => Start::No,
        Some(_) => Start::Certain,
        None => Start::Likely,
    }
}

/// What follows `SIP/` in a status line: a version, and a status of three digits.
fn is_status(rest: &[u8]) -> bool {
    let mut words = rest.split(|byte| *byte == b' ');
    let version = words.next().is_some_and(|word| word.first().is_some_and(u8::is_ascii_digit));
    version && words.next().is_some_and(|word| word.len() == 3 && word.iter().all(u8::is_ascii_digit))
}

/// Whether the beginning of a line could go on as a start line: a token, then text.
fn could_begin(line: &[u8]) -> bool {
    let method = line.iter().take_while(|byte| is_token(**byte) || **byte == b'/').count();
    method <= 64
        && line.get(method).is_none_or(|byte| *byte == b' ')
        && line.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\r')
}

/// RFC 3261 §25.1.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

fn strip_prefix_no_case<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    text.split_at_checked(prefix.len())
        .filter(|(found, _)| found.eq_ignore_ascii_case(prefix))
        .map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_what_is_sip() {
        for (bytes, start) in [
            (&b"INVITE sip:bob@192.0.2.1 SIP/2.0\r\n"[..], Start::Certain),
            (b"SIP/2.0 200 OK\r\n", Start::Certain),
            (b"SIP/2.0 486\r\n", Start::Certain),
            (b"BYE sip:a b@192.0.2.1 SIP/2.0\nVia: x", Start::Certain),
            (b"MESSAGE sip:bob@192.0.2.1 SIP/7.0\r\n", Start::Certain),
            (b"NEWMETHOD sip:bob@192.0.2.1 SIP/2.0\r\n", Start::Likely),
            (b"ITE sip:bob@192.0.2.1 SIP/2.0\r\n", Start::Likely),
            (b"INVITE sip:bob@192", Start::Open),
            (b"IN", Start::Open),
            (b"SIP/2.0 20", Start::Open),
            (b"", Start::Open),
            (b"GET / HTTP/1.1\r\n", Start::No),
            (b"HTTP/1.1 200 OK\r\n", Start::No),
            (b"SIP/2.0 OK\r\n", Start::No),
            (b"INVITE SIP/2.0\r\n", Start::No),
            (b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n", Start::No),
            (b"\x80\x00\x12\x34", Start::No),
            (b"\x16\x03\x01\x02", Start::No),
            (b"\r\n\r\n", Start::No),
            (b"A\x01B", Start::No),
        ] {
            assert_eq!(start_of(bytes), start, "{:?}", bytes.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_datagram_may_begin_with_line_ends() {
        assert!(is_sip(b"\r\n\r\nOPTIONS sip:a@192.0.2.1 SIP/2.0\r\n\r\n"));
        assert!(!is_sip(b"\r\n\r\n"), "a keep-alive is no message");
        assert!(!is_sip(b"OPTIONS sip:a@192.0.2.1"), "a line that never ends");
    }

    #[test]
    fn a_line_without_an_end_is_not_waited_for_for_ever() {
        let long = [b"INVITE sip:".as_slice(), &[b'a'; 10_000]].concat();
        assert_eq!(start_of(&long), Start::No);
    }
}
