//! Final responses that mean something else because of what went before: credentials, a redirection, a reliable 18x.

use super::super::draft::Draft;
use super::super::facts::{Facts, millis};
use super::super::families::Cause;
use super::super::text;
use super::super::vocabulary::Completeness;
use super::last::Last;
use crate::party::{Agent, Side};

/// 403 to an INVITE that carried credentials: they were not good enough (RFC 3261 §22.2).
pub(super) fn credentials_refused(facts: &Facts<'_>) -> Option<Draft> {
    let last = Last::of(facts)?;
    let sent = facts.credentials.filter(|_| last.status == 403)?;
    Some(
        last.conclude(facts, Draft::strong, Cause::AuthFailed)
            .because(last.fact.event, "403 to an INVITE that carried credentials")
            .because(sent.event, "the credentials left"),
    )
}

/// 5l: a redirection that leads nowhere, or back to where the call was sent (RFC 3261 §8.1.3.4).
pub(super) fn redirected_nowhere(facts: &Facts<'_>) -> Option<Draft> {
    let last = Last::of(facts)?;
    if !(300..400).contains(&last.status) || last.status == ALTERNATIVE_SERVICE {
        return None;
    }
    let contacts = &last.fact.what.contacts;
    let (weigh, says): (fn(Cause, Side, Agent) -> Draft, _) = if contacts.is_empty() {
        (Draft::weak, format!("{} without a Contact to follow", last.status))
    } else if contacts.iter().all(|contact| is_same_target(contact, facts.called)) {
        (Draft::strong, format!("{} leads back to the address that was called", last.status))
    } else {
        return None;
    };
    Some(last.conclude(facts, weigh, Cause::RedirectFailed).because(last.fact.event, says))
}

/// 380 describes its alternatives in the body (RFC 3261 §21.3.5).
const ALTERNATIVE_SERVICE: u16 = 380;

/// Whether two URIs name the same target as far as a redirection goes: parameters and headers aside.
fn is_same_target(contact: &str, called: Option<&str>) -> bool {
    let bare = |uri: &str| {
        let uri = uri.trim_matches(['<', '>', ' ']);
        uri.find([';', '?', '>']).map_or(uri, |end| &uri[..end]).to_ascii_lowercase()
    };
    called.is_some_and(|called| bare(called) == bare(contact))
}

/// RFC 3262 §3: a callee whose reliable provisional response is not acknowledged for 64·T1 refuses with a 5xx.
pub(super) fn after_reliable(facts: &Facts<'_>) -> Option<Draft> {
    let last = Last::of(facts)?;
    // Who watches knows whether a PRACK passed.
    if facts.watch.is_some() {
        return None;
    }
    let reliable = facts.provisionals.iter().find(|fact| fact.what.rseq.is_some())?;
    let took = millis(last.fact.at, reliable.at);
    is_prack_timeout(last.status, took, PRACK_PATIENCE_MS).then(|| {
        last.draft(Draft::weak(Cause::PrackMissing, Side::Callee, Agent::Timer))
            .because(last.fact.event, format!("{} came {} after", last.status, text::span(took)))
            .because(
                reliable.event,
                "a reliable provisional response, which is 64·T1: no PRACK arrived there",
            )
    })
}

/// The same seen from between: the 18x passed, and no PRACK did.
pub(super) fn prack_missing(facts: &Facts<'_>) -> Option<Draft> {
    let (last, watch) = (Last::of(facts)?, facts.watch.as_ref()?);
    let mut unacknowledged = facts.provisionals.iter().filter(|fact| fact.what.rseq.is_some());
    let reliable = unacknowledged.next_back()?;
    let acknowledged =
        facts.requests.iter().any(|fact| fact.event > reliable.event && fact.what.method == "PRACK");
    if acknowledged || watch.was_away(reliable.event, last.fact.event) {
        return None;
    }
    let took = millis(last.fact.at, reliable.at);
    let patience = watch.again.t1_ms.map_or(PRACK_PATIENCE_MS, |t1| u64::from(t1) * 64);
    is_prack_timeout(last.status, took, patience).then(|| {
        // Where the caller's side is not seen, the PRACK may have passed unseen.
        let make = if facts.completeness == Completeness::OneSided { Draft::weak } else { Draft::strong };
        last.draft(make(Cause::PrackMissing, Side::Callee, Agent::Timer))
            .because(last.fact.event, format!("{} came {} after", last.status, text::span(took)))
            .because(reliable.event, "a reliable provisional response, which is 64·T1, and no PRACK passed")
    })
}

/// Whether a final response is the 5xx that a callee sends when a PRACK did not come.
fn is_prack_timeout(status: u16, took_ms: u64, patience_ms: u64) -> bool {
    (500..600).contains(&status) && took_ms.abs_diff(patience_ms) <= PRACK_SLACK_MS.min(patience_ms / 8)
}

/// 64·T1 with the usual T1, and how exactly it is kept, in milliseconds.
const PRACK_PATIENCE_MS: u64 = 32_000;
const PRACK_SLACK_MS: u64 = 1_000;
