//! What only an observer notes: who sent what, what came again, and how much of the call passed by.

use super::collect::{decide, heard_request, heard_response, take_signal};
use super::{Decisive, Fact, Facts};
use crate::call::observed::{Again, Relation, Seen, Sight, Stop};
use crate::call::{Act, Ended, Event, Input, Signal};
use crate::party::Side;
use crate::verdict::vocabulary::Completeness;

/// The facts of an observed call beyond those that every call has.
#[derive(Debug, Clone, Default)]
pub(in crate::verdict) struct Watch<'a> {
    /// All sights, in order.
    pub sights: Vec<Fact<&'a Sight>>,
    /// What came again, up to the last sight.
    pub again: Again,
    /// Whether the INVITE was not seen.
    pub midway: bool,
    /// The caller's CANCEL: what decided the end, if it is what ended the call.
    pub cancel: Option<Fact<Decisive<'a>>>,
    /// Whether the answer was not seen, although there was one.
    pub found_connected: Option<Fact<()>>,
}

impl<'a> Watch<'a> {
    /// The sights before the end was decided, newest first.
    pub fn before(&self, event: u64) -> impl Iterator<Item = &Fact<&'a Sight>> {
        self.sights.iter().rev().filter(move |sight| sight.event < event)
    }

    /// Whether anything was seen that `side` sent.
    fn spoke(&self, side: Side) -> bool {
        self.sights
            .iter()
            .any(|sight| sight.what.by == side && !matches!(sight.what.seen, Seen::Stray { .. }))
    }

    /// How much of the call passed by: both its ends, its beginning, its end.
    pub fn completeness(&self, facts: &Facts<'_>) -> Completeness {
        let (caller, callee) = (self.spoke(Side::Caller), self.spoke(Side::Callee));
        // A message that belongs to a dialog tells that the other side spoke, too.
        let implied = !facts.acks.is_empty()
            || !facts.byes.is_empty()
            || self.found_connected.is_some()
            || self.acknowledged_a_failure();
        let one_sided = (!caller && callee && !self.midway_alone()) || (caller && !callee && implied);
        let end = facts.ended.map_or(u64::MAX, |ended| ended.event);
        if self.sights.iter().any(|sight| matches!(sight.what.seen, Seen::Stopped(Stop::Crowded)))
            || self.was_away(0, end)
        {
            Completeness::Gap
        } else if one_sided && !(self.midway && self.messages() < 2) {
            Completeness::OneSided
        } else if self.midway || facts.ended.is_some_and(|ended| ended.what.act == Act::Discarded) {
            Completeness::Truncated
        } else {
            facts.completeness
        }
    }

    /// Whether nobody watched for a while between two events.
    pub fn was_away(&self, from: u64, until: u64) -> bool {
        let between = |sight: &Fact<&Sight>| (from..until).contains(&sight.event);
        self.sights.iter().any(|sight| matches!(sight.what.seen, Seen::Resumed) && between(sight))
    }

    /// The ACK of a final response that was no 2xx.
    fn acknowledged_a_failure(&self) -> bool {
        self.sights
            .iter()
            .filter_map(|sight| sight.what.signal())
            .any(|signal| if let Signal::Request(request) = signal { request.method == "ACK" } else { false })
    }

    /// A lone answer of the callee, right at the beginning of the capture, tells nothing of what its reader can see.
    fn midway_alone(&self) -> bool {
        self.midway && self.messages() < 2
    }

    fn messages(&self) -> usize {
        self.sights.iter().filter(|sight| matches!(sight.what.by, Side::Caller | Side::Callee)).count()
    }

    /// The first sight of another call's part in this one, before `event`.
    pub fn related(&self, event: u64, wanted: fn(Relation) -> bool) -> Option<Fact<&'a Sight>> {
        let is_wanted = |sight: &&Fact<&Sight>| {
            let Seen::Related(related) = &sight.what.seen else { return false };
            sight.event < event && wanted(related.relation)
        };
        self.sights.iter().find(is_wanted).copied()
    }
}

/// Takes a sight in: its signal like one of our own, and what else it tells.
pub(super) fn take_sight<'a>(facts: &mut Facts<'a>, place: Fact<()>, sight: &'a Sight) {
    let watch = facts.watch.get_or_insert_with(Watch::default);
    watch.sights.push(place.with(sight));
    if !sight.again.is_empty() {
        watch.again = sight.again;
    }
    match &sight.seen {
        Seen::Signal(signal) => take_signal(facts, place, signal),
        Seen::Invite { request, .. } | Seen::Retried { request, .. } => {
            heard_request(facts, place, request, "INVITE");
        }
        Seen::BranchCancelled(request) => heard_request(facts, place, request, "CANCEL"),
        Seen::Overcome(response) | Seen::BranchFailed(response) | Seen::Answered { response, .. } => {
            heard_response(facts, place, response);
        }
        Seen::Midway { .. }
        | Seen::Referred { .. }
        | Seen::Relayed { .. }
        | Seen::Repeated { .. }
        | Seen::Malformed { .. }
        | Seen::Stray { .. }
        | Seen::Heard(_)
        | Seen::Related(_)
        | Seen::Resumed
        | Seen::Stopped(_) => {}
    }
}

/// Takes one of the events in that only an observer records.
pub(super) fn take_event<'a>(facts: &mut Facts<'a>, fact: Fact<&'a Event>, input: &'a Input) {
    let place = fact.with(());
    let phase = facts.progress.phase();
    let watch = facts.watch.get_or_insert_with(Watch::default);
    if let Event::Observed(observed) = fact.what {
        watch.midway = observed.midway;
        facts.called = Some(&observed.to);
        facts.sent = Some(place);
    } else if let Event::FoundConnected = fact.what {
        watch.found_connected = watch.found_connected.or(Some(place));
        facts.connected = facts.connected.or(Some(place));
    } else if let Event::CancelSeen = fact.what {
        let decisive = Decisive { input, ending: None, phase };
        watch.cancel = watch.cancel.or(Some(place.with(decisive)));
    } else if let Event::EndSeen(end) = fact.what {
        match watch.cancel.filter(|_| end.act == Act::Cancel) {
            Some(cancel) => facts.decisive = facts.decisive.or(Some(cancel)),
            None => decide(facts, place, input, None),
        }
    }
}

/// Whether the end had been decided by a CANCEL that the call ended by.
pub(super) fn decided_before(facts: &mut Facts<'_>, ended: &Ended) -> bool {
    let cancel = facts.watch.as_ref().and_then(|watch| watch.cancel);
    let cancel = cancel.filter(|_| ended.act == Act::Cancel);
    facts.decisive = facts.decisive.or(cancel);
    cancel.is_some()
}
