//! The engine went away and came back: the end lies in an interval (C1).

use super::super::draft::Draft;
use super::super::facts::Facts;
use super::super::families::Cause;
use crate::call::{Act, Input};
use crate::party::{Agent, Side};

/// The engine came back and could not, or by its policy would not, go on with this call.
pub(super) fn crash(facts: &Facts<'_>) -> Option<Draft> {
    let decisive = facts.decisive?;
    let Input::Recovery(recovery) = decisive.what.input else { return None };
    let ended = facts.ended?;
    let (cause, words) = match recovery.fault.as_str() {
        "storage" => (Cause::StorageFailed, "the journal failed"),
        "panic" => (Cause::InternalError, "the engine had a fault in this call"),
        _ => (Cause::EngineLost, "the engine was lost"),
    };
    let (from, until) = ended.what.between.unwrap_or((recovery.last_event_at, decisive.at));
    Some(Draft::certain(cause, Side::Nobody, Agent::Engine).by_recorded(facts).by_discard().because(
        ended.event,
        format!("{words}; the end lies between the last event at {from} and the restart at {until}"),
    ))
}

impl Draft {
    fn by_discard(mut self) -> Self {
        self.act.get_or_insert(Act::Discarded);
        self
    }
}
