//! What is waited for in a call, by the capture's own time.

use std::collections::BTreeMap;

use callbox_events::Timestamp;

/// What happens when the time comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// No new INVITE followed a failure: it was the last.
    Held,
    /// Timer B of the caller.
    NoResponse,
    /// 64·T1 after the 2xx, and time for the BYE that should follow.
    AckMissing,
    /// 64·T1 after the CANCEL (RFC 3261 §9.1).
    Cancel,
    /// Timer F of the BYE.
    Bye,
    /// Nothing was seen for too long.
    Idle,
    /// Latecomers had their time.
    Release,
}

/// The deadlines of one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Deadlines(BTreeMap<Due, Timestamp>);

impl Deadlines {
    pub(super) fn set(&mut self, due: Due, at: Timestamp) {
        self.0.insert(due, at);
    }

    /// The same deadline earlier than thought, if it is still waited for.
    pub(super) fn sooner(&mut self, due: Due, at: Timestamp) {
        if let Some(known) = self.0.get_mut(&due) {
            *known = at.min(*known);
        }
    }

    /// The same deadline later than thought, if it is still waited for.
    pub(super) fn later(&mut self, due: Due, at: Timestamp) {
        if let Some(known) = self.0.get_mut(&due) {
            *known = at.max(*known);
        }
    }

    pub(super) fn clear(&mut self, due: Due) {
        self.0.remove(&due);
    }

    /// The call is over: only latecomers are waited for.
    pub(super) fn over(&mut self, release: Timestamp) {
        self.only(Due::Release, release);
    }

    /// Nothing else is waited for.
    pub(super) fn only(&mut self, due: Due, at: Timestamp) {
        self.0.clear();
        self.set(due, at);
    }

    /// The next deadline.
    pub(super) fn next(&self) -> Option<(Timestamp, Due)> {
        self.0.iter().map(|(due, at)| (*at, *due)).min()
    }

    /// Takes the next one out if it has come.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, Due)> {
        let next = self.next().filter(|(at, _)| *at <= now)?;
        self.clear(next.1);
        Some(next)
    }
}
