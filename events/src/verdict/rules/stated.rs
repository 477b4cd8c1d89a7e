//! The application said why it ended the call: its own intent, believed where it fits what the call was.

use super::super::draft::Draft;
use super::super::facts::Facts;
use super::super::families::{Cause, Family};
use super::super::text;
use super::super::vocabulary::Rulebook;
use super::own::own_hangup;
use crate::call::Act;
use crate::party::Role;

/// 5b, 5e-5j and whatever an application knows: credit, media, transfer, a limit.
pub(super) fn stated(facts: &Facts<'_>) -> Option<Draft> {
    let (event, role, hangup) = own_hangup(facts)?;
    let cause = hangup.cause.filter(|cause| fits(*cause, role, facts.answered.is_some()))?;
    // That it hung up, the record shows better: it knows what crossed.
    if matches!(cause, Cause::Hangup | Cause::Cancelled) {
        return None;
    }
    let who = text::agent(hangup.origin);
    let draft = Draft::certain(cause, role.side(), hangup.origin)
        .by_recorded(facts)
        .because(event, format!("the {}'s {who} ended the call and said why: {cause}", role.side()));
    Some(match act(cause) {
        Some(act) if draft.act != Some(Act::LocalRefusal) => draft.by(act),
        Some(_) | None => draft,
    })
}

/// A statement that does not fit loses to what the record shows, and is kept.
pub(in crate::verdict) fn out_of_place(facts: &Facts<'_>, draft: Draft) -> Draft {
    let Some((event, role, hangup)) = own_hangup(facts).filter(|_| facts.since(Rulebook::V1_1)) else {
        return draft;
    };
    match hangup.cause {
        Some(cause) if !fits(cause, role, facts.answered.is_some()) => {
            let when = if facts.answered.is_some() { "after the answer" } else { "before the answer" };
            let says =
                format!("the hang-up stated {cause}, which a {} can't end a call for {when}", role.side());
            draft.despite(event, says).stamped("own.statement_out_of_place")
        }
        Some(_) | None => draft,
    }
}

/// Whether this side can end a call for this cause, before or after the answer.
fn fits(cause: Cause, role: Role, answered: bool) -> bool {
    if !cause.can_be_stated() {
        return false;
    }
    let callee = role == Role::Callee;
    match cause.family() {
        Family::Cleared => answered,
        Family::Abandoned => !answered && !callee,
        Family::Refused | Family::Unreachable | Family::Blocked | Family::Overloaded => !answered && callee,
        Family::Unanswered => !answered,
        // A fork that lost may have been answered already.
        Family::Elsewhere => !answered || cause == Cause::ForkLost,
        Family::Moved => answered || cause == Cause::RedirectFailed || cause == Cause::Replaced,
        Family::Incompatible
        | Family::SignallingLost
        | Family::MediaLost
        | Family::Limit
        | Family::Protocol
        | Family::LocalSystem => true,
        Family::Unknown => false,
    }
}

const ACTS: [(Cause, Act); 4] = [
    (Cause::SessionExpired, Act::RefreshExpired),
    (Cause::Replaced, Act::Replaced),
    (Cause::PickedUp, Act::Replaced),
    (Cause::Transferred, Act::Transfer),
];

/// The act, where the cause has one of its own whatever packet carried it.
fn act(cause: Cause) -> Option<Act> {
    ACTS.iter().find(|(known, _)| *known == cause).map(|(_, act)| *act)
}
