//! Before the answer.

use super::{noted, one, over, passing};
use crate::call::decide::{Decision, provisional_event};
use crate::call::event::{Act, AnswerFacts, Event};
use crate::call::observed::opening::EndSeen;
use crate::call::observed::sight::Sight;
use crate::call::observed::state::Watched;
use crate::call::phase::Phase;
use crate::call::signal::{Pending, Signal};
use crate::party::{Agent, Side};
use crate::sip::{Request, Response};

pub(super) fn decide(call: &Watched, sight: &Sight, signal: &Signal) -> Decision {
    match signal {
        Signal::Provisional(response) => one(provisional_event(response, call.rang, call.media)),
        Signal::Success(response) => answered(call, sight, response),
        Signal::Failure(response) => failed(call, response),
        Signal::Cancel(_) if call.cancelled_at.is_none() => one(Event::CancelSeen),
        // The observer hands in no ACK of a failure: this one acknowledges a 2xx that was not seen.
        Signal::Ack(_) => one(Event::FoundConnected),
        Signal::Bye(_) => bye(call, sight.by),
        Signal::ByeAnswered(response) => {
            let by = sight.by.other();
            let events = vec![
                Event::FoundConnected,
                Event::EndSeen(EndSeen { by, act: Act::Bye }),
                over(Act::Bye, by, Agent::Unknown, None, &["bye_not_seen"]),
            ];
            if challenges(response) {
                passing(sight, signal)
            } else {
                Decision { events, ..Decision::default() }
            }
        }
        Signal::Reinvite(request) if is_of_a_conversation(request) => one(Event::FoundConnected),
        Signal::TimedOut(Pending::Invite) => one(over(Act::Timeout, Side::Network, Agent::Timer, None, &[])),
        Signal::TimedOut(Pending::Cancel) => {
            one(over(Act::Cancel, Side::Caller, Agent::Unknown, None, &["no_final_response"]))
        }
        Signal::Reachable { .. }
        | Signal::Invite(_)
        | Signal::Cancel(_)
        | Signal::Reinvite(_)
        | Signal::Request(_)
        | Signal::CancelAnswered(_)
        | Signal::ReinviteAnswered(_)
        | Signal::TimedOut(Pending::Bye | Pending::Reinvite | Pending::Other)
        | Signal::AckMissing
        | Signal::TransportFailed { .. }
        | Signal::Drained(_) => passing(sight, signal),
    }
}

/// The first 2xx. An observer sees the ACK apart from it, so the call is not connected yet.
fn answered(call: &Watched, sight: &Sight, response: &Response) -> Decision {
    let mut dialog = call.dialog.clone();
    dialog.remote_tag.clone_from(&sight.tag);
    one(Event::Answered(Box::new(AnswerFacts { status: response.status, dialog: dialog.into() })))
}

/// A final response that the caller heard. After its CANCEL it is the caller's end, whatever the status says.
fn failed(call: &Watched, response: &Response) -> Decision {
    let status = Some(response.status);
    one(match call.cancelled_at {
        Some(_) => over(Act::Cancel, Side::Caller, Agent::Unknown, status, &[]),
        None => over(Act::FinalResponse, Side::Callee, Agent::Unknown, status, &[]),
    })
}

/// A caller may end an early dialog with BYE (RFC 3261 §15). Any other BYE tells of an answer that was not seen.
fn bye(call: &Watched, by: Side) -> Decision {
    let end = Event::EndSeen(EndSeen { by, act: Act::Bye });
    let early = call.phase == Phase::Early && by == Side::Caller;
    let events = if early { vec![end] } else { vec![Event::FoundConnected, end] };
    Decision { events, ..Decision::default() }
}

/// UPDATE may come before the answer (RFC 3311 §5.1), a re-INVITE only in a conversation.
fn is_of_a_conversation(request: &Request) -> bool {
    request.method == "INVITE"
}

/// Whether a response only asks for credentials.
pub(super) fn challenges(response: &Response) -> bool {
    matches!(response.status, 401 | 407)
}

/// What a later answer to a BYE leaves behind.
pub(super) fn unanswered(response: &Response) -> Decision {
    noted(format!("bye_challenged_{}", response.status))
}
