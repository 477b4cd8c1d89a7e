//! A BYE passed by: its sender is a fact, and nothing is known of what anybody there wanted.

use super::super::draft::Draft;
use super::super::facts::{Fact, Facts};
use super::super::families::Cause;
use super::super::testimony;
use super::super::tuple::{Evidence, Underlying};
use super::super::vocabulary::Confidence;
use super::remote_bye::{glare_before, remote_bye, testified};
use crate::call::observed::{Relation, Seen};
use crate::call::{Act, Signal};
use crate::party::{Agent, Side};
use crate::sip::Request;

/// The BYE of an observed call that was decisive, and whose it was.
pub(super) fn observed_bye<'a>(facts: &Facts<'a>) -> Option<(Fact<&'a Request>, Side)> {
    facts.watch.as_ref()?;
    let by = facts.decisive?.what.seen_by()?;
    Some((remote_bye(facts)?, by))
}

/// A Reason that says the end was no hang-up.
pub(super) fn by_reason(facts: &Facts<'_>) -> Option<Draft> {
    let (bye, by) = observed_bye(facts)?;
    let draft = testified(facts, bye, by)?;
    Some(by_a_stranger(facts, bye.event, draft))
}

/// 491 without end, then a BYE.
pub(super) fn after_glare(facts: &Facts<'_>) -> Option<Draft> {
    let (bye, by) = observed_bye(facts)?;
    glare_before(facts, bye, by)
}

/// One side hung up, or both at once, or the caller gave up by BYE before the answer (RFC 3261 §15).
pub(super) fn plain(facts: &Facts<'_>) -> Option<Draft> {
    let (bye, by) = observed_bye(facts)?;
    let both = facts.ended.is_some_and(|ended| ended.what.side == Side::Both);
    let answered = facts.answered.is_some() || facts.connected.is_some();
    let draft = if both {
        Draft::strong(Cause::Hangup, Side::Both, Agent::Unknown)
            .because(bye.event, format!("the {by}'s BYE passed, and the other side's before it was answered"))
    } else if !answered {
        Draft::strong(Cause::Cancelled, by, Agent::Unknown)
            .because(bye.event, format!("the {by} sent BYE before the answer (RFC 3261 §15)"))
    } else if by == Side::Unknown {
        Draft::strong(Cause::Hangup, by, Agent::Unknown).because(
            bye.event,
            "a BYE passed; which end of the call its sender is, the capture does not tell",
        )
    } else {
        Draft::strong(Cause::Hangup, by, Agent::Unknown).because(bye.event, format!("the {by} sent the BYE"))
    };
    // 1j: the network only with evidence.
    let foreign = bye.what.reasons.iter().find(|reason| testimony::made_by_user(reason) == Some(false));
    let draft = match foreign {
        Some(reason) => Draft { side: Side::Network, ..draft }
            .because(bye.event, format!("its Reason was made in the network: {}", testimony::quote(reason))),
        None => draft,
    };
    Some(behind_the_leg(facts, bye.event, by_a_stranger(facts, bye.event, draft.by(Act::Bye))))
}

/// The BYE itself was not seen, but its answer was: it came from the other side.
pub(super) fn answered(facts: &Facts<'_>) -> Option<Draft> {
    facts.watch.as_ref()?;
    let (decisive, ended) = (facts.decisive?, facts.ended?);
    let Signal::ByeAnswered(_) = decisive.what.signal()? else { return None };
    let by = ended.what.side;
    Some(
        Draft::strong(Cause::Hangup, by, Agent::Unknown)
            .by(Act::Bye)
            .because(decisive.event, format!("the {by}'s BYE was answered; the BYE itself was not seen")),
    )
}

/// The leg of a back-to-back user agent ends because its other leg did.
fn behind_the_leg(facts: &Facts<'_>, event: u64, draft: Draft) -> Draft {
    let Some(watch) = &facts.watch else { return draft };
    let Some(leg) = watch.related(event, |relation| relation == Relation::LegHungUp) else { return draft };
    let Seen::Related(related) = &leg.what.seen else { return draft };
    let says = format!("the {} of the other leg had hung up: {}", leg.what.by, related.because.join(", "));
    draft.hiding(Underlying {
        cause: Cause::Hangup,
        confidence: Confidence::Strong,
        evidence: vec![Evidence::new(leg.event, says)],
    })
}

/// Anybody can write anybody's name on a message: what comes from nowhere is not believed much.
fn by_a_stranger(facts: &Facts<'_>, event: u64, draft: Draft) -> Draft {
    let Some(watch) = &facts.watch else { return draft };
    let strange = watch.sights.iter().any(|sight| sight.event == event && sight.what.stranger);
    if !strange {
        return draft;
    }
    draft
        .despite(event, "the BYE came from an address that had no part in the call before")
        .at_most(Confidence::Weak)
}
