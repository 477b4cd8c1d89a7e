//! Tables: calls one a line, and groups of calls.

use std::io::{self, Write};

use callbox_events::view::{CallSummary, short_uri};

use super::style::{BOLD, DIM, PLAIN, family};
use super::time::{length, second};
use super::words::{pad, plain, width};
use crate::commands::stats::Group;
use crate::output::Output;

/// The digits of an id that are shown: enough for some ten thousand calls.
const ID: usize = 8;
/// Columns of id, start, duration and the gaps between all columns.
const FIXED: usize = ID + 19 + 9 + 3 + 6 * 2;

struct Row {
    id: String,
    started: String,
    duration: String,
    from: String,
    to: String,
    ended_by: String,
    cause: String,
    style: anstyle::Style,
}

/// Calls, one a line, with a heading.
pub fn calls(out: &mut Output, calls: &[CallSummary]) -> io::Result<()> {
    if calls.is_empty() {
        return writeln!(out, "no calls");
    }
    let mut rows: Vec<Row> = calls.iter().map(row).collect();
    let widths = fit(&mut rows, out.width);
    let Widths { from, to, ended_by, cause: _ } = widths;
    writeln!(
        out,
        "{DIM}{:<ID$}  {:<19}  {}     {}  {:>9}  {}  CAUSE{DIM:#}",
        "CALL",
        "STARTED (UTC)",
        pad("FROM", from),
        pad("TO", to),
        "TALKED",
        pad("ENDED BY", ended_by)
    )?;
    for row in &rows {
        let (dim, style) = (if row.duration.is_empty() { DIM } else { PLAIN }, row.style);
        writeln!(
            out,
            "{BOLD}{}{BOLD:#}  {}  {}  →  {}  {dim}{:>9}{dim:#}  {}  {style}{}{style:#}",
            row.id,
            row.started,
            pad(&row.from, from),
            pad(&row.to, to),
            if row.duration.is_empty() { "–" } else { &row.duration },
            pad(&row.ended_by, ended_by),
            row.cause
        )?;
    }
    Ok(())
}

struct Widths {
    from: usize,
    to: usize,
    ended_by: usize,
    cause: usize,
}

impl Widths {
    fn of(rows: &[Row]) -> Self {
        let widest = |heading: &str, field: fn(&Row) -> &String| {
            rows.iter().map(|row| width(field(row))).fold(width(heading), usize::max)
        };
        Self {
            from: widest("FROM", |row| &row.from),
            to: widest("TO", |row| &row.to),
            ended_by: widest("ENDED BY", |row| &row.ended_by),
            cause: widest("CAUSE", |row| &row.cause),
        }
    }

    fn all(&self) -> usize {
        FIXED + self.from + self.to + self.ended_by + self.cause
    }
}

/// Column widths that fit: first the hosts go, then From and To share what is left.
fn fit(rows: &mut [Row], columns: Option<usize>) -> Widths {
    let mut widths = Widths::of(rows);
    let Some(columns) = columns else { return widths };
    if widths.all() > columns {
        for row in rows.iter_mut() {
            for uri in [&mut row.from, &mut row.to] {
                if let Some(user) = uri.split('@').next().filter(|user| !user.is_empty()) {
                    *uri = user.to_owned();
                }
            }
        }
        widths = Widths::of(rows);
    }
    if widths.all() > columns {
        let left = columns.saturating_sub(FIXED + widths.ended_by + widths.cause);
        let to = widths.to.min((left / 2).max(8));
        widths = Widths { from: widths.from.min(left.saturating_sub(to).max(8)), to, ..widths };
    }
    widths
}

fn row(call: &CallSummary) -> Row {
    let ended_by = match (&call.side, &call.agent) {
        _ if call.is_live() => String::from("–"),
        (Some(side), Some(agent)) if agent != "unknown" => format!("{side}/{agent}"),
        (Some(side), _) => side.clone(),
        (None, _) => String::from("?"),
    };
    let cause = if call.is_live() {
        format!("live, {}", call.phase)
    } else {
        plain(call.cause.as_deref().unwrap_or("?"))
    };
    Row {
        id: call.call_id.to_string().chars().take(ID).collect(),
        started: second(call.started_at),
        duration: call.duration_ms.map(length).unwrap_or_default(),
        from: short_uri(&call.from),
        to: short_uri(&call.to),
        ended_by,
        cause,
        style: family(call.family.as_deref()),
    }
}

/// Groups of calls with bars.
pub fn groups(out: &mut Output, groups: &[Group]) -> io::Result<()> {
    if groups.is_empty() {
        return writeln!(out, "no calls");
    }
    let key = groups.iter().map(|group| width(&group.key)).fold(5, usize::max);
    let most = groups.iter().map(|group| group.calls).max().unwrap_or(1);
    writeln!(
        out,
        "{DIM}{}  {:>8}  {:>6}  {:>8}  {:>8}{DIM:#}",
        " ".repeat(key),
        "CALLS",
        "SHARE",
        "ANSWERED",
        "LONGEST"
    )?;
    for group in groups {
        let bar = usize::try_from(group.calls * 24 / most.max(1)).unwrap_or_default().max(1);
        writeln!(
            out,
            "{}  {:>8}  {:>5.1}%  {:>8}  {:>8}  {DIM}{}{DIM:#}",
            pad(&plain(&group.key), key),
            group.calls,
            group.share * 100.0,
            group.answered,
            if group.answered == 0 { "–".into() } else { length(group.longest_ms) },
            "▇".repeat(bar)
        )?;
    }
    let (calls, total) =
        groups.iter().fold((0, 0), |(calls, total), group| (calls + group.calls, total + group.total_ms));
    writeln!(out, "{DIM}{}, {} of conversation{DIM:#}", super::words::count(calls, "call"), length(total))
}
