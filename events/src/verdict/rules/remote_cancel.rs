//! A CANCEL came: the caller's side stopped; its Reason says why, if it is believed.

use super::super::draft::Draft;
use super::super::facts::{Fact, Facts, millis};
use super::super::families::Cause;
use super::super::testimony::{self, Protocol};
use super::super::text;
use super::super::vocabulary::Confidence;
use crate::call::{Act, Signal};
use crate::party::{Agent, Side};
use crate::sip::{Reason, Request};

/// Nobody's patience is shorter than this, in milliseconds: a Reason that says so is doubted.
const SHORTEST_PATIENCE_MS: u64 = 500;

/// 4b, 4c, 4e at B: answered or declined elsewhere, or nobody's patience left.
pub(super) fn by_reason(facts: &Facts<'_>) -> Option<Draft> {
    let cancel = remote_cancel(facts)?;
    let (reason, meaning) =
        cancel.what.reasons.iter().find_map(|reason| meaning(reason).map(|meaning| (reason, meaning)))?;
    let (cause, side, agent) = meaning;
    let mut draft = Draft::strong(cause, side, agent)
        .by(Act::Cancel)
        .because(cancel.event, format!("the CANCEL says {}", testimony::quote(reason)));
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

/// The CANCEL that was decisive.
fn remote_cancel<'a>(facts: &Facts<'a>) -> Option<Fact<&'a Request>> {
    let decisive = facts.decisive?;
    let Signal::Cancel(request) = decisive.what.signal()? else { return None };
    Some(decisive.with(request))
}
