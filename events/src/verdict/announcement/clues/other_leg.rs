//! What an observer saw behind the one who answered: other branches of a proxy, other legs of a back-to-back user agent.

use super::super::super::facts::{Fact, Facts};
use super::super::super::families::Cause;
use super::super::super::testimony;
use super::super::super::tuple::Evidence;
use super::super::super::vocabulary::Rulebook;
use super::row;
use crate::call::observed::{Relation, Seen};
use crate::sip::{MediaDirection, Response};

/// What an observer saw of a forking proxy: it cancelled a branch because another one had answered (RFC 3326 §3.1).
pub(super) fn taken_elsewhere(facts: &Facts<'_>) -> Option<Evidence> {
    let watch = facts.watch.as_ref()?;
    let cancelled = watch.sights.iter().filter(|sight| !facts.is_after_decision(sight.event));
    cancelled.into_iter().find_map(|sight| {
        let Seen::BranchCancelled(cancel) = &sight.what.seen else { return None };
        let claimed = |reason| testimony::claimed_cause(facts.rulebook, reason);
        let reason =
            cancel.reasons.iter().find(|reason| claimed(reason) == Some(Cause::AnsweredElsewhere))?;
        let quoted = testimony::quote(reason);
        let says = format!("another branch was cancelled because the call was taken elsewhere: {quoted}");
        Some(row("clue.taken_elsewhere", sight.event, says))
    })
}

/// Every leg behind it had come to nothing before this media began, which flows one way only: who speaks is not who was
/// called. Where both can speak, somebody may have been reached on a way that is not watched.
pub(super) fn given_up(facts: &Facts<'_>, media: Fact<&Response>) -> Option<(Cause, Evidence)> {
    let watch = facts.watch.as_ref().filter(|_| facts.since(Rulebook::V1_1))?;
    if media.what.sdp.as_ref().map(|sdp| sdp.direction) != Some(MediaDirection::SendOnly) {
        return None;
    }
    let (mut open, mut last) = (0_usize, None);
    for sight in watch.sights.iter().filter(|sight| sight.event < media.event) {
        let Seen::Related(related) = &sight.what.seen else { continue };
        let found = match related.relation {
            Relation::Leg => {
                open += 1;
                continue;
            }
            Relation::LegRefused { status } => refused(status),
            Relation::LegCancelled => Some(Cause::NoAnswer),
            Relation::LegHungUp | Relation::ReplacedBy => continue,
        };
        open = open.saturating_sub(1);
        last = found.map(|cause| (sight.event, cause, related));
    }
    let (event, cause, related) = last.filter(|_| open == 0)?;
    let how = match related.relation {
        Relation::LegRefused { status } => format!("had been refused with {status}"),
        Relation::LegCancelled | Relation::Leg | Relation::LegHungUp | Relation::ReplacedBy => {
            "had been given up unanswered".to_owned()
        }
    };
    let says =
        format!("the other leg {how} before the {}: {}", media.what.status, related.because.join(", "));
    Some((cause, row("clue.other_leg", event, says)))
}

/// What a refusal of the party that was called hides behind media from somewhere else.
fn refused(status: u16) -> Option<Cause> {
    match status {
        486 | 600 => Some(Cause::Busy),
        603 => Some(Cause::Declined),
        408 | 480 => Some(Cause::NoAnswer),
        _ => None,
    }
}
