//! Small values: token lists, numbers of seconds, Content-Type, Retry-After, Timestamp.

use std::borrow::Cow;
use std::time::Duration;

use super::quote::{cut, split_before, trim};
use super::{Params, SyntaxError, is_token};

/// A number of seconds; `None` if it is no number or beyond 2^32-1, which a receiver treats as absent (RFC 4475
/// §3.1.2.4).
#[must_use]
pub fn delta_seconds(text: &str) -> Option<u32> {
    let text = trim(text);
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// The tokens of a comma list: `Supported: 100rel, timer`.
#[derive(Debug, Clone)]
pub struct Tokens<'a>(std::str::Split<'a, char>);

impl<'a> Tokens<'a> {
    /// Of one header value; empty elements are skipped.
    #[must_use]
    pub fn of(value: &'a str) -> Self {
        Self(value.split(','))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.0.by_ref().map(trim).find(|token| !token.is_empty())
    }
}

/// `application/sdp;charset=utf-8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentType<'a> {
    /// `application`, as written.
    pub kind: &'a str,
    /// `sdp`, as written.
    pub subkind: &'a str,
    /// `boundary` and others; values keep their quotes.
    pub params: Params<'a>,
}

impl<'a> ContentType<'a> {
    /// Reads the value.
    ///
    /// # Errors
    /// What is missing.
    pub fn parse(value: &'a str) -> Result<Self, SyntaxError> {
        let (media, tail) = split_before(value, b';');
        let (kind, subkind) = cut(media, b'/').ok_or(SyntaxError("no type/subtype"))?;
        let (kind, subkind) = (trim(kind), trim(subkind));
        if !is_token(kind) || !is_token(subkind) {
            return Err(SyntaxError("no type/subtype"));
        }
        Ok(Self { kind, subkind, params: Params::parse(tail)? })
    }

    /// Whether it is this type, whatever the case: `is("application", "sdp")`.
    #[must_use]
    pub fn is(&self, kind: &str, subkind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subkind.eq_ignore_ascii_case(subkind)
    }

    /// The boundary of a multipart body, unquoted.
    #[must_use]
    pub fn boundary(&self) -> Option<Cow<'a, str>> {
        self.params.text("boundary")
    }
}

/// `18000;duration=3600 (I'm in a meeting)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter {
    /// Seconds to wait.
    pub seconds: u32,
    /// For how long the callee will then be reachable, in seconds.
    pub duration: Option<u32>,
}

impl RetryAfter {
    /// Reads the value; the comment is skipped.
    ///
    /// # Errors
    /// No number of seconds.
    pub fn parse(value: &str) -> Result<Self, SyntaxError> {
        let end = value.find([';', '(']).unwrap_or(value.len());
        let seconds = value.get(..end).and_then(delta_seconds).ok_or(SyntaxError("no number of seconds"))?;
        let tail = value.rsplit_once(')').map_or(value, |(_, tail)| tail);
        let params = Params::lenient(tail.split_once(';').map_or("", |(_, params)| params));
        Ok(Self { seconds, duration: params.number("duration") })
    }
}

/// `54.21 0.3`: when the request was sent, and for how long the server pondered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp<'a> {
    /// Seconds by the client's clock, to be echoed as written.
    pub sent: &'a str,
    /// Delay inside the server.
    pub delay: Duration,
}

impl<'a> Timestamp<'a> {
    /// Reads the value.
    ///
    /// # Errors
    /// No number.
    pub fn parse(value: &'a str) -> Result<Self, SyntaxError> {
        let (sent, delay) = trim(value).split_once([' ', '\t']).unwrap_or((trim(value), "0"));
        let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let seconds = trim(delay).parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
        match seconds {
            Some(delay) if number(sent) => Ok(Self { sent, delay }),
            Some(_) | None => Err(SyntaxError("no number of seconds")),
        }
    }
}
