//! The machine as one declared table: which event may happen in which phase, and where it leads.
//!
//! The table is the law. [`super::Call::apply`] refuses what it does not name; a snapshot test prints it as a matrix
//! and as a graph, so that a changed machine is a visible diff.

use super::event::EventKind as E;
use super::phase::Phase as P;

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The phase before.
    pub from: P,
    /// What happens.
    pub event: E,
    /// The phase after.
    pub to: P,
}

const fn row(from: P, event: E, to: P) -> Transition {
    Transition { from, event, to }
}

/// All legal transitions.
pub const TRANSITIONS: &[Transition] = &[
    row(P::Idle, E::Placed, P::Calling),
    row(P::Idle, E::Offered, P::Incoming),
    // Watched: a call of others
    row(P::Idle, E::Observed, P::Calling),
    row(P::Calling, E::FoundConnected, P::Connected),
    row(P::Calling, E::CancelSeen, P::Calling),
    row(P::Early, E::FoundConnected, P::Connected),
    row(P::Early, E::CancelSeen, P::Early),
    row(P::Early, E::EndSeen, P::Ending),
    row(P::Connecting, E::FoundConnected, P::Connected),
    row(P::Connecting, E::CancelSeen, P::Connecting),
    row(P::Connecting, E::EndSeen, P::Ending),
    row(P::Connected, E::EndSeen, P::Ending),
    // Caller, nothing heard yet
    row(P::Calling, E::Sent, P::Calling),
    row(P::Calling, E::Progressed, P::Calling),
    row(P::Calling, E::Rang, P::Early),
    row(P::Calling, E::EarlyMedia, P::Early),
    row(P::Calling, E::Answered, P::Connecting),
    row(P::Calling, E::Ending, P::Ending),
    row(P::Calling, E::Ended, P::Ended),
    row(P::Calling, E::Noted, P::Calling),
    // Callee, nothing said yet
    row(P::Incoming, E::Rang, P::Early),
    row(P::Incoming, E::EarlyMedia, P::Early),
    row(P::Incoming, E::Answered, P::Connecting),
    row(P::Incoming, E::Ending, P::Ending),
    row(P::Incoming, E::Ended, P::Ended),
    row(P::Incoming, E::Noted, P::Incoming),
    // Alerting
    row(P::Early, E::Progressed, P::Early),
    row(P::Early, E::Rang, P::Early),
    row(P::Early, E::EarlyMedia, P::Early),
    row(P::Early, E::Answered, P::Connecting),
    row(P::Early, E::Ending, P::Ending),
    row(P::Early, E::Ended, P::Ended),
    row(P::Early, E::Noted, P::Early),
    // 2xx without ACK
    row(P::Connecting, E::Connected, P::Connected),
    row(P::Connecting, E::Ending, P::Ending),
    row(P::Connecting, E::Ended, P::Ended),
    row(P::Connecting, E::Recovered, P::Connecting),
    row(P::Connecting, E::Noted, P::Connecting),
    // Conversation
    row(P::Connected, E::Media, P::Connected),
    row(P::Connected, E::MediaRequested, P::Connected),
    row(P::Connected, E::MediaRefused, P::Connected),
    row(P::Connected, E::Ending, P::Ending),
    row(P::Connected, E::Ended, P::Ended),
    row(P::Connected, E::Recovered, P::Connected),
    row(P::Connected, E::Noted, P::Connected),
    // The end is decided
    row(P::Ending, E::EndingSent, P::Ending),
    row(P::Ending, E::Ended, P::Ended),
    row(P::Ending, E::Recovered, P::Ending),
    row(P::Ending, E::Noted, P::Ending),
    // Over
    row(P::Ended, E::Released, P::Ended),
    row(P::Ended, E::Noted, P::Ended),
];

/// Where `event` leads from `from`, if it may happen there.
#[must_use]
pub fn target(from: P, event: E) -> Option<P> {
    TRANSITIONS.iter().find(|row| row.from == from && row.event == event).map(|row| row.to)
}
