//! Headers that tell what happened on the way: History-Info (RFC 7044), Diversion (RFC 5806), Warning (RFC 3261 §20.43).

use std::borrow::Cow;

use super::quote::{quoted_end, trim, unquote};
use super::{NameAddr, SipUri, SyntaxError, parse_reason, unescape};

/// One entry of History-Info.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryInfo<'a> {
    /// The target that was tried.
    pub address: NameAddr<'a>,
    /// `1.2.1`: its place in the tree of targets.
    pub index: Option<&'a str>,
    /// The status that ended the attempt: the `cause` parameter of the URI (RFC 4458) or of the Reason that the
    /// URI carries.
    pub cause: Option<u16>,
}

impl<'a> HistoryInfo<'a> {
    /// Reads one value.
    ///
    /// # Errors
    /// As [`NameAddr::parse`].
    pub fn parse(value: &'a str) -> Result<Self, SyntaxError> {
        let address = NameAddr::parse(value)?;
        let uri = SipUri::parse(address.uri).ok();
        let in_uri = uri.as_ref().and_then(|uri| uri.params.number("cause"));
        let in_reason = || {
            let headers = uri.as_ref()?.headers?;
            let mut headers = headers.split('&').filter_map(|header| header.split_once('='));
            let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("Reason"))?;
            let reason = parse_reason(&unescape(value))?;
            reason.cause.filter(|_| reason.protocol.eq_ignore_ascii_case("SIP"))
        };
        let cause = in_uri.or_else(in_reason).or_else(|| address.params.number("cause"));
        Ok(Self { index: address.params.get("index"), address, cause })
    }
}

/// One entry of Diversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diversion<'a> {
    /// Who moved the call.
    pub address: NameAddr<'a>,
    /// `user-busy`, `no-answer`, ...: why.
    pub reason: Option<Cow<'a, str>>,
    /// How often.
    pub counter: Option<u32>,
}

impl<'a> Diversion<'a> {
    /// Reads one value.
    ///
    /// # Errors
    /// As [`NameAddr::parse`].
    pub fn parse(value: &'a str) -> Result<Self, SyntaxError> {
        let address = NameAddr::parse(value)?;
        Ok(Self { reason: address.params.text("reason"), counter: address.params.number("counter"), address })
    }
}

/// One warning: `370 example.com "Insufficient bandwidth"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning<'a> {
    /// Three digits.
    pub code: u16,
    /// Who warns.
    pub agent: &'a str,
    /// The text, unquoted.
    pub text: Cow<'a, str>,
}

impl<'a> Warning<'a> {
    /// Reads one value.
    ///
    /// # Errors
    /// What is missing.
    pub fn parse(value: &'a str) -> Result<Self, SyntaxError> {
        let (code, rest) = trim(value).split_once([' ', '\t']).ok_or(SyntaxError("no warn-agent"))?;
        let (agent, text) = trim(rest).split_once([' ', '\t']).ok_or(SyntaxError("no text"))?;
        let code =
            code.parse().ok().filter(|code| (100..1000).contains(code)).ok_or(SyntaxError("no code"))?;
        let text = trim(text);
        if text.starts_with('"') && quoted_end(text) != Some(text.len()) {
            return Err(SyntaxError("a text without its closing quote"));
        }
        Ok(Self { code, agent, text: unquote(text) })
    }
}
