//! A CANCEL came: the caller's side stopped; its Reason says why, if it is believed.

use super::super::draft::Draft;
use super::super::facts::{Fact, Facts, millis};
use super::super::families::Cause;
use super::super::testimony::{self, Protocol};
use super::super::text;
use super::super::vocabulary::{Confidence, Rulebook};
use crate::call::{Act, Signal};
use crate::party::{Agent, Side};
use crate::sip::{Reason, Request};

/// Nobody's patience is shorter than this, in milliseconds: a Reason that says so is doubted.
const SHORTEST_PATIENCE_MS: u64 = 500;

/// 4b, 4c, 4e at B: answered or declined elsewhere, or nobody's patience left.
pub(super) fn by_reason(facts: &Facts<'_>) -> Option<Draft> {
    let cancel = remote_cancel(facts)?;
    let (reason, (cause, side, agent, weigh)) =
        testimony::heard(facts.rulebook, &cancel.what.reasons, &cancel.what.clues).find_map(|reason| {
            let known = meaning(&reason).map(|(cause, side, agent)| (cause, side, agent, STRONG));
            let heard = known.or_else(|| claimed(facts.rulebook, &reason))?;
            Some((reason, heard))
        })?;
    let mut draft = weigh(cause, side, agent)
        .by(Act::Cancel)
        .because(cancel.event, format!("the CANCEL says {}", testimony::quote(&reason)));
    let waited = millis(cancel.at, facts.started_at);
    if cause == Cause::NoAnswer && waited < SHORTEST_PATIENCE_MS {
        draft = draft
            .despite(cancel.event, format!("only {} had passed since the INVITE", text::span(waited)))
            .at_most(Confidence::Weak);
    }
    Some(draft)
}

/// 2a, 2g at B: the caller cancelled.
pub(super) fn plain(facts: &Facts<'_>) -> Option<Draft> {
    let cancel = remote_cancel(facts)?;
    Some(
        Draft::strong(Cause::Cancelled, Side::Caller, Agent::Unknown)
            .by(Act::Cancel)
            .because(cancel.event, "the caller's CANCEL came before the answer"),
    )
}

/// A SIP reason in a CANCEL is a proxy's (RFC 3326 §3.1), a Q.850 one the calling side's own.
fn meaning(reason: &Reason) -> Option<(Cause, Side, Agent)> {
    let network = testimony::made_by_user(reason) == Some(false);
    let words = reason.text.as_deref().unwrap_or("").to_ascii_lowercase();
    match (testimony::protocol(reason), reason.cause) {
        (Protocol::Sip, Some(200)) | (Protocol::Q850, Some(26)) => {
            Some((Cause::AnsweredElsewhere, Side::Network, Agent::Unknown))
        }
        (Protocol::Sip, Some(600 | 603 | 607)) => {
            Some((Cause::DeclinedElsewhere, Side::Network, Agent::Unknown))
        }
        (Protocol::Sip, Some(408 | 480 | 504)) => Some((Cause::NoAnswer, Side::Network, Agent::Timer)),
        (Protocol::Q850, Some(18 | 19 | 102)) => {
            let side = if network { Side::Network } else { Side::Caller };
            Some((Cause::NoAnswer, side, Agent::Timer))
        }
        (Protocol::Q850 | Protocol::Sip | Protocol::Preemption | Protocol::Other, _) => {
            let elsewhere = reason.cause.is_none() && words.contains("elsewhere");
            elsewhere.then_some((Cause::AnsweredElsewhere, Side::Network, Agent::Unknown))
        }
    }
}

/// How a conclusion is made: an inference, or more.
type Weigh = fn(Cause, Side, Agent) -> Draft;
const STRONG: Weigh = Draft::strong;

/// Causes that a CANCEL may have besides the caller's wish, and whose they are.
const BELIEVED: [(Cause, Side, Agent); 12] = [
    (Cause::PickedUp, Side::Network, Agent::Unknown),
    (Cause::ForkLost, Side::Network, Agent::Unknown),
    (Cause::AnsweredElsewhere, Side::Network, Agent::Unknown),
    (Cause::DeclinedElsewhere, Side::Network, Agent::Unknown),
    (Cause::Preempted, Side::Network, Agent::Unknown),
    (Cause::CreditExhausted, Side::Network, Agent::Application),
    (Cause::NoAnswer, Side::Caller, Agent::Timer),
    (Cause::MediaTimeout, Side::Caller, Agent::Timer),
    (Cause::TransportFailed, Side::Caller, Agent::Timer),
    (Cause::AdminKill, Side::Caller, Agent::Administrator),
    (Cause::Shutdown, Side::Caller, Agent::Engine),
    (Cause::ResourcesExhausted, Side::Caller, Agent::Engine),
];

/// What else a Reason may make of a CANCEL, since rulebook 1.1. Numbers of FreeSWITCH and preemption say it plainly,
/// words are an inference.
fn claimed(rulebook: Rulebook, reason: &Reason) -> Option<(Cause, Side, Agent, Weigh)> {
    if rulebook < Rulebook::V1_1 {
        return None;
    }
    let cause = testimony::claimed_cause(rulebook, reason)?;
    let weigh: Weigh = if reason.cause.is_some() { Draft::strong } else { Draft::weak };
    let (_, side, agent) = BELIEVED.iter().find(|(believed, ..)| *believed == cause)?;
    Some((cause, *side, *agent, weigh))
}

/// The CANCEL that was decisive.
fn remote_cancel<'a>(facts: &Facts<'a>) -> Option<Fact<&'a Request>> {
    let decisive = facts.decisive?;
    let Signal::Cancel(request) = decisive.what.signal()? else { return None };
    Some(decisive.with(request))
}
