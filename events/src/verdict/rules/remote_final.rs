//! A final response came that nobody here had asked for: the status with its Reason, the phase and the time.
//!
//! `Q.850;cause=16` on a refusal is ignored: it loses to the status. A Reason that is no more than the RFC 3398
//! translation of the status is no second witness.

use super::super::draft::Draft;
use super::super::facts::{Fact, Facts, millis};
use super::super::families::Cause;
use super::super::testimony::{self, Protocol};
use super::super::text;
use super::super::vocabulary::{Confidence, Rulebook};
use super::last::{Last, agent};
use super::statuses;
use crate::party::{Agent, Side};
use crate::sip::Reason;

/// Faster than any human can look at a display and refuse, in milliseconds.
const NO_HUMAN_MS: u64 = 1000;
/// A 480 that comes this fast after the alerting is no expired patience.
const NO_PATIENCE_MS: u64 = 200;
/// From here on a 480 without a word is an expired timer rather than a refusal.
const PATIENCE_MS: u64 = 10_000;

/// Section 6: media before the answer, and at once a 480 or 408 that says the subscriber rejects or is absent. Nobody
/// had the time to look: the network refused.
pub(super) fn no_human_had_time(facts: &Facts<'_>) -> Option<Draft> {
    let last = Last::of(facts)?;
    let media = facts.progress.early_media?;
    let took = millis(last.fact.at, media.at);
    let reason = last.q850(&[20, 21])?;
    if last.status != 480 || took > NO_HUMAN_MS {
        return None;
    }
    Some(
        last.draft(Draft::strong(Cause::Unavailable, Side::Network, Agent::Unknown))
            .because(last.fact.event, format!("480 with {}", testimony::quote(reason)))
            .because(media.event, format!("early media only {} before: no human had time", text::span(took))),
    )
}

/// Status, Reason and phase agree on something more precise than the status.
pub(super) fn agreeing(facts: &Facts<'_>) -> Option<Draft> {
    let last = Last::of(facts)?;
    last.heard(facts).find_map(|reason| {
        let cause = refined(facts.rulebook, &last, &reason)?;
        let draft = Draft::strong(cause, last.side(facts, cause), agent(cause));
        let echo = format!("{} with {}", last.status, testimony::quote(&reason));
        Some(last.draft(draft).because(last.fact.event, echo))
    })
}

/// Words in the phrase that the status has no number for.
pub(super) fn by_phrase(facts: &Facts<'_>) -> Option<Draft> {
    let last = Last::of(facts)?;
    let phrase = last.fact.what.phrase.to_ascii_lowercase();
    let has = |word: &str| phrase.contains(word);
    let cause = match last.status {
        482 if has("merged") => Cause::MergedRequest,
        603 if has("blocked") || has("screen") => Cause::Screened,
        480 if has("do not disturb") || has("dnd") => Cause::Unavailable,
        480 if has("no answer") || has("not answer") => Cause::NoAnswer,
        403 | 503 if has("limit") || has("too many") => Cause::RateLimited,
        _ if facts.since(Rulebook::V1_1) => last.said_in_words(facts.rulebook, &last.fact.what.phrase)?,
        _ => return None,
    };
    let words = format!("{} with the phrase \"{}\"", last.status, last.fact.what.phrase);
    let draft = Draft::weak(cause, last.side(facts, cause), agent(cause));
    Some(last.draft(draft).because(last.fact.event, words))
}

/// Words of a Reason or a Warning that the status and the numbers have nothing for.
pub(super) fn by_words(facts: &Facts<'_>) -> Option<Draft> {
    let last = Last::of(facts)?;
    let reasons = last.heard(facts).map(|reason| testimony::quote(&reason));
    let warnings = last.fact.what.clues.warnings.iter().map(|warning| format!("the Warning {warning}"));
    reasons.chain(warnings).find_map(|says| {
        let cause = last.said_in_words(facts.rulebook, &says)?;
        let draft = Draft::weak(cause, last.side(facts, cause), agent(cause));
        Some(last.draft(draft).because(last.fact.event, format!("{} with {says}", last.status)))
    })
}

/// 480, 408 and 487 mean what the phase and the time make of them.
pub(super) fn by_timing(facts: &Facts<'_>) -> Option<Draft> {
    let last = Last::of(facts)?;
    let alerted = facts.progress.first_alert();
    match (last.status, alerted) {
        (480, _) if last.fact.what.clues.retry_after.is_some() => Some(
            last.conclude(facts, Draft::strong, Cause::Unavailable)
                .because(last.fact.event, "480 with Retry-After: try again later"),
        ),
        (480, None) => Some(
            last.conclude(facts, Draft::weak, Cause::NotRegistered)
                .because(last.fact.event, "480 without any ringing: nobody is registered there"),
        ),
        (480, Some(rang)) => Some(patience_or_refusal(facts, &last, rang)),
        (408, Some(rang)) => Some(
            last.conclude(facts, Draft::strong, Cause::NoAnswer)
                .because(last.fact.event, format!("408 after {}", rang_for(&last, rang))),
        ),
        (408, None) => Some(
            last.draft(Draft::strong(Cause::NoResponse, Side::Network, Agent::Timer))
                .because(last.fact.event, "408 without any ringing: the next hop got no response"),
        ),
        (487, Some(rang)) => {
            Some(last.draft(Draft::weak(Cause::NoAnswer, Side::Network, Agent::Unknown)).because(
                last.fact.event,
                format!("487 after {}, although nobody here cancelled", rang_for(&last, rang)),
            ))
        }
        (487, None) => Some(
            last.draft(Draft::weak(Cause::Cancelled, Side::Network, Agent::Unknown))
                .because(last.fact.event, "487, although nobody here cancelled"),
        ),
        _ => None,
    }
}

/// The leaf of the status.
pub(super) fn by_status(facts: &Facts<'_>) -> Option<Draft> {
    let last = Last::of(facts)?;
    let cause = statuses::leaf(last.status);
    let known = statuses::is_known(last.status);
    let mut draft = last.conclude(facts, Draft::strong, cause);
    let words = if known {
        format!("the final response was {} {}", last.status, last.fact.what.phrase)
    } else {
        format!("the final response was {}, to be taken by its class (RFC 3261 §8.1.3.2)", last.status)
    };
    draft = draft.because(last.fact.event, words.trim_end());
    if !known {
        draft = draft.at_most(Confidence::Weak);
    }
    if let (Cause::Busy, Some(rang)) = (cause, facts.progress.first_alert()) {
        draft = draft.despite(rang.event, "it alerted first, so a person may have refused with this status");
        if let Some(took) = facts.long_ringing_ms() {
            let says = format!("it rang for {}: phones that give up send this status, too", text::span(took));
            draft = draft.despite(last.fact.event, says).at_most(Confidence::Weak);
        }
    }
    Some(draft)
}

/// 4a: the callee's timer, 4b and 4h: the network's. A very fast 480 is neither.
fn patience_or_refusal(facts: &Facts<'_>, last: &Last<'_>, rang: Fact<()>) -> Draft {
    let took = millis(last.fact.at, rang.at);
    let says = format!("480 after {}", rang_for(last, rang));
    if took < NO_PATIENCE_MS {
        return last.conclude(facts, Draft::weak, Cause::Unavailable).because(last.fact.event, says);
    }
    let weight = if took >= PATIENCE_MS { Draft::strong } else { Draft::weak };
    last.conclude(facts, weight, Cause::NoAnswer).because(last.fact.event, says)
}

fn rang_for(last: &Last<'_>, rang: Fact<()>) -> String {
    format!("{} of alerting", text::span(millis(last.fact.at, rang.at)))
}

/// What a Reason makes of a status, where it knows more.
fn refined(rulebook: Rulebook, last: &Last<'_>, reason: &Reason) -> Option<Cause> {
    let is_q850 = testimony::protocol(reason) == Protocol::Q850;
    let claimed = testimony::claimed_cause(rulebook, reason)?;
    let newer = rulebook >= Rulebook::V1_1;
    match (last.status, claimed) {
        // A protocol other than Q.850 says it as well, unless it merely repeats the status.
        (480, Cause::NoAnswer | Cause::NotRegistered | Cause::Busy) if newer && !is_q850 => {
            reason.cause.filter(|cause| *cause != last.status).map(|_| claimed)
        }
        (300..=699, Cause::Preempted) if newer => Some(claimed),
        (480 | 487, Cause::NoAnswer) | (480, Cause::Unavailable | Cause::Busy) if is_q850 => Some(claimed),
        (480, Cause::Declined) => Some(Cause::Unavailable),
        (487, Cause::AnsweredElsewhere | Cause::Busy | Cause::Declined) => Some(claimed),
        (404, Cause::Unavailable) => Some(Cause::NotRegistered),
        (486, Cause::Busy) | (600, Cause::BusyEverywhere) => None, // by_status says it, with its doubt
        (403 | 404 | 480 | 500..=599 | 603, Cause::Congestion | Cause::OutOfService | Cause::Barred) => {
            let translated = testimony::echo(last.status) == reason.cause;
            (!translated).then_some(claimed)
        }
        _ => None,
    }
}
