//! Finds the call that a person means: our id, a unique prefix of it, a SIP Call-ID, or `latest`.

use std::fmt::Write;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;
use callbox_events::view::{CallSummary, short_uri};
use callbox_store::{FindError, JournalReader, ReadError, find};

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The commits of the call that `text` names; never empty.
pub fn call(reader: &dyn JournalReader, text: &str) -> Result<Vec<StoredCommit>, Failure> {
    let commits = reader.read(id(reader, text)?)?;
    if commits.is_empty() { Err(unknown(text)) } else { Ok(commits) }
}

/// The commits of several calls: all names are resolved before anything is told of one.
pub fn calls(reader: &dyn JournalReader, names: &[String]) -> Result<Vec<Vec<StoredCommit>>, Failure> {
    names.iter().map(|name| call(reader, name)).collect()
}

/// The id of the call that `text` names. Ids are shown cut in places, so an ellipsis at the end is fine.
pub fn id(reader: &dyn JournalReader, text: &str) -> Result<CallId, Failure> {
    match find(reader, text.trim_end_matches('…')) {
        Ok(call) => Ok(call),
        Err(FindError::NotFound { .. }) => Err(unknown(text)),
        Err(FindError::Ambiguous { matches, .. }) => Err(ambiguous(reader, text, &matches)?),
        Err(FindError::Read(error)) => Err(error.into()),
    }
}

fn unknown(text: &str) -> Failure {
    if text == "latest" {
        return Failure::new(ExitCode::NotFound, "no_calls", "the store holds no calls yet")
            .hint("place one, or name another store");
    }
    Failure::new(ExitCode::NotFound, "call_not_found", format!("no call is named `{text}`")).hint(
        "`callbox list` shows the calls of the store; CALL is an id, a prefix of one, a SIP Call-ID, or `latest`",
    )
}

fn ambiguous(reader: &dyn JournalReader, text: &str, found: &[CallId]) -> Result<Failure, ReadError> {
    let mut hint = String::from("name one of these by more of its id:");
    for call in found {
        let commits = reader.read(*call)?;
        if let Some(summary) = commits.first().and_then(|stored| CallSummary::begin(&stored.commit)) {
            let (from, to) = (short_uri(&summary.from), short_uri(&summary.to));
            let _ = write!(
                hint,
                "\n  {call}  {}  {from} → {to}  {}",
                summary.started_at,
                summary.direction.code()
            );
        }
    }
    let message = format!("`{text}` names more than one call");
    Ok(Failure::new(ExitCode::Usage, "call_ambiguous", message).hint(hint))
}
