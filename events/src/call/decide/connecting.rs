//! Connecting: the callee's 2xx left, the ACK is awaited. (A caller acknowledges in the commit of the answer.)

use super::endings::{self, ended};
use super::{Decision, Moment, note_down, noted, reasons, refused, unexpected};
use crate::call::command::Command;
use crate::call::effect::Effect;
use crate::call::event::{Act, Event, Recovered};
use crate::call::input::Input;
use crate::call::policy::RecoveryPolicy;
use crate::call::signal::Signal;
use crate::call::timers::TimerId;
use crate::party::{Agent, Side};
use crate::sip::MediaDirection;

pub(super) fn decide(at: Moment<'_>, input: &Input) -> Decision {
    let policy = &at.profile.policy;
    match input {
        Input::Signal(Signal::Ack(_)) => Decision::default()
            .event(Event::Connected)
            .arm_after(TimerId::HangupDelay, at.now, policy.hangup_after_ms)
            .arm_after(TimerId::MaxDuration, at.now, policy.max_duration_ms),
        // RFC 3261 §13.3.1.4: without an ACK the dialog stands, but the session should be ended with a BYE.
        Input::Signal(Signal::AckMissing) => {
            endings::bye(at, Act::Timeout, Agent::Timer, reasons::ack_missing(), false)
        }
        Input::Signal(Signal::Bye(_)) => Decision::default()
            .end(ended(Act::Bye, Side::Caller, Agent::Unknown, None))
            .effect(Effect::AnswerBye { status: 200 }),
        // Too late (RFC 3261 §9.2): the answer stands, the caller will acknowledge it and say BYE.
        Input::Signal(Signal::Cancel(_)) => {
            noted("cancel_after_answer").effect(Effect::AnswerCancel { status: 200 })
        }
        Input::Signal(Signal::Reinvite(_)) => noted("reinvite_before_ack")
            .effect(Effect::AnswerReinvite { status: 491, direction: MediaDirection::SendRecv }),
        Input::Signal(Signal::Request(request)) => noted(request.method.to_ascii_lowercase()),
        Input::Signal(signal) => unexpected(signal),
        Input::Command(Command::Hangup(hangup)) => endings::hang_up(at, hangup, true),
        Input::Command(Command::Note(note)) => note_down(*note),
        Input::Command(
            command @ (Command::Place(_)
            | Command::Ring
            | Command::Accept
            | Command::Hold
            | Command::Resume
            | Command::Divert { .. }),
        ) => refused(command),
        Input::Timer(
            TimerId::NoAnswer
            | TimerId::RingDelay
            | TimerId::AnswerDelay
            | TimerId::HangupDelay
            | TimerId::CancelGiveUp
            | TimerId::AnnouncementMax
            | TimerId::MaxDuration
            | TimerId::EndGrace,
        ) => Decision::nothing(),
        Input::Observed(_) => Decision::nothing(),
        Input::Recovery(recovery) => match policy.recovery {
            // The ACK may have come while nobody listened: the 2xx is sent again and draws another one.
            RecoveryPolicy::Resume if !recovery.is_of_this_call() => Decision::default()
                .event(Event::Recovered(Recovered { last_event_at: recovery.last_event_at }))
                .effect(Effect::Respond {
                    status: 200,
                    sdp: true,
                    reasons: Vec::new(),
                    contact: None,
                    retry_after: None,
                }),
            RecoveryPolicy::Resume | RecoveryPolicy::End => {
                endings::engine_lost(recovery.last_event_at, at.now)
                    .effect(Effect::SendBye { reasons: reasons::engine_lost() })
            }
        },
    }
}
