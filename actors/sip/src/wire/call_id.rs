//! Finding one header before anything else is read: the Call-ID decides who reads the rest.

use memchr::memchr;

/// The Call-ID of a datagram, found without parsing it: the first such header, in long or compact form. The value
/// is the one that [`super::Message::call_id`] gives if the message can be parsed.
#[must_use]
pub fn call_id_of(datagram: &[u8]) -> Option<&[u8]> {
    field(datagram, b"Call-ID", b'i')
}

/// The first value of a header, by its long name or its compact letter (lower case); `None` too if it is empty.
pub(super) fn field<'a>(message: &'a [u8], long: &[u8], compact: u8) -> Option<&'a [u8]> {
    let start = message.iter().position(|byte| !matches!(byte, b'\r' | b'\n' | 0))?;
    // The start line is none of ours.
    let mut rest = next_line(message.get(start..)?)?;
    let initial = long.first().copied().unwrap_or(compact).to_ascii_lowercase();
    loop {
        let first = rest.first()?.to_ascii_lowercase();
        if first == b'\r' {
            return None;
        }
        if first == initial || first == compact {
            let end = memchr(b'\n', rest)?;
            if let Some(value) = value_of(rest.get(..end)?, long, compact) {
                let value = trim(value);
                return if value.is_empty() { folded(rest.get(end + 1..)?) } else { Some(value) };
            }
            rest = rest.get(end + 1..)?;
        } else {
            rest = next_line(rest)?;
        }
    }
}

fn next_line(text: &[u8]) -> Option<&[u8]> {
    text.get(memchr(b'\n', text)? + 1..)
}

/// What follows the colon if the line has the name.
fn value_of<'a>(line: &'a [u8], long: &[u8], compact: u8) -> Option<&'a [u8]> {
    let by_long = line.split_at_checked(long.len()).filter(|(name, _)| name.eq_ignore_ascii_case(long));
    let by_letter = || line.split_first().filter(|(letter, _)| letter.to_ascii_lowercase() == compact);
    let tail = by_long.map(|(_, tail)| tail).or_else(|| by_letter().map(|(_, tail)| tail))?;
    let blanks = tail.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    tail.get(blanks..)?.strip_prefix(b":")
}

/// A value that stands on the following lines alone.
fn folded(mut rest: &[u8]) -> Option<&[u8]> {
    while matches!(rest.first(), Some(b' ' | b'\t')) {
        let end = memchr(b'\n', rest)?;
        let value = trim(rest.get(..end)?);
        if !value.is_empty() {
            return Some(value);
        }
        rest = rest.get(end + 1..)?;
    }
    None
}

/// Blanks at both ends, and the CR that a line ends with.
fn trim(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = line.iter().position(is_text).unwrap_or(line.len());
    let end = line.iter().rposition(is_text).map_or(start, |last| last + 1);
    line.get(start..end).unwrap_or_default()
}
