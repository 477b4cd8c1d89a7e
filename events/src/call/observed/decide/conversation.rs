//! From the answer to the BYE.

use super::setup::challenges;
use super::{noted, one, over, passing};
use crate::call::decide::Decision;
use crate::call::event::{Act, Event, Media};
use crate::call::observed::opening::EndSeen;
use crate::call::observed::sight::Sight;
use crate::call::observed::state::Watched;
use crate::call::phase::Phase;
use crate::call::signal::Signal;
use crate::party::{Agent, Side};
use crate::sip::Response;
use crate::time::Timestamp;

/// So many copies of a 2xx say that its ACK did not arrive; without them the ACK took a way that is not watched.
pub(super) const COPIES_OF_A_LOST_ACK: u32 = 3;

pub(super) fn decide(call: &Watched, sight: &Sight, signal: &Signal, now: Timestamp) -> Decision {
    let acknowledged = call.phase == Phase::Connected;
    match signal {
        Signal::Success(_) if call.is_of_another_fork(sight) => noted("answer_of_another_fork"),
        Signal::Ack(_) if call.is_of_another_fork(sight) => noted("ack_of_another_fork"),
        Signal::Bye(_) if call.is_of_another_fork(sight) => noted("bye_of_another_fork"),
        Signal::ByeAnswered(_) if call.is_of_another_fork(sight) => noted("bye_of_another_fork_answered"),
        Signal::Ack(_) if !acknowledged => one(Event::Connected),
        Signal::Bye(_) => {
            ended(call, sight, now, EndSeen { by: sight.by, act: act_of_bye(call, sight.by, now) })
        }
        Signal::ByeAnswered(response) if !challenges(response) => {
            let by = sight.by.other();
            let mut decision = ended(call, sight, now, EndSeen { by, act: Act::Bye });
            decision.events.push(over(Act::Bye, by, Agent::Unknown, None, &["bye_not_seen"]));
            decision
        }
        // Who has acknowledged the answer has nothing left to cancel.
        Signal::Cancel(_) if !acknowledged && call.cancelled_at.is_none() => one(Event::CancelSeen),
        Signal::AckMissing if !acknowledged && sight.again.answer >= COPIES_OF_A_LOST_ACK => {
            one(over(Act::Timeout, Side::Callee, Agent::Timer, None, &[]))
        }
        Signal::AckMissing if was_acknowledged(call, sight, now) => one(Event::FoundConnected),
        Signal::Reinvite(request) if !acknowledged && request.method == "INVITE" => {
            one(Event::FoundConnected)
        }
        Signal::ReinviteAnswered(response) if acknowledged => media(sight, response),
        Signal::Reachable { .. }
        | Signal::Invite(_)
        | Signal::Cancel(_)
        | Signal::Ack(_)
        | Signal::Reinvite(_)
        | Signal::Request(_)
        | Signal::Provisional(_)
        | Signal::Success(_)
        | Signal::Failure(_)
        | Signal::CancelAnswered(_)
        | Signal::ByeAnswered(_)
        | Signal::ReinviteAnswered(_)
        | Signal::TimedOut(_)
        | Signal::AckMissing
        | Signal::TransportFailed { .. }
        | Signal::Drained(_) => passing(sight, signal),
    }
}

/// The BYE. An answer that its sender did not repeat had been acknowledged, on a way that is not watched.
fn ended(call: &Watched, sight: &Sight, now: Timestamp, end: EndSeen) -> Decision {
    let mut events = Vec::new();
    if end.act == Act::Bye && was_acknowledged(call, sight, now) {
        events.push(Event::FoundConnected);
    }
    events.push(Event::EndSeen(end));
    Decision { events, ..Decision::default() }
}

/// A 2xx is repeated from T1 on until its ACK comes, on any transport (RFC 3261 §13.3.1.4).
fn was_acknowledged(call: &Watched, sight: &Sight, now: Timestamp) -> bool {
    let waited = call.answered_at.is_some_and(|answered| now.since(answered) >= call.sip.t1() * 4);
    call.phase == Phase::Connecting && sight.again.answer == 0 && waited
}

/// A CANCEL that crossed the answer has lost (RFC 3261 §9.1); the caller's BYE right after it makes the wish good.
fn act_of_bye(call: &Watched, by: Side, now: Timestamp) -> Act {
    let meant = by == Side::Caller
        && call.cancelled_at.is_some_and(|cancelled| now.since(cancelled) <= call.sip.patience());
    if meant { Act::Cancel } else { Act::Bye }
}

/// A change of the media that was offered and accepted, or refused.
fn media(sight: &Sight, response: &Response) -> Decision {
    match (response.status, sight.offer) {
        (200..=299, Some(direction)) => {
            one(Event::Media(Media { by: sight.by.other(), direction, new_target: None }))
        }
        (200..=299, None) => noted("reinvite_answered"),
        (status, _) => one(Event::MediaRefused { status }),
    }
}
