//! `callbox why`: who ended a call, how and why, with the evidence.

use callbox_events::schema::StoredCommit;
use callbox_events::verdict::{Rulebook, Why, why_with};

use super::rejudge::rulebook;
use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::{render, selector, source};

const EXAMPLES: &str = "\
Examples:
  callbox why latest                        one sentence, then the evidence for and against it
  callbox why latest --lang zh              the sentence in Chinese
  callbox why latest --rulebook 1.0         as the first released rules judge it
  callbox why 3f2a --json | jq .verdict.cause";

/// Explain who ended a call, how and why, with the evidence for it and against it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id, unique prefix, SIP Call-ID, or `latest`
    call: String,
    /// The language of the sentence: en, zh
    #[arg(long, value_name = "LANG", default_value = "en", hide_possible_values = true)]
    lang: Lang,
    /// Judge by the rules of this version [default: the newest]
    #[arg(long, value_name = "VERSION", value_parser = rulebook)]
    rulebook: Option<Rulebook>,
}

/// The languages a summary is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let commits = selector::call(reader.as_ref(), &args.call)?;
    let why = judged_by(args.rulebook.unwrap_or(Rulebook::NEWEST), &commits, &args.call)?;
    if common.json {
        out.json(&why)?;
    } else {
        render::why::print(out, &why, &commits, args.lang)?;
    }
    Ok(ExitCode::Ok)
}

/// The verdict of a call that has commits, by the newest rules.
pub fn judged(commits: &[StoredCommit], named: &str) -> Result<Why, Failure> {
    judged_by(Rulebook::NEWEST, commits, named)
}

fn judged_by(rulebook: Rulebook, commits: &[StoredCommit], named: &str) -> Result<Why, Failure> {
    why_with(rulebook, commits.iter().map(|stored| &stored.commit)).ok_or_else(|| {
        Failure::new(ExitCode::NotFound, "call_not_found", format!("nothing is recorded of `{named}`"))
    })
}
