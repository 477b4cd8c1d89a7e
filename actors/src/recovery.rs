//! The calls that a former engine left: those without an end, and those whose transactions had not drained.

use callbox_events::CallId;
use callbox_events::call::Input;
use callbox_events::schema::Commit;
use callbox_store::{Journal, ReadError, unreleased};

/// What was left open in a journal.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// The commits of every call of our own, call by call in the order of their ids.
    pub own: Vec<Vec<Commit>>,
    /// Calls of others that somebody watched: there is nothing for an engine to go on with.
    pub watched: Vec<CallId>,
}

enum Kind {
    Own,
    Watched,
}

/// Every call of `node`, and every observed one, that was not released.
///
/// # Errors
/// [`ReadError`] of the journal.
pub(crate) fn unfinished(journal: &dyn Journal, node: &str) -> Result<Left, ReadError> {
    let open = unreleased(journal, |first| match first.input {
        Input::Observed(_) => Some(Kind::Watched),
        Input::Command(_) | Input::Signal(_) | Input::Timer(_) | Input::Recovery(_) => {
            (first.node == node).then_some(Kind::Own)
        }
    })?;
    let mut left = Left::default();
    for (call, kind) in open {
        match kind {
            Kind::Own => left.own.push(journal.read(call)?.into_iter().map(|stored| stored.commit).collect()),
            Kind::Watched => left.watched.push(call),
        }
    }
    Ok(left)
}
