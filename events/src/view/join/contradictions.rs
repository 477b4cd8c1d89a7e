//! What can't be true of both ends at once, as a list of rules, each with a stable code.

use serde::Serialize;

use super::clocks::Clocks;
use super::end::End;
use crate::party::Side;
use crate::time::Timestamp;
use crate::verdict::{Cause, Family};

/// Conversations that differ by less are the same: a message on its way, and one that had to be repeated.
const TALK_TOLERANCE_MS: u64 = 2_000;

/// Where two records contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contradiction {
    /// Stable, for programs: `answer_of_another`, `status_changed`, ...
    pub code: &'static str,
    /// For people.
    pub says: String,
    /// The event in the caller's record that says so, if one does.
    pub caller_event: Option<u64>,
    /// The event in the callee's record that says so, if one does.
    pub callee_event: Option<u64>,
}

/// A rule hears the caller's end, the callee's, and how their clocks differ.
type Rule = fn(&End, &End, Clocks) -> Option<Contradiction>;

/// All rules but the last resort, which speaks only if no other does.
const RULES: [Rule; 9] = [
    nobody_answered_elsewhere,
    answer_of_another,
    answer_never_heard,
    status_changed,
    cancel_of_another,
    bye_of_another_at_the_caller,
    bye_of_another_at_the_callee,
    one_lives_on,
    talk_time,
];

/// All contradictions of two ends.
pub(super) fn find(caller: &End, callee: &End, clocks: Clocks) -> Vec<Contradiction> {
    let mut found: Vec<Contradiction> =
        RULES.iter().filter_map(|rule| rule(caller, callee, clocks)).collect();
    found.extend(who_ended_it(caller, callee));
    if found.is_empty() {
        found.extend(causes_apart(caller, callee));
    }
    found
}

/// What both say.
pub(super) fn agreements(caller: &End, callee: &End) -> Vec<String> {
    let (one, two) = (&caller.verdict, &callee.verdict);
    let mut agreed = Vec::new();
    if one.cause == two.cause && one.cause != Cause::Alive {
        agreed.push(format!("the cause is {}", one.cause.code()));
    }
    match (caller.answered, callee.answered) {
        (Some(_), Some(_)) => agreed.push("the call was answered".into()),
        (None, None) => agreed.push("the call was not answered".into()),
        (Some(_), None) | (None, Some(_)) => {}
    }
    if one.ended_by.side == two.ended_by.side && names_an_end(one.ended_by.side) {
        agreed.push(format!("it was ended by: {}", one.ended_by.side));
    }
    if let (Some(status), true) = (one.sip.status, one.sip.status == two.sip.status) {
        agreed.push(format!("the INVITE was finally answered with {status}"));
    }
    agreed
}

fn found(
    code: &'static str,
    says: String,
    caller: Option<u64>,
    callee: Option<u64>,
) -> Option<Contradiction> {
    Some(Contradiction { code, says, caller_event: caller, callee_event: callee })
}

fn nobody_answered_elsewhere(caller: &End, callee: &End, _: Clocks) -> Option<Contradiction> {
    let claimed = callee.verdict.cause == Cause::AnsweredElsewhere && !caller.heard_answer;
    if !claimed {
        return None;
    }
    let says = "the callee was told that the call was answered elsewhere; nobody answered the caller";
    found(
        "answered_elsewhere_by_nobody",
        says.into(),
        caller.ended,
        callee.heard_cancel.map(|(event, _)| event),
    )
}

fn answer_of_another(caller: &End, callee: &End, _: Clocks) -> Option<Contradiction> {
    let elsewhere = callee.verdict.family == Family::Elsewhere;
    if caller.answered.is_none() || callee.answered.is_some() || callee.blind || elsewhere {
        return None;
    }
    let says = format!(
        "the caller was answered, but not by this callee, whose record ends with {}: something between answered",
        callee.verdict.cause.code()
    );
    found("answer_of_another", says, caller.answered, callee.ended)
}

fn answer_never_heard(caller: &End, callee: &End, _: Clocks) -> Option<Contradiction> {
    if callee.answered.is_none() || caller.heard_answer {
        return None;
    }
    let says = format!(
        "the callee answered; the caller's record has no answer and ends with {}",
        caller.verdict.cause.code()
    );
    found("answer_never_heard", says, caller.ended, callee.answered)
}

fn status_changed(caller: &End, callee: &End, _: Clocks) -> Option<Contradiction> {
    let refusal =
        |end: &End| end.verdict.sip.status.filter(|status| *status >= 300 && end.answered.is_none());
    let (heard, said) = (refusal(caller)?, refusal(callee)?);
    if heard == said {
        return None;
    }
    let says = format!("the callee's end answered {said}; the caller was told {heard}");
    found("status_changed", says, caller.ended, callee.ended)
}

fn cancel_of_another(caller: &End, callee: &End, clocks: Clocks) -> Option<Contradiction> {
    let (event, heard) = callee.heard_cancel?;
    // A forking proxy cancels the rest once one has answered.
    let forked = callee.verdict.family == Family::Elsewhere && caller.heard_answer;
    if forked || caller.may_have_sent_cancel && in_time(caller, heard, clocks) {
        return None;
    }
    let says =
        "the callee received a CANCEL that the caller had not sent: something between ended the ringing";
    found("cancel_of_another", says.into(), caller.ended, Some(event))
}

/// Whether what `sender` decided to send can be what came at `heard` by the receiver's clock.
fn in_time(sender: &End, heard: Timestamp, clocks: Clocks) -> bool {
    sender.restored || sender.decided_at.is_none_or(|decided| clocks.can_have_come(decided, heard))
}

/// Whether the BYE that `receiver` heard may be the one that `sender` sent: not if it came before that was decided.
fn may_be_of(sender: &End, receiver: &End, heard: Timestamp, clocks: Clocks) -> bool {
    let too_late = match (receiver.talked_ms(), sender.talked_ms()) {
        (Some(received), Some(sent)) => is_before(received, sent),
        (None, _) | (_, None) => false,
    };
    sender.may_have_sent_bye && !too_late && in_time(sender, heard, clocks)
}

/// Whether an end in the interval `one` is earlier than one in `two`, beyond all tolerance.
fn is_before(one: (u64, u64), two: (u64, u64)) -> bool {
    one.1.saturating_add(TALK_TOLERANCE_MS) < two.0
}

fn bye_of_another_at_the_caller(caller: &End, callee: &End, clocks: Clocks) -> Option<Contradiction> {
    let (event, heard) = caller.heard_bye?;
    if may_be_of(callee, caller, heard, clocks.turned()) {
        return None;
    }
    let says = "the caller received a BYE that the callee had not sent";
    found("bye_of_another", says.into(), Some(event), callee.ended)
}

fn bye_of_another_at_the_callee(caller: &End, callee: &End, clocks: Clocks) -> Option<Contradiction> {
    let (event, heard) = callee.heard_bye?;
    if may_be_of(caller, callee, heard, clocks) {
        return None;
    }
    let says = "the callee received a BYE that the caller had not sent";
    found("bye_of_another", says.into(), caller.ended, Some(event))
}

fn one_lives_on(caller: &End, callee: &End, _: Clocks) -> Option<Contradiction> {
    let alive = |end: &End| end.verdict.cause == Cause::Alive;
    let (lives, over) = match (alive(caller), alive(callee)) {
        (true, false) => ("caller", "callee"),
        (false, true) => ("callee", "caller"),
        (true, true) | (false, false) => return None,
    };
    let says = format!("for the {over} the call is over; in the {lives}'s record it lives");
    found("one_lives_on", says, caller.ended, callee.ended)
}

fn talk_time(caller: &End, callee: &End, _: Clocks) -> Option<Contradiction> {
    let (one, two) = (caller.talked_ms()?, callee.talked_ms()?);
    // A BYE that has to be repeated makes the end an interval; intervals that meet are no contradiction.
    if !is_before(one, two) && !is_before(two, one) {
        return None;
    }
    let (one, two) = (one.0, two.0);
    let seconds = |ms: u64| format!("{}.{} s", ms / 1000, ms % 1000 / 100);
    let says = format!("the caller talked for {}, the callee for {}", seconds(one), seconds(two));
    found("talk_time", says, caller.ended, callee.ended)
}

fn names_an_end(side: Side) -> bool {
    match side {
        Side::Caller | Side::Callee | Side::Both => true,
        Side::Network | Side::Nobody | Side::Unknown => false,
    }
}

/// Each names one of the two ends, and not the same. Who says "both" has seen the other's act as well.
fn who_ended_it(caller: &End, callee: &End) -> Option<Contradiction> {
    let (one, two) = (caller.verdict.ended_by.side, callee.verdict.ended_by.side);
    let opposed = matches!((one, two), (Side::Caller, Side::Callee) | (Side::Callee, Side::Caller));
    // A reject and a CANCEL that cross are both true: each end acted before it knew of the other.
    if !opposed || crossed(caller, callee) {
        return None;
    }
    let says = format!("by the caller's record the {one} ended the call, by the callee's the {two}");
    found("who_ended_it", says, caller.ended, callee.ended)
}

/// Both ends acted by themselves, neither because of the other: a race.
fn crossed(caller: &End, callee: &End) -> bool {
    let own = caller.verdict.ended_by.side == Side::Caller && callee.verdict.ended_by.side == Side::Callee;
    let acted = caller.may_have_sent_cancel || caller.may_have_sent_bye;
    own && acted && callee.ended.is_some()
}

/// The last resort: causes that no rule explains and that can't stand beside each other.
fn causes_apart(caller: &End, callee: &End) -> Option<Contradiction> {
    let (one, two) = (caller.verdict.cause, callee.verdict.cause);
    if may_stand_together(one, two) {
        return None;
    }
    let says = format!("the caller's record says {}, the callee's {}", one.code(), two.code());
    found("causes_apart", says, caller.ended, callee.ended)
}

/// Whether the ends may see one call end like this: the same kind of end, or one that the other can't see as it is.
fn may_stand_together(caller: Cause, callee: Cause) -> bool {
    let (one, two) = (caller.family(), callee.family());
    let private = |family: Family| {
        matches!(
            family,
            Family::SignallingLost
                | Family::MediaLost
                | Family::LocalSystem
                | Family::Limit
                | Family::Unknown
                | Family::Protocol
        )
    };
    let before_the_answer =
        |family: Family| matches!(family, Family::Abandoned | Family::Unanswered | Family::Refused);
    one == two
        || private(one)
        || private(two)
        || two == Family::Elsewhere
        || (before_the_answer(one) && before_the_answer(two))
        // The caller's CANCEL lost against the answer: for the callee that was a short conversation.
        || (one == Family::Abandoned || one == Family::Unanswered) && two == Family::Cleared
        // What the callee's policy refuses, the caller may read from the status alone.
        || two == Family::Refused
}
