//! Finds the call that a person means: our id, a unique prefix of it, a SIP Call-ID, or `latest`.

use std::fmt::Write;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;
use callbox_events::view::{CallSummary, short_uri};
use callbox_store::{Cursor, JournalReader, ReadError};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::progress::Progress;

/// How many candidates an ambiguous name lists.
const MAX_CANDIDATES: usize = 10;

/// The commits of the call that `text` names; never empty.
pub fn call(reader: &dyn JournalReader, text: &str) -> Result<Vec<StoredCommit>, Failure> {
    let commits = reader.read(id(reader, text)?)?;
    if commits.is_empty() { Err(unknown(text)) } else { Ok(commits) }
}

/// The id of the call that `text` names.
pub fn id(reader: &dyn JournalReader, text: &str) -> Result<CallId, Failure> {
    if text == "latest" {
        return reader.latest()?.ok_or_else(|| {
            Failure::new(ExitCode::NotFound, "no_calls", "the store holds no calls yet")
                .hint("place one, or name another store")
        });
    }
    let typed = text.trim_end_matches('…').to_ascii_lowercase();
    if let Ok(id) = typed.parse::<CallId>() {
        return if reader.head(id)?.is_some() { Ok(id) } else { Err(unknown(text)) };
    }
    let mut found = by_prefix(reader, &typed)?;
    if found.is_empty() {
        found = by_sip_call_id(reader, text)?;
    }
    match found.as_slice() {
        [] => Err(unknown(text)),
        [one] => Ok(*one),
        several => Err(ambiguous(reader, text, several)?),
    }
}

fn by_prefix(reader: &dyn JournalReader, typed: &str) -> Result<Vec<CallId>, ReadError> {
    if typed.is_empty() || typed.len() > 32 || !typed.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Vec::new());
    }
    let named = |call: &Result<CallId, ReadError>| match call {
        Ok(call) => call.to_string().starts_with(typed),
        Err(_) => true,
    };
    reader.calls()?.filter(named).take(MAX_CANDIDATES + 1).collect()
}

/// Call-IDs are compared as they are, case and all (RFC 3261 §20.8).
fn by_sip_call_id(reader: &dyn JournalReader, typed: &str) -> Result<Vec<CallId>, ReadError> {
    let progress = Progress::events(reader.tail()?.seq());
    let mut found = Vec::new();
    for stored in reader.read_all(Cursor::START)? {
        let stored = stored?;
        progress.advance(stored.commit.events.len() as u64);
        if CallSummary::begin(&stored.commit).is_some_and(|call| call.sip_call_id == typed) {
            found.push(stored.commit.call);
        }
    }
    Ok(found)
}

fn unknown(text: &str) -> Failure {
    Failure::new(ExitCode::NotFound, "call_not_found", format!("no call is named `{text}`"))
        .hint("`callbox list` shows the calls of the store; CALL is an id, a prefix of one, a SIP Call-ID, or `latest`")
}

fn ambiguous(reader: &dyn JournalReader, text: &str, found: &[CallId]) -> Result<Failure, ReadError> {
    let mut hint = String::from("it may be one of these:");
    for call in found.iter().take(MAX_CANDIDATES) {
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
    if found.len() > MAX_CANDIDATES {
        hint.push_str("\n  and more");
    }
    let message = format!("`{text}` names more than one call");
    Ok(Failure::new(ExitCode::Usage, "call_ambiguous", message).hint(hint))
}
