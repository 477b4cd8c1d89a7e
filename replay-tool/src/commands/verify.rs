//! `callbox verify`: every checksum, sequence, chain and checkpoint of a store or a recording; or a proof by itself.

mod proof;

use std::io::Write;
use std::path::{Path, PathBuf};

use callbox_store::proof::audit::Reach;
use callbox_store::recording;
use callbox_store::repair::{Repair, RepairError, repair};
use callbox_store::verify::{self, Brought, Damage, Report};
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style::{BAD, GOOD};
use crate::render::words::count;
use crate::source::{self, Named};
use crate::trust::{self, Trust};
use crate::{remote, render};

const EXAMPLES: &str = "\
Examples:
  callbox verify --store journal
  callbox verify --store journal --repair new    write what is sound to a new store
  callbox verify --recording calls.recording
  callbox verify --recording calls.recording --public-key callbox.key.pub     against the signed checkpoint in it
  callbox verify --store journal --public-key callbox.key.pub --checkpoint kept-elsewhere.note
  callbox verify --url http://127.0.0.1:8080 --public-key callbox.key.pub
  callbox verify --proof call.proof --public-key callbox.key.pub     without any store

The journal is kept twice, so damage to one copy loses nothing; engine and tools read the other one.
Over --url everything that the engine gives out is verified, with its checkpoints; both copies of the journal are only seen
beside it. An engine that lies is found out by a public key and by a checkpoint that was kept elsewhere.
Without a public key the checkpoints are compared with the journal, but not their signatures. A checkpoint that was
kept elsewhere shows also that the end was cut off, or that the whole store was made anew.
Exits with 1 if anything is damaged; each damage is printed with its place.";

/// Verify every checksum, sequence number, hash chain and checkpoint of a store or a recording, or a proof
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Write what is sound to a new store in this directory, and list what is lost
    #[arg(long, value_name = "DIR")]
    repair: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
    /// A checkpoint that was kept elsewhere, or a copy of the file of them: the journal must go on from it (repeatable)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["proof", "repair", "recording"])]
    checkpoint: Vec<PathBuf>,
    /// Verify this proof instead, as `callbox prove` made it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["repair", "recording", "url"])]
    proof: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    if let Some(into) = &args.repair {
        return repaired(into, common, out);
    }
    let keys = args.trust.keys()?;
    if let Some(path) = &args.proof {
        return proof::run(path, &keys, common, out);
    }
    let brought = Brought { keys, checkpoints: trust::checkpoints(&args.checkpoint)? };
    let bar = Progress::events(0);
    let mut reached = |progress: verify::Progress| bar.reached(progress.events, progress.of);
    let named = source::named(common)?;
    let report = match &named {
        Named::Recording(path) => recording::verify_with(path, &brought.keys, &mut reached)?,
        Named::Store(dir) => verify::verify_with(dir, &brought, &mut reached)?,
        Named::Url(url) => {
            let engine = remote::open(url, common)?;
            // Before the journal is read: so it reaches as far as they do.
            let kept = engine.kept()?;
            verify::verify_reader_with(&engine, kept, &brought, &mut reached)?
        }
    };
    drop(bar);
    if common.json {
        out.json(&document(&report))?
    } else {
        print(out, &report)?;
        if !matches!(named, Named::Recording(_)) {
            render::proof::seals(out, &report.seals, &brought.keys)?;
            if let Some(erasures) = &report.erasures {
                render::erasures::erasures(out, erasures, &brought.keys)?;
            }
        } else {
            render::proof::recorded(out, &report, &brought.keys)?;
        }
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
    let seals = &report.seals;
    json!({
        "sound": report.is_sound(),
        "calls": report.calls,
        "commits": report.commits,
        "events": report.events,
        "damaged": report.damaged,
        "damages": damages,
        "checkpoints": {
            "kept": seals.checkpoints,
            "signed": seals.signed,
            "unsigned": seals.unsigned,
            "elsewhere": seals.elsewhere,
            "covered": seals.covered.as_ref().map(reach),
            "vouched": seals.vouched.as_ref().map(reach),
            "cut": seals.cut,
            "before": seals.before,
        },
        "erasures": report.erasures.as_ref().map(render::erasures::document),
        "pruned": seals.pruned.map(|cut| json!({
            "commits": cut.commits, "events": cut.events, "until": cut.until.to_string(),
        })),
    })
}

fn reach(reach: &Reach) -> serde_json::Value {
    json!({"commits": reach.commits, "events": reach.events, "time": reach.time.to_string()})
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
