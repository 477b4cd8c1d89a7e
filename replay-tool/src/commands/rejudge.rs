//! `callbox rejudge`: which verdicts change under another rulebook, and why.

use std::io::Write;

use callbox_events::schema::StoredCommit;
use callbox_events::verdict::{Change, Rulebook, Why, changes, why_with};
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style::{GOOD, WARN};
use crate::scan::Scan;
use crate::{render, selector, source};

const EXAMPLES: &str = "\
Examples:
  callbox rejudge                     what the newest rulebook says other than the one before it
  callbox rejudge --rulebook 1.0      what it says other than rulebook 1.0
  callbox rejudge latest --all        both verdicts on this call, even if they agree

The journal keeps the facts and no verdicts, so any rulebook can judge any call at any time.
Exits with 1 if a verdict changes.";

/// List the calls whose verdict changes under another rulebook, with both reasonings
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The calls; all of the store if none is named
    #[arg(value_name = "CALL")]
    calls: Vec<String>,
    /// Compare the newest rulebook with this one [default: the one before the newest]
    #[arg(long, value_name = "VERSION", value_parser = rulebook)]
    rulebook: Option<Rulebook>,
    /// List the calls whose verdict stays the same, too
    #[arg(long)]
    all: bool,
}

/// A call and what two rulebooks say of it.
pub struct Rejudged {
    /// By the rulebook that was named.
    pub from: Why,
    /// By the newest.
    pub to: Why,
    /// Where their conclusions differ.
    pub changes: Vec<Change>,
}

#[derive(Default)]
struct Tally {
    calls: u64,
    changed: u64,
}

/// The version that a person names.
pub fn rulebook(text: &str) -> Result<Rulebook, String> {
    text.parse().map_err(|_| {
        let known: Vec<&str> = Rulebook::ALL.iter().map(|rulebook| rulebook.code()).collect();
        format!("there is no such rulebook; this callbox knows {}", known.join(", "))
    })
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let against = match args.rulebook {
        Some(rulebook) => older(rulebook)?,
        None => Rulebook::ALL.iter().rev().nth(1).copied().unwrap_or(Rulebook::NEWEST),
    };
    let reader = source::open(common)?;
    let mut tally = Tally::default();
    let mut judge = |commits: &[StoredCommit]| tell(commits, against, args.all, common, out, &mut tally);
    if args.calls.is_empty() {
        for commits in Scan::of(reader.as_ref(), Progress::events(reader.tail()?.seq()))? {
            judge(&commits?)?;
        }
    } else {
        for commits in selector::calls(reader.as_ref(), &args.calls)? {
            judge(&commits)?;
        }
    }
    if !common.json {
        conclude(out, against, &tally)?;
    }
    Ok(if tally.changed == 0 { ExitCode::Ok } else { ExitCode::Finding })
}

/// The newest rulebook has nothing to be compared with.
fn older(rulebook: Rulebook) -> Result<Rulebook, Failure> {
    if rulebook < Rulebook::NEWEST {
        return Ok(rulebook);
    }
    let older: Vec<&str> =
        Rulebook::ALL.iter().filter(|one| **one < Rulebook::NEWEST).map(|one| one.code()).collect();
    let message = format!("rulebook {rulebook} is the newest: it can't differ from itself");
    Err(Failure::new(ExitCode::Usage, "rulebook_is_newest", message)
        .hint(format!("name an older one to compare it with: {}", older.join(", "))))
}

fn tell(
    commits: &[StoredCommit],
    against: Rulebook,
    all: bool,
    common: &Common,
    out: &mut Output,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let Some(rejudged) = rejudge(commits, against) else { return Ok(()) };
    tally.calls += 1;
    tally.changed += u64::from(!rejudged.changes.is_empty());
    if rejudged.changes.is_empty() && !all {
        return Ok(());
    }
    if common.json {
        return out.json(&document(&rejudged));
    }
    Ok(render::rejudge::print(out, commits, &rejudged)?)
}

fn rejudge(commits: &[StoredCommit], against: Rulebook) -> Option<Rejudged> {
    let judged = |rulebook| why_with(rulebook, commits.iter().map(|stored| &stored.commit));
    let (from, to) = (judged(against)?, judged(Rulebook::NEWEST)?);
    let changes = changes(&from.verdict, &to.verdict);
    Some(Rejudged { from, to, changes })
}

fn document(rejudged: &Rejudged) -> serde_json::Value {
    json!({
        "call_id": rejudged.to.call_id,
        "sip_call_id": rejudged.to.sip_call_id,
        "changes": rejudged.changes,
        "from": rejudged.from.verdict,
        "to": rejudged.to.verdict,
    })
}

fn conclude(out: &mut Output, against: Rulebook, tally: &Tally) -> Result<(), Failure> {
    let Tally { calls, changed } = tally;
    let judged = render::words::count(*calls, "call");
    let versions = format!("rulebook {against} and {}", Rulebook::NEWEST);
    if *changed == 0 {
        writeln!(out, "{GOOD}same{GOOD:#}  {judged}: {versions} agree")?;
    } else {
        writeln!(out, "{WARN}{changed} changed{WARN:#}  of {judged}, between {versions}")?;
    }
    Ok(())
}
