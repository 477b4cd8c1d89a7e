//! Everything that can reach a call, in one type: the unit that is recorded and can be decided again.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::observed::Sight;
use super::signal::Signal;
use super::timers::TimerId;
use crate::time::Timestamp;

/// One input of a call.
#[allow(
    clippy::large_enum_variant,
    reason = "made, decided and encoded once each; a box would cost an allocation a message"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The application wants something.
    Command(Command),
    /// The network says something.
    Signal(Signal),
    /// A deadline passed.
    Timer(TimerId),
    /// The engine came back.
    Recovery(Recovery),
    /// Something was seen of a call that is not ours.
    Observed(Box<Sight>),
}

/// The engine came back and found this call without an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// When the call's last event was recorded: the end of what is known.
    pub last_event_at: Timestamp,
    /// What happened to the engine: `crash`, `storage`, or `panic` for a fault in this call alone.
    pub fault: String,
}

impl Recovery {
    /// Whether the fault lies in this call alone (a panic, a commit that failed): then it can't go on, whatever the
    /// policy says of an engine that comes back.
    #[must_use]
    pub fn is_of_this_call(&self) -> bool {
        self.fault != "crash"
    }
}

/// What kind of input caused an event (INTERFACE: `caused_by.kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// A command.
    Command,
    /// A SIP message.
    Signal,
    /// A deadline, of the call or of one of its transactions.
    Timer,
    /// The engine's return.
    Recovery,
    /// The transport: a resolution, a failure.
    Transport,
}

/// What caused an event, in brief.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cause {
    /// The kind of input.
    pub kind: CauseKind,
    /// Which one: `hangup`, `bye`, `timed_out:invite`, `no_answer`, ...
    pub detail: String,
}

impl Input {
    /// What this input is called as the cause of an event.
    #[must_use]
    pub fn cause(&self) -> Cause {
        let (kind, detail) = match self {
            Self::Command(command) => (CauseKind::Command, command.code().to_owned()),
            Self::Timer(timer) => (CauseKind::Timer, timer.code().to_owned()),
            Self::Recovery(recovery) => (CauseKind::Recovery, recovery.fault.clone()),
            Self::Signal(signal) => return signal.cause(),
            Self::Observed(sight) => return sight.cause(),
        };
        Cause { kind, detail }
    }
}

impl Signal {
    /// What this signal is called as the cause of an event.
    #[must_use]
    pub fn cause(&self) -> Cause {
        let (kind, detail) = signal_cause(self);
        Cause { kind, detail }
    }
}

fn signal_cause(signal: &Signal) -> (CauseKind, String) {
    match signal {
        Signal::TimedOut(pending) => (CauseKind::Timer, format!("timed_out:{}", pending.code())),
        Signal::AckMissing | Signal::Drained(_) => (CauseKind::Timer, signal.code().to_owned()),
        Signal::Reachable { .. } => (CauseKind::Transport, signal.code().to_owned()),
        Signal::TransportFailed { pending, .. } => {
            (CauseKind::Transport, format!("transport_failed:{}", pending.code()))
        }
        Signal::Provisional(response)
        | Signal::Success(response)
        | Signal::Failure(response)
        | Signal::CancelAnswered(response)
        | Signal::ByeAnswered(response)
        | Signal::ReinviteAnswered(response) => {
            (CauseKind::Signal, format!("{}:{}", signal.code(), response.status))
        }
        Signal::Request(request) => (CauseKind::Signal, request.method.to_ascii_lowercase()),
        Signal::Invite(_) | Signal::Cancel(_) | Signal::Ack(_) | Signal::Bye(_) | Signal::Reinvite(_) => {
            (CauseKind::Signal, signal.code().to_owned())
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            CauseKind::Command => "command",
            CauseKind::Signal => "signal",
            CauseKind::Timer => "timer",
            CauseKind::Recovery => "recovery",
            CauseKind::Transport => "transport",
        };
        write!(f, "{kind} {}", self.detail)
    }
}
