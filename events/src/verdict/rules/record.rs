//! What the record itself is: empty, still growing, or all there is to go by.

use super::super::draft::Draft;
use super::super::facts::{Fact, Facts};
use super::super::families::Cause;
use super::super::vocabulary::Confidence;
use super::statuses;
use crate::call::{Act, Ended};
use crate::party::{Agent, Side};

/// Nothing is recorded.
pub(super) fn empty(facts: &Facts<'_>) -> Option<Draft> {
    match facts.last {
        None => Some(Draft::weak(Cause::RecordGap, Side::Unknown, Agent::Unknown).at_most(Confidence::None)),
        Some(_) => None,
    }
}

/// The call is not over.
pub(super) fn alive(facts: &Facts<'_>) -> Option<Draft> {
    let last = facts.last?;
    if facts.ended.is_some() || facts.released.is_some() {
        return None;
    }
    let draft = Draft::certain(Cause::Alive, Side::Unknown, Agent::Unknown);
    Some(match facts.decisive {
        Some(decisive) => draft
            .because(last.event, "the end is not recorded yet")
            .because(decisive.event, "the end is decided and the signalling under way"),
        None => draft.because(last.event, "the end is not recorded: the call is alive"),
    })
}

/// Two ends that can't both be true: two engines wrote one record, or somebody did by hand.
pub(super) fn contradictory(facts: &Facts<'_>) -> Option<Draft> {
    let (first, rest) = facts.ends.split_first()?;
    let other = rest.iter().find(|end| (end.what.act, end.what.side) != (first.what.act, first.what.side))?;
    let told = |end: &Fact<&Ended>| format!("ended by {} of {}", end.what.act.code(), end.what.side);
    Some(
        Draft::weak(Cause::Contradictory, Side::Unknown, Agent::Unknown)
            .at_most(Confidence::None)
            .because(first.event, told(first))
            .because(other.event, format!("and once more: {}", told(other))),
    )
}

/// The last resort: the machine's own account of the end, for acts that no rule knows yet.
pub(super) fn as_the_machine_saw_it(facts: &Facts<'_>) -> Option<Draft> {
    let ended = facts.ended?;
    let how = ended.what;
    let cause = match how.act {
        Act::Bye => Cause::Hangup,
        Act::Cancel => Cause::Cancelled,
        Act::FinalResponse => how.status.map_or(Cause::Declined, statuses::leaf),
        Act::LocalRefusal => Cause::Cancelled,
        Act::Timeout => Cause::NoResponse,
        Act::TransportError => Cause::TransportFailed,
        Act::RefreshExpired => Cause::SessionExpired,
        Act::Replaced => Cause::Replaced,
        Act::Transfer => Cause::Transferred,
        Act::Discarded => Cause::EngineLost,
    };
    Some(
        Draft::weak(cause, how.side, how.agent)
            .by(how.act)
            .because(ended.event, format!("the engine recorded the end as {}", how.act.code())),
    )
}

/// Not even that: released without an end.
pub(super) fn unexplained(facts: &Facts<'_>) -> Draft {
    let draft = Draft::weak(Cause::RecordGap, Side::Unknown, Agent::Unknown).at_most(Confidence::None);
    match facts.last {
        Some(last) => draft.because(last.event, "the record stops without an end"),
        None => draft,
    }
}
