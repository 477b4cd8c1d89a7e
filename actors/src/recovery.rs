//! The calls that a former engine left: those without an end, and those whose transactions had not drained.

use std::collections::HashSet;

use callbox_events::CallId;
use callbox_events::call::{EventKind, Input};
use callbox_events::schema::Commit;
use callbox_store::{Cursor, Journal, ReadError};

/// A call of others: there is nothing to go on with.
fn is_watched(first: &Commit) -> bool {
    matches!(first.input, Input::Observed(_))
}

/// The commits of every call of `node` that was not released, call by call in the order of their ids.
///
/// # Errors
/// [`ReadError`] of the journal.
pub(crate) fn unfinished(journal: &dyn Journal, node: &str) -> Result<Vec<Vec<Commit>>, ReadError> {
    let mut open: HashSet<CallId> = HashSet::new();
    for stored in journal.read_all(Cursor::START)? {
        let commit = stored?.commit;
        if commit.node != node {
            continue;
        }
        if commit.events.iter().any(|happened| happened.event.kind() == EventKind::Released) {
            open.remove(&commit.call);
        } else if commit.version == 0 && !is_watched(&commit) {
            open.insert(commit.call);
        }
    }
    let mut calls: Vec<CallId> = open.into_iter().collect();
    calls.sort_unstable();
    calls
        .into_iter()
        .map(|call| Ok(journal.read(call)?.into_iter().map(|stored| stored.commit).collect()))
        .collect()
}
