//! Messages on their way from one record to the other.

use std::collections::BTreeMap;

use super::matching::Basis;
use super::vantage::{is_blind, is_observed, sender};
use crate::call::Input;
use crate::party::Role;
use crate::schema::{StoredCommit, WireDirection};
use crate::time::Timestamp;
use crate::verdict::judge;
use crate::view::Message;
use crate::view::timeline::header;

/// A message as two records have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Who sent it.
    pub from: Role,
    /// `INVITE SDP`, `180 Ringing (INVITE)`.
    pub label: String,
    /// The status of a response.
    pub status: Option<u16>,
    /// The method of a request, or of the request that a response answers.
    pub method: String,
    /// The sender's event and its time there; none if the sender's record does not have it.
    pub sent: Option<(u64, Timestamp)>,
    /// The receiver's event and its time there; none if the receiver's record does not have it.
    pub received: Option<(u64, Timestamp)>,
    /// Whether the record that does not have it may lack it although it passed there.
    unwatched: bool,
}

impl Passage {
    /// What is lost if the receiver would have recorded it: `BYE of the caller`. What it may absorb without a record
    /// (ACKs, provisional and repeated responses) is not missed.
    #[must_use]
    pub fn lost(&self) -> Option<String> {
        let recorded = match self.status {
            None => matches!(self.method.as_str(), "INVITE" | "CANCEL" | "BYE"),
            Some(status) => status >= 200 && self.method == "INVITE",
        };
        let lost = recorded && !self.unwatched && self.sent.is_some() && self.received.is_none();
        lost.then(|| format!("{} of the {}", self.label, self.from))
    }

    /// Whether its time on the way tells of the clocks: it went from end to end. CANCEL and its answer go from hop to
    /// hop (RFC 3261 §16.10).
    pub(super) fn is_end_to_end(&self) -> bool {
        self.method != "CANCEL" && self.status != Some(100)
    }
}

/// What makes two records of a message one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    from: Role,
    status: Option<u16>,
    method: String,
    /// CSeq number and To tag, where the call went through unchanged.
    exact: Option<(u32, String)>,
}

/// One side's record of a message.
struct Sight {
    name: Name,
    label: String,
    event: u64,
    at: Timestamp,
    sent: bool,
}

/// The messages of both records, paired where both have them; in the order of the caller's and then the callee's record.
#[must_use]
pub fn passages(caller: &[StoredCommit], callee: &[StoredCommit], basis: Basis) -> Vec<Passage> {
    let ours = sights(caller, Role::Caller, basis);
    let mut theirs: BTreeMap<Name, Vec<Sight>> = BTreeMap::new();
    for sight in sights(callee, Role::Callee, basis).into_iter().rev() {
        theirs.entry(sight.name.clone()).or_default().push(sight);
    }
    let blind = [caller, callee].map(|commits| {
        is_observed(commits) && is_blind(commits, &judge(commits.iter().map(|stored| &stored.commit)))
    });
    let mut all: Vec<Passage> = ours
        .into_iter()
        .map(|sight| {
            let place = theirs
                .get(&sight.name)
                .and_then(|same| same.iter().rposition(|other| other.sent != sight.sent));
            let other = place.and_then(|place| theirs.get_mut(&sight.name).map(|same| same.remove(place)));
            passage(sight, other, blind[1])
        })
        .collect();
    let mut rest: Vec<Sight> = theirs.into_values().flatten().collect();
    rest.sort_by_key(|sight| (sight.event, sight.sent));
    all.extend(rest.into_iter().map(|sight| passage(sight, None, blind[0])));
    all
}

fn passage(sight: Sight, other: Option<Sight>, unwatched: bool) -> Passage {
    let place = |sight: &Sight| (sight.event, sight.at);
    let (mine, theirs) = (place(&sight), other.as_ref().map(place));
    let (sent, received) = if sight.sent { (Some(mine), theirs) } else { (theirs, Some(mine)) };
    Passage {
        from: sight.name.from,
        label: sight.label,
        status: sight.name.status,
        method: sight.name.method,
        sent,
        received,
        unwatched,
    }
}

fn sights(commits: &[StoredCommit], end: Role, basis: Basis) -> Vec<Sight> {
    let of_commit = |stored: &StoredCommit| {
        let (event, at) = (stored.commit.version, stored.commit.at);
        stored
            .commit
            .wire
            .iter()
            .filter_map(|wire| {
                let message = Message::of(wire);
                let from = match &stored.commit.input {
                    Input::Observed(sight) => sender(sight)?,
                    Input::Command(_) | Input::Signal(_) | Input::Timer(_) | Input::Recovery(_) => {
                        if wire.direction == WireDirection::Out { end } else { end.peer() }
                    }
                };
                let sent = from == end;
                let status = message.status();
                let exact = (!basis.is_inferred()).then(|| exact(&wire.bytes, status));
                let name = Name { from, status, method: message.method.clone().unwrap_or_default(), exact };
                Some(Sight { name, label: message.label(), event, at, sent })
            })
            .collect::<Vec<_>>()
    };
    commits.iter().flat_map(of_commit).collect()
}

/// The To tag tells whose response it is: something between may answer with the same status.
fn exact(bytes: &[u8], status: Option<u16>) -> (u32, String) {
    let value = |names: &[&str]| header(bytes, names).into_iter().next().unwrap_or_default();
    let cseq =
        value(&["cseq"]).split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default();
    let to = value(&["to", "t"]);
    let tag = to.split(';').skip(1).find_map(|part| part.trim().strip_prefix("tag=")).unwrap_or_default();
    (cseq, status.map(|_| tag.to_owned()).unwrap_or_default())
}
