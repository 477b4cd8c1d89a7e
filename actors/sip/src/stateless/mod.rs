//! Replies to messages that belong to no call: made from the request alone, kept nowhere (RFC 3261 §8.2.7).

mod verdict;

use callbox_events::sip::Peer;
use sha2::{Digest, Sha256};

use crate::leg::{LegConfig, Transmit, TransmitKind, reply_peer};
use crate::wire::{HeaderName, Message, Method, ParseError, Writer};

pub use verdict::{unacceptable_body, unsupported_extension, verdict_of_unroutable};

/// A final response to be sent without a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 200 to 699.
    pub status: u16,
    /// Headers beyond the usual ones: Unsupported, Accept, Retry-After.
    pub headers: Vec<(HeaderName, String)>,
}

impl Refusal {
    /// A refusal without further headers.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new() }
    }

    /// One that names a time after which another attempt makes sense, in seconds: 503 of a full engine.
    #[must_use]
    pub fn retry_after(status: u16, seconds: u32) -> Self {
        Self { status, headers: vec![(HeaderName::RetryAfter, seconds.to_string())] }
    }
}

/// The reply to `message`. `None` for ACK and for responses, which are never answered.
#[must_use]
pub fn refuse(message: &Message, source: Peer, refusal: &Refusal, config: &LegConfig) -> Option<Transmit> {
    let via = message.top_via();
    let parts = [message.call_id(), message.from_tag().unwrap_or_default(), via.branch().unwrap_or_default()];
    refuse_as(message, source, refusal, config, &tag_of(parts))
}

/// The same with a given To tag: that of a dialog.
pub(crate) fn refuse_as(
    message: &Message,
    source: Peer,
    refusal: &Refusal,
    config: &LegConfig,
    to_tag: &str,
) -> Option<Transmit> {
    if !message.is_request() || *message.method() == Method::Ack {
        return None;
    }
    let mut writer = Writer::reply(message, refusal.status, Some(to_tag), source.addr);
    if matches!(refusal.status, 405 | 501) || *message.method() == Method::Options && refusal.status == 200 {
        writer = writer.header(&HeaderName::Allow, &config.allow);
    }
    for (name, value) in &refusal.headers {
        writer = writer.header(name, value);
    }
    if !config.user_agent.is_empty() {
        writer = writer.header(&HeaderName::Server, &config.user_agent);
    }
    let bytes = writer.finish().ok()?;
    Some(Transmit { peer: reply_peer(&message.top_via(), source), bytes, kind: TransmitKind::AbsorbedReply })
}

/// The reply to bytes that are no usable message but told enough to be answered.
#[must_use]
pub fn reject(error: &ParseError, source: Peer, config: &LegConfig) -> Option<Transmit> {
    let _ = config; // So little is known of the request that nothing is said beyond the status.
    let reply = error.reply.as_ref()?;
    let via = reply.headers.first().map(|via| via.value.as_str()).unwrap_or_default();
    let bytes = reply.to_bytes(&tag_of([reply.call_id().unwrap_or_default(), via, ""]), source.addr).ok()?;
    Some(Transmit { peer: source, bytes, kind: TransmitKind::AbsorbedReply })
}

/// A tag that is the same for every repetition of a request (RFC 3261 §8.2.7).
fn tag_of(parts: [&str; 3]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
