//! Ended: the call is over; its transactions drain, and latecomers are answered.

use super::{Decision, Moment, noted, reasons, unexpected};
use crate::call::command::{Command, Outcome};
use crate::call::effect::Effect;
use crate::call::event::{Act, Ended, Event};
use crate::call::input::Input;
use crate::call::signal::Signal;
use crate::party::Role;
use crate::sip::{Counters, MediaDirection};

pub(super) fn decide(at: Moment<'_>, released: bool, how: &Ended, input: &Input) -> Decision {
    match input {
        Input::Command(Command::Hangup(_)) => {
            Decision { outcome: Some(Outcome::AlreadyEnded), ..Decision::default() }
        }
        // A wish that comes too late is told so; the record of the call is not the place for it.
        Input::Command(_) => Decision { outcome: Some(Outcome::Refused), ..Decision::default() },
        Input::Timer(_) | Input::Observed(_) => Decision::nothing(),
        Input::Signal(_) | Input::Recovery(_) if released => Decision::nothing(),
        Input::Signal(signal) => latecomer(signal),
        Input::Recovery(_) => resume(at, how),
    }
}

fn latecomer(signal: &Signal) -> Decision {
    match signal {
        Signal::Drained(counters) => Decision::default().event(Event::Released(*counters)),
        // A 2xx after the end still opens a dialog over there (RFC 3261 §13.2.2.4).
        Signal::Success(response) => noted("late_answer").effect(Effect::DismissAnswer {
            to_tag: response.to_tag.clone(),
            reasons: reasons::late_answer(),
        }),
        // RFC 5407 §3.1.5: a BYE that crossed ours is answered with 200, not with surprise.
        Signal::Bye(_) => noted("bye_after_end").effect(Effect::AnswerBye { status: 200 }),
        Signal::Cancel(_) => noted("cancel_after_final").effect(Effect::AnswerCancel { status: 200 }),
        Signal::Reinvite(_) => noted("reinvite_after_end")
            .effect(Effect::AnswerReinvite { status: 481, direction: MediaDirection::SendRecv }),
        Signal::Ack(_) => noted("ack_after_end"),
        Signal::Provisional(_) => noted("provisional_after_end"),
        Signal::Failure(response) => noted(format!("final_after_end_{}", response.status)),
        Signal::CancelAnswered(response) => noted(format!("cancel_answered_{}", response.status)),
        Signal::ByeAnswered(response) => noted(format!("bye_answered_{}", response.status)),
        Signal::Request(request) => noted(request.method.to_ascii_lowercase()),
        Signal::TimedOut(pending) => noted(format!("{}_unanswered", pending.code())),
        Signal::TransportFailed { pending, .. } => noted(format!("{}_unsent", pending.code())),
        Signal::Reachable { .. } | Signal::Invite(_) | Signal::ReinviteAnswered(_) | Signal::AckMissing => {
            unexpected(signal)
        }
    }
}

/// The engine came back after the end was durable. The final response may not have left: while the caller's
/// transaction can still be alive it is given (again); afterwards the call is simply released.
fn resume(at: Moment<'_>, how: &Ended) -> Decision {
    let alive = at.now.since(at.call.last_event_at) <= at.profile.policy.sip.patience();
    if !alive {
        return Decision::default().event(Event::Released(Counters::default()));
    }
    let decision = noted("recovered_after_end");
    let answers = at.profile.role == Role::Callee && matches!(how.act, Act::FinalResponse | Act::Cancel);
    match how.status {
        Some(status) if answers => decision.effect(Effect::Respond {
            status,
            sdp: false,
            reasons: Vec::new(),
            contact: None,
            retry_after: None,
        }),
        Some(_) | None => decision,
    }
}
