//! Finding the call that a person means.

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use crate::error::ReadError;
use crate::journal::{Cursor, JournalReader};

/// At most so many candidates are named.
const MAX_NAMED: usize = 8;

/// Why a call was not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// No call is called so.
    #[error("no call matches {selector:?}")]
    NotFound {
        /// What was asked for.
        selector: String,
    },
    /// Several are.
    #[error("{selector:?} matches several calls: {}", shown(matches))]
    Ambiguous {
        /// What was asked for.
        selector: String,
        /// Some of them, in order of their starts.
        matches: Vec<CallId>,
    },
    /// The journal could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl FindError {
    /// What to do about it, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => {
                "`callbox list` shows the calls; a call id, its beginning, a SIP Call-ID or `latest` will do"
            }
            Self::Ambiguous { .. } => {
                "give more digits of the call id; the two ends of a call may share a SIP Call-ID"
            }
            Self::Read(error) => error.hint(),
        }
    }
}

fn shown(calls: &[CallId]) -> String {
    calls.iter().map(CallId::to_string).collect::<Vec<_>>().join(", ")
}

/// The call named by our id, by a unique beginning of it, by its SIP Call-ID, or by `latest`.
///
/// # Errors
/// [`FindError`].
pub fn find(reader: &dyn JournalReader, selector: &str) -> Result<CallId, FindError> {
    let not_found = || FindError::NotFound { selector: selector.to_owned() };
    if selector == "latest" {
        return reader.latest()?.ok_or_else(not_found);
    }
    if let Ok(call) = selector.parse::<CallId>()
        && reader.head(call)?.is_some()
    {
        return Ok(call);
    }
    let mut matches = by_prefix(reader, selector)?;
    if matches.is_empty() {
        matches = by_sip_call_id(reader, selector)?;
    }
    match matches.as_slice() {
        [] => Err(not_found()),
        [call] => Ok(*call),
        [_, ..] => Err(FindError::Ambiguous { selector: selector.to_owned(), matches }),
    }
}

fn by_prefix(reader: &dyn JournalReader, prefix: &str) -> Result<Vec<CallId>, ReadError> {
    if prefix.is_empty() || prefix.len() > 32 || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Vec::new());
    }
    let prefix = prefix.to_ascii_lowercase();
    let named = |call: &Result<CallId, ReadError>| {
        call.as_ref().map_or(true, |call| call.to_string().starts_with(&prefix))
    };
    reader.calls()?.filter(named).take(MAX_NAMED).collect()
}

/// The calls with this SIP Call-ID: the two ends of one call may share it, and a fork's legs do.
fn by_sip_call_id(reader: &dyn JournalReader, wanted: &str) -> Result<Vec<CallId>, ReadError> {
    let mut matches = Vec::new();
    for stored in reader.read_all(Cursor::START)? {
        let stored = stored?;
        if sip_call_id(&stored) == Some(wanted) && !matches.contains(&stored.commit.call) {
            matches.push(stored.commit.call);
            if matches.len() >= MAX_NAMED {
                break;
            }
        }
    }
    matches.sort_unstable();
    Ok(matches)
}

/// The SIP Call-ID, if this commit is a call's first.
fn sip_call_id(stored: &StoredCommit) -> Option<&str> {
    stored.commit.first_dialog().map(|dialog| dialog.sip_call_id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryJournal;
    use crate::testing::conformance::put;
    use crate::testing::sample::{call, offered, sip_call_id};

    #[test]
    fn a_call_is_found_by_id_prefix_sip_call_id_and_latest() {
        let journal = MemoryJournal::new();
        assert!(matches!(find(&journal, "latest"), Err(FindError::NotFound { .. })));
        (0..40).for_each(|number| _ = put(&journal, offered(number)));
        let id = call(7).to_string();
        assert_eq!(find(&journal, &id), Ok(call(7)));
        assert_eq!(find(&journal, &id.to_ascii_uppercase()[..12]), Ok(call(7)));
        assert_eq!(find(&journal, &sip_call_id(9)), Ok(call(9)));
        assert_eq!(find(&journal, "latest"), Ok(call(39)));
        for unknown in ["", "zz", "sample-40@host.invalid", "00000000000000000000000000000000"] {
            assert!(matches!(find(&journal, unknown), Err(FindError::NotFound { .. })), "{unknown}");
        }
        let first_digit = &id[..1];
        match find(&journal, first_digit) {
            Err(FindError::Ambiguous { matches, .. }) => assert!(matches.len() > 1),
            other => panic!("{other:?}"),
        }
    }
}
