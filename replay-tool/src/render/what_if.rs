//! Two runs of one call: as it was, as it would have been, and what that takes for granted.

use std::io::{self, Write};

use callbox_events::verdict::{Verdict, Why};
use callbox_events::view::Assumption;

use super::style::{BAD, BOLD, DIM, GOOD, PLAIN};
use super::time::offset;
use super::why::field;
use super::words::{cut, plain, wrap};
use crate::commands::diff::{Line, Row};
use crate::output::Output;

/// Columns before the text of a row: mark, two numbers, two times.
const GUTTER: usize = 35;

/// What is shown.
pub struct Comparison<'a> {
    pub was: &'a Why,
    pub would: &'a Why,
    pub changes: &'a [String],
    pub rows: &'a [Row],
    /// The first row in which the runs differ.
    pub first: Option<usize>,
    pub assumptions: &'a [Assumption],
}

/// Prints both verdicts, the runs side by side, and the assumptions.
pub fn print(out: &mut Output, shown: &Comparison<'_>) -> io::Result<()> {
    for (index, change) in shown.changes.iter().enumerate() {
        field(out, if index == 0 { "what if" } else { "" }, change)?;
    }
    writeln!(out)?;
    verdict(out, "was", &shown.was.verdict)?;
    verdict(out, "would be", &shown.would.verdict)?;
    writeln!(out)?;
    let Some(first) = shown.first else {
        return writeln!(out, "{GOOD}same{GOOD:#}  the call would have gone the same way");
    };
    rows(out, shown.rows, first)?;
    assumptions(out, shown.assumptions)
}

fn verdict(out: &mut Output, label: &str, verdict: &Verdict) -> io::Result<()> {
    field(out, label, &verdict.summary.en)?;
    let by = format!("{}/{}", verdict.ended_by.side, verdict.ended_by.agent);
    let facts = format!("{} · {} · {by}", plain(verdict.cause.code()), plain(verdict.phase.code()));
    field(out, "", &facts)
}

/// Both runs as one list, with the numbers and times of each.
fn rows(out: &mut Output, rows: &[Row], first: usize) -> io::Result<()> {
    writeln!(out, "{DIM}  {:<5}{:<5}{:>10} {:>10}{DIM:#}", "was", "new", "was", "new")?;
    let columns = out.width.map_or(usize::MAX, |columns| columns.saturating_sub(GUTTER));
    for (index, row) in rows.iter().enumerate() {
        if index == first {
            writeln!(out, "{BOLD}─── here they part{BOLD:#}")?;
        }
        let (mark, style, was, new) = match row {
            Row::Both(a, b) if a.offset == b.offset => (' ', PLAIN, Some(a), Some(b)),
            Row::Both(a, b) => ('~', BOLD, Some(a), Some(b)),
            Row::OnlyA(a) => ('-', BAD, Some(a), None),
            Row::OnlyB(b) => ('+', GOOD, None, Some(b)),
        };
        let number = |line: Option<&Line>| line.map(|line| format!("#{}", line.event)).unwrap_or_default();
        let time = |line: Option<&Line>| line.map(|line| offset(line.offset)).unwrap_or_default();
        let text = was.or(new).map(|line| cut(&line.text, columns)).unwrap_or_default();
        writeln!(
            out,
            "{style}{mark}{style:#} {:<5}{:<5}{:>10} {:>10}  {style}{text}{style:#}",
            number(was),
            number(new),
            time(was),
            time(new)
        )?;
    }
    Ok(())
}

fn assumptions(out: &mut Output, assumptions: &[Assumption]) -> io::Result<()> {
    if assumptions.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}assumed{BOLD:#}")?;
    for assumption in assumptions {
        let event = assumption.event.map(|event| format!("#{event}")).unwrap_or_default();
        for (index, line) in wrap(&assumption.says, out.columns().saturating_sub(8)).iter().enumerate() {
            let event = if index == 0 { event.as_str() } else { "" };
            writeln!(out, "  {event:<5} {line}")?;
        }
    }
    Ok(())
}
