//! The phases of a call.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a call stands. What differs inside a phase (ringing, early media, held) is data of its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing happened yet.
    #[default]
    Idle,
    /// Caller: placed; no 18x yet.
    Calling,
    /// Callee: INVITE received; no 18x sent yet.
    Incoming,
    /// An 18x was received or sent.
    Early,
    /// A 2xx was received or sent; no ACK yet.
    Connecting,
    /// ACK sent or received: a confirmed dialog.
    Connected,
    /// The end was decided; the signalling is not done.
    Ending,
    /// Over. Transactions may still drain.
    Ended,
}

impl Phase {
    /// All phases in the order of a call's life.
    pub const ALL: [Self; 8] = [
        Self::Idle,
        Self::Calling,
        Self::Incoming,
        Self::Early,
        Self::Connecting,
        Self::Connected,
        Self::Ending,
        Self::Ended,
    ];

    /// The stable code, as in JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Calling => "calling",
            Self::Incoming => "incoming",
            Self::Early => "early",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Ending => "ending",
            Self::Ended => "ended",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
