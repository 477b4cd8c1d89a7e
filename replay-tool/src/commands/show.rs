//! `callbox show`: every event of a call.

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::{render, selector, source};

const EXAMPLES: &str = "\
Examples:
  callbox show latest                       every event with its cause and its messages' first lines
  callbox show latest --raw                 the whole SIP messages too
  callbox show 3f2a --json | jq .type       one recorded event a line";

/// Show every event of a call: time, phase change, cause, SIP messages
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id, unique prefix, SIP Call-ID, or `latest`
    call: String,
    /// Print whole SIP messages, not only their first lines
    #[arg(long, conflicts_with = "json")]
    raw: bool,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let commits = selector::call(reader.as_ref(), &args.call)?;
    if common.json {
        for event in commits.iter().flat_map(|stored| stored.recorded()) {
            out.json(&event)?;
        }
    } else {
        render::events::show(out, &commits, args.raw)?;
    }
    Ok(ExitCode::Ok)
}
