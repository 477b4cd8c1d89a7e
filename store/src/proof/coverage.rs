//! When somebody listened, and when nobody did: the beats of many checkpoints as few intervals.

use callbox_events::Timestamp;
use callbox_events::time::rfc3339;
use serde::Serialize;

use super::audit::standing;
use super::beat::Beat;
use super::entries::Entry;
use super::key::{PublicKey, Standing};

/// An interval in which one engine listened without a break, always on the same addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// The engine's node.
    pub node: String,
    /// Its beginning.
    #[serde(with = "rfc3339")]
    pub from: Timestamp,
    /// Its end.
    #[serde(with = "rfc3339")]
    pub until: Timestamp,
    /// SIP messages that came in.
    pub received: u64,
    /// SIP messages that went out.
    pub sent: u64,
    /// Events that the journal took, of all engines.
    pub events: u64,
    /// Where it listened.
    pub listening: Vec<String>,
    /// Whether every beat of it stands in a checkpoint that is signed with a given key.
    pub signed: bool,
}

/// A time between two intervals of one engine that nobody vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The engine's node.
    pub node: String,
    /// Its beginning.
    #[serde(with = "rfc3339")]
    pub from: Timestamp,
    /// Its end.
    #[serde(with = "rfc3339")]
    pub until: Timestamp,
}

/// Gathers beats, in the order of their checkpoints.
#[derive(Debug)]
pub struct Coverage<'a> {
    keys: &'a [PublicKey],
    since: Timestamp,
    until: Timestamp,
    events: u64,
    intervals: Vec<Interval>,
}

impl<'a> Coverage<'a> {
    /// Of the time from `since` to `until`; beats that reach into it count whole.
    #[must_use]
    pub fn new(since: Option<Timestamp>, until: Option<Timestamp>, keys: &'a [PublicKey]) -> Self {
        let until = until.unwrap_or(Timestamp::from_micros(u64::MAX));
        Self { keys, since: since.unwrap_or_default(), until, events: 0, intervals: Vec::new() }
    }

    /// Takes the next checkpoint.
    pub fn add(&mut self, entry: &Entry) {
        let extension = &entry.checkpoint.extension;
        let before = self.events;
        self.events = extension.events.unwrap_or(before);
        let Some(time) = extension.time else { return };
        let signed = standing(entry, self.keys) == Standing::Signed;
        for beat in &extension.beats {
            if time > self.since && beat.since < self.until {
                self.take(beat, time, self.events.saturating_sub(before), signed);
            }
        }
    }

    fn take(&mut self, beat: &Beat, until: Timestamp, events: u64, signed: bool) {
        let newest = self.intervals.iter_mut().rev().find(|interval| interval.node == beat.node);
        match newest {
            Some(interval) if interval.until == beat.since && interval.listening == beat.listening => {
                interval.until = until;
                interval.received += beat.received;
                interval.sent += beat.sent;
                interval.events += events;
                interval.signed &= signed;
            }
            Some(_) | None => self.intervals.push(Interval {
                node: beat.node.clone(),
                from: beat.since,
                until,
                received: beat.received,
                sent: beat.sent,
                events,
                listening: beat.listening.clone(),
                signed,
            }),
        }
    }

    /// The intervals in order of their beginnings, and the gaps between those of one engine.
    #[must_use]
    pub fn finish(mut self) -> (Vec<Interval>, Vec<Gap>) {
        self.intervals.sort_by_key(|interval| interval.from);
        let mut gaps = Vec::new();
        for (index, interval) in self.intervals.iter().enumerate() {
            let later = self.intervals.iter().skip(index + 1);
            let next = later.into_iter().find(|other| other.node == interval.node);
            if let Some(next) = next.filter(|next| next.from > interval.until) {
                gaps.push(Gap { node: interval.node.clone(), from: interval.until, until: next.from });
            }
        }
        (self.intervals, gaps)
    }
}
