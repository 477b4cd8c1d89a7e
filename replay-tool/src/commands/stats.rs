//! `callbox stats`: counts, shares and durations.

use std::collections::BTreeMap;

use callbox_events::view::CallSummary;
use serde::Serialize;

use super::list::summary;
use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::filter::Filter;
use crate::output::Output;
use crate::progress::Progress;
use crate::scan::Scan;
use crate::{render, source};

const EXAMPLES: &str = "\
Examples:
  callbox stats                             by cause
  callbox stats --by hour --since 1d
  callbox stats --by side --family cleared";

/// Count calls by cause, family, side or hour, with shares and durations
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to count by: cause, family, side, hour
    #[arg(long, value_name = "KEY", default_value = "cause", hide_possible_values = true)]
    by: By,
    #[command(flatten)]
    filter: Filter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    Cause,
    Family,
    Side,
    Hour,
}

/// The calls that share one value.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Group {
    /// The value.
    pub key: String,
    /// How many calls.
    pub calls: u64,
    /// Of 1.
    pub share: f64,
    /// How many of them were answered.
    pub answered: u64,
    /// All their conversations together, in milliseconds.
    pub total_ms: u64,
    /// The longest conversation, in milliseconds.
    pub longest_ms: u64,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for commits in Scan::of(reader.as_ref(), Progress::events(reader.tail()?.seq()))? {
        if let Some(call) = summary(&commits?).filter(|call| args.filter.takes(call)) {
            groups.entry(args.by.key(&call)).or_default().add(&call);
        }
    }
    let groups = finish(groups, args.by);
    if common.json {
        for group in &groups {
            out.json(group)?;
        }
    } else {
        render::table::groups(out, &groups)?;
    }
    Ok(ExitCode::Ok)
}

impl By {
    fn key(self, call: &CallSummary) -> String {
        match self {
            Self::Cause => call.cause.clone().unwrap_or_default(),
            Self::Family => call.family.clone().unwrap_or_default(),
            Self::Side => call.side.clone().unwrap_or_default(),
            Self::Hour => format!("{}:00Z", call.started_at.to_string().get(..13).unwrap_or_default()),
        }
    }
}

impl Group {
    fn add(&mut self, call: &CallSummary) {
        let duration = call.duration_ms.unwrap_or_default();
        self.calls += 1;
        self.answered += u64::from(call.answered_at.is_some());
        self.total_ms += duration;
        self.longest_ms = self.longest_ms.max(duration);
    }
}

/// With keys and shares; hours in order of time, anything else by count.
fn finish(groups: BTreeMap<String, Group>, by: By) -> Vec<Group> {
    let all: u64 = groups.values().map(|group| group.calls).sum();
    let mut groups: Vec<Group> = groups
        .into_iter()
        .map(|(key, group)| Group { key, share: share(group.calls, all), ..group })
        .collect();
    if by != By::Hour {
        groups.sort_by_key(|group| std::cmp::Reverse(group.calls));
    }
    groups
}

/// Four digits are enough for people and stay the same everywhere.
#[allow(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { (part as f64 / all as f64 * 10_000.0).round() / 10_000.0 }
}
