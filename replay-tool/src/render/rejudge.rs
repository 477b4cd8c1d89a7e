//! Two verdicts on one call: what changed, and how each was reasoned.

use std::io::{self, Write};

use callbox_events::schema::StoredCommit;
use callbox_events::verdict::Verdict;
use callbox_events::view::CallSummary;

use super::events::header;
use super::style::{BOLD, DIM, WARN};
use super::words::{plain, wrap};
use crate::commands::rejudge::Rejudged;
use crate::output::Output;

/// Columns of the names of fields.
const FIELD: usize = 13;

/// Prints a call that was judged twice.
pub fn print(out: &mut Output, commits: &[StoredCommit], rejudged: &Rejudged) -> io::Result<()> {
    if let Some(call) = commits.first().and_then(|stored| CallSummary::begin(&stored.commit)) {
        header(out, &call)?;
    }
    for change in &rejudged.changes {
        let (from, to) = (plain(&change.from), plain(&change.to));
        writeln!(out, "  {DIM}{:<FIELD$}{DIM:#}{from} {WARN}→{WARN:#} {to}", plain(change.field))?;
    }
    if rejudged.changes.is_empty() {
        writeln!(out, "  {DIM}{:<FIELD$}{DIM:#}{}", "same", plain(rejudged.to.verdict.cause.code()))?;
        reasoning(out, &rejudged.to.verdict)?;
    } else {
        reasoning(out, &rejudged.from.verdict)?;
        reasoning(out, &rejudged.to.verdict)?;
    }
    writeln!(out)
}

/// The sentence, then what spoke for it and against it.
fn reasoning(out: &mut Output, verdict: &Verdict) -> io::Result<()> {
    let columns = out.columns().saturating_sub(14);
    writeln!(out, "  {BOLD}{}{BOLD:#}", verdict.rulebook)?;
    for line in wrap(&verdict.summary.en, columns) {
        writeln!(out, "    {line}")?;
    }
    let hidden = verdict.underlying.iter().flat_map(|hidden| &hidden.evidence);
    let rows = verdict.evidence.iter().map(|row| ("", row));
    let rows = rows.chain(hidden.map(|row| ("behind it", row)));
    for (label, row) in rows.chain(verdict.against.iter().map(|row| ("against", row))) {
        let event = format!("#{}", row.event);
        for (index, line) in wrap(&row.says, columns).iter().enumerate() {
            let (event, label) = if index == 0 { (event.as_str(), label) } else { ("", "") };
            writeln!(out, "    {event:<4} {DIM}{label:<10}{DIM:#}{line}")?;
        }
    }
    Ok(())
}
