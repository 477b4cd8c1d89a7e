//! Quoted strings, and finding separators that stand outside of them.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

/// Cuts spaces and tabs off both ends (LWS after unfolding).
///
/// This and [`cut`] work on bytes: the searchers of `str` are made for any pattern and cost several times as much,
/// which for values this short is most of the price of a message.
#[inline]
pub(crate) fn trim(text: &str) -> &str {
    let mut bytes = text.as_bytes();
    let mut start = 0;
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
        start += 1;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    text.get(start..start + bytes.len()).unwrap_or_default()
}

/// What stands before and behind the first `separator`, an ASCII character.
#[inline]
pub(crate) fn cut(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = text.as_bytes().iter().position(|&byte| byte == separator)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What stands before the first `separator`, and it with all that follows; the rest is empty if there is none.
#[inline]
pub(crate) fn split_before(text: &str, separator: u8) -> (&str, &str) {
    let at = text.as_bytes().iter().position(|&byte| byte == separator).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// Where a quoted string ends: the offset behind its closing quote. `text` begins with the opening quote.
pub(crate) fn quoted_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        let hit = at + memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(hit) == Some(&b'"') {
            return Some(hit + 1);
        }
        at = hit + 2; // behind the escaped character
    }
}

/// The first `separator` outside of quoted strings and angle brackets; an unclosed one covers all the rest.
pub(crate) fn find_top(text: &str, separator: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let hit = at + memchr3(separator, b'"', b'<', bytes.get(at..)?)?;
        at = match bytes.get(hit)? {
            b'"' => hit + quoted_end(text.get(hit..)?)?,
            b'<' => hit + memchr(b'>', bytes.get(hit..)?)? + 1,
            _ => return Some(hit),
        };
    }
}

/// The first `separator` outside of quoted strings.
pub(crate) fn find_unquoted(text: &str, separator: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let hit = at + memchr2(separator, b'"', bytes.get(at..)?)?;
        if bytes.get(hit) == Some(&separator) {
            return Some(hit);
        }
        at = hit + quoted_end(text.get(hit..)?)?;
    }
}

/// The content of a quoted string, escapes resolved; text without quotes is given back as it is.
#[must_use]
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"') else { return Cow::Borrowed(text) };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    Cow::Owned(plain)
}

/// A text as a quoted string: in quotes, `"` and `\` escaped. Control characters, which no escape makes legal in a
/// header, become spaces.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_ascii_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
