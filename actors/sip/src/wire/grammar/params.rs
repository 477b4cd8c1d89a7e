//! The `;name=value` tail of header values and URIs.

use std::borrow::Cow;

use memchr::memchr;

use super::quote::{cut, find_unquoted, quoted_end, trim, unquote};
use super::{SyntaxError, is_token};

/// Parameters as written, read when asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Params<'a> {
    /// Without the first semicolon.
    text: &'a str,
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name as written; compare without regard to case.
    pub name: &'a str,
    /// The value as written, quotes and all; none for a mere flag.
    pub value: Option<&'a str>,
}

impl<'a> Params<'a> {
    /// Reads what follows a value's head: nothing, or `;` and parameters. Refuses empty parameters (RFC 4475
    /// §3.1.2.1), unclosed quotes and text behind a closing quote.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(tail: &'a str) -> Result<Self, SyntaxError> {
        let tail = trim(tail);
        if tail.is_empty() {
            return Ok(Self::default());
        }
        let Some(text) = tail.strip_prefix(';') else {
            return Err(SyntaxError("text where a parameter was expected"));
        };
        let params = Self { text };
        let quotes = memchr(b'"', text.as_bytes()).is_some();
        for param in params.iter() {
            param.check(quotes)?;
        }
        // The iterator ends silently at a trailing semicolon, which is an empty parameter too.
        if matches!(trim(text).as_bytes().last(), None | Some(b';')) {
            return Err(SyntaxError("an empty parameter"));
        }
        Ok(params)
    }

    /// Parameters without any check; what cannot be read is skipped.
    pub(crate) fn lenient(text: &'a str) -> Self {
        Self { text }
    }

    /// The text between the first semicolon and the end.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut rest = Some(self.text).filter(|text| !text.is_empty());
        std::iter::from_fn(move || {
            let (param, tail) = Param::split_first(rest?);
            rest = tail;
            Some(param)
        })
    }

    /// The parameter of this name, whatever its case; the first if there are several.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Param<'a>> {
        self.iter().find(|param| param.name.eq_ignore_ascii_case(name))
    }

    /// Its value as written; `None` too if it is a mere flag.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.find(name)?.value
    }

    /// Its value, unquoted.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(unquote)
    }

    /// Its value as a number; `None` if it is no number or does not fit.
    #[must_use]
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name).map(unquote).and_then(|value| value.trim().parse().ok())
    }

    /// Whether it is there, with or without a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
}

impl<'a> Param<'a> {
    /// The first parameter of a text, and what stands behind the semicolon that ends it.
    fn split_first(text: &'a str) -> (Self, Option<&'a str>) {
        // An unclosed quote covers all the rest.
        let end = find_unquoted(text, b';');
        let part = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
        let param = match cut(part, b'=') {
            Some((name, value)) => Self { name: trim(name), value: Some(trim(value)) },
            None => Self { name: trim(part), value: None },
        };
        (param, end.and_then(|end| text.get(end + 1..)))
    }

    fn check(&self, quotes: bool) -> Result<(), SyntaxError> {
        if self.name.is_empty() {
            return Err(SyntaxError("an empty parameter"));
        }
        // Brackets, slashes and colons are met in names of URI parameters (RFC 3261 §25.1 param-unreserved).
        if !is_token(self.name) && !self.name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'<')
        {
            return Err(SyntaxError("a parameter name that is no token"));
        }
        match self.value {
            Some(value) if quotes && value.starts_with('"') => match quoted_end(value) {
                Some(end) if end == value.len() => Ok(()),
                Some(_) => Err(SyntaxError("text behind a quoted parameter")),
                None => Err(SyntaxError("a quoted parameter without its closing quote")),
            },
            Some(value) if quotes && value.contains('"') => Err(SyntaxError("a quote inside a parameter")),
            Some(_) | None => Ok(()),
        }
    }
}
