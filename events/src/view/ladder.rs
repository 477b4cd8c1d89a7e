//! A call as a sequence chart: participants, arrows and notes. Drawing it is the replay tool's business.

mod watched;

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::summary::{CallSummary, opening};
use super::timeline::{Entry, Message, Step, timeline};
use crate::call::{CauseKind, Event, EventKind};
use crate::schema::{StoredCommit, WireDirection};
use crate::sip::{Counters, Peer};
use crate::verdict::Direction;

/// A sequence chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ladder {
    /// Left to right; the caller's end is on the left.
    pub participants: Vec<Participant>,
    /// Top to bottom.
    pub rows: Vec<Row>,
    /// Messages that were absorbed below the machine and have no arrow.
    pub absorbed: Counters,
}

/// A life line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Participant {
    /// A URI without scheme and parameters, or an address.
    pub name: String,
    /// Where it is; for us: which end we are.
    pub detail: String,
    /// The engine that recorded the call.
    pub us: bool,
}

/// One line of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Since the call's first event; microseconds in JSON.
    #[serde(rename = "offset_us", serialize_with = "micros")]
    pub offset: Duration,
    /// The event it belongs to, by its number in the call.
    pub event: u64,
    /// An arrow or a note.
    #[serde(flatten)]
    pub mark: Mark,
}

/// What a row shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A message from one participant to another, by index.
    Arrow {
        /// The sender.
        from: usize,
        /// The receiver.
        to: usize,
        /// `INVITE SDP`, `180 Ringing (INVITE)`.
        label: String,
        /// The status of a response.
        status: Option<u16>,
    },
    /// Something that happened at our end.
    Note {
        /// Where: our index.
        at: usize,
        /// In a few words.
        text: String,
        /// The event's kind.
        kind: EventKind,
    },
}

/// The chart of a call from its commits; none if they do not begin a call.
#[must_use]
pub fn ladder(commits: &[StoredCommit]) -> Option<Ladder> {
    let first = commits.first()?;
    let summary = CallSummary::begin(&first.commit)?;
    if summary.direction == Direction::Observed {
        return Some(watched::ladder(&summary, commits));
    }
    let peers = peers_of(commits);
    let (participants, us) = participants(&summary, &peers);
    let place = |peer: Peer| {
        let index = peers.iter().position(|known| *known == peer).unwrap_or_default();
        if us == 0 { index + 1 } else { index }
    };
    let mut rows = Vec::new();
    for step in timeline(commits) {
        rows_of(&step, us, &place, &mut rows);
    }
    Some(Ladder { participants, rows, absorbed: absorbed(commits) })
}

fn peers_of(commits: &[StoredCommit]) -> Vec<Peer> {
    let mut peers = Vec::new();
    let mut add = |peer: Peer| {
        if !peers.contains(&peer) {
            peers.push(peer);
        }
    };
    for stored in commits {
        stored.commit.wire.iter().for_each(|message| add(message.peer));
    }
    if peers.is_empty()
        && let Some(first) = commits.first().and_then(|stored| stored.commit.events.first())
        && let Some((_, _, _, dialog)) = opening(&first.event)
    {
        peers.push(dialog.peer);
    }
    peers
}

fn participants(summary: &CallSummary, peers: &[Peer]) -> (Vec<Participant>, usize) {
    let (ours, theirs, end) = match summary.direction {
        Direction::Outgoing | Direction::Observed => (&summary.from, &summary.to, "us, the caller"),
        Direction::Incoming => (&summary.to, &summary.from, "us, the callee"),
    };
    let us = Participant { name: short_uri(ours), detail: end.into(), us: true };
    let mut lines: Vec<Participant> = peers
        .iter()
        .enumerate()
        .map(|(index, peer)| Participant {
            name: if index == 0 { short_uri(theirs) } else { format!("peer {}", index + 1) },
            detail: peer.to_string(),
            us: false,
        })
        .collect();
    let place = match summary.direction {
        Direction::Outgoing | Direction::Observed => 0,
        Direction::Incoming => lines.len(),
    };
    lines.insert(place, us);
    (lines, place)
}

fn rows_of(step: &Step, us: usize, place: &impl Fn(Peer) -> usize, rows: &mut Vec<Row>) {
    let first = step.entries.first().map_or(0, |entry| entry.call_seq);
    let arrow = |message: &Message| {
        let peer = place(message.peer);
        let (from, to) = match message.direction {
            WireDirection::In => (peer, us),
            WireDirection::Out => (us, peer),
        };
        let mark = Mark::Arrow { from, to, label: message.label(), status: message.status() };
        Row { offset: step.offset, event: first, mark }
    };
    rows.extend(step.received.iter().map(arrow));
    for (index, entry) in step.entries.iter().enumerate() {
        let mark = Mark::Note { at: us, text: note(step, index, entry), kind: entry.kind };
        rows.push(Row { offset: step.offset, event: entry.call_seq, mark });
    }
    rows.extend(step.sent.iter().map(arrow));
}

/// What a note says of an entry of `step`: what happened and, for the first, what of our own led to it. Messages have
/// their arrows.
pub(super) fn note(step: &Step, index: usize, entry: &Entry) -> String {
    match step.cause.kind {
        CauseKind::Command | CauseKind::Timer | CauseKind::Recovery | CauseKind::Transport if index == 0 => {
            format!("{} ← {}", entry.gist, step.cause)
        }
        CauseKind::Command
        | CauseKind::Timer
        | CauseKind::Recovery
        | CauseKind::Transport
        | CauseKind::Signal => entry.gist.clone(),
    }
}

fn absorbed(commits: &[StoredCommit]) -> Counters {
    let released = commits.iter().flat_map(|stored| &stored.commit.events).find_map(|happened| {
        if let Event::Released(counters) = happened.event { Some(counters) } else { None }
    });
    released.unwrap_or_default()
}

fn micros<S: Serializer>(offset: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(offset.as_micros()).unwrap_or(u64::MAX))
}

/// A URI as people say it: without scheme, password, parameters and headers.
#[must_use]
pub fn short_uri(uri: &str) -> String {
    let address = uri.split_once('<').map_or(uri, |(_, rest)| rest.split('>').next().unwrap_or(rest));
    let rest = address.split_once(':').map_or(address, |(scheme, rest)| match scheme {
        "sip" | "sips" | "tel" => rest,
        _ => address,
    });
    let end = rest.find([';', '?']).unwrap_or(rest.len());
    rest.get(..end).unwrap_or(rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::short_uri;

    #[test]
    fn uris_are_shortened_to_what_people_say() {
        for (uri, short) in [
            ("sip:alice@example.org", "alice@example.org"),
            ("sips:alice@example.org:5061;transport=tcp?Subject=x", "alice@example.org:5061"),
            ("\"Bob\" <sip:bob@h;lr>", "bob@h"),
            ("tel:+4930123456;phone-context=x", "+4930123456"),
            ("urn:service:sos", "urn:service:sos"),
            ("sip:[::1]:5060", "[::1]:5060"),
            ("", ""),
        ] {
            assert_eq!(short_uri(uri), short, "{uri}");
        }
    }
}
