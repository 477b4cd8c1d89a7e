//! `callbox verify`: every checksum, sequence and chain of a store or a recording.

use std::io::Write;
use std::path::{Path, PathBuf};

use callbox_store::recording;
use callbox_store::repair::{Repair, RepairError, repair};
use callbox_store::verify::{self, Damage, Report};
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
  callbox verify --store journal --repair new    write what is sound to a new store
  callbox verify --recording calls.recording

The journal is kept twice, so damage to one copy loses nothing; engine and tools read the other one. Exits with 1 if anything is damaged; each damage is printed with its place.";

/// Verify every checksum, sequence number and hash chain of a store or a recording
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Write what is sound to a new store in this directory, and list what is lost
    #[arg(long, value_name = "DIR")]
    repair: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    if let Some(into) = &args.repair {
        return repaired(into, common, out);
    }
    let bar = Progress::events(0);
    let mut reached = |progress: verify::Progress| bar.reached(progress.events, progress.of);
    let report = match &common.recording {
        Some(path) => recording::verify(path, &mut reached)?,
        None => verify::verify(source::dir(common)?, &mut reached)?,
    };
    drop(bar);
    if common.json {
        out.json(&document(&report))?
    } else {
        print(out, &report)?
    }
    Ok(if report.is_sound() { ExitCode::Ok } else { ExitCode::Finding })
}

/// Writes a new store; finding something lost is a finding.
fn repaired(into: &Path, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let bar = Progress::events(0);
    let done = repair(source::dir(common)?, into, &mut |progress| bar.reached(progress.events, progress.of));
    drop(bar);
    let repair = done.map_err(|error| match error {
        RepairError::Open(error) => error.into(),
        RepairError::Read(error) => error.into(),
        RepairError::Exists => Failure::new(ExitCode::Usage, "exists", error.to_string())
            .hint("name a directory that does not exist yet"),
        RepairError::InUse => Failure::new(ExitCode::Store, "store_locked", error.to_string()),
        RepairError::Append(_) => Failure::new(ExitCode::Failure, "not_written", error.to_string())
            .hint("check permissions and room on the disk"),
    })?;
    if common.json {
        out.json(&repair_document(&repair))?;
    } else {
        print_repair(out, &repair, into)?;
    }
    Ok(if repair.lost.is_empty() { ExitCode::Ok } else { ExitCode::Finding })
}

fn repair_document(repair: &Repair) -> serde_json::Value {
    let incomplete: Vec<_> = repair
        .incomplete
        .iter()
        .map(|(call, version)| json!({"call_id": call.to_string(), "lost_from": version}))
        .collect();
    json!({
        "commits": repair.commits,
        "events": repair.events,
        "lost": repair.lost.iter().map(|(from, until)| json!({"from": from, "until": until})).collect::<Vec<_>>(),
        "incomplete": incomplete,
        "damages": listed(&repair.damages),
    })
}

fn print_repair(out: &mut Output, repair: &Repair, into: &Path) -> std::io::Result<()> {
    for damage in &repair.damages {
        writeln!(out, "{BAD}damaged{BAD:#}  {}: {}", damage.place, damage.what)?;
    }
    for (from, until) in &repair.lost {
        writeln!(out, "{BAD}lost{BAD:#}     sequence {from} to {}, in both copies", until - 1)?;
    }
    for (call, version) in &repair.incomplete {
        writeln!(out, "{BAD}lost{BAD:#}     call {call}: everything from its event {version} on")?;
    }
    let counted = format!("{}, {}", count(repair.commits, "commit"), count(repair.events, "event"));
    let lost: u64 = repair.lost.iter().map(|(from, until)| until - from).sum();
    let lost =
        if lost == 0 { "nothing is lost".to_owned() } else { format!("{} lost", count(lost, "event")) };
    writeln!(out, "{GOOD}written{GOOD:#}  {counted} to {}; {lost}", into.display())
}

fn listed(damages: &[Damage]) -> Vec<serde_json::Value> {
    damages.iter().map(|damage| json!({"place": damage.place, "what": damage.what})).collect()
}

fn document(report: &Report) -> serde_json::Value {
    let damages = listed(&report.damages);
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
