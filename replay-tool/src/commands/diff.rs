//! `callbox diff`: the first divergence of two calls, then the rest.

use std::time::Duration;

use callbox_events::schema::StoredCommit;
use callbox_events::view::{Step, timeline};
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::{render, selector, source};

const EXAMPLES: &str = "\
Examples:
  callbox diff 3f2a 91c0            two attempts of the same thing: where do they part?

Times, identifiers and addresses are not compared. Exits with 1 if the calls differ.";

/// Compare two calls: where they part first, then the rest
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// One call
    a: String,
    /// The other call
    b: String,
}

/// One event as it is compared: what led to it, and what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The event's number in its call.
    pub event: u64,
    /// Since the call's beginning.
    pub offset: Duration,
    /// What is compared.
    pub text: String,
}

/// A row of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Both have it.
    Both(Line, Line),
    /// Only the first has it.
    OnlyA(Line),
    /// Only the second has it.
    OnlyB(Line),
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let a = selector::call(reader.as_ref(), &args.a)?;
    let b = selector::call(reader.as_ref(), &args.b)?;
    let rows = compare(&a, &b);
    let first = rows.iter().position(|row| !matches!(row, Row::Both(..)));
    if common.json {
        out.json(&document(&rows, first))?;
    } else {
        render::events::comparison(out, &rows, first)?;
    }
    Ok(if first.is_none() { ExitCode::Ok } else { ExitCode::Finding })
}

/// The events of two calls side by side.
pub fn compare(a: &[StoredCommit], b: &[StoredCommit]) -> Vec<Row> {
    align(&lines(a), &lines(b))
}

fn lines(commits: &[StoredCommit]) -> Vec<Line> {
    timeline(commits).iter().flat_map(lines_of).collect()
}

fn lines_of(step: &Step) -> Vec<Line> {
    let line = |entry: &callbox_events::view::Entry| Line {
        event: entry.call_seq,
        offset: step.offset,
        text: format!(
            "{}, {} → {}: {}",
            step.cause,
            entry.before,
            entry.after,
            without_addresses(&entry.gist)
        ),
    };
    step.entries.iter().map(line).collect()
}

fn without_addresses(gist: &str) -> String {
    gist.split(" for udp:").next().unwrap_or(gist).split(" for tcp:").next().unwrap_or(gist).to_owned()
}

/// Longest common subsequence: calls are short.
fn align(a: &[Line], b: &[Line]) -> Vec<Row> {
    let width = b.len() + 1;
    let mut common = vec![0usize; (a.len() + 1) * width];
    let at = |table: &[usize], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or_default();
    for (i, left) in a.iter().enumerate().rev() {
        for (j, right) in b.iter().enumerate().rev() {
            let best = if left.text == right.text {
                at(&common, i + 1, j + 1) + 1
            } else {
                at(&common, i + 1, j).max(at(&common, i, j + 1))
            };
            if let Some(cell) = common.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j, mut rows) = (0, 0, Vec::new());
    loop {
        match (a.get(i), b.get(j)) {
            (Some(left), Some(right)) if left.text == right.text => {
                rows.push(Row::Both(left.clone(), right.clone()));
                (i, j) = (i + 1, j + 1);
            }
            (Some(left), right) if right.is_none() || at(&common, i + 1, j) >= at(&common, i, j + 1) => {
                rows.push(Row::OnlyA(left.clone()));
                i += 1;
            }
            (_, Some(right)) => {
                rows.push(Row::OnlyB(right.clone()));
                j += 1;
            }
            (_, None) => return rows,
        }
    }
}

/// The rows for programs, with the index of the one where the calls part.
pub fn document(rows: &[Row], first: Option<usize>) -> serde_json::Value {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| match row {
            Row::Both(a, b) => json!({
                "in": "both", "a": a.event, "b": b.event, "what": a.text,
                "a_offset_us": micros(a), "b_offset_us": micros(b),
            }),
            Row::OnlyA(a) => json!({"in": "a", "a": a.event, "what": a.text, "a_offset_us": micros(a)}),
            Row::OnlyB(b) => json!({"in": "b", "b": b.event, "what": b.text, "b_offset_us": micros(b)}),
        })
        .collect();
    json!({"same": first.is_none(), "first_divergence": first, "rows": rows})
}

fn micros(line: &Line) -> u64 {
    u64::try_from(line.offset.as_micros()).unwrap_or(u64::MAX)
}
