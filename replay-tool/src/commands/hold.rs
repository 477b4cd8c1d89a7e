//! `callbox hold`: calls that must stay in a store, whatever their age.

use std::io::Write;
use std::path::Path;

use callbox_events::view::CallSummary;
use callbox_events::{CallId, Timestamp};
use callbox_store::retention::holds::{self, Hold, HoldError, Holds, Scope};
use callbox_store::{JournalReader, layout};
use serde_json::{Value, json};

use super::list::summary;
use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::filter::Filter;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style::{DIM, GOOD};
use crate::render::words::count;
use crate::scan::Scan;
use crate::{selector, source, when};

const EXAMPLES: &str = "\
Examples:
  callbox hold place case-7 3f2a 91bc --reason \"claim 7\" --store calls
  callbox hold place case-7 --number 4930123456 --since 2026-10-01 --reason \"claim 7\" --store calls
  callbox hold place audit --period --since 2026-10-01 --until 2026-11-01 --reason audit --store calls
  callbox hold list --store calls
  callbox hold release case-7 --reason settled --store calls

When a volume of the journal is removed, the held calls in it are kept beside the journal, with their proofs, and are shown
as before. The file HOLDS of the store keeps who held what, when and why, also after the release. An engine may be
running meanwhile.";

/// Hold calls: they stay in the store whatever its retention says (legal hold)
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// Hold calls, or all calls of a time, under a name; adds to what is held under it
    Place(Box<Place>),
    /// Let go what is held under a name
    Release {
        /// The name
        name: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List what is held
    List,
}

#[derive(Debug, Clone, clap::Args)]
struct Place {
    /// What to call it, to release it by
    name: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Calls to hold; or filters, for the calls that match now
    #[arg(value_name = "CALL")]
    calls: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// Hold every call that began from --since until --until, also those that are still to come
    #[arg(long, conflicts_with_all = ["calls", "cause", "family", "side", "number", "live"])]
    period: bool,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let store = source::dir(common)?;
    layout::check(store)?;
    match &args.action {
        Action::Place(place) => self::place(place, common, store, out)?,
        Action::Release { name, reason } => {
            holds::release(store, name, reason, when::now()).map_err(refused)?;
            if common.json {
                out.json(&json!({"released": name}))?;
            } else {
                writeln!(out, "{GOOD}released{GOOD:#}  {name}")?;
            }
        }
        Action::List => list(&Holds::read(store)?, common, out)?,
    }
    Ok(ExitCode::Ok)
}

fn place(args: &Place, common: &Common, store: &Path, out: &mut Output) -> Result<(), Failure> {
    let scope = match args.period {
        true => Scope::Time { since: args.filter.since, until: args.filter.until },
        false => Scope::Calls(named(args, common)?),
    };
    holds::place(store, &args.name, &args.reason, &scope, when::now()).map_err(refused)?;
    let what = match &scope {
        Scope::Calls(calls) => count(calls.len() as u64, "call"),
        Scope::Time { since, until } => period(*since, *until),
    };
    if common.json {
        out.json(&json!({"held": args.name, "calls": calls(&scope)}))?;
    } else {
        writeln!(out, "{GOOD}held{GOOD:#}  {what}, as {}", args.name)?;
    }
    Ok(())
}

fn calls(scope: &Scope) -> Vec<String> {
    match scope {
        Scope::Calls(calls) => calls.iter().map(ToString::to_string).collect(),
        Scope::Time { .. } => Vec::new(),
    }
}

/// The calls that are named, or that match.
fn named(args: &Place, common: &Common) -> Result<Vec<CallId>, Failure> {
    if args.calls.is_empty() && args.filter.takes_all() {
        return Err(refused(HoldError::Nothing));
    }
    let reader = source::open(common)?;
    if args.calls.is_empty() {
        return matching(&args.filter, reader.as_ref());
    }
    let found = selector::calls(reader.as_ref(), &args.calls)?;
    let summaries = found.iter().filter_map(|commits| summary(commits));
    Ok(summaries.filter(|call| args.filter.takes(call)).map(|call: CallSummary| call.call_id).collect())
}

fn matching(filter: &Filter, reader: &dyn JournalReader) -> Result<Vec<CallId>, Failure> {
    let mut found = Vec::new();
    for commits in Scan::of(reader, Progress::events(reader.tail()?.seq()))? {
        found.extend(summary(&commits?).filter(|call| filter.takes(call)).map(|call| call.call_id));
    }
    Ok(found)
}

fn list(holds: &Holds, common: &Common, out: &mut Output) -> Result<(), Failure> {
    if common.json {
        for (name, hold) in &holds.active {
            out.json(&document(name, hold))?;
        }
    } else {
        if holds.active.is_empty() && holds.unreadable.is_empty() {
            writeln!(out, "nothing is held")?;
        }
        for (name, hold) in &holds.active {
            writeln!(out, "{name}  {DIM}since {}:{DIM:#} {}", hold.at, hold.reason)?;
            if !hold.calls.is_empty() {
                writeln!(out, "  {}", count(hold.calls.len() as u64, "call"))?;
            }
            for (since, until) in &hold.times {
                writeln!(out, "  {}", period(*since, *until))?;
            }
        }
    }
    match holds.unreadable.as_slice() {
        [] => Ok(()),
        [line, ..] => Err(Failure::new(
            ExitCode::Finding,
            "holds_unreadable",
            format!("line {line} of the file HOLDS can't be read, so everything is held"),
        )
        .hint("find out what was meant, place it again, then remove the line")),
    }
}

fn document(name: &str, hold: &Hold) -> Value {
    let time = |time: &Option<Timestamp>| time.map(|time| time.to_string());
    let periods: Vec<Value> =
        hold.times.iter().map(|(since, until)| json!({"since": time(since), "until": time(until)})).collect();
    let calls: Vec<String> = hold.calls.iter().map(ToString::to_string).collect();
    json!({"name": name, "at": hold.at.to_string(), "reason": hold.reason, "calls": calls, "periods": periods})
}

fn period(since: Option<Timestamp>, until: Option<Timestamp>) -> String {
    match (since, until) {
        (None, None) => "every call".into(),
        (Some(since), None) => format!("every call that began since {since}"),
        (None, Some(until)) => format!("every call that began before {until}"),
        (Some(since), Some(until)) => format!("every call that began from {since} until {until}"),
    }
}

fn refused(error: HoldError) -> Failure {
    let message = error.to_string();
    match error {
        HoldError::Text(_) => Failure::new(ExitCode::Usage, "bad_text", message),
        HoldError::Unknown(_) => Failure::new(ExitCode::NotFound, "not_held", message)
            .hint("`callbox hold list` shows what is held"),
        HoldError::Nothing => Failure::new(ExitCode::Usage, "nothing_to_hold", message)
            .hint("name calls, filters that match some, or --period"),
        HoldError::Io(_) => Failure::new(ExitCode::Store, "hold_not_written", message)
            .hint("check the permissions of the store's directory and the room on its disk"),
    }
}
