//! What a callee may do before the answer, whether it rings already or not.

use std::sync::Arc;

use super::endings::{DEFAULT_REFUSAL, ended, reject};
use super::{Decision, Moment, note_down, noted, reasons, refused, stated, unexpected};
use crate::call::command::{Command, Hangup};
use crate::call::effect::Effect;
use crate::call::event::{Act, Alerting, AnswerFacts, Event};
use crate::call::input::{Input, Recovery};
use crate::call::signal::Signal;
use crate::call::timers::TimerId;
use crate::party::{Agent, Side};
use crate::sip::Dialog;

/// 180 leaves.
pub(super) fn ring(decision: Decision, dialog: &Dialog) -> Decision {
    decision
        .event(Event::Rang(Alerting { status: 180, to_tag: Some(dialog.local_tag.clone()) }))
        .effect(respond(180, false))
}

/// 200 leaves with our description; the ACK is awaited.
pub(super) fn answer(decision: Decision, dialog: &Arc<Dialog>) -> Decision {
    decision
        .event(Event::Answered(Box::new(AnswerFacts { status: 200, dialog: Arc::clone(dialog) })))
        .effect(Effect::DisarmAll)
        .effect(respond(200, true))
}

/// Decides for a call that is offered (`rang` false) or rings (`rang` true).
pub(super) fn before_answer(at: Moment<'_>, rang: bool, input: &Input) -> Decision {
    let dialog = &at.profile.dialog;
    match input {
        Input::Command(Command::Ring) if !rang => ring(Decision::default(), dialog).accepted(),
        Input::Timer(TimerId::RingDelay) if !rang => ring(Decision::default(), dialog),
        Input::Command(Command::Accept) => answer(Decision::default(), dialog).accepted(),
        Input::Timer(TimerId::AnswerDelay) => answer(Decision::default(), dialog),
        Input::Command(Command::Hangup(hangup)) => turn_down(hangup).accepted(),
        Input::Command(Command::Divert { to }) => {
            reject(Agent::User, 302, Vec::new(), Some(to.clone())).accepted()
        }
        Input::Command(Command::Note(note)) => note_down(*note),
        Input::Command(command @ (Command::Place(_) | Command::Ring | Command::Hold | Command::Resume)) => {
            refused(command)
        }
        Input::Timer(TimerId::NoAnswer) => nobody_answers(at),
        Input::Timer(
            TimerId::RingDelay
            | TimerId::HangupDelay
            | TimerId::CancelGiveUp
            | TimerId::AnnouncementMax
            | TimerId::MaxDuration
            | TimerId::EndGrace,
        ) => Decision::nothing(),
        Input::Signal(Signal::Cancel(_)) => Decision::default()
            .end(ended(Act::Cancel, Side::Caller, Agent::Unknown, Some(487)))
            .effect(Effect::AnswerCancel { status: 200 })
            .effect(respond(487, false)),
        // A caller may end an early dialog with BYE (RFC 3261 §15).
        Input::Signal(Signal::Bye(_)) => Decision::default()
            .end(ended(Act::Bye, Side::Caller, Agent::Unknown, Some(487)))
            .effect(Effect::AnswerBye { status: 200 })
            .effect(respond(487, false)),
        Input::Signal(Signal::Request(request)) => noted(request.method.to_ascii_lowercase()),
        Input::Signal(signal) => unexpected(signal),
        Input::Observed(_) => Decision::nothing(),
        Input::Recovery(Recovery { last_event_at, .. }) => {
            super::endings::engine_lost(*last_event_at, at.now).effect(Effect::Respond {
                status: 500,
                sdp: false,
                reasons: reasons::engine_lost(),
                contact: None,
                retry_after: None,
            })
        }
    }
}

fn turn_down(hangup: &Hangup) -> Decision {
    let asked = hangup.status.filter(|status| (300..=699).contains(status));
    let status = asked.or(hangup.cause.map(stated::status)).unwrap_or(DEFAULT_REFUSAL);
    reject(hangup.origin, status, reasons::reject(hangup, status), None).stating(hangup.cause)
}

/// Our own patience is over (480), or the caller's (487, RFC 3261 §13.3.1).
fn nobody_answers(at: Moment<'_>) -> Decision {
    match at.profile.expires_at {
        Some(expires_at) if expires_at <= at.now => reject(Agent::Timer, 487, reasons::no_answer(), None),
        Some(_) | None => reject(Agent::Timer, 480, reasons::no_answer(), None),
    }
}

fn respond(status: u16, sdp: bool) -> Effect {
    Effect::Respond { status, sdp, reasons: Vec::new(), contact: None, retry_after: None }
}
