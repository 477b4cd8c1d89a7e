//! Replies to messages that belong to no call: made from the request alone, kept nowhere (RFC 3261 §8.2.7).

use callbox_events::sip::Peer;

use crate::leg::{LegConfig, Transmit};
use crate::wire::{Message, ParseError};

/// A final response to be sent without a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 200 to 699.
    pub status: u16,
    /// Headers beyond the usual ones, by name and value: Unsupported, Accept, Retry-After.
    pub headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal without further headers.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new() }
    }
}

/// What a request that belongs to no call gets: 481 inside an unknown dialog, 200 to OPTIONS, 405, 501 or 420.
/// `None`: it may begin a call (an INVITE without a To tag); or it must not be answered (ACK, responses).
#[must_use]
pub fn verdict_of_unroutable(message: &Message) -> Option<Refusal> {
    let _ = message;
    None
}

/// The reply to `message`. None for ACK and for responses, which are never answered.
#[must_use]
pub fn refuse(message: &Message, source: Peer, refusal: &Refusal, config: &LegConfig) -> Option<Transmit> {
    let _ = (message, source, refusal, config);
    None
}

/// The reply to bytes that are no message but told enough to be answered.
#[must_use]
pub fn reject(error: &ParseError, source: Peer, config: &LegConfig) -> Option<Transmit> {
    let _ = (error, source, config);
    None
}
