//! What a request gets that no call takes.

use super::Refusal;
use crate::wire::{HeaderName, Message, Method};

/// What a request that belongs to no call gets (RFC 3261 §8.2): 405 or 501 for its method, 416 for its URI, 481 inside
/// an unknown dialog, 420 for an extension, 200 for OPTIONS.
///
/// `None`: it may begin a call (an INVITE without a To tag), or it must not be answered (ACK, responses).
#[must_use]
pub fn verdict_of_unroutable(message: &Message) -> Option<Refusal> {
    if !message.is_request() {
        return None;
    }
    let known = match message.method() {
        Method::Ack => return None,
        Method::Invite | Method::Bye | Method::Cancel | Method::Update | Method::Options => None,
        Method::Info | Method::Message | Method::Notify | Method::Prack => None,
        Method::Subscribe | Method::Refer | Method::Register | Method::Publish => Some(405),
        Method::Other(_) => Some(501),
    };
    if let Some(status) = known {
        return Some(Refusal::new(status));
    }
    if let Some(refusal) = foreign_uri(message) {
        return Some(refusal);
    }
    if message.to_tag().is_some() || *message.method() == Method::Cancel {
        return Some(Refusal::new(481));
    }
    if let Some(refusal) = unsupported_extension(message) {
        return Some(refusal);
    }
    match message.method() {
        Method::Invite | Method::Ack => None,
        Method::Options => Some(Refusal { status: 200, headers: vec![accept()] }),
        // In a dialog only.
        Method::Bye | Method::Cancel | Method::Update | Method::Info | Method::Notify | Method::Prack => {
            Some(Refusal::new(481))
        }
        Method::Message | Method::Subscribe | Method::Refer | Method::Register | Method::Publish => {
            Some(Refusal::new(405))
        }
        Method::Other(_) => Some(Refusal::new(501)),
    }
}

/// 416 for a Request-URI that we can't be meant by (RFC 3261 §8.2.2.1).
fn foreign_uri(message: &Message) -> Option<Refusal> {
    // That it is a URI was checked when the message was parsed.
    let scheme = message.uri()?.split_once(':').map_or("", |(scheme, _)| scheme);
    let served = ["sip", "sips", "tel"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (!served).then(|| Refusal::new(416))
}

/// 420 with Unsupported, if the request requires what we lack (§8.2.2.3). ACK and CANCEL must not carry Require.
#[must_use]
pub fn unsupported_extension(message: &Message) -> Option<Refusal> {
    if matches!(message.method(), Method::Ack | Method::Cancel) {
        return None;
    }
    let missing: Vec<&str> = message.require().collect();
    if missing.is_empty() {
        return None;
    }
    Some(Refusal { status: 420, headers: vec![(HeaderName::Unsupported, missing.join(", "))] })
}

/// 415 with Accept, if the body is no session description and not optional (§8.2.3).
#[must_use]
pub fn unacceptable_body(message: &Message) -> Option<Refusal> {
    if message.body.is_empty() {
        return None;
    }
    let kind = message.content_type();
    let fine =
        kind.is_some_and(|kind| kind.is("application", "sdp") || kind.kind.eq_ignore_ascii_case("multipart"));
    let disposition = message.header(&HeaderName::ContentDisposition);
    let optional =
        disposition.is_some_and(|written| written.to_ascii_lowercase().contains("handling=optional"));
    let encoded = message
        .header(&HeaderName::ContentEncoding)
        .is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    let refused = !fine && !optional || fine && encoded;
    refused.then(|| Refusal { status: 415, headers: vec![accept()] })
}

fn accept() -> (HeaderName, String) {
    (HeaderName::Accept, "application/sdp".to_owned())
}
