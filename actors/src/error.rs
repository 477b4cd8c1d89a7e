//! What can go wrong at the front door. Every error names what to do about it, none carries a whole message.

use callbox_events::CallId;
use callbox_events::sip::Peer;

/// Why an engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration contradicts itself.
    #[error("the configuration is not usable: {0}")]
    Config(String),
    /// An address could not be bound.
    #[error("can't listen on {peer}: {detail}")]
    Bind {
        /// Where.
        peer: Peer,
        /// The system's words.
        detail: String,
    },
    /// The store can't be opened: locked, corrupt, of a newer version, not writable.
    #[error(transparent)]
    Store(#[from] callbox_store::OpenError),
    /// The store was opened but can't be read.
    #[error("the journal can't be read: {0}")]
    Journal(#[from] callbox_store::ReadError),
    /// The engine's thread did not come up.
    #[error("the engine's thread did not start: {0}")]
    Thread(String),
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such call, live or recorded.
    #[error("there is no call {0}")]
    NotFound(CallId),
    /// The target or source of a new call is not a SIP URI that can be called.
    #[error("{what} is not a SIP URI that can be called: {why}")]
    InvalidUri {
        /// Which: `to`, `from`, ...
        what: &'static str,
        /// What is wrong with it; never the URI itself.
        why: String,
    },
    /// A value is outside its range.
    #[error("{what} is not valid: {why}")]
    Invalid {
        /// Which: `status`, ...
        what: &'static str,
        /// What would be.
        why: String,
    },
    /// The engine has as many calls as it may have.
    #[error("the engine has its limit of {limit} calls")]
    TooManyCalls {
        /// The limit.
        limit: usize,
    },
    /// No transport of the engine can reach that target.
    #[error("the engine does not listen on {0}, so it can't call there")]
    NoTransport(&'static str),
    /// The store does not take commits: nothing happened, nothing was sent.
    #[error("the journal does not take commits: {0}")]
    Journal(String),
    /// The engine is overloaded; try again.
    #[error("the engine is overloaded; try again")]
    Overloaded,
    /// The engine is closing or closed.
    #[error("the engine is closed")]
    Closed,
    /// The call failed inside; it was ended and its record says so.
    #[error("the call failed inside and was ended")]
    Internal,
}

impl CommandError {
    /// The stable code, as in JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::InvalidUri { .. } => "invalid_uri",
            Self::Invalid { .. } => "invalid",
            Self::TooManyCalls { .. } => "too_many_calls",
            Self::NoTransport(_) => "no_transport",
            Self::Journal(_) => "journal_unavailable",
            Self::Overloaded => "overloaded",
            Self::Closed => "closed",
            Self::Internal => "internal_error",
        }
    }
}

/// Why a subscription could not begin.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// The journal can't be read from there.
    #[error("the journal can't be followed: {0}")]
    Journal(#[from] callbox_store::ReadError),
}
