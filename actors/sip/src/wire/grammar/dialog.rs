//! Headers that name another dialog: Replaces (RFC 3891), Join (RFC 3911), Refer-To (RFC 3515).

use super::quote::trim;
use super::{NameAddr, Params, SipUri, SyntaxError, unescape};

/// Which dialog a new INVITE takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaces<'a> {
    /// Its Call-ID.
    pub call_id: &'a str,
    /// The tag of the side that receives this.
    pub to_tag: &'a str,
    /// The tag of the other side.
    pub from_tag: &'a str,
    /// Only if the dialog is still early.
    pub early_only: bool,
}

/// Which dialog a new INVITE joins; the same shape.
pub type Join<'a> = Replaces<'a>;

impl<'a> Replaces<'a> {
    /// Reads the value.
    ///
    /// # Errors
    /// No Call-ID, or a tag is missing (RFC 3891 §6.1).
    pub fn parse(value: &'a str) -> Result<Self, SyntaxError> {
        let (call_id, tail) = value.split_at(value.find(';').unwrap_or(value.len()));
        let params = Params::parse(tail)?;
        let tag =
            |name| params.get(name).filter(|tag| !tag.is_empty()).ok_or(SyntaxError("a tag is missing"));
        let call_id = trim(call_id);
        if call_id.is_empty() {
            return Err(SyntaxError("no Call-ID"));
        }
        Ok(Self {
            call_id,
            to_tag: tag("to-tag")?,
            from_tag: tag("from-tag")?,
            early_only: params.has("early-only"),
        })
    }
}

/// Where a REFER sends its receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferTo<'a> {
    /// The address.
    pub address: NameAddr<'a>,
    /// The Replaces that the URI carries for an attended transfer, unescaped.
    pub replaces: Option<String>,
}

impl<'a> ReferTo<'a> {
    /// Reads the value.
    ///
    /// # Errors
    /// As [`NameAddr::parse`].
    pub fn parse(value: &'a str) -> Result<Self, SyntaxError> {
        let address = NameAddr::parse(value)?;
        let headers = SipUri::parse(address.uri).ok().and_then(|uri| uri.headers).unwrap_or_default();
        let replaces = headers
            .split('&')
            .filter_map(|header| header.split_once('='))
            .find(|(name, _)| name.eq_ignore_ascii_case("Replaces"))
            .map(|(_, value)| unescape(value).into_owned());
        Ok(Self { address, replaces })
    }
}
