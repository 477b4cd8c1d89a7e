//! A call that only one side has: should the other have it?

use std::collections::BTreeSet;

use super::key::CallKey;
use crate::time::Timestamp;
use crate::verdict::Direction;

/// Where and when a store's engines were there.
#[derive(Debug, Clone, Default)]
pub struct Presence {
    /// Their Contacts' hosts and ports. An observer is nowhere: what did not pass it may have passed elsewhere.
    locals: BTreeSet<String>,
    /// From the beginning of the first record to the last event, by that store's clock.
    span: Option<(Timestamp, Timestamp)>,
}

/// Why a call has no partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// The other side is none of the other store's engines, or the call was at another time: nothing to expect.
    Elsewhere,
    /// Our INVITE went to an engine of the other store, and nothing ever came back: it was lost, and both may be right.
    NeverArrived,
    /// An engine of the other store spoke with us, and has no record of it.
    NoRecord,
}

impl Presence {
    /// Of all calls of a store.
    #[must_use]
    pub fn of(calls: &[CallKey]) -> Self {
        let from = calls.iter().map(|call| call.started_at).min();
        let to = calls.iter().map(|call| call.last_at).max();
        let own = calls.iter().filter(|call| call.direction != Direction::Observed);
        Self { locals: own.map(|call| call.local.clone()).collect(), span: from.zip(to) }
    }

    /// Why this presence has no partner for a call of the other store, whose clock is `behind_us` microseconds behind.
    #[must_use]
    pub fn without(&self, call: &CallKey, behind_us: i64) -> Absence {
        let micros = |time: Timestamp| i128::from(time.micros());
        let began = micros(call.started_at) + i128::from(behind_us);
        let there = self.span.is_some_and(|(from, to)| micros(from) <= began && began <= micros(to));
        if !there || !self.locals.contains(&call.peer.addr.to_string()) {
            return Absence::Elsewhere;
        }
        match call.direction {
            Direction::Outgoing | Direction::Observed if !call.heard => Absence::NeverArrived,
            Direction::Outgoing | Direction::Incoming | Direction::Observed => Absence::NoRecord,
        }
    }
}
