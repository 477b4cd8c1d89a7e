//! When somebody listened, as lines in order of time.

use std::io::{self, Write};

use callbox_events::Timestamp;
use callbox_store::proof::coverage::{Gap, Interval};

use super::style::{DIM, GOOD, WARN};
use super::time::{length, second};
use super::words::{clean, count};
use crate::output::Output;

/// Draws intervals and gaps, in order of their beginnings.
pub fn print(out: &mut Output, intervals: &[Interval], gaps: &[Gap], with_key: bool) -> io::Result<()> {
    if intervals.is_empty() {
        return writeln!(out, "nobody said that it was listening");
    }
    for interval in intervals {
        listening(out, interval, with_key)?;
        let gap = gaps.iter().find(|gap| gap.node == interval.node && gap.from == interval.until);
        if let Some(Gap { node, from, until }) = gap {
            writeln!(out, "{WARN}gap{WARN:#}        {}  {}", span(*from, *until), clean(node))?;
        }
    }
    Ok(())
}

fn listening(out: &mut Output, interval: &Interval, with_key: bool) -> io::Result<()> {
    let Interval { node, from, until, received, sent, events, listening, signed } = interval;
    writeln!(out, "{GOOD}listening{GOOD:#}  {}  {}", span(*from, *until), clean(node))?;
    let messages = format!("{} in, {} out", count(*received, "message"), sent);
    let signature = match (with_key, signed) {
        (false, _) => "",
        (true, true) => " · signed",
        (true, false) => " · not signed with that key",
    };
    writeln!(
        out,
        "           {DIM}{messages}, {} · {}{signature}{DIM:#}",
        count(*events, "event"),
        clean(&listening.join(" "))
    )
}

fn span(from: Timestamp, until: Timestamp) -> String {
    let millis = u64::try_from(until.since(from).as_millis()).unwrap_or(u64::MAX);
    format!("{} – {}  {:>7}", second(from), second(until), length(millis))
}
