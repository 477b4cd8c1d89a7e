//! The BYE was seen, or all is over, or nothing more will be seen.

use super::setup::{challenges, unanswered};
use super::{noted, one, over, passing, stop_note};
use crate::call::decide::Decision;
use crate::call::event::{Act, Event};
use crate::call::observed::opening::EndSeen;
use crate::call::observed::sight::{Sight, Stop};
use crate::call::observed::state::Watched;
use crate::call::phase::Phase;
use crate::call::signal::{Pending, Signal};
use crate::party::{Agent, Side};

/// The BYE is under way.
pub(super) fn ending(call: &Watched, sight: &Sight, signal: &Signal) -> Decision {
    let Some(end) = &call.end else { return passing(sight, signal) };
    match signal {
        Signal::Bye(_) if call.is_of_another_fork(sight) => noted("bye_of_another_fork"),
        Signal::Bye(_) if sight.by != end.by => one(over(Act::Bye, Side::Both, Agent::Unknown, None, &[])),
        Signal::ByeAnswered(_) if call.is_of_another_fork(sight) => noted("bye_of_another_fork_answered"),
        Signal::ByeAnswered(response) if challenges(response) => unanswered(response),
        Signal::ByeAnswered(response) if response.status >= 300 => {
            ended_by(end, &[&format!("bye_answered_{}", response.status)])
        }
        Signal::ByeAnswered(_) => ended_by(end, &[]),
        Signal::TimedOut(Pending::Bye) => ended_by(end, &["bye_unanswered"]),
        Signal::Reachable { .. }
        | Signal::Invite(_)
        | Signal::Cancel(_)
        | Signal::Ack(_)
        | Signal::Bye(_)
        | Signal::Reinvite(_)
        | Signal::Request(_)
        | Signal::Provisional(_)
        | Signal::Success(_)
        | Signal::Failure(_)
        | Signal::CancelAnswered(_)
        | Signal::ReinviteAnswered(_)
        | Signal::TimedOut(Pending::Invite | Pending::Cancel | Pending::Reinvite | Pending::Other)
        | Signal::AckMissing
        | Signal::TransportFailed { .. }
        | Signal::Drained(_) => passing(sight, signal),
    }
}

/// Over: what still comes is kept until nothing more is expected.
pub(super) fn ended(sight: &Sight, signal: &Signal) -> Decision {
    if let Signal::Drained(counters) = signal {
        return one(Event::Released(*counters));
    }
    passing(sight, signal)
}

/// Nothing more will be seen: what is open ends as far as it had come.
pub(super) fn stopped(call: &Watched, stop: Stop) -> Decision {
    if call.phase == Phase::Ended {
        return noted(stop_note(stop));
    }
    if let Some(end) = &call.end {
        return ended_by(end, &["bye_answer_not_seen", stop_note(stop)]);
    }
    let in_setup = matches!(call.phase, Phase::Calling | Phase::Early);
    if in_setup && call.cancelled_at.is_some() {
        let notes = ["no_final_response", stop_note(stop)];
        return one(over(Act::Cancel, Side::Caller, Agent::Unknown, None, &notes));
    }
    one(over(Act::Discarded, Side::Nobody, Agent::Unknown, None, &[stop_note(stop)]))
}

fn ended_by(end: &EndSeen, notes: &[&str]) -> Decision {
    one(over(end.act, end.by, Agent::Unknown, None, notes))
}
