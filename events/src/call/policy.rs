//! What an engine does by itself. Recorded with the first event, so that a replay decides by the same rules.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The rules of one call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Policy {
    /// What happens to a new incoming call without a command.
    #[serde(default)]
    pub incoming: IncomingPolicy,
    /// Ring this many milliseconds after the INVITE; `Some(0)` at once; `None` waits for a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_after_ms: Option<u64>,
    /// Answer this many milliseconds after the INVITE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_after_ms: Option<u64>,
    /// Hang up this many milliseconds after the call connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hangup_after_ms: Option<u64>,
    /// Give up an unanswered call after this many milliseconds: the caller cancels, the callee answers 480.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_answer_ms: Option<u64>,
    /// End an answered call with the marks of an announcement after this many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announcement_max_ms: Option<u64>,
    /// End any connected call after this many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_duration_ms: Option<u64>,
    /// Do not wait longer than this for the answer to our BYE; `None`: timer F (64·T1) decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_grace_ms: Option<u64>,
    /// Hosts that play announcements in place of the called party: media from there is a clue for the verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub announcement_hosts: Vec<String>,
    /// What happens to a connected call when the engine comes back from a crash.
    #[serde(default)]
    pub recovery: RecoveryPolicy,
    /// The timers of RFC 3261.
    #[serde(default)]
    pub sip: SipTimers,
}

/// What happens to a new incoming call without a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncomingPolicy {
    /// Wait for commands and the delays of [`Policy`].
    #[default]
    Wait,
    /// Send 180 at once.
    Ring,
    /// Send 200 at once.
    Answer,
    /// Refuse at once, without ringing.
    Refuse {
        /// The final status, 300 to 699.
        status: u16,
        /// Why the engine refuses.
        why: RefusalKind,
    },
}

/// Why the engine refuses a call by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The application said so beforehand (`--incoming reject`).
    Configured,
    /// The user is busy (`--incoming busy`).
    Busy,
    /// The user does not want to be disturbed.
    DoNotDisturb,
    /// The limit of simultaneous calls is reached.
    MaxCalls,
    /// The engine shuts down.
    Shutdown,
}

/// What happens to a connected call when the engine comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryPolicy {
    /// Go on with it: BYE, re-INVITE and hang-up work.
    #[default]
    Resume,
    /// Send BYE and end it.
    End,
}

/// T1, T2 and T4 of RFC 3261 §17.1.1.1, in milliseconds. Shortened ones are for demonstrations and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SipTimers {
    /// Round-trip estimate; 500.
    pub t1_ms: u32,
    /// Longest retransmission interval of non-INVITE requests and INVITE responses; 4000.
    pub t2_ms: u32,
    /// Longest time a message stays in the network; 5000.
    pub t4_ms: u32,
}

impl Default for SipTimers {
    fn default() -> Self {
        Self { t1_ms: 500, t2_ms: 4000, t4_ms: 5000 }
    }
}

impl SipTimers {
    /// T1.
    #[must_use]
    pub fn t1(self) -> Duration {
        Duration::from_millis(self.t1_ms.into())
    }

    /// T2.
    #[must_use]
    pub fn t2(self) -> Duration {
        Duration::from_millis(self.t2_ms.into())
    }

    /// T4.
    #[must_use]
    pub fn t4(self) -> Duration {
        Duration::from_millis(self.t4_ms.into())
    }

    /// 64·T1: timers B, F, H, J, L, M and the patience for an ACK.
    #[must_use]
    pub fn patience(self) -> Duration {
        self.t1() * 64
    }
}
