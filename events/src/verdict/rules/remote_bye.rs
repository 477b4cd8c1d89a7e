//! A BYE came: who sent it is a fact, why is testimony.

use super::super::draft::Draft;
use super::super::facts::{Fact, Facts, millis};
use super::super::families::Cause;
use super::super::testimony::{self, Protocol};
use super::super::text;
use super::super::vocabulary::Confidence;
use crate::call::{Act, Signal};
use crate::party::{Agent, Role, Side};
use crate::sip::{Reason, Request};

/// So many copies of the 2xx before the BYE say that our ACK did not arrive: a chance loss costs one or two.
pub(super) const COPIES_OF_A_LOST_ACK: u32 = 3;
/// 64·T1 with the T1 of RFC 3261 §17.1.1.1, in milliseconds; the other side's T1 is not known.
const USUAL_PATIENCE_MS: u64 = 32_000;

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
    let bye = remote_bye(facts)?;
    let remote = facts.role?.peer().side();
    bye.what.reasons.iter().find_map(|reason| {
        let (cause, side, agent, confidence) = meaning(facts, bye, reason, remote)?;
        let mut draft = Draft::weak(cause, side, agent)
            .by(Act::Bye)
            .because(bye.event, format!("the BYE says {}", testimony::quote(reason)));
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

pub(super) fn meaning(
    facts: &Facts<'_>,
    bye: Fact<&Request>,
    reason: &Reason,
    remote: Side,
) -> Option<(Cause, Side, Agent, Confidence)> {
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
            let cause = testimony::claimed_cause(reason)?;
            Some((cause, Side::Network, Agent::Unknown, Confidence::Weak))
        }
        (Protocol::Q850 | Protocol::Sip | Protocol::Other, _) => {
            let lost_media = text.contains("rtp") || text.contains("media timeout");
            lost_media.then_some((Cause::MediaTimeout, remote, Agent::Timer, Confidence::Weak))
        }
    }
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
