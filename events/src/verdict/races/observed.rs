//! Races as an observer sees them: the order and the margin are those at the point of capture.

use super::super::facts::{Fact, Facts, Watch};
use super::super::tuple::Race;
use super::super::vocabulary::RaceKind;
use super::before_answer::is_refusal;
use super::race;
use crate::call::observed::{Relation, Seen, Sight};
use crate::call::{Pending, Signal};
use crate::party::Side;

pub(super) fn find(facts: &Facts<'_>, races: &mut Vec<Race>) {
    let Some(watch) = &facts.watch else { return };
    cancel(facts, races);
    late_answer(facts, races);
    byes(facts, watch, races);
    reinvites(facts, watch, races);
    refer(facts, watch, races);
    acks(facts, races);
    if let Some(again) = watch.sights.iter().find(|sight| matches!(sight.what.seen, Seen::Repeated { .. }))
        && let Some(ended) = facts.ended
    {
        races.push(race(RaceKind::RetransmissionAfterEnd, "end", "retransmission", &ended, again));
    }
}

/// A CANCEL and what it met.
fn cancel(facts: &Facts<'_>, races: &mut Vec<Race>) {
    let Some(cancel) = facts.cancels.first() else { return };
    if let Some(answer) = facts.answers.first() {
        races.push(race(RaceKind::CancelVs200, "callee_answer", "caller_cancel", answer, cancel));
        // The answer was on its way when the CANCEL passed here: it came to a callee that had answered.
        if answer.event < cancel.event {
            races.push(race(
                RaceKind::AnswerVsRemoteCancel,
                "callee_answer",
                "caller_cancel",
                answer,
                cancel,
            ));
        }
        return;
    }
    if let Some(refusal) = facts.failures.iter().find(|failure| failure.what.status != 487) {
        let (kind, winner) = if is_refusal(refusal.what.status) {
            (RaceKind::RejectVsCancel, "callee_reject")
        } else {
            (RaceKind::CancelVsFinal, "final_response")
        };
        races.push(race(kind, winner, "caller_cancel", cancel, refusal));
    }
}

/// The caller's timer had given up when somebody answered.
fn late_answer(facts: &Facts<'_>, races: &mut Vec<Race>) {
    let Some(gave_up) = facts.timed_out.iter().find(|fact| fact.what == Pending::Invite) else { return };
    if let Some(late) = facts.answers.iter().find(|answer| answer.event > gave_up.event) {
        races.push(race(RaceKind::TimerVsAnswer, "caller_timer", "callee_answer", gave_up, late));
    }
}

fn byes(facts: &Facts<'_>, watch: &Watch<'_>, races: &mut Vec<Race>) {
    let Some(first) = seen(watch, |signal| matches!(signal, Signal::Bye(_))).next() else { return };
    let crossing = seen(watch, |signal| matches!(signal, Signal::Bye(_)))
        .find(|bye| bye.event > first.event && bye.what.by != first.what.by);
    if let Some(other) = crossing {
        races.push(race(RaceKind::ByeVsBye, "both", "none", first, other));
    }
    // A caller's BYE may overtake its ACK, a callee's must not (RFC 3261 §15).
    let late_ack = facts.acks.iter().find(|ack| ack.event > first.event);
    if let (Some(_), Some(ack)) = (facts.answered, late_ack)
        && facts.acks.iter().all(|ack| ack.event > first.event)
    {
        let (winner, loser) = match first.what.by {
            Side::Callee => ("caller_ack", "callee_bye"),
            Side::Caller | Side::Network | Side::Both | Side::Nobody | Side::Unknown => {
                ("caller_bye", "caller_ack")
            }
        };
        races.push(race(RaceKind::ByeBeforeAck, winner, loser, first, ack));
    }
}

/// A BYE that met a re-INVITE, on this leg or on the other leg of the same back-to-back user agent; two re-INVITEs.
fn reinvites(facts: &Facts<'_>, watch: &Watch<'_>, races: &mut Vec<Race>) {
    let is_reinvite = |signal: &Signal| matches!(signal, Signal::Reinvite(_));
    let all: Vec<_> = seen(watch, is_reinvite).collect();
    let answered = |from: u64, until: u64| {
        facts.reinvite_answers.iter().any(|answer| answer.event > from && answer.event < until)
    };
    for pair in all.windows(2) {
        let [first, second] = pair else { continue };
        if first.what.by != second.what.by && !answered(first.event, second.event) {
            races.push(race(RaceKind::ReinviteGlare, "none", "both", *first, *second));
        }
    }
    let refused = facts.reinvite_answers.iter().find(|answer| answer.what.status == 491);
    if let (Some(first), Some(refused)) = (all.first(), refused) {
        races.push(race(RaceKind::ReinviteGlare, "none", "both", *first, refused));
    }
    across(watch, &all, races);
    let Some(bye) = seen(watch, |signal| matches!(signal, Signal::Bye(_))).next() else { return };
    let crossing = all.iter().find(|one| one.event > bye.event || !answered(one.event, bye.event));
    if let Some(crossed) = crossing {
        let (winner, loser) = (format!("{}_bye", bye.what.by), format!("{}_reinvite", crossed.what.by));
        races.push(race(RaceKind::ByeVsReinvite, &winner, &loser, bye, *crossed));
    }
}

/// The other leg had been hung up, and a re-INVITE still left on this one.
fn across(watch: &Watch<'_>, here: &[&Fact<&Sight>], races: &mut Vec<Race>) {
    if let Some(hung_up) = watch.related(u64::MAX, |relation| relation == Relation::LegHungUp)
        && let Some(crossed) = here.iter().find(|one| one.event > hung_up.event)
    {
        let winner = format!("{}_bye", hung_up.what.by);
        races.push(race(RaceKind::ByeVsReinvite, &winner, "other_leg_reinvite", &hung_up, *crossed));
    }
}

/// A REFER and a BYE of different sides that crossed.
fn refer(facts: &Facts<'_>, watch: &Watch<'_>, races: &mut Vec<Race>) {
    let Some(bye) = facts.byes.first() else { return };
    let late = facts.requests.iter().find(|one| one.event > bye.event && one.what.method == "REFER");
    let by = |event: u64| watch.sights.iter().find(|sight| sight.event == event).map(|sight| sight.what.by);
    if let Some(late) = late
        && let (Some(first), Some(second)) = (by(bye.event), by(late.event))
    {
        let (winner, loser) = (format!("{first}_bye"), format!("{second}_refer"));
        races.push(race(RaceKind::ByeVsRefer, &winner, &loser, bye, late));
    }
}

/// The ACK passed when the callee's patience was over.
fn acks(facts: &Facts<'_>, races: &mut Vec<Race>) {
    let Some(missing) = facts.ack_missing else { return };
    if let Some(late) = facts.acks.iter().find(|ack| ack.event > missing.event) {
        races.push(race(RaceKind::AckLost, "callee_timer", "caller_ack", &missing, late));
    }
}

fn seen<'w, 'a>(
    watch: &'w Watch<'a>,
    wanted: impl Fn(&Signal) -> bool + 'w,
) -> impl Iterator<Item = &'w Fact<&'a Sight>> {
    watch.sights.iter().filter(move |sight| sight.what.signal().is_some_and(&wanted))
}
