//! Decide: state × input → events and effects. One file per phase.

use super::command::Outcome;
use super::effect::Effect;
use super::event::Event;
use super::input::Input;
use super::state::Call;
use crate::time::Timestamp;

/// What an input leads to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// To be persisted, in this order, in one commit. Empty: nothing happened (an idempotent hang-up).
    pub events: Vec<Event>,
    /// To be performed once the events are durable, in this order.
    pub effects: Vec<Effect>,
    /// What the command is told; `None` for other inputs.
    pub outcome: Option<Outcome>,
}

impl Call {
    /// Decides what `input` leads to at `now`. Changes nothing; the same state, input and time give the same decision.
    #[must_use]
    pub fn decide(&self, _input: &Input, _now: Timestamp) -> Decision {
        Decision::default()
    }
}
