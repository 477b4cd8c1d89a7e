//! CANCEL, answer, refusal and timer: which of them the other side's transaction took.
//!
//! The winner is the act that took effect on the wire, so that both ends name the same one: a CANCEL that crosses a
//! 200 has lost (RFC 3261 §9.1), although the caller's wish prevails at last by ACK and BYE.

use super::super::facts::{Fact, Facts};
use super::super::tuple::Race;
use super::super::vocabulary::RaceKind;
use super::race;
use crate::call::{Act, Command, Ending, Pending, TimerId};
use crate::party::Role;
use crate::sip::Response;

pub(super) fn find(facts: &Facts<'_>, races: &mut Vec<Race>) {
    match facts.role {
        Some(Role::Caller) => as_caller(facts, races),
        Some(Role::Callee) => as_callee(facts, races),
        None => {}
    }
    two_answers(facts, races);
}

/// What our CANCEL met on its way.
fn as_caller(facts: &Facts<'_>, races: &mut Vec<Race>) {
    if let Some(ending) = facts.ending().filter(|ending| ending.what.act == Act::Cancel) {
        held(facts, ending, races);
        if let Some(answer) = facts.answers.iter().find(|answer| answer.event > ending.event) {
            crossed_answer(facts, ending, answer, races);
        }
        let refusal = facts.failures.iter().find(|fact| fact.event > ending.event && fact.what.status != 487);
        if let Some(refusal) = refusal {
            let (kind, winner) = if is_refusal(refusal.what.status) {
                (RaceKind::RejectVsCancel, "callee_reject")
            } else {
                (RaceKind::CancelVsFinal, "final_response")
            };
            races.push(race(kind, winner, "caller_cancel", &ending, refusal));
        }
    }
    // Timer B gave up, and then somebody answered after all.
    let gave_up = facts.timed_out.iter().find(|fact| fact.what == Pending::Invite);
    let late = gave_up.and_then(|gave_up| facts.answers.iter().find(|answer| answer.event > gave_up.event));
    if let (Some(gave_up), Some(late)) = (gave_up, late) {
        races.push(race(RaceKind::TimerVsAnswer, "caller_timer", "callee_answer", gave_up, late));
    }
}

/// The 200 that met our CANCEL, or came when the call was long given up.
fn crossed_answer(facts: &Facts<'_>, ending: Fact<&Ending>, answer: &Fact<&Response>, races: &mut Vec<Race>) {
    let in_time = !facts.is_after_end(answer.event);
    let mut found = |kind, other: &str| {
        let (winner, loser) = if in_time { ("callee_answer", other) } else { (other, "callee_answer") };
        races.push(race(kind, winner, loser, &ending, answer));
    };
    found(RaceKind::CancelVs200, "caller_cancel");
    if facts.decisive_timer() == Some(TimerId::NoAnswer) {
        found(RaceKind::TimerVsAnswer, "caller_timer");
    }
}

/// RFC 3261 §9.1: no CANCEL before a provisional response.
fn held(facts: &Facts<'_>, ending: Fact<&Ending>, races: &mut Vec<Race>) {
    if !ending.what.held {
        return;
    }
    let released = facts
        .ending_sent
        .map(|fact| fact.at)
        .or_else(|| facts.provisionals.iter().find(|fact| fact.event > ending.event).map(|fact| fact.at));
    races.push(Race {
        kind: RaceKind::CancelHeldForProvisional,
        winner: "caller_cancel".to_owned(),
        loser: if released.is_some() { "provisional" } else { "none" }.to_owned(),
        margin_ms: released.map(|at| super::millis(at, ending.at)),
    });
}

/// What the caller's CANCEL met here.
fn as_callee(facts: &Facts<'_>, races: &mut Vec<Race>) {
    let Some(cancel) = facts.cancels.first() else {
        return late_answer(facts, races);
    };
    if let Some(answered) = facts.answered.filter(|answered| answered.event < cancel.event) {
        for kind in [RaceKind::CancelVs200, RaceKind::AnswerVsRemoteCancel] {
            races.push(race(kind, "callee_answer", "caller_cancel", &answered, cancel));
        }
        return;
    }
    let Some(ended) = facts.ended else { return };
    if ended.event < cancel.event && ended.what.act == Act::FinalResponse {
        let by_timer = facts.decisive_timer() == Some(TimerId::NoAnswer);
        let (kind, winner) = if by_timer {
            (RaceKind::CancelVsFinal, "callee_timer")
        } else {
            (RaceKind::RejectVsCancel, "callee_reject")
        };
        races.push(race(kind, winner, "caller_cancel", &ended, cancel));
    }
    let accept = late_accept(facts, ended.event);
    if let Some(accept) = accept {
        races.push(race(RaceKind::AnswerVsRemoteCancel, "caller_cancel", "callee_answer", cancel, &accept));
    }
}

/// Our own timer had refused the call when the user picked up.
fn late_answer(facts: &Facts<'_>, races: &mut Vec<Race>) {
    let Some(ended) = facts.ended else { return };
    if facts.decisive_timer() != Some(TimerId::NoAnswer) {
        return;
    }
    if let Some(accept) = late_accept(facts, ended.event) {
        races.push(race(RaceKind::TimerVsAnswer, "callee_timer", "callee_answer", &ended, &accept));
    }
}

fn late_accept(facts: &Facts<'_>, after: u64) -> Option<Fact<()>> {
    facts
        .commands
        .iter()
        .find(|command| command.event > after && matches!(command.what, Command::Accept))
        .map(|command| command.with(()))
}

/// Two forks answered: the second 2xx is acknowledged and ended at once.
fn two_answers(facts: &Facts<'_>, races: &mut Vec<Race>) {
    let Some(first) = facts.answers.first() else { return };
    let second = facts.answers.iter().find(|answer| {
        answer.event > first.event && answer.what.to_tag.is_some() && answer.what.to_tag != first.what.to_tag
    });
    if let Some(second) = second {
        races.push(race(RaceKind::Two200s, "first_answer", "second_answer", first, second));
    }
}

/// Final responses by which the called side says no.
pub(super) fn is_refusal(status: u16) -> bool {
    matches!(status, 403 | 480 | 486 | 600 | 603 | 607)
}
