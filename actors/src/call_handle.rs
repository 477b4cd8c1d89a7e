//! What the application says to place a call.

use callbox_events::call::Policy;
use callbox_events::sip::Peer;

/// A call to place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlaceCall {
    /// Who is called: a `sip:` URI.
    pub to: String,
    /// Who calls: a `sip:` URI; empty: `sip:<user agent>@<our address>`.
    pub from: String,
    /// Send the INVITE there instead of to the host of `to` (an outbound proxy).
    pub via: Option<Peer>,
    /// Give up an unanswered call after this many milliseconds; none: what the policy says.
    pub no_answer_ms: Option<u64>,
    /// The rules of this call; none: the engine's.
    pub policy: Option<Policy>,
}

impl PlaceCall {
    /// A call from `from` to `to` by the engine's rules.
    #[must_use]
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self { to: to.into(), from: from.into(), ..Self::default() }
    }
}
