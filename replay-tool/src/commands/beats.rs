//! `callbox beats`: when somebody listened, what came, and when nobody did.

use callbox_events::Timestamp;
use callbox_store::proof::coverage::Coverage;
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::trust::Trust;
use crate::{render, source, when};

const EXAMPLES: &str = "\
Examples:
  callbox beats --store journal --since 2h                           the last two hours
  callbox beats --store journal --public-key callbox.key.pub --json  what the key vouches for

An engine that listens says so in every checkpoint: since when, where, and how many messages came and went. So
\"nothing arrived between then and then, and we were listening\" can be shown: an interval that covers the time,
with 0 received. Gaps are times that nobody vouches for: between a crash and the next start, for one.
`callbox verify` tells whether the checkpoints are genuine and complete.";

/// Show when an engine was listening, what came and went meanwhile, and the gaps between
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Intervals that reach beyond this time
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    since: Option<Timestamp>,
    /// Intervals that begin before this time
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    until: Option<Timestamp>,
    #[command(flatten)]
    trust: Trust,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let keys = args.trust.keys()?;
    let kept = source::checkpoints(common)?;
    let mut coverage = Coverage::new(args.since, args.until, &keys);
    // What can't be read vouches for nothing: it shows as a gap.
    kept.flatten().for_each(|entry| coverage.add(&entry));
    let (intervals, gaps) = coverage.finish();
    if !common.json {
        render::beats::print(out, &intervals, &gaps, !keys.is_empty())?;
        return Ok(ExitCode::Ok);
    }
    for interval in &intervals {
        out.json(&json!({"kind": "listening", "interval": interval}))?;
    }
    for gap in &gaps {
        out.json(&json!({"kind": "gap", "interval": gap}))?;
    }
    Ok(ExitCode::Ok)
}
