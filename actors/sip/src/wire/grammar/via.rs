//! Via (RFC 3261 §20.42, RFC 3581).

use std::net::IpAddr;

use super::quote::{cut, split_before, trim};
use super::{ByteSet, Params, SyntaxError, is_token};

/// One hop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, `TLS`, `WS`, or whatever stands there.
    pub transport: &'a str,
    /// The sent-by host; an IPv6 address with its brackets.
    pub host: &'a str,
    /// The sent-by port, if given.
    pub port: Option<u16>,
    /// All parameters.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// The branch prefix that promises a transaction id by RFC 3261 rules (§8.1.1.7).
    pub const MAGIC_COOKIE: &'static str = "z9hG4bK";

    /// Reads one value; white space may stand around every separator (RFC 4475 §3.1.1.1).
    ///
    /// # Errors
    /// What is missing.
    pub fn parse(value: &'a str) -> Result<Self, SyntaxError> {
        const NO_PROTOCOL: SyntaxError = SyntaxError("no SIP/2.0/transport at the start");
        let (name, rest) = cut(value, b'/').ok_or(NO_PROTOCOL)?;
        let (version, rest) = cut(rest, b'/').ok_or(NO_PROTOCOL)?;
        let rest = trim(rest);
        let end = rest.bytes().position(|b| matches!(b, b' ' | b'\t')).ok_or(SyntaxError("no host"))?;
        let (transport, rest) = rest.split_at_checked(end).ok_or(SyntaxError("no host"))?;
        if !is_token(trim(name)) || !is_token(trim(version)) || !is_token(transport) {
            return Err(NO_PROTOCOL);
        }
        let (sent_by, tail) = split_before(rest, b';');
        let (host, port) = split_host(trim(sent_by))?;
        Ok(Self { transport, host, port, params: Params::parse(tail)? })
    }

    /// The branch, whole, as written.
    #[must_use]
    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// Whether the branch identifies the transaction: the magic cookie and something behind it (RFC 4475 §3.2.1).
    #[must_use]
    pub fn has_transaction_id(&self) -> bool {
        self.branch()
            .and_then(|branch| branch.strip_prefix(Self::MAGIC_COOKIE))
            .is_some_and(|id| !id.is_empty())
    }

    /// The address the request really came from, as its receiver noted it; with or without brackets (RFC 5118 §4.5).
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.get("received")?;
        text.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// Whether the sender asks for the answer at the source port (RFC 3581 §3).
    #[must_use]
    pub fn wants_rport(&self) -> bool {
        self.params.has("rport")
    }

    /// The source port as the receiver noted it.
    #[must_use]
    pub fn rport(&self) -> Option<u16> {
        self.params.number("rport")
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`, with white space about the colon.
pub(crate) fn split_host(text: &str) -> Result<(&str, Option<u16>), SyntaxError> {
    let (host, tail) = if text.starts_with('[') {
        let (inner, tail) =
            cut(text, b']').ok_or(SyntaxError("an IPv6 address without its closing bracket"))?;
        text.split_at_checked(inner.len() + 1).unwrap_or((text, tail))
    } else {
        split_before(text, b':')
    };
    let (host, tail) = (trim(host), trim(tail));
    check_host(host)?;
    if tail.is_empty() {
        return Ok((host, None));
    }
    let port = trim(tail.strip_prefix(':').ok_or(SyntaxError("text behind the host"))?);
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let port = port.parse().ok().filter(|_| digits).ok_or(SyntaxError("a port that is no port"))?;
    Ok((host, Some(port)))
}

const HOST: ByteSet = ByteSet::alphanumeric_and(b"-._~%");

/// Lenient on what a name is (underscores are met in the field), strict on what could be mistaken for syntax.
fn check_host(host: &str) -> Result<(), SyntaxError> {
    let v6 = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let fine = match v6 {
        Some(inner) => {
            !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_hexdigit() || b":.%".contains(&b))
        }
        None => !host.is_empty() && HOST.holds(host),
    };
    if fine { Ok(()) } else { Err(SyntaxError("a host that is none")) }
}
