//! `callbox check`: the recorded inputs through the machine again; the first divergence from the record.

use std::io::Write;

use callbox_events::schema::StoredCommit;
use callbox_events::view::{Divergence, rerun};
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style::{BAD, DIM, GOOD};
use crate::scan::Scan;
use crate::{render, selector, source};

const EXAMPLES: &str = "\
Examples:
  callbox check                     every call of the store
  callbox check latest 3f2a         these two

Exits with 1 if a record and the machine part anywhere.";

/// Re-run recorded inputs through the state machine and compare with what was recorded
///
/// Compared are the events, the phases, and the messages that left: what the machine wants sent must have left, and
/// nothing else but what a transaction sends by itself.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The calls; all of the store if none is named
    calls: Vec<String>,
}

#[derive(Default)]
struct Tally {
    calls: u64,
    events: u64,
    messages: u64,
    diverged: u64,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let mut tally = Tally::default();
    if args.calls.is_empty() {
        for commits in Scan::of(reader.as_ref(), Progress::events(reader.tail()?.seq()))? {
            check(&commits?, common, out, &mut tally)?;
        }
    } else {
        for commits in selector::calls(reader.as_ref(), &args.calls)? {
            check(&commits, common, out, &mut tally)?;
        }
    }
    if !common.json {
        conclude(out, &tally)?;
    }
    Ok(if tally.diverged == 0 { ExitCode::Ok } else { ExitCode::Finding })
}

fn check(
    commits: &[StoredCommit],
    common: &Common,
    out: &mut Output,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let Some(first) = commits.first() else { return Ok(()) };
    let result = rerun(commits);
    tally.calls += 1;
    tally.events += result.agreed;
    tally.messages += result.messages;
    tally.diverged += u64::from(result.divergence.is_some());
    let call = first.commit.call;
    if common.json {
        let divergence = result.divergence.as_ref().map(document);
        return out.json(&json!({
            "call_id": call,
            "events": result.agreed,
            "messages": result.messages,
            "divergence": divergence,
        }));
    }
    if let Some(divergence) = &result.divergence {
        writeln!(out, "{BAD}diverged{BAD:#}  call {call} at event #{}", divergence.event)?;
        writeln!(out, "          input     {}", divergence.input)?;
        writeln!(out, "          {}", render::words::difference(&divergence.what).join("\n          "))?;
        writeln!(
            out,
            "          {DIM}callbox step {} --at {}{DIM:#}",
            call,
            divergence.event.saturating_sub(1)
        )?;
    }
    Ok(())
}

fn document(divergence: &Divergence) -> serde_json::Value {
    json!({"event": divergence.event, "input": divergence.input, "what": divergence.what.to_string()})
}

fn conclude(out: &mut Output, tally: &Tally) -> Result<(), Failure> {
    let Tally { calls, events, messages, diverged } = tally;
    let [calls, events, messages] = [(calls, "call"), (events, "event"), (messages, "sent message")]
        .map(|(number, noun)| render::words::count(*number, noun));
    let counted = format!("{calls}, {events} and {messages}");
    if *diverged == 0 {
        writeln!(out, "{GOOD}same{GOOD:#}  {counted} decided again: nothing differs from the record")?;
    } else {
        writeln!(out, "{BAD}{diverged} diverged{BAD:#}  {counted} agreed")?;
    }
    Ok(())
}
