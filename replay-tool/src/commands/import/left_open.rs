//! Calls of an earlier observer in the store that is imported into: what it left open may go on in this capture.

use std::collections::{BTreeMap, BTreeSet};

use callbox_events::CallId;
use callbox_events::call::observed::{Seen, Sight};
use callbox_events::call::{Event, Input};
use callbox_events::schema::Commit;
use callbox_sip::observe::Observer;
use callbox_store::{Cursor, JournalReader, ReadError};

/// Where the record of an observed call stands.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    /// Whether another observer went on with it once: the capture that it read may be imported again.
    was_taken_up: bool,
    released: bool,
}

/// Lets `observer` take up again every call that is open in the store, and tells it of those that were taken up before:
/// importing the same capture again must change nothing. Gives the calls that are open.
///
/// # Errors
/// [`ReadError`] of the journal.
pub fn take_up(journal: &dyn JournalReader, observer: &mut Observer) -> Result<BTreeSet<CallId>, ReadError> {
    let mut open = BTreeSet::new();
    for (call, standing) in standings(journal)? {
        let record: Vec<Commit> = journal.read(call)?.into_iter().map(|stored| stored.commit).collect();
        if standing.released {
            if let (Some(call_id), Some(last)) = (sip_call_id(&record), record.last()) {
                observer.note_closed(call_id, last.at);
            }
        } else if observer.resume(&record).is_ok() {
            // As many as an observer keeps in mind are taken up: room is made when something new is seen.
            open.insert(call);
        }
    }
    Ok(open)
}

/// The observed calls that are open, or were taken up once.
fn standings(journal: &dyn JournalReader) -> Result<BTreeMap<CallId, Standing>, ReadError> {
    let mut all: BTreeMap<CallId, Standing> = BTreeMap::new();
    for stored in journal.read_all(Cursor::START)? {
        let commit = stored?.commit;
        let Input::Observed(sight) = &commit.input else { continue };
        let standing = all.entry(commit.call).or_default();
        standing.was_taken_up |= matches!(**sight, Sight { seen: Seen::Resumed, .. });
        standing.released |= commit.releases();
        if standing.released && !standing.was_taken_up {
            all.remove(&commit.call);
        }
    }
    Ok(all)
}

fn sip_call_id(record: &[Commit]) -> Option<&str> {
    record.first()?.events.iter().find_map(|happened| {
        if let Event::Observed(observed) = &happened.event {
            Some(observed.dialog.sip_call_id.as_str())
        } else {
            None
        }
    })
}
