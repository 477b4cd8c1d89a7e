//! `callbox list`: one call a line.

use std::collections::BTreeMap;

use callbox_events::schema::StoredCommit;
use callbox_events::view::{CallSummary, summarise};
use callbox_store::JournalReader;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::filter::Filter;
use crate::output::Output;
use crate::progress::Progress;
use crate::render;
use crate::scan::Scan;
use crate::source;

const EXAMPLES: &str = "\
Examples:
  callbox list --limit 20                         the 20 newest calls
  callbox list --cause no_answer --since 1d       missed today
  callbox list --sort duration --limit 5          the five longest conversations
  callbox list --json | jq -r .cause | sort | uniq -c";

/// List calls, one a line: when, who, how long, who ended it and why
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    filter: Filter,
    /// Show only the last N in the order shown: by default the newest
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// The order: started, ended, duration, cause, events
    #[arg(long, value_name = "KEY", default_value = "started", hide_possible_values = true)]
    sort: Sort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sort {
    Started,
    Ended,
    Duration,
    Cause,
    Events,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let calls = collect(args, reader.as_ref())?;
    if common.json {
        for call in calls.values() {
            out.json(call)?;
        }
    } else {
        render::table::calls(out, &calls.into_values().collect::<Vec<_>>())?;
    }
    Ok(ExitCode::Ok)
}

/// The calls in order; never more than the limit are held.
fn collect(args: &Args, reader: &dyn JournalReader) -> Result<BTreeMap<Key, CallSummary>, Failure> {
    let limit = args.limit.unwrap_or(usize::MAX);
    let mut kept = BTreeMap::new();
    for commits in Scan::of(reader, Progress::events(reader.tail()?.seq()))? {
        let Some(call) = summary(&commits?) else { continue };
        if args.filter.takes(&call) {
            kept.insert(args.sort.key(&call), call);
            if kept.len() > limit {
                kept.pop_first();
            }
        }
    }
    Ok(kept)
}

/// The summary of a call; none for a record that lacks its beginning.
pub fn summary(commits: &[StoredCommit]) -> Option<CallSummary> {
    summarise(commits.iter().map(|stored| &stored.commit))
}

/// What is compared, then the start, then the id: an order without ties.
type Key = (u64, String, u64, [u8; 16]);

impl Sort {
    fn key(self, call: &CallSummary) -> Key {
        let (number, text) = match self {
            Self::Started => (0, String::new()),
            Self::Ended => (call.ended_at.map_or(u64::MAX, |at| at.micros()), String::new()),
            Self::Duration => (call.duration_ms.unwrap_or(0), String::new()),
            Self::Cause => (0, call.cause.clone().unwrap_or_default()),
            Self::Events => (call.events, String::new()),
        };
        (number, text, call.started_at.micros(), *call.call_id.as_bytes())
    }
}
