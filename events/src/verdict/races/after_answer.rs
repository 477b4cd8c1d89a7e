//! BYE, ACK, re-INVITE and REFER: who was first.

use super::super::facts::{Fact, Facts};
use super::super::tuple::Race;
use super::super::vocabulary::RaceKind;
use super::race;
use crate::call::{Act, Ending, Pending};
use crate::party::Role;

/// CSeq of a request that comes again is the same.
type Cseq = u32;

pub(super) fn find(facts: &Facts<'_>, races: &mut Vec<Race>) {
    let Some(role) = facts.role else { return };
    let own_bye = facts.ending().filter(|ending| matches!(ending.what.act, Act::Bye | Act::Timeout));
    bye_vs_bye(facts, own_bye, races);
    bye_vs_reinvite(facts, role, own_bye, races);
    bye_vs_refer(facts, role, own_bye, races);
    before_ack(facts, role, own_bye, races);
    ack_lost(facts, races);
    glare(facts, races);
    after_end(facts, races);
}

fn bye_vs_bye(facts: &Facts<'_>, own: Option<Fact<&Ending>>, races: &mut Vec<Race>) {
    let Some(own) = own else { return };
    if let Some(other) = facts.byes.iter().find(|bye| bye.event > own.event) {
        races.push(race(RaceKind::ByeVsBye, "both", "none", &own, other));
    }
}

/// A re-INVITE that was on its way, either way, when the BYE was decided or came.
fn bye_vs_reinvite(facts: &Facts<'_>, role: Role, own: Option<Fact<&Ending>>, races: &mut Vec<Race>) {
    let (us, them) = (role.side(), role.peer().side());
    let bye_at = own.map(|own| (own.with(()), us));
    let bye = bye_at.or_else(|| facts.byes.first().map(|bye| (bye.with(()), them)));
    let Some((bye, by)) = bye else { return };
    let winner = format!("{by}_bye");
    let pending =
        facts.media_requests.iter().rev().find(|request| is_pending(facts, request.event, bye.event));
    if let Some(pending) = pending {
        races.push(race(RaceKind::ByeVsReinvite, &winner, &format!("{us}_reinvite"), pending, &bye));
    }
    if let Some(theirs) = facts.reinvites.iter().find(|request| own.is_some() && request.event > bye.event) {
        races.push(race(RaceKind::ByeVsReinvite, &winner, &format!("{them}_reinvite"), &bye, theirs));
    }
}

/// Whether the re-INVITE of event `request` was on its way when event `bye` happened.
fn is_pending(facts: &Facts<'_>, request: u64, bye: u64) -> bool {
    let between = |event: u64| event > request && event <= bye;
    let answered = facts.reinvite_answers.iter().any(|answer| between(answer.event));
    let gave_up = facts.timed_out.iter().any(|fact| fact.what == Pending::Reinvite && between(fact.event));
    let broke =
        facts.transport_failures.iter().any(|fact| fact.what.0 == Pending::Reinvite && between(fact.event));
    request < bye && !answered && !gave_up && !broke
}

/// A REFER that came while our BYE was under way.
fn bye_vs_refer(facts: &Facts<'_>, role: Role, own: Option<Fact<&Ending>>, races: &mut Vec<Race>) {
    let Some(own) = own else { return };
    let refer =
        facts.requests.iter().find(|request| request.event > own.event && request.what.method == "REFER");
    if let Some(refer) = refer {
        let (winner, loser) = (format!("{}_bye", role.side()), format!("{}_refer", role.peer().side()));
        races.push(race(RaceKind::ByeVsRefer, &winner, &loser, &own, refer));
    }
}

/// 1g: the callee must not send BYE before the ACK (RFC 3261 §15); a caller's BYE may overtake its ACK.
fn before_ack(facts: &Facts<'_>, role: Role, own: Option<Fact<&Ending>>, races: &mut Vec<Race>) {
    if role != Role::Callee {
        return;
    }
    let Some(answered) = facts.answered else { return };
    let ack = facts.acks.first();
    let early = |event: u64| ack.is_none_or(|ack| ack.event > event);
    if let Some(own) = own.filter(|own| own.what.act == Act::Bye && early(own.event)) {
        let margin = ack.map(|ack| super::millis(ack.at, own.at));
        races.push(Race {
            kind: RaceKind::ByeBeforeAck,
            winner: if ack.is_some() { "caller_ack" } else { "none" }.to_owned(),
            loser: "callee_bye".to_owned(),
            margin_ms: margin,
        });
    } else if let Some(bye) = facts.byes.first().filter(|bye| bye.event > answered.event && early(bye.event))
    {
        races.push(race(RaceKind::ByeBeforeAck, "caller_bye", "caller_ack", &answered, bye));
    }
}

/// The ACK came when nobody waited for it any more.
fn ack_lost(facts: &Facts<'_>, races: &mut Vec<Race>) {
    let Some(missing) = facts.ack_missing else { return };
    if let Some(late) = facts.acks.iter().find(|ack| ack.event > missing.event) {
        races.push(race(RaceKind::AckLost, "callee_timer", "caller_ack", &missing, late));
    }
}

/// Both sides changed the media at once (RFC 3261 §14.1).
fn glare(facts: &Facts<'_>, races: &mut Vec<Race>) {
    for request in &facts.media_requests {
        let answer = facts.reinvite_answers.iter().find(|answer| answer.event > request.event);
        let until = answer.map_or(u64::MAX, |answer| answer.event);
        let crossed =
            facts.reinvites.iter().find(|theirs| theirs.event > request.event && theirs.event < until);
        if let Some(crossed) = crossed {
            races.push(race(RaceKind::ReinviteGlare, "none", "both", request, crossed));
        } else if let Some(answer) = answer.filter(|answer| answer.what.status == 491) {
            races.push(race(RaceKind::ReinviteGlare, "none", "both", request, answer));
        }
    }
}

/// A request that had been answered before the end came once more after it.
fn after_end(facts: &Facts<'_>, races: &mut Vec<Race>) {
    let Some(ended) = facts.ended else { return };
    let known = |cseq: Cseq, list: &[Fact<&crate::sip::Request>]| {
        list.iter().any(|request| request.event <= ended.event && request.what.cseq == cseq)
    };
    let all = [&facts.byes, &facts.cancels, &facts.reinvites];
    let again = all.into_iter().find_map(|list| {
        list.iter().find(|request| facts.is_after_end(request.event) && known(request.what.cseq, list))
    });
    if let Some(again) = again {
        races.push(race(RaceKind::RetransmissionAfterEnd, "end", "retransmission", &ended, again));
    }
}
