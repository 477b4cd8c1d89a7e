//! The calls of which more was to come when their writer stopped.

use std::collections::BTreeMap;

use callbox_events::CallId;
use callbox_events::schema::Commit;

use crate::error::ReadError;
use crate::journal::{Cursor, JournalReader};

/// The calls without a release, in the order of their ids. `kind` says of the commit that begins a call whether the call
/// matters, and what it is. Reads the whole journal; keeps open calls alone in memory.
///
/// # Errors
/// [`ReadError`] of the journal.
pub fn unreleased<K>(
    reader: &dyn JournalReader,
    kind: impl Fn(&Commit) -> Option<K>,
) -> Result<BTreeMap<CallId, K>, ReadError> {
    let mut open = BTreeMap::new();
    for stored in reader.read_all(Cursor::START)? {
        let commit = stored?.commit;
        if commit.version == 0
            && let Some(kind) = kind(&commit)
        {
            open.insert(commit.call, kind);
        }
        if commit.releases() {
            open.remove(&commit.call);
        }
    }
    Ok(open)
}
