//! A BYE came: who sent it is a fact, why is testimony.

use super::super::draft::Draft;
use super::super::facts::{Fact, Facts, millis};
use super::super::families::{Cause, Family};
use super::super::testimony::{self, Protocol};
use super::super::text;
use super::super::vocabulary::{Confidence, Rulebook};
use crate::call::{Act, Signal};
use crate::party::{Agent, Role, Side};
use crate::sip::{Reason, Request};

/// So many copies of the 2xx before the BYE say that our ACK did not arrive: a chance loss costs one or two.
pub(super) const COPIES_OF_A_LOST_ACK: u32 = 3;
/// 64·T1 with the T1 of RFC 3261 §17.1.1.1, in milliseconds; the other side's T1 is not known.
const USUAL_PATIENCE_MS: u64 = 32_000;

/// A BYE this soon after the answer dismisses it, in milliseconds.
const FORK_DISMISSED_MS: u64 = 2_000;

/// Section 6: the callee's BYE comes 64·T1 after its 2xx, which was repeated all the time. Nobody hung up, whatever
/// the Reason says.
pub(super) fn for_lost_ack(facts: &Facts<'_>) -> Option<Draft> {
    let bye = remote_bye(facts)?;
    let copies = facts.released?.what.received_again;
    if facts.role? != Role::Caller || copies < COPIES_OF_A_LOST_ACK || !is_after_64_t1(facts, bye) {
        return None;
    }
    let answered = facts.answered?;
    let waited = text::span(millis(bye.at, answered.at));
    Some(
        Draft::strong(Cause::AckMissing, Side::Callee, Agent::Timer)
            .by(Act::Bye)
            .because(bye.event, format!("the callee's BYE came {waited} after its answer, which is 64·T1"))
            .because(
                answered.event,
                format!("messages came again {copies} times: the answer, unacknowledged"),
            ),
    )
}

/// A caller may end an early dialog with BYE (RFC 3261 §15).
pub(super) fn early(facts: &Facts<'_>) -> Option<Draft> {
    let bye = remote_bye(facts)?;
    (facts.role? == Role::Callee && facts.answered.is_none()).then(|| {
        Draft::strong(Cause::Cancelled, Side::Caller, Agent::Unknown)
            .by(Act::Bye)
            .because(bye.event, "the caller sent BYE before the answer (RFC 3261 §15)")
    })
}

/// A Reason that says the end was no hang-up. Only what a BYE may sensibly say is believed, and not much.
pub(super) fn by_reason(facts: &Facts<'_>) -> Option<Draft> {
    testified(facts, remote_bye(facts)?, facts.role?.peer().side())
}

/// What the Reason values of a BYE that `by` sent make of it.
pub(super) fn testified(facts: &Facts<'_>, bye: Fact<&Request>, by: Side) -> Option<Draft> {
    testimony::heard(facts.rulebook, &bye.what.reasons, &bye.what.clues).find_map(|reason| {
        let (cause, side, agent, confidence) =
            meaning(facts, bye, &reason, by).or_else(|| claimed(facts, bye, &reason, by))?;
        let mut draft = Draft::weak(cause, side, agent)
            .by(Act::Bye)
            .because(bye.event, format!("the BYE says {}", testimony::quote(&reason)));
        draft.confidence = confidence;
        Some(draft)
    })
}

/// 1a, 1b: the other side hung up.
pub(super) fn plain(facts: &Facts<'_>) -> Option<Draft> {
    let bye = remote_bye(facts)?;
    let remote = facts.role?.peer().side();
    let draft = Draft::strong(Cause::Hangup, remote, Agent::Unknown).by(Act::Bye);
    // 1j: the network only with evidence.
    match bye.what.reasons.iter().find(|reason| testimony::made_by_user(reason) == Some(false)) {
        Some(reason) => Some(Draft { side: Side::Network, ..draft }.because(
            bye.event,
            format!("the BYE's Reason was made in the network: {}", testimony::quote(reason)),
        )),
        None => Some(draft.because(bye.event, format!("the {remote}'s BYE came"))),
    }
}

/// Cause, side, agent, and how sure.
type Meaning = (Cause, Side, Agent, Confidence);

fn meaning(facts: &Facts<'_>, bye: Fact<&Request>, reason: &Reason, remote: Side) -> Option<Meaning> {
    let text = reason.text.as_deref().unwrap_or("").to_ascii_lowercase();
    match (testimony::protocol(reason), reason.cause) {
        (Protocol::Preemption, _) | (Protocol::Q850, Some(8 | 9)) => {
            Some((Cause::Preempted, Side::Network, Agent::Unknown, Confidence::Strong))
        }
        (Protocol::Sip, Some(408)) if text.contains("ack") => {
            let confidence = if is_after_64_t1(facts, bye) { Confidence::Strong } else { Confidence::Weak };
            Some((Cause::AckMissing, remote, Agent::Timer, confidence))
        }
        (Protocol::Sip, Some(408)) => Some((Cause::SessionExpired, remote, Agent::Timer, Confidence::Weak)),
        (Protocol::Sip, Some(481)) => Some((Cause::DialogGone, remote, Agent::Unknown, Confidence::Weak)),
        (Protocol::Q850, Some(27 | 34 | 38 | 41 | 42 | 44 | 47)) => {
            let cause = testimony::claimed_cause(facts.rulebook, reason)?;
            Some((cause, Side::Network, Agent::Unknown, Confidence::Weak))
        }
        (Protocol::Q850 | Protocol::Sip | Protocol::Other, _) => {
            let lost_media = text.contains("rtp") || text.contains("media timeout");
            lost_media.then_some((Cause::MediaTimeout, remote, Agent::Timer, Confidence::Weak))
        }
    }
}

/// What else a Reason may make of a BYE, since rulebook 1.1: an inference, unless the time agrees.
fn claimed(facts: &Facts<'_>, bye: Fact<&Request>, reason: &Reason, remote: Side) -> Option<Meaning> {
    if !facts.since(Rulebook::V1_1) {
        return None;
    }
    let cause = testimony::claimed_cause(facts.rulebook, reason)?;
    if matches!(cause, Cause::AnsweredElsewhere | Cause::ForkLost) {
        // The caller took another fork's answer and ends ours at once (RFC 3261 §13.2.2.4).
        let at_once = facts.answered.is_some_and(|answer| millis(bye.at, answer.at) <= FORK_DISMISSED_MS);
        return (at_once && remote == Side::Caller).then_some((
            Cause::ForkLost,
            Side::Caller,
            Agent::Unknown,
            Confidence::Strong,
        ));
    }
    let (side, agent) = match cause.family() {
        Family::MediaLost | Family::SignallingLost => (remote, Agent::Timer),
        Family::Limit if cause == Cause::CreditExhausted => (Side::Network, Agent::Application),
        Family::Limit => (remote, Agent::Timer),
        Family::Moved => (remote, Agent::Unknown),
        Family::LocalSystem if cause == Cause::AdminKill => (remote, Agent::Administrator),
        Family::LocalSystem => (remote, Agent::Engine),
        Family::Incompatible => (remote, Agent::Unknown),
        Family::Blocked if cause == Cause::PaymentRequired => {
            return Some((Cause::CreditExhausted, Side::Network, Agent::Application, Confidence::Weak));
        }
        Family::Cleared if cause == Cause::ConferenceEnded => (remote, Agent::Application),
        Family::Cleared
        | Family::Abandoned
        | Family::Refused
        | Family::Unanswered
        | Family::Elsewhere
        | Family::Unreachable
        | Family::Blocked
        | Family::Overloaded
        | Family::Protocol
        | Family::Unknown => return None,
    };
    Some((cause, side, agent, Confidence::Weak))
}

/// So many refused changes of the media in a row are a storm.
const GLARE_STORM: usize = 3;
/// Both sides try again within four seconds (RFC 3261 §14.1); a BYE that comes within this time of the last 491 may
/// be because of it. In milliseconds.
const GLARE_MS: u64 = 10_000;

/// 491 without end, then a BYE: the two sides never agreed who may change the media.
pub(super) fn after_glare(facts: &Facts<'_>) -> Option<Draft> {
    glare_before(facts, remote_bye(facts)?, facts.peer_side())
}

/// The same of a BYE whose sender is `by`.
pub(super) fn glare_before(facts: &Facts<'_>, bye: Fact<&Request>, by: Side) -> Option<Draft> {
    let answers = facts.reinvite_answers.iter().filter(|answer| answer.event < bye.event);
    let storm: Vec<_> = answers.rev().take_while(|answer| answer.what.status == 491).collect();
    let last = storm.first()?;
    (storm.len() >= GLARE_STORM && millis(bye.at, last.at) <= GLARE_MS).then(|| {
        Draft::weak(Cause::GlareUnresolved, by, Agent::Unknown)
            .by(Act::Bye)
            .because(
                bye.event,
                format!("the BYE came after {} changes of the media were refused", storm.len()),
            )
            .because(last.event, "the last one was answered with 491")
    })
}

/// Whether the BYE came 64·T1 after the answer, by our T1 or by the usual one, within 3 %.
pub(super) fn is_after_64_t1(facts: &Facts<'_>, bye: Fact<&Request>) -> bool {
    let Some(answered) = facts.answered else { return false };
    let took = millis(bye.at, answered.at);
    let ours = facts.policy.map_or(USUAL_PATIENCE_MS, |policy| {
        u64::try_from(policy.sip.patience().as_millis()).unwrap_or(USUAL_PATIENCE_MS)
    });
    [ours, USUAL_PATIENCE_MS].iter().any(|patience| took.abs_diff(*patience) <= patience * 3 / 100)
}

/// The BYE that was decisive.
pub(super) fn remote_bye<'a>(facts: &Facts<'a>) -> Option<Fact<&'a Request>> {
    let decisive = facts.decisive?;
    let Signal::Bye(request) = decisive.what.signal()? else { return None };
    Some(decisive.with(request))
}
