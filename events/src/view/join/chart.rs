//! Both records as one sequence chart, on the caller's clock.

use std::time::Duration;

use super::clocks::Estimate;
use super::matching::Basis;
use super::passage::{Passage, passages};
use super::vantage::is_observed;
use crate::party::Role;
use crate::schema::StoredCommit;
use crate::sip::Counters;
use crate::time::Timestamp;
use crate::view::ladder::note;
use crate::view::summary::CallSummary;
use crate::view::{Ladder, Mark, Participant, Row, short_uri, timeline};

/// A row before the beginning of time is known.
struct Point {
    /// By the caller's clock, in microseconds.
    at: i64,
    /// Among rows of the same time: what is received, what happens, what is sent.
    order: u8,
    event: u64,
    mark: Mark,
}

/// The two ends of a call as one chart: messages as arrows from end to end where both records have them, to or from the
/// line between where only one has. Times are the caller's; the callee's are moved by `clocks`. None if one of the
/// records does not begin a call.
#[must_use]
pub fn merged(
    caller: &[StoredCommit],
    callee: &[StoredCommit],
    basis: Basis,
    clocks: Option<Estimate>,
) -> Option<Ladder> {
    let passages = passages(caller, callee, basis);
    let lines = Lines { between: passages.iter().any(Lines::is_open) };
    let ahead = clocks.map_or(0, |clocks| clocks.offset_us);
    let clock = |end: Role, at: Timestamp| {
        let micros = i64::try_from(at.micros()).unwrap_or(i64::MAX);
        match end {
            Role::Caller => micros,
            Role::Callee => micros.saturating_sub(ahead),
        }
    };
    let mut points: Vec<Point> =
        passages.iter().filter_map(|passage| arrow(passage, &lines, &clock, clocks)).collect();
    for (end, commits) in [(Role::Caller, caller), (Role::Callee, callee)] {
        points.extend(notes(commits, end, lines.of(end), &clock));
    }
    points.sort_by_key(|point| (point.at, point.order));
    let start = points.iter().map(|point| point.at).min().unwrap_or_default();
    let rows = points
        .into_iter()
        .map(|point| Row {
            offset: Duration::from_micros(point.at.abs_diff(start)),
            event: point.event,
            mark: point.mark,
        })
        .collect();
    Some(Ladder { participants: lines.participants(caller, callee)?, rows, absorbed: Counters::default() })
}

/// The life lines.
struct Lines {
    /// Whether something between has one.
    between: bool,
}

impl Lines {
    /// Whether only one record has this message, although the other would.
    fn is_open(passage: &Passage) -> bool {
        passage.lost().is_some() || passage.sent.is_none()
    }

    fn of(&self, end: Role) -> usize {
        match end {
            Role::Caller => 0,
            Role::Callee => 1 + usize::from(self.between),
        }
    }

    fn participants(&self, caller: &[StoredCommit], callee: &[StoredCommit]) -> Option<Vec<Participant>> {
        let one = CallSummary::begin(&caller.first()?.commit)?;
        let two = CallSummary::begin(&callee.first()?.commit)?;
        let detail = |commits, end: &str| {
            if is_observed(commits) { "seen on the way".into() } else { format!("the {end}'s record") }
        };
        let mut lines = vec![Participant {
            name: short_uri(&one.from),
            detail: detail(caller, "caller"),
            us: !is_observed(caller),
        }];
        if self.between {
            let detail = "on one record only".into();
            lines.push(Participant { name: "between".into(), detail, us: false });
        }
        lines.push(Participant {
            name: short_uri(&two.to),
            detail: detail(callee, "callee"),
            us: !is_observed(callee),
        });
        Some(lines)
    }
}

fn arrow(
    passage: &Passage,
    lines: &Lines,
    clock: &impl Fn(Role, Timestamp) -> i64,
    clocks: Option<Estimate>,
) -> Option<Point> {
    let (from, to) = (passage.from, passage.from.peer());
    let (label, status) = (passage.label.clone(), passage.status);
    let point = |at, order, event, from, to, label| Point {
        at,
        order,
        event,
        mark: Mark::Arrow { from, to, label, status },
    };
    Some(match (passage.sent, passage.received) {
        (Some((event, sent)), Some((_, received))) => {
            let (left, came) = (clock(from, sent), clock(to, received));
            // A time that the clocks can't vouch for is not shown.
            let known = clocks.is_some_and(|clocks| clocks.steady && clocks.uncertainty_us.is_some());
            let took = came.saturating_sub(left);
            let label = if known && took >= 1_000 { format!("{label} +{} ms", took / 1_000) } else { label };
            point(left, 2, event, lines.of(from), lines.of(to), label)
        }
        (Some((event, sent)), None) if passage.lost().is_some() => {
            let middle = if lines.between { 1 } else { lines.of(to) };
            point(clock(from, sent), 2, event, lines.of(from), middle, format!("✗ {label}"))
        }
        (Some((event, sent)), None) => {
            point(clock(from, sent), 2, event, lines.of(from), lines.of(to), label)
        }
        (None, Some((event, received))) => {
            let middle = if lines.between { 1 } else { lines.of(from) };
            point(clock(to, received), 0, event, middle, lines.of(to), label)
        }
        (None, None) => return None,
    })
}

fn notes<'a>(
    commits: &'a [StoredCommit],
    end: Role,
    at: usize,
    clock: &'a impl Fn(Role, Timestamp) -> i64,
) -> impl Iterator<Item = Point> + 'a {
    timeline(commits).into_iter().flat_map(move |step| {
        let time = clock(end, step.at);
        let notes = step.entries.iter().enumerate().map(|(index, entry)| Point {
            at: time,
            order: 1,
            event: entry.call_seq,
            mark: Mark::Note { at, text: note(&step, index, entry), kind: entry.kind },
        });
        notes.collect::<Vec<_>>()
    })
}
