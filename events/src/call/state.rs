//! What is known of a call between two inputs. Data lives in the phase it belongs to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::{Act, Ended, Ending};
use super::observed::Watched;
use super::phase::Phase;
use super::policy::Policy;
use crate::party::{Agent, Role};
use crate::sip::{Dialog, MediaDirection};
use crate::time::Timestamp;

/// One side's view of one call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Call {
    /// Where it stands.
    pub state: State,
    /// What stays true through its life; none before the first event.
    pub profile: Option<Profile>,
    /// How many events were applied: the sequence number of the next one.
    pub version: u64,
    /// When the last event was recorded.
    pub last_event_at: Timestamp,
}

/// What stays true through a call's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Which end we are.
    pub role: Role,
    /// The rules.
    pub policy: Policy,
    /// The dialog as far as it is known.
    pub dialog: Arc<Dialog>,
    /// When the first event was recorded.
    pub started_at: Timestamp,
    /// The caller's INVITE expires then (callee only).
    pub expires_at: Option<Timestamp>,
}

/// The phases with their data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing happened yet.
    #[default]
    Idle,
    /// Caller: no 18x yet.
    Calling {
        /// Whether the INVITE has left (or may leave).
        sent: bool,
        /// Whether any provisional response came: CANCEL may be sent.
        provisional: bool,
    },
    /// Callee: no 18x yet.
    Incoming,
    /// 18x received or sent.
    Early {
        /// Whether a ringing without media was told.
        rang: bool,
        /// Whether there is media before the answer.
        media: bool,
        /// To tags of all early dialogs, in the order of their first response (caller only).
        forks: Vec<String>,
    },
    /// 2xx received or sent, no ACK yet.
    Connecting,
    /// Confirmed dialog.
    Connected {
        /// Since when.
        since: Timestamp,
        /// We hold the other side.
        local_hold: bool,
        /// The other side holds us.
        remote_hold: bool,
        /// A re-INVITE of ours is on its way, with this direction.
        pending: Option<MediaDirection>,
    },
    /// The end is decided, the signalling is not done.
    Ending(EndIntent),
    /// Over.
    Ended {
        /// Whether everything has drained.
        released: bool,
        /// How it ended.
        how: Ended,
    },
    /// A call of others, wherever it stands.
    Observed(Box<Watched>),
}

/// Why and how we are ending a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EndIntent {
    /// What was decided.
    pub ending: Ending,
    /// Whether the CANCEL or BYE has left (or may leave).
    pub sent: bool,
}

impl EndIntent {
    /// The act that was decided.
    #[must_use]
    pub fn act(&self) -> Act {
        self.ending.act
    }

    /// Who decided.
    #[must_use]
    pub fn agent(&self) -> Agent {
        self.ending.agent
    }
}

impl Call {
    /// The phase.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.state.phase()
    }

    /// Whether the call is over and everything has drained.
    #[must_use]
    pub fn is_released(&self) -> bool {
        match &self.state {
            State::Ended { released, .. } => *released,
            State::Observed(watched) => watched.released,
            State::Idle
            | State::Calling { .. }
            | State::Incoming
            | State::Early { .. }
            | State::Connecting
            | State::Connected { .. }
            | State::Ending(_) => false,
        }
    }
}

impl State {
    /// The phase of this state.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self {
            Self::Idle => Phase::Idle,
            Self::Calling { .. } => Phase::Calling,
            Self::Incoming => Phase::Incoming,
            Self::Early { .. } => Phase::Early,
            Self::Connecting => Phase::Connecting,
            Self::Connected { .. } => Phase::Connected,
            Self::Ending(_) => Phase::Ending,
            Self::Ended { .. } => Phase::Ended,
            Self::Observed(watched) => watched.phase,
        }
    }
}
