//! Ending: our CANCEL or BYE is decided; the signalling has to catch up.

use super::endings::{self, own_end};
use super::{Decision, Moment, note_down, noted, refused, unexpected};
use crate::call::command::{Command, Outcome};
use crate::call::effect::Effect;
use crate::call::event::{Act, Event, Recovered};
use crate::call::input::{Input, Recovery};
use crate::call::signal::{Pending, Signal};
use crate::call::state::EndIntent;
use crate::call::timers::TimerId;
use crate::party::{Agent, Side};
use crate::sip::MediaDirection;

pub(super) fn decide(at: Moment<'_>, intent: &EndIntent, input: &Input) -> Decision {
    match input {
        // Idempotent: the wish is being fulfilled already.
        Input::Command(Command::Hangup(_)) => {
            Decision { outcome: Some(Outcome::AlreadyEnded), ..Decision::default() }
        }
        Input::Command(Command::Note(note)) => note_down(*note),
        Input::Command(
            command @ (Command::Place(_)
            | Command::Ring
            | Command::Accept
            | Command::Hold
            | Command::Resume
            | Command::Divert { .. }),
        ) => refused(command),
        Input::Timer(timer) => time(at, intent, *timer),
        Input::Observed(_) => Decision::nothing(),
        Input::Recovery(recovery) => resume(at, intent, recovery),
        Input::Signal(signal) if intent.act() == Act::Cancel => cancelling(at, intent, signal),
        Input::Signal(signal) => hanging_up(at, intent, signal),
    }
}

/// The caller gave up; the INVITE's final response is awaited.
fn cancelling(at: Moment<'_>, intent: &EndIntent, signal: &Signal) -> Decision {
    match signal {
        Signal::Provisional(_) if !intent.sent => Decision::default()
            .event(Event::EndingSent)
            .effect(Effect::SendCancel { reasons: intent.ending.reasons.clone() }),
        Signal::Provisional(_) => noted("provisional_after_cancel"),
        // The answer crossed our CANCEL: it must be acknowledged, and is ended at once (RFC 3261 §9.1, §15).
        Signal::Success(response) => {
            let mut decision = noted("answer_after_cancel");
            let end = own_end(at, intent, Some(response.status), None);
            decision.events.extend(end.events);
            decision.effects.extend(end.effects);
            decision.effect(Effect::DismissAnswer {
                to_tag: response.to_tag.clone(),
                reasons: intent.ending.reasons.clone(),
            })
        }
        Signal::Failure(response) => own_end(at, intent, Some(response.status), None),
        Signal::TimedOut(Pending::Invite) => own_end(at, intent, None, Some("no_response".to_owned())),
        Signal::TransportFailed { pending: Pending::Invite, .. } => {
            own_end(at, intent, None, Some("transport_failed".to_owned()))
        }
        Signal::CancelAnswered(response) => noted(format!("cancel_answered_{}", response.status)),
        Signal::TimedOut(Pending::Cancel) => noted("cancel_unanswered"),
        Signal::TransportFailed { pending: Pending::Cancel, .. } => noted("cancel_unsent"),
        Signal::Request(request) => noted(request.method.to_ascii_lowercase()),
        Signal::Reachable { .. }
        | Signal::Invite(_)
        | Signal::Cancel(_)
        | Signal::Ack(_)
        | Signal::Bye(_)
        | Signal::Reinvite(_)
        | Signal::ByeAnswered(_)
        | Signal::ReinviteAnswered(_)
        | Signal::TimedOut(Pending::Bye | Pending::Reinvite | Pending::Other)
        | Signal::AckMissing
        | Signal::TransportFailed { pending: Pending::Bye | Pending::Reinvite | Pending::Other, .. }
        | Signal::Drained(_) => unexpected(signal),
    }
}

/// Our BYE is on its way, or waits for the ACK.
fn hanging_up(at: Moment<'_>, intent: &EndIntent, signal: &Signal) -> Decision {
    match signal {
        Signal::ByeAnswered(response) => match response.status {
            200..=299 => own_end(at, intent, None, None),
            status => own_end(at, intent, None, Some(format!("bye_answered_{status}"))),
        },
        Signal::TimedOut(Pending::Bye) => own_end(at, intent, None, Some("bye_unanswered".to_owned())),
        Signal::TransportFailed { pending: Pending::Bye, .. } => {
            own_end(at, intent, None, Some("bye_unsent".to_owned()))
        }
        Signal::Bye(_) => crossing_bye(at, intent),
        Signal::Ack(_) | Signal::AckMissing if !intent.sent => {
            endings::send_bye(Decision::default().event(Event::EndingSent), at, intent.ending.reasons.clone())
        }
        Signal::Cancel(_) => noted("cancel_after_answer").effect(Effect::AnswerCancel { status: 200 }),
        // Our BYE has left, or will: this dialog is over (RFC 5407 §3.1.4).
        Signal::Reinvite(_) => noted("reinvite_while_ending")
            .effect(Effect::AnswerReinvite { status: 481, direction: MediaDirection::SendRecv }),
        Signal::ReinviteAnswered(_) => noted("reinvite_answered_late"),
        Signal::TimedOut(Pending::Reinvite) => noted("reinvite_unanswered"),
        Signal::Request(request) => noted(request.method.to_ascii_lowercase()),
        Signal::Reachable { .. }
        | Signal::Invite(_)
        | Signal::Ack(_)
        | Signal::AckMissing
        | Signal::Provisional(_)
        | Signal::Success(_)
        | Signal::Failure(_)
        | Signal::CancelAnswered(_)
        | Signal::TimedOut(Pending::Invite | Pending::Cancel | Pending::Other)
        | Signal::TransportFailed {
            pending: Pending::Invite | Pending::Cancel | Pending::Reinvite | Pending::Other,
            ..
        }
        | Signal::Drained(_) => unexpected(signal),
    }
}

/// Both sides hung up. If only a timer of ours had decided, the other's BYE is no more than its consequence.
fn crossing_bye(at: Moment<'_>, intent: &EndIntent) -> Decision {
    let decision = if intent.act() == Act::Bye {
        Decision::default().end(endings::ended(Act::Bye, Side::Both, Agent::Unknown, None))
    } else {
        own_end(at, intent, None, Some("bye_crossed".to_owned()))
    };
    decision.effect(Effect::AnswerBye { status: 200 })
}

fn time(at: Moment<'_>, intent: &EndIntent, timer: TimerId) -> Decision {
    match timer {
        TimerId::CancelGiveUp => own_end(at, intent, None, Some("no_final_response".to_owned())),
        TimerId::EndGrace => own_end(at, intent, None, Some("bye_unanswered".to_owned())),
        TimerId::NoAnswer
        | TimerId::RingDelay
        | TimerId::AnswerDelay
        | TimerId::HangupDelay
        | TimerId::AnnouncementMax
        | TimerId::MaxDuration => Decision::nothing(),
    }
}

/// The engine came back with an end decided: what was to be sent is sent (again). A held act waits no longer, because
/// what it waited for may have come while nobody listened.
fn resume(at: Moment<'_>, intent: &EndIntent, recovery: &Recovery) -> Decision {
    let mut decision =
        Decision::default().event(Event::Recovered(Recovered { last_event_at: recovery.last_event_at }));
    if !intent.sent {
        decision = decision.event(Event::EndingSent);
    }
    let reasons = intent.ending.reasons.clone();
    if intent.act() == Act::Cancel {
        decision.effect(Effect::SendCancel { reasons }).effect(Effect::Arm {
            timer: TimerId::CancelGiveUp,
            at: at.now + at.profile.policy.sip.patience(),
        })
    } else {
        endings::send_bye(decision, at, reasons)
    }
}
