//! The timers of a call (not of its transactions), as data: the shell keeps the clock.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A deadline that matters to the call. Armed by [`super::Effect::Arm`]; the shell hands it back when due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerId {
    /// Nobody took the call in time: the caller cancels, the callee answers 480.
    NoAnswer,
    /// Automation: ring now.
    RingDelay,
    /// Automation: answer now.
    AnswerDelay,
    /// Automation: hang up now.
    HangupDelay,
    /// The CANCEL had its time and no final response came (RFC 3261 §9.1).
    CancelGiveUp,
    /// An announcement had its time (policy, off by default).
    AnnouncementMax,
    /// The conversation had its time (policy, off by default).
    MaxDuration,
    /// The peer had its time to answer our BYE (policy; otherwise timer F decides).
    EndGrace,
}

impl TimerId {
    /// The stable code, as in JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::RingDelay => "ring_delay",
            Self::AnswerDelay => "answer_delay",
            Self::HangupDelay => "hangup_delay",
            Self::CancelGiveUp => "cancel_give_up",
            Self::AnnouncementMax => "announcement_max",
            Self::MaxDuration => "max_duration",
            Self::EndGrace => "end_grace",
        }
    }
}

impl fmt::Display for TimerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
