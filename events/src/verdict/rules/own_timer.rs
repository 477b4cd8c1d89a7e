//! Our own timers.

use super::super::draft::Draft;
use super::super::facts::{Facts, millis};
use super::super::families::Cause;
use super::super::text;
use crate::call::{Act, TimerId};
use crate::party::{Agent, Role, Side};

/// Status of the reject when the caller's Expires ran out (RFC 3261 §13.3.1).
const EXPIRED: u16 = 487;

/// 4a at B, 4c at A: nobody took the call while our patience, or the caller's Expires, lasted.
pub(super) fn no_answer(facts: &Facts<'_>) -> Option<Draft> {
    let decisive = facts.decisive?;
    if facts.decisive_timer()? != TimerId::NoAnswer {
        return None;
    }
    let waited = text::span(millis(decisive.at, facts.started_at));
    let status = facts.ended.and_then(|ended| ended.what.status);
    Some(match facts.role? {
        Role::Caller => Draft::certain(Cause::NoAnswer, Side::Caller, Agent::Timer)
            .by_recorded(facts)
            .because(decisive.event, format!("the caller's own no-answer timer ran out after {waited}")),
        Role::Callee if status == Some(EXPIRED) => {
            Draft::certain(Cause::NoAnswer, Side::Caller, Agent::Timer)
                .by(Act::FinalResponse)
                .because(decisive.event, format!("the Expires of the caller's INVITE ran out after {waited}"))
        }
        Role::Callee => Draft::certain(Cause::NoAnswer, Side::Callee, Agent::Timer)
            .by(Act::FinalResponse)
            .because(decisive.event, format!("the callee's own no-answer timer ran out after {waited}")),
    })
}

/// 5g: the conversation had its time.
pub(super) fn max_duration(facts: &Facts<'_>) -> Option<Draft> {
    ended_by_timer(
        facts,
        TimerId::MaxDuration,
        Cause::MaxDuration,
        Agent::Timer,
        "the longest allowed duration",
    )
}

/// 3k: the announcement had its time.
pub(super) fn announcement_max(facts: &Facts<'_>) -> Option<Draft> {
    ended_by_timer(
        facts,
        TimerId::AnnouncementMax,
        Cause::Hangup,
        Agent::Timer,
        "the time for an announcement",
    )
}

/// Automation that hangs up: the application set it.
pub(super) fn hangup_delay(facts: &Facts<'_>) -> Option<Draft> {
    let agent = facts.ending().map_or(Agent::Application, |ending| ending.what.agent);
    ended_by_timer(facts, TimerId::HangupDelay, Cause::Hangup, agent, "the application's hang-up delay")
}

fn ended_by_timer(
    facts: &Facts<'_>,
    timer: TimerId,
    cause: Cause,
    agent: Agent,
    words: &str,
) -> Option<Draft> {
    let decisive = facts.decisive?;
    if facts.decisive_timer()? != timer {
        return None;
    }
    Some(
        Draft::certain(cause, facts.role?.side(), agent)
            .by_recorded(facts)
            .because(decisive.event, format!("{words} was over")),
    )
}
