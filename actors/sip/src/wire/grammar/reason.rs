//! Reason (RFC 3326, RFC 8606, RFC 9366): testimony about why a call ended, in all dialects met in the field.

use callbox_events::sip::Reason;

use super::quote::{find_unquoted, trim};
use super::{Params, quote};

/// Reads one value. Nothing is refused: what has no `cause`, or an odd one, is kept with its text; `raw` holds the
/// value as it was written. An empty value gives `None`.
#[must_use]
pub fn parse_reason(value: &str) -> Option<Reason> {
    let value = trim(value);
    let (protocol, tail) = value.split_at(find_unquoted(value, b';').unwrap_or(value.len()));
    let params = Params::lenient(tail.strip_prefix(';').unwrap_or_default());
    if value.is_empty() {
        return None;
    }
    Some(Reason {
        protocol: trim(protocol).to_owned(),
        cause: params.number("cause"),
        // `description` instead of `text` is met in the field.
        text: params.text("text").or_else(|| params.text("description")).map(Into::into),
        location: params.text("location").map(Into::into),
        raw: value.to_owned(),
    })
}

/// A Reason as a header value. One that came in with its raw text goes out as it came.
#[must_use]
pub fn write_reason(reason: &Reason) -> String {
    if !reason.raw.is_empty() {
        return reason.raw.clone();
    }
    let mut value = reason.protocol.clone();
    if let Some(cause) = reason.cause {
        value.push_str(";cause=");
        value.push_str(&cause.to_string());
    }
    if let Some(text) = &reason.text {
        value.push_str(";text=");
        value.push_str(&quote(text));
    }
    if let Some(location) = &reason.location {
        value.push_str(";location=");
        value.push_str(location);
    }
    value
}
