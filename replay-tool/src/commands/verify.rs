//! `callbox verify`: every checksum, sequence and chain of the store.

use std::io::Write;

use callbox_store::verify::{self, Report};
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style::{BAD, GOOD};
use crate::render::words::count;
use crate::source;

const EXAMPLES: &str = "\
Examples:
  callbox verify --store journal

Exits with 1 if anything is damaged; each damage is printed with its place.";

/// Verify every checksum, sequence number and hash chain of the store
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let bar = Progress::events(0);
    let report =
        verify::verify(source::dir(common)?, &mut |progress| bar.reached(progress.events, progress.of))?;
    drop(bar);
    if common.json {
        out.json(&document(&report))?
    } else {
        print(out, &report)?
    }
    Ok(if report.is_sound() { ExitCode::Ok } else { ExitCode::Finding })
}

fn document(report: &Report) -> serde_json::Value {
    let damages: Vec<_> =
        report.damages.iter().map(|damage| json!({"place": damage.place, "what": damage.what})).collect();
    json!({
        "sound": report.is_sound(),
        "calls": report.calls,
        "commits": report.commits,
        "events": report.events,
        "damaged": report.damaged,
        "damages": damages,
    })
}

fn print(out: &mut Output, report: &Report) -> std::io::Result<()> {
    for damage in &report.damages {
        writeln!(out, "{BAD}damaged{BAD:#}  {}: {}", damage.place, damage.what)?;
    }
    let unlisted = report.damaged.saturating_sub(report.damages.len() as u64);
    if unlisted > 0 {
        writeln!(out, "{BAD}damaged{BAD:#}  and {unlisted} more")?;
    }
    let (calls, commits) = (count(report.calls, "call"), count(report.commits, "commit"));
    let counted = format!("{calls}, {commits}, {}", count(report.events, "event"));
    if report.is_sound() {
        writeln!(out, "{GOOD}sound{GOOD:#}  {counted}: every checksum, sequence number and chain holds")
    } else {
        writeln!(out, "{BAD}{}{BAD:#}  {counted} are whole", count(report.damaged, "damage"))
    }
}
