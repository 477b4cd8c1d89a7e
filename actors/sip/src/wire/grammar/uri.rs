//! URIs (RFC 3261 §19.1, RFC 3966, RFC 3986).

use std::borrow::Cow;

use super::quote::{cut, split_before};
use super::via::split_host;
use super::{Params, SyntaxError};

/// A URI of any scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uri<'a> {
    /// `sip:` or `sips:`, taken apart.
    Sip(SipUri<'a>),
    /// `tel:`, `urn:` and all the rest: kept as written.
    Opaque {
        /// The scheme as written.
        scheme: &'a str,
        /// All behind the colon.
        rest: &'a str,
    },
}

impl<'a> Uri<'a> {
    /// Reads a URI.
    ///
    /// # Errors
    /// No scheme, or a `sip:` URI that is none.
    pub fn parse(text: &'a str) -> Result<Self, SyntaxError> {
        let (scheme, rest) = cut(text, b':').ok_or(SyntaxError("a URI without a scheme"))?;
        if !is_scheme(scheme) {
            return Err(SyntaxError("a URI without a scheme"));
        }
        if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            return SipUri::parse(text).map(Self::Sip);
        }
        if rest.is_empty() || !super::URI.holds(rest) {
            return Err(SyntaxError("a URI with nothing in it"));
        }
        Ok(Self::Opaque { scheme, rest })
    }

    /// The scheme as written.
    #[must_use]
    pub fn scheme(&self) -> &'a str {
        match self {
            Self::Sip(uri) => uri.scheme,
            Self::Opaque { scheme, .. } => scheme,
        }
    }
}

/// `sip:user:password@host:port;params?headers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SipUri<'a> {
    /// `sip` or `sips`, in the case it was written.
    pub scheme: &'a str,
    /// The user part, escapes and all; none if there is no `@`.
    pub user: Option<&'a str>,
    /// The password, if one stands there against all advice.
    pub password: Option<&'a str>,
    /// The host; an IPv6 address with its brackets.
    pub host: &'a str,
    /// The port, if given.
    pub port: Option<u16>,
    /// The URI's parameters.
    pub params: Params<'a>,
    /// What follows the question mark: `name=value&name=value`, escaped.
    pub headers: Option<&'a str>,
}

impl<'a> SipUri<'a> {
    /// Reads a `sip:` or `sips:` URI.
    ///
    /// # Errors
    /// Another scheme, no host, a port that is none, or characters that no URI has.
    pub fn parse(text: &'a str) -> Result<Self, SyntaxError> {
        let (scheme, rest) = cut(text, b':').ok_or(SyntaxError("a URI without a scheme"))?;
        if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
            return Err(SyntaxError("another scheme than sip or sips"));
        }
        if !super::URI.holds(rest) {
            return Err(SyntaxError("characters that no URI has"));
        }
        // User parts may hold ; ? and /, so the @ is looked for first. It is the first one: behind it, careless
        // senders forget to escape that of a Call-ID in ?Replaces=.
        let (user_info, rest) = match cut(rest, b'@') {
            Some((info, rest)) => (Some(info), rest),
            None => (None, rest),
        };
        let (user, password) =
            match user_info.map(|info| cut(info, b':').map_or((info, None), |(u, p)| (u, Some(p)))) {
                Some(("", _)) => return Err(SyntaxError("an @ without a user")),
                Some((user, password)) => (Some(user), password),
                None => (None, None),
            };
        let (rest, headers) = cut(rest, b'?').map_or((rest, None), |(rest, headers)| (rest, Some(headers)));
        let (host, tail) = split_before(rest, b';');
        let (host, port) = split_host(host)?;
        let params = tail.strip_prefix(';').map_or_else(Params::default, Params::lenient);
        Ok(Self { scheme, user, password, host, port, params, headers })
    }

    /// Whether both mean the same resource (RFC 3261 §19.1.4). Not transitive, hence no `==`.
    #[must_use]
    pub fn is_equivalent(&self, other: &SipUri<'_>) -> bool {
        // The same text is the same resource even where a parameter stands twice, against the grammar.
        *self == *other || self.has_equivalent_parts(other)
    }

    fn has_equivalent_parts(&self, other: &SipUri<'_>) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && same_escaped(self.user.unwrap_or_default(), other.user.unwrap_or_default(), false)
            && self.user.is_some() == other.user.is_some()
            && same_escaped(self.password.unwrap_or_default(), other.password.unwrap_or_default(), false)
            && self.host.eq_ignore_ascii_case(other.host)
            && self.port == other.port
            && same_params(&self.params, &other.params)
            && same_params(&other.params, &self.params)
            && same_headers(self.headers.unwrap_or_default(), other.headers.unwrap_or_default())
    }
}

/// Parameters that both have must agree; these must be in both if they are in one.
fn same_params(left: &Params<'_>, right: &Params<'_>) -> bool {
    const BINDING: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
    left.iter().all(|param| match right.find(param.name) {
        Some(other) => same_escaped(param.value.unwrap_or_default(), other.value.unwrap_or_default(), true),
        None => !BINDING.iter().any(|name| param.name.eq_ignore_ascii_case(name)),
    })
}

/// Headers count, each of them, in any order.
fn same_headers(left: &str, right: &str) -> bool {
    let split = |text: &str| {
        let mut parts: Vec<(String, String)> = text
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(name, value)| (unescape(name).to_ascii_lowercase(), unescape(value).into_owned()))
            .collect();
        parts.sort();
        parts
    };
    split(left) == split(right)
}

fn same_escaped(left: &str, right: &str, fold_case: bool) -> bool {
    let (left, right) = (unescape(left), unescape(right));
    if fold_case { left.eq_ignore_ascii_case(&right) } else { left == right }
}

/// Resolves `%41`; what is no escape, or would not be UTF-8, stays as it is.
#[must_use]
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = if byte == b'%' {
            tail.split_at_checked(2).and_then(|(hex, tail)| Some((hex_byte(hex)?, tail)))
        } else {
            None
        };
        let (byte, tail) = escaped.unwrap_or((byte, tail));
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hex_byte(hex: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match hex {
        [high, low] => Some(digit(high)? * 16 + digit(low)?),
        _ => None,
    }
}

/// Whether a text is a scheme (RFC 3986 §3.1).
pub(crate) fn is_scheme(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}
