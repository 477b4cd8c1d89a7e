//! Addresses with a display name and parameters: From, To, Contact, Route, Refer-To and their kind.

use std::borrow::Cow;

use memchr::memchr;

use super::quote::{cut, quoted_end, split_before, trim, unquote};
use super::{Params, SyntaxError};

/// `"Display" <uri>;params` or `uri;params` (RFC 3261 §20.10).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The display name as written, with its quotes; empty if there is none.
    display: &'a str,
    /// The URI, unread: see [`super::Uri::parse`]. `*` in a Contact that means all.
    pub uri: &'a str,
    /// The parameters of the header, not those of the URI.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value.
    ///
    /// # Errors
    /// What is missing: an unclosed quote or bracket, no URI, or a bare URI that needs brackets (RFC 3261 §20:
    /// comma, question mark or semicolon in it).
    pub fn parse(value: &'a str) -> Result<Self, SyntaxError> {
        let value = trim(value);
        let (display, bracketed) = Self::split_display(value)?;
        let Some(inner) = bracketed else { return Self::parse_bare(value) };
        let (uri, tail) = inner
            .split_at_checked(memchr(b'>', inner.as_bytes()).unwrap_or(inner.len()))
            .and_then(|(uri, tail)| Some((uri, tail.strip_prefix('>')?)))
            .ok_or(SyntaxError("a < without its >"))?;
        // Blanks inside the brackets are an error that a receiver may forgive (RFC 4475 §3.1.2.14).
        let uri = trim(uri);
        check_uri(uri)?;
        Ok(Self { display, uri, params: Params::parse(tail)? })
    }

    /// The display name, and what follows the opening bracket if there is one.
    fn split_display(value: &'a str) -> Result<(&'a str, Option<&'a str>), SyntaxError> {
        if value.starts_with('"') {
            let end = quoted_end(value).ok_or(SyntaxError("a display name without its closing quote"))?;
            let (display, rest) = value.split_at(end);
            let inner = trim(rest).strip_prefix('<').ok_or(SyntaxError("no < behind the display name"))?;
            return Ok((display, Some(inner)));
        }
        Ok(match cut(value, b'<') {
            // A quote before the bracket belongs to a parameter of a bare URI.
            Some((display, inner)) if !display.as_bytes().contains(&b'"') => (trim(display), Some(inner)),
            Some(_) | None => ("", None),
        })
    }

    fn parse_bare(value: &'a str) -> Result<Self, SyntaxError> {
        let (uri, tail) = split_before(value, b';');
        let uri = trim(uri);
        if uri != "*" {
            check_uri(uri)?;
            if uri.bytes().any(|b| matches!(b, b'?' | b',' | b'>')) {
                return Err(SyntaxError("a URI that needs angle brackets"));
            }
        }
        Ok(Self { display: "", uri, params: Params::parse(tail)? })
    }

    /// An address whose parts were read before.
    pub(crate) fn of_parts(display: &'a str, uri: &'a str, params: Params<'a>) -> Self {
        Self { display, uri, params }
    }

    /// The display name as written, with its quotes; empty if there is none.
    pub(crate) fn written_display(&self) -> &'a str {
        self.display
    }

    /// The display name, unquoted.
    #[must_use]
    pub fn display(&self) -> Option<Cow<'a, str>> {
        (!self.display.is_empty()).then(|| unquote(self.display))
    }

    /// The tag; none before a dialog, empty never.
    #[must_use]
    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// The value without its tag, as a dialog keeps it: `"Bob" <sip:bob@host>;other=1`.
    #[must_use]
    pub fn without_tag(&self) -> String {
        let mut text = String::with_capacity(self.display.len() + self.uri.len() + 3);
        if !self.display.is_empty() {
            text.push_str(self.display);
            text.push(' ');
        }
        if self.uri == "*" {
            text.push('*');
        } else {
            text.push('<');
            text.push_str(self.uri);
            text.push('>');
        }
        for param in self.params.iter().filter(|param| !param.name.eq_ignore_ascii_case("tag")) {
            text.push(';');
            text.push_str(param.name);
            if let Some(value) = param.value {
                text.push('=');
                text.push_str(value);
            }
        }
        text
    }

    /// The preference of a Contact, in thousandths (`q=0.7` is 700); 1000 where none is given (RFC 3261 §20.10).
    #[must_use]
    pub fn preference(&self) -> u16 {
        let Some(q) = self.params.get("q") else { return 1000 };
        let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
        if whole == "1" {
            return 1000;
        }
        let digits = fraction.bytes().chain([b'0'; 3]).take(3);
        digits.fold(0, |sum, digit| sum * 10 + u16::from(digit.wrapping_sub(b'0').min(9)))
    }
}

/// A scheme and something behind it, without blanks or quotes that would end it elsewhere.
fn check_uri(uri: &str) -> Result<(), SyntaxError> {
    let scheme = cut(uri, b':').filter(|(_, rest)| !rest.is_empty()).map(|(scheme, _)| scheme);
    let fine = scheme.is_some_and(super::uri::is_scheme) && super::URI.holds(uri);
    if fine { Ok(()) } else { Err(SyntaxError("no URI")) }
}
