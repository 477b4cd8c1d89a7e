//! Which calls a command is about.

use callbox_events::Side;
use callbox_events::Timestamp;
use callbox_events::verdict::{Cause, Family};
use callbox_events::view::CallSummary;

use crate::when;

/// Filters that calls must pass, all of them.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Which calls")]
pub struct Filter {
    /// Calls that started at this time or later: 2026-11-23T06:38:00Z, 2026-11-23, 06:38, 15m, 2h, 1d
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    pub since: Option<Timestamp>,
    /// Calls that started before this time
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    pub until: Option<Timestamp>,
    /// Calls that ended for this cause: hangup, declined, no_answer, ... (repeatable)
    #[arg(long, value_name = "CAUSE", value_parser = cause)]
    pub cause: Vec<Cause>,
    /// Calls whose cause is of this family: cleared, refused, unanswered, ... (repeatable)
    #[arg(long, value_name = "FAMILY", value_parser = family)]
    pub family: Vec<Family>,
    /// Calls that this side ended: caller, callee, network, both, nobody, unknown
    #[arg(long, value_name = "SIDE", value_parser = side)]
    pub side: Option<Side>,
    /// Calls from or to a number or URI that contains this
    #[arg(long, value_name = "TEXT")]
    pub number: Option<String>,
    /// Calls that are not over
    #[arg(long)]
    pub live: bool,
}

impl Filter {
    /// Whether every call passes.
    pub fn takes_all(&self) -> bool {
        self.since.is_none()
            && self.until.is_none()
            && self.cause.is_empty()
            && self.family.is_empty()
            && self.side.is_none()
            && self.number.is_none()
            && !self.live
    }

    /// Whether `call` passes.
    pub fn takes(&self, call: &CallSummary) -> bool {
        let cause = |wanted: &Cause| call.cause.as_deref() == Some(wanted.code());
        let family = |wanted: &Family| call.family.as_deref() == Some(wanted.code());
        let number =
            |wanted: &String| call.from.contains(wanted.as_str()) || call.to.contains(wanted.as_str());
        self.since.is_none_or(|since| call.started_at >= since)
            && self.until.is_none_or(|until| call.started_at < until)
            && (self.cause.is_empty() || self.cause.iter().any(cause))
            && (self.family.is_empty() || self.family.iter().any(family))
            && self.side.is_none_or(|side| call.side.as_deref() == Some(side.code()))
            && self.number.as_ref().is_none_or(number)
            && (!self.live || call.is_live())
    }
}

fn cause(text: &str) -> Result<Cause, String> {
    text.parse().map_err(|_| unknown_code(text, Cause::ALL.iter().map(|cause| cause.code())))
}

fn family(text: &str) -> Result<Family, String> {
    text.parse().map_err(|_| unknown_code(text, Family::ALL.iter().map(|family| family.code())))
}

fn side(text: &str) -> Result<Side, String> {
    const ALL: [Side; 6] =
        [Side::Caller, Side::Callee, Side::Network, Side::Both, Side::Nobody, Side::Unknown];
    ALL.into_iter()
        .find(|side| side.code() == text)
        .ok_or_else(|| unknown_code(text, ALL.iter().map(|side| side.code())))
}

/// Says which codes there are: those that resemble what was typed, or all.
fn unknown_code(text: &str, codes: impl Iterator<Item = &'static str> + Clone) -> String {
    let stem = text.get(..3).unwrap_or(text);
    let alike: Vec<&str> = codes.clone().filter(|code| code.contains(stem)).collect();
    let named = if alike.is_empty() { codes.collect() } else { alike };
    format!("no such code; there is {}", named.join(", "))
}
