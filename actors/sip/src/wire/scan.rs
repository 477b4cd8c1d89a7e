//! Bytes to start line, headers and body: line ends, folding, names, lists. What the values mean is not asked here.

use bytes::Bytes;
use memchr::memchr_iter;
use smallvec::SmallVec;

use super::grammar::{cut, find_top, is_token, trim};
use super::text::is_escaped_nul;
use super::{Header, HeaderName, Limits, ParseErrorKind, Str};

/// A scanned message whose start line and header values nobody has looked into.
pub(super) struct Scanned {
    pub start: Str,
    pub headers: Vec<Header>,
    /// Offset behind the empty line.
    pub body_start: usize,
    /// Whether there was an empty line; if not, the bytes ended with the last header.
    pub closed: bool,
}

/// Lines of the header as byte ranges without their CRLF, and where the body begins.
struct Lines {
    ranges: SmallVec<[(usize, usize); 36]>,
    body_start: usize,
    closed: bool,
}

/// Scans the head of one message; `raw` begins with the start line.
pub(super) fn scan(raw: &Bytes, limits: &Limits) -> Result<Scanned, ParseErrorKind> {
    let lines = split_lines(raw, limits)?;
    let head = Head::new(raw, lines.body_start);
    let mut ranges = lines.ranges.iter().copied();
    let (first, end) = ranges.next().ok_or(ParseErrorKind::StartLine)?;
    let start = head.line(first, end);
    let mut headers = Vec::with_capacity(lines.ranges.len() + 4);
    let mut ranges = ranges.peekable();
    while let Some((from, mut to)) = ranges.next() {
        // A line that begins with a blank goes on with the one before it (RFC 3261 §7.3.1).
        let mut folded = false;
        while let Some((_, end)) = ranges.next_if(|&(from, _)| is_blank(raw.get(from))) {
            to = end;
            folded = true;
        }
        if to - from > limits.max_header_line {
            return Err(ParseErrorKind::TooLarge);
        }
        head.field(from, to, folded, &mut headers)?;
        if headers.len() > limits.max_headers {
            return Err(ParseErrorKind::TooLarge);
        }
    }
    Ok(Scanned { start, headers, body_start: lines.body_start, closed: lines.closed })
}

fn is_blank(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b' ' | b'\t'))
}

/// Splits at CRLF up to the empty line. Bare CR, bare LF and NUL are refused: peers that take them for a line end,
/// and peers that do not, would see two different messages.
fn split_lines(raw: &[u8], limits: &Limits) -> Result<Lines, ParseErrorKind> {
    let mut ranges = SmallVec::new();
    let mut start = 0;
    let mut closed = false;
    for at in memchr_iter(b'\n', raw) {
        // Nothing before the first byte of a line ends it, so a line end always has its CR in the same line.
        let end = at.saturating_sub(1);
        if end < start || raw.get(end) != Some(&b'\r') {
            return Err(ParseErrorKind::ControlByte);
        }
        if ranges.is_empty() && end - start > limits.max_start_line {
            return Err(ParseErrorKind::StartLineTooLong);
        }
        if end == start {
            start = at + 1;
            closed = true;
            break;
        }
        // Folded lines count too: they cost as much.
        if ranges.len() > limits.max_headers.saturating_mul(4) {
            return Err(ParseErrorKind::TooLarge);
        }
        ranges.push((start, end));
        start = at + 1;
    }
    let head = raw.get(..start).unwrap_or_default();
    let line_ends = ranges.len() + usize::from(closed);
    if memchr_iter(b'\r', head).count() != line_ends
        || memchr_iter(0, head).any(|at| !is_escaped_nul(head, at))
    {
        return Err(ParseErrorKind::ControlByte);
    }
    if !closed && start < raw.len() || ranges.is_empty() {
        return Err(ParseErrorKind::Truncated);
    }
    Ok(Lines { ranges, body_start: start, closed })
}

/// The head as text: one shared slice if all of it is UTF-8, line by line otherwise.
struct Head<'a> {
    raw: &'a [u8],
    whole: Option<Str>,
}

impl<'a> Head<'a> {
    fn new(raw: &'a Bytes, end: usize) -> Self {
        Self { raw, whole: Str::try_from_bytes(raw.slice(..end.min(raw.len()))) }
    }

    /// One line as text.
    fn line(&self, from: usize, to: usize) -> Str {
        match self.whole.as_ref().and_then(|whole| Some(whole.part(whole.get(from..to)?))) {
            Some(line) => line,
            None => Str::decode(self.raw.get(from..to).unwrap_or_default()),
        }
    }

    /// Reads one field and adds it to `headers`, a list as several.
    fn field(
        &self,
        from: usize,
        to: usize,
        folded: bool,
        headers: &mut Vec<Header>,
    ) -> Result<(), ParseErrorKind> {
        let decoded;
        let (owner, line) = match self.whole.as_ref().and_then(|whole| Some((whole, whole.get(from..to)?))) {
            Some(found) => found,
            None => {
                decoded = Str::decode(self.raw.get(from..to).unwrap_or_default());
                (&decoded, decoded.as_str())
            }
        };
        let (name, value) = cut(line, b':').ok_or(ParseErrorKind::HeaderLine)?;
        let name = match trim_end(name) {
            name if let Some(known) = HeaderName::known(name) => known,
            name if is_token(name) => HeaderName::Other(owner.part(name)),
            _ => return Err(ParseErrorKind::HeaderLine),
        };
        if folded {
            let unfolded = owner.rewritten(unfold(value));
            push(name, &unfolded, trim(&unfolded), headers);
        } else {
            push(name, owner, trim(value), headers);
        }
        Ok(())
    }
}

/// A name without the blanks between it and its colon.
fn trim_end(name: &str) -> &str {
    if matches!(name.as_bytes().last(), Some(b' ' | b'\t')) {
        name.trim_end_matches([' ', '\t'])
    } else {
        name
    }
}

/// A line end and the blanks about it are one space (RFC 3261 §7.3.1).
fn unfold(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for line in value.split("\r\n").map(trim).filter(|line| !line.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(line);
    }
    text
}

/// Adds a field, a list as one header per element; empty elements are skipped.
pub(super) fn push(name: HeaderName, owner: &Str, value: &str, headers: &mut Vec<Header>) {
    let mut rest = value;
    if name.is_split() {
        while let Some(at) = find_top(rest, b',') {
            let (element, tail) = rest.split_at(at);
            let element = trim(element);
            if !element.is_empty() {
                headers.push(Header { name: name.clone(), value: owner.part(element) });
            }
            rest = trim(tail.strip_prefix(',').unwrap_or_default());
        }
        // `Contact: a,` has one element.
        if rest.is_empty() && !value.is_empty() {
            return;
        }
    }
    headers.push(Header { name, value: owner.part(rest) });
}
