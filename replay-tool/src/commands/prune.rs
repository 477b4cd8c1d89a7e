//! `callbox prune`: removes the oldest volumes of a store that no engine writes to.

use std::io::Write;
use std::time::Duration;

use bytesize::ByteSize;
use callbox_events::time::parse_span;
use callbox_store::Journal;
use callbox_store::layout;
use callbox_store::retention::policy::{Retention, Volume};
use callbox_store::retention::prune::{Outcome, PruneError};
use callbox_store::sled::SledJournal;
use serde_json::{Value, json};

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style::{DIM, GOOD, WARN};
use crate::render::time::full;
use crate::render::words::count;
use crate::signing::Signing;
use crate::{source, when};

const EXAMPLES: &str = "\
Examples:
  callbox prune --older-than 30d --dry-run --store calls     what would go
  callbox prune --older-than 30d --store calls
  callbox prune --larger-than 20GiB --signing-key callbox.key --store calls

Whole volumes go, the oldest first; the one that is written to never does, nor one with a part of a call that is not over,
unless it is given up, nor one that is damaged. Held calls (callbox hold) are kept beside the journal. Checkpoints and proofs of what stays hold
as before, and the next checkpoint says what was removed. A running engine does this by itself: callboxd serve --keep-for
and --keep-size.";

/// Remove the oldest volumes of a store, by age or by size
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("limit").required(true).multiple(true))]
pub struct Args {
    /// Remove volumes whose newest record is older: 30d, 2w, 12h
    #[arg(long, value_name = "TIME", value_parser = span, group = "limit")]
    older_than: Option<Duration>,
    /// Remove the oldest volumes while all of them take more: 500MB, 20GiB
    #[arg(long, value_name = "SIZE", group = "limit")]
    larger_than: Option<ByteSize>,
    /// Also volumes with calls that are not over, which are lost as a whole then
    #[arg(long)]
    even_unfinished: bool,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let store = source::dir(common)?;
    // A wrong path must not leave a store behind.
    layout::check(store)?;
    let retention = Retention {
        age: args.older_than,
        bytes: args.larger_than.map(|size| size.as_u64()),
        unfinished: args.even_unfinished,
    };
    let journal = SledJournal::open(store, args.signing.options(store)?)?;
    let bar = Progress::events(0);
    let pruned = journal.prune(retention, args.dry_run, when::now(), &mut |progress| {
        bar.reached(progress.events, progress.of);
    });
    drop(bar);
    let outcome = pruned.map_err(refused)?;
    journal.close().map_err(|error| Failure::new(ExitCode::Store, "store_unusable", error.to_string()))?;
    if common.json {
        out.json(&document(&outcome, args.dry_run))?;
    } else {
        print(out, &outcome, args.dry_run)?;
    }
    Ok(ExitCode::Ok)
}

fn span(text: &str) -> Result<Duration, String> {
    parse_span(text).ok_or_else(|| "a time needs its unit, as in 30d, 2w or 12h".into())
}

fn refused(error: PruneError) -> Failure {
    let message = format!("nothing was removed: {error}");
    match error {
        PruneError::Damaged(_) => Failure::new(ExitCode::Finding, "store_damaged", message)
            .hint("`callbox verify` lists what is damaged; what can't be proven is not removed"),
        PruneError::Read(error) => Failure::new(ExitCode::Store, "store_corrupt", message).hint(error.hint()),
        PruneError::Io(_) => Failure::new(ExitCode::Store, "store_unusable", message),
    }
}

fn print(out: &mut Output, outcome: &Outcome, dry_run: bool) -> std::io::Result<()> {
    let Outcome { removed, cut, held, stays } = outcome;
    let bytes: u64 = removed.iter().map(|volume| volume.bytes).sum();
    let volumes = count(removed.len() as u64, "volume");
    match cut {
        None => writeln!(out, "nothing is due")?,
        Some(cut) => writeln!(
            out,
            "{GOOD}{}{GOOD:#}  {volumes}, {}: everything up to {}, {} since the store began",
            if dry_run { "due" } else { "removed" },
            ByteSize(bytes),
            full(cut.until),
            count(cut.commits, "commit"),
        )?,
    }
    if *held > 0 {
        writeln!(out, "{DIM}held{DIM:#}     {} of them, kept beside the journal", count(*held, "call"))?;
    }
    if let Some((volume, call)) = stays {
        let until = volume.times.map(|(_, until)| format!(" up to {}", full(until))).unwrap_or_default();
        writeln!(
            out,
            "{WARN}stays{WARN:#}    the volume{until}, and what is younger: call {call} is not over"
        )?;
    }
    Ok(())
}

fn document(outcome: &Outcome, dry_run: bool) -> Value {
    let Outcome { removed, cut, held, stays } = outcome;
    json!({
        "dry_run": dry_run,
        "removed": removed.iter().map(volume).collect::<Vec<_>>(),
        "pruned": cut.map(|cut| json!({
            "commits": cut.commits, "events": cut.events, "until": cut.until.to_string(),
        })),
        "held_calls": held,
        "stays": stays.as_ref().map(|(stays, call)| json!({
            "volume": volume(stays), "alive": call.to_string(),
        })),
    })
}

fn volume(volume: &Volume) -> Value {
    json!({
        "first": volume.begin.seq(),
        "end": volume.end.seq(),
        "since": volume.times.map(|(since, _)| since.to_string()),
        "until": volume.times.map(|(_, until)| until.to_string()),
        "bytes": volume.bytes,
    })
}
