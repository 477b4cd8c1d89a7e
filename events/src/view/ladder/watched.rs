//! The chart of a call that was only watched: a life line for each address, none of them ours.

use super::{Ladder, Mark, Participant, Row, absorbed, short_uri};
use crate::schema::StoredCommit;
use crate::sip::Peer;
use crate::view::summary::CallSummary;
use crate::view::timeline::{Message, Step, timeline};

/// Draws every message from its sender to its receiver, hop by hop.
pub(super) fn ladder(summary: &CallSummary, commits: &[StoredCommit]) -> Ladder {
    let steps = timeline(commits);
    let mut ends: Vec<Peer> = Vec::new();
    for message in steps.iter().flat_map(|step| &step.received) {
        for end in [Some(message.peer), message.to].into_iter().flatten() {
            if !ends.contains(&end) {
                ends.push(end);
            }
        }
    }
    let place = |peer: Peer| ends.iter().position(|end| *end == peer).unwrap_or_default();
    let mut rows = Vec::new();
    for step in &steps {
        rows_of(step, &place, &mut rows);
    }
    Ladder { participants: participants(summary, &ends), rows, absorbed: absorbed(commits) }
}

/// The first address is the caller's, the last new one the called side's; those between have no name of their own.
fn participants(summary: &CallSummary, ends: &[Peer]) -> Vec<Participant> {
    let last = ends.len().saturating_sub(1);
    let name = |index: usize| match index {
        0 => short_uri(&summary.from),
        index if index == last => short_uri(&summary.to),
        index => format!("hop {index}"),
    };
    let line =
        |(index, end): (usize, &Peer)| Participant { name: name(index), detail: end.to_string(), us: false };
    if ends.is_empty() {
        let unknown = Participant { name: short_uri(&summary.from), detail: String::new(), us: false };
        return vec![unknown];
    }
    ends.iter().enumerate().map(line).collect()
}

fn rows_of(step: &Step, place: &impl Fn(Peer) -> usize, rows: &mut Vec<Row>) {
    let first = step.entries.first().map_or(0, |entry| entry.call_seq);
    let arrow = |message: &Message| {
        let from = place(message.peer);
        let to = message.to.map_or(from, place);
        let mark = Mark::Arrow { from, to, label: message.label(), status: message.status() };
        Row { offset: step.offset, event: first, mark }
    };
    rows.extend(step.received.iter().map(arrow));
    let at = step.received.first().map_or(0, |message| place(message.peer));
    for entry in &step.entries {
        let text = match step.received.is_empty() {
            true => format!("{} ← {}", entry.gist, step.cause),
            false => entry.gist.clone(),
        };
        let mark = Mark::Note { at, text, kind: entry.kind };
        rows.push(Row { offset: step.offset, event: entry.call_seq, mark });
    }
}
