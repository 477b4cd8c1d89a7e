//! What an observer concludes from more than one message: timers, transfers, crossings.

use super::super::draft::Draft;
use super::super::facts::{Fact, Facts, millis};
use super::super::families::Cause;
use super::super::testimony;
use super::super::text;
use super::super::vocabulary::Confidence;
use super::observed_bye::observed_bye;
use super::remote_bye::{COPIES_OF_A_LOST_ACK, is_after_64_t1};
use crate::call::observed::{Relation, Seen, Sight};
use crate::call::{Act, Signal};
use crate::party::{Agent, Side};
use crate::sip::{Reason, Request};

/// How exactly a session timer is kept, in milliseconds.
const SESSION_SLACK_MS: u64 = 1500;

/// Nothing more was seen: an honest end of the record, not of the call.
pub(super) fn capture_ended(facts: &Facts<'_>) -> Option<Draft> {
    facts.watch.as_ref()?;
    let ended = facts.ended.filter(|ended| ended.what.act == Act::Discarded)?;
    if lost_dialog(facts).is_some() {
        return None;
    }
    let draft = Draft::weak(Cause::CaptureEnded, Side::Nobody, Agent::Unknown).at_most(Confidence::None);
    let idle = ended.what.notes.iter().any(|note| note == "idle");
    let says =
        if idle { "nothing more was seen of the call" } else { "the capture stopped before the call did" };
    Some(draft.because(ended.event, says))
}

/// Section 6: the answer was repeated and never acknowledged; whatever ended it after 64·T1 was no hand.
pub(super) fn ack_missing(facts: &Facts<'_>) -> Option<Draft> {
    let (watch, decisive, answered) = (facts.watch.as_ref()?, facts.decisive?, facts.answered?);
    let copies = watch.again.answer;
    if let Signal::AckMissing = decisive.what.signal()? {
        return Some(
            Draft::strong(Cause::AckMissing, Side::Callee, Agent::Timer)
                .by(Act::Timeout)
                .because(decisive.event, "no ACK passed for 64·T1 after the answer (RFC 3261 §13.3.1.4)")
                .because(answered.event, format!("the answer was repeated {copies} times")),
        );
    }
    let (bye, by) = observed_bye(facts)?;
    let unacknowledged = facts.connected.is_none() && facts.acks.iter().all(|ack| ack.event > bye.event);
    let unseen = watch.was_away(answered.event, bye.event);
    if by == Side::Caller || unseen || !unacknowledged || copies < COPIES_OF_A_LOST_ACK {
        return None;
    }
    let waited = text::span(millis(bye.at, answered.at));
    let says = if is_late(facts, bye) {
        format!("the callee's BYE came {waited} after its answer, which is 64·T1")
    } else {
        // A T1 of its own, which the copies do not tell exactly; but it says itself why it gave up.
        format!("the callee's BYE says {}", testimony::quote(says_ack_missing(facts, bye)?))
    };
    Some(
        Draft::strong(Cause::AckMissing, Side::Callee, Agent::Timer)
            .by(Act::Bye)
            .because(bye.event, says)
            .because(answered.event, format!("the answer was repeated {copies} times and no ACK passed")),
    )
}

fn says_ack_missing<'a>(facts: &Facts<'_>, bye: Fact<&'a Request>) -> Option<&'a Reason> {
    let says = |reason: &&Reason| testimony::claimed_cause(facts.rulebook, reason) == Some(Cause::AckMissing);
    bye.what.reasons.iter().find(says)
}

/// Whether the BYE came 64·T1 after the answer, by the usual T1 or by that of who repeated the answer.
fn is_late(facts: &Facts<'_>, bye: Fact<&Request>) -> bool {
    let t1 = facts.watch.as_ref().and_then(|watch| watch.again.t1_ms);
    let patience = u64::from(t1.unwrap_or_default()) * 64;
    let took = facts.answered.map_or(0, |answered| millis(bye.at, answered.at));
    is_after_64_t1(facts, bye) || (patience > 0 && took.abs_diff(patience) <= patience / 10)
}

/// 2d: the CANCEL met the answer on its way; the caller's BYE made its wish good.
pub(super) fn cancel_crossed(facts: &Facts<'_>) -> Option<Draft> {
    let (cancel, answered) = (facts.watch.as_ref()?.cancel?, facts.answered?);
    let decisive = facts.decisive.filter(|decisive| decisive.event == cancel.event)?;
    Some(
        Draft::strong(Cause::Cancelled, Side::Caller, Agent::Unknown)
            .by(Act::Cancel)
            .because(decisive.event, "the caller sent CANCEL")
            .because(answered.event, "the answer crossed it, and the caller's BYE ended that at once"),
    )
}

/// Another call took the place of this one (RFC 3891): picked up while it rang, replaced in conversation.
pub(super) fn replaced(facts: &Facts<'_>) -> Option<Draft> {
    let (watch, decisive) = (facts.watch.as_ref()?, facts.decisive?);
    let other = watch.related(decisive.event, |relation| relation == Relation::ReplacedBy)?;
    let Seen::Related(related) = &other.what.seen else { return None };
    let in_conversation = facts.answered.is_some() || facts.connected.is_some();
    let cause = if in_conversation { Cause::Replaced } else { Cause::PickedUp };
    let by = decisive.what.seen_by().unwrap_or(Side::Unknown);
    Some(
        Draft::strong(cause, by, Agent::Unknown)
            .by(Act::Replaced)
            .because(other.event, format!("the INVITE of {} replaces it (RFC 3891)", related.sip_call_id)),
    )
}

/// 5e: a REFER was taken and did not fail, then came the BYE: nobody hung up.
pub(super) fn transferred(facts: &Facts<'_>) -> Option<Draft> {
    let (watch, (bye, _)) = (facts.watch.as_ref()?, observed_bye(facts)?);
    let refer = watch.before(bye.event).find(|sight| is_request(sight, "REFER"))?;
    let refused = watch.before(bye.event).any(|sight| match &sight.what.seen {
        Seen::Answered { method, response } => method == "REFER" && response.status >= 300,
        Seen::Referred { status } => *status >= 300 && sight.event > refer.event,
        Seen::Invite { .. }
        | Seen::Midway { .. }
        | Seen::Signal(_)
        | Seen::Retried { .. }
        | Seen::Overcome(_)
        | Seen::BranchFailed(_)
        | Seen::BranchCancelled(_)
        | Seen::Relayed { .. }
        | Seen::Repeated { .. }
        | Seen::Malformed { .. }
        | Seen::Stray { .. }
        | Seen::Heard(_)
        | Seen::Related(_)
        | Seen::Resumed
        | Seen::Stopped(_) => false,
    });
    if refused {
        return None;
    }
    let by = refer.what.by;
    let draft = Draft::strong(Cause::Transferred, by, Agent::Unknown).by(Act::Transfer);
    let draft = draft.because(bye.event, format!("a BYE followed the {by}'s REFER"));
    let done = watch.before(bye.event).find_map(|sight| {
        let Seen::Referred { status } = sight.what.seen else { return None };
        (200..300).contains(&status).then_some((sight.event, status))
    });
    Some(match done {
        Some((event, status)) => {
            draft.because(event, format!("the call that it asked for was answered ({status})"))
        }
        None => draft
            .because(refer.event, "what became of the call that it asked for was not seen")
            .at_most(Confidence::Weak),
    })
}

/// 5k: a request in the dialog met 481 or 408, and whoever sent it gave the call up (RFC 5057 §5.1).
pub(super) fn dialog_gone(facts: &Facts<'_>) -> Option<Draft> {
    let (gone, status) = lost_dialog(facts)?;
    let side = gone.what.by;
    let end = facts.decisive?;
    let act = if facts.byes.is_empty() { Act::FinalResponse } else { Act::Bye };
    Some(
        Draft::strong(Cause::DialogGone, side, Agent::Unknown)
            .by(act)
            .because(gone.event, format!("the {side} answered a change of the call with {status}"))
            .because(end.event, "nothing but the end came after it (RFC 5057)"),
    )
}

/// The 481 or 408 to a re-INVITE or UPDATE after which the call did not go on.
fn lost_dialog<'a>(facts: &Facts<'a>) -> Option<(Fact<&'a Sight>, u16)> {
    let (watch, decisive) = (facts.watch.as_ref()?, facts.decisive?);
    let last = watch.before(decisive.event).find(|sight| {
        sight.what.signal().is_some_and(|signal| matches!(signal, Signal::ReinviteAnswered(_)))
    })?;
    let Signal::ReinviteAnswered(response) = last.what.signal()? else { return None };
    let own_end = decisive.what.seen_by() == Some(last.what.by);
    (matches!(response.status, 408 | 481) && !own_end).then_some((*last, response.status))
}

/// 5b: the BYE came when a session timer runs out that nobody had refreshed (RFC 4028 §10).
pub(super) fn session_expired(facts: &Facts<'_>) -> Option<Draft> {
    let (watch, (bye, by)) = (facts.watch.as_ref()?, observed_bye(facts)?);
    let agreed =
        watch.before(bye.event).find(|sight| sight.what.session_expires.is_some() && is_success(sight))?;
    let interval = u64::from(agreed.what.session_expires?) * 1000;
    let took = millis(bye.at, agreed.at);
    let early = interval - (interval / 3).min(32_000);
    let due = [early, interval].iter().any(|at| took.abs_diff(*at) <= SESSION_SLACK_MS);
    due.then(|| {
        Draft::strong(Cause::SessionExpired, by, Agent::Timer)
            .by(Act::RefreshExpired)
            .because(bye.event, format!("the {by}'s BYE came {} after the last refresh", text::span(took)))
            .because(agreed.event, format!("the session was agreed for {} (RFC 4028)", text::span(interval)))
    })
}

/// 5d: refused although, or because, credentials were given.
pub(super) fn auth_failed(facts: &Facts<'_>) -> Option<Draft> {
    let (watch, decisive) = (facts.watch.as_ref()?, facts.decisive?);
    let Signal::Failure(response) = decisive.what.signal()? else { return None };
    let given = watch.before(decisive.event).find_map(|sight| {
        matches!(sight.what.seen, Seen::Retried { credentials: true, .. }).then_some(sight.event)
    })?;
    matches!(response.status, 401 | 403 | 407).then(|| {
        Draft::strong(Cause::AuthFailed, Side::Network, Agent::Unknown)
            .by(Act::FinalResponse)
            .because(decisive.event, format!("{} after credentials had been given", response.status))
            .because(given, "the INVITE was sent again with credentials")
    })
}

fn is_request(sight: &Fact<&Sight>, method: &str) -> bool {
    sight.what.signal().is_some_and(|signal| {
        if let Signal::Request(request) = signal { request.method == method } else { false }
    })
}

fn is_success(sight: &Fact<&Sight>) -> bool {
    let Some(signal) = sight.what.signal() else { return false };
    if let Signal::ReinviteAnswered(response) = signal {
        return response.status < 300;
    }
    matches!(signal, Signal::Success(_))
}
