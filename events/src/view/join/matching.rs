//! Which call of one store is which call of the other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::key::CallKey;
use crate::time::Timestamp;
use crate::verdict::Direction;

/// Two calls between the same parties that begin further apart are not taken for one: a call is passed on faster, and
/// clocks that are kept at all differ less.
const WINDOW: Duration = Duration::from_secs(5);

/// What a match rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The same Call-ID and the same caller's tag.
    CallId,
    /// Inferred: a half of Session-ID (RFC 7989) that both have.
    SessionId,
    /// Inferred: the same parties, begun within five seconds, and no other call that would fit.
    PartiesAndTime,
}

impl Basis {
    /// Whether something between began a call of its own, and the match is a conclusion.
    #[must_use]
    pub fn is_inferred(self) -> bool {
        match self {
            Self::CallId => false,
            Self::SessionId | Self::PartiesAndTime => true,
        }
    }

    /// What it rests on, in words.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::CallId => "the same Call-ID and From tag",
            Self::SessionId => "inferred from the same Session-ID",
            Self::PartiesAndTime => "inferred from the same parties at the same time",
        }
    }
}

/// A pair, by index into the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matched {
    /// In the first list.
    pub a: usize,
    /// In the second list.
    pub b: usize,
    /// Why.
    pub basis: Basis,
}

/// The pairs of two lists of calls. A forked call has several partners.
#[must_use]
pub fn match_calls(a: &[CallKey], b: &[CallKey]) -> Vec<Matched> {
    let mut matching =
        Matching { a, b, taken_a: BTreeSet::new(), taken_b: BTreeSet::new(), found: Vec::new() };
    matching.by(Basis::CallId, |key| vec![(key.sip_call_id.as_str(), key.from_tag.as_str())]);
    matching.by(Basis::SessionId, |key| key.session_ids.iter().map(|id| (id.as_str(), "")).collect());
    matching.by_parties();
    matching.found.sort_unstable();
    matching.found
}

struct Matching<'a> {
    a: &'a [CallKey],
    b: &'a [CallKey],
    taken_a: BTreeSet<usize>,
    taken_b: BTreeSet<usize>,
    found: Vec<Matched>,
}

impl<'a> Matching<'a> {
    /// Pairs all that share a name and are not matched yet.
    fn by(&mut self, basis: Basis, names: impl Fn(&'a CallKey) -> Vec<(&'a str, &'a str)>) {
        let mut known: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (index, key) in self.b.iter().enumerate().filter(|(index, _)| !self.taken_b.contains(index)) {
            for name in names(key) {
                known.entry(name).or_default().push(index);
            }
        }
        let mut pairs = BTreeSet::new();
        for (index, key) in self.a.iter().enumerate().filter(|(index, _)| !self.taken_a.contains(index)) {
            let partners = names(key).into_iter().filter_map(|name| known.get(&name)).flatten();
            let fitting =
                partners.filter(|partner| self.b.get(**partner).is_some_and(|other| fits(key, other)));
            pairs.extend(fitting.map(|partner| (index, *partner)));
        }
        for (a, b) in pairs {
            self.pair(a, b, basis);
        }
    }

    /// Pairs what has the same parties, about the same time, if it is the only one on both sides that does.
    fn by_parties(&mut self) {
        let mut known: BTreeMap<(&str, &str), Vec<(Timestamp, usize)>> = BTreeMap::new();
        for (index, key) in self.b.iter().enumerate().filter(|(index, _)| !self.taken_b.contains(index)) {
            known.entry(parties(key)).or_default().push((key.started_at, index));
        }
        known.values_mut().for_each(|calls| calls.sort_unstable());
        let mut candidates: Vec<(usize, usize)> = Vec::new();
        for (index, key) in self.a.iter().enumerate().filter(|(index, _)| !self.taken_a.contains(index)) {
            let Some(calls) = known.get(&parties(key)) else { continue };
            let from = calls.partition_point(|(at, _)| *at < key.started_at - WINDOW);
            let near = calls.iter().skip(from).take_while(|(at, _)| *at <= key.started_at + WINDOW);
            let near = near.filter(|(_, partner)| self.b.get(*partner).is_some_and(|other| fits(key, other)));
            candidates.extend(near.map(|(_, partner)| (index, *partner)));
        }
        let (mut of_a, mut of_b) = (BTreeMap::new(), BTreeMap::new());
        for (a, b) in &candidates {
            *of_a.entry(*a).or_insert(0) += 1;
            *of_b.entry(*b).or_insert(0) += 1;
        }
        for (a, b) in candidates {
            if of_a.get(&a) == Some(&1) && of_b.get(&b) == Some(&1) {
                self.pair(a, b, Basis::PartiesAndTime);
            }
        }
    }

    fn pair(&mut self, a: usize, b: usize, basis: Basis) {
        self.taken_a.insert(a);
        self.taken_b.insert(b);
        self.found.push(Matched { a, b, basis });
    }
}

fn parties(key: &CallKey) -> (&str, &str) {
    (&key.from, &key.to)
}

/// Two records of one call are of its two ends, or one of them is an observer's.
fn fits(a: &CallKey, b: &CallKey) -> bool {
    match (a.direction, b.direction) {
        (Direction::Outgoing, Direction::Outgoing) | (Direction::Incoming, Direction::Incoming) => false,
        (Direction::Outgoing | Direction::Incoming | Direction::Observed, _) => true,
    }
}
