//! Calling: the caller waits and has heard nothing but perhaps a 100. What Early shares with it is here too.

use std::sync::Arc;

use super::endings::{self, ended};
use super::{Decision, Moment, note_down, noted, reasons, refused, unexpected};
use crate::call::command::Command;
use crate::call::effect::Effect;
use crate::call::event::{Act, Alerting, AnswerFacts, Event};
use crate::call::input::{Input, Recovery};
use crate::call::signal::{Pending, Signal};
use crate::call::timers::TimerId;
use crate::party::{Agent, Side};
use crate::sip::Response;

pub(super) fn decide(at: Moment<'_>, sent: bool, provisional: bool, input: &Input) -> Decision {
    match input {
        Input::Signal(Signal::Reachable { peer }) if !sent => {
            Decision::default().event(Event::Sent { peer: *peer }).effect(Effect::SendInvite { peer: *peer })
        }
        Input::Signal(Signal::Provisional(response)) => {
            Decision::default().event(provisional_event(response, false, false))
        }
        Input::Signal(signal) => awaiting(at, signal),
        Input::Command(command) => wish(at, sent, provisional, command),
        Input::Timer(timer) => time(at, sent, provisional, *timer),
        Input::Observed(_) => Decision::nothing(),
        Input::Recovery(recovery) => lost(recovery, at, sent),
    }
}

/// What a provisional response means: alerting, early media, or mere progress.
pub(in crate::call) fn provisional_event(response: &Response, rang: bool, media: bool) -> Event {
    let alerting = Alerting { status: response.status, to_tag: response.to_tag.clone() };
    let has_sdp = response.sdp.is_some();
    match response.status {
        180 | 183 if has_sdp && !media => Event::EarlyMedia(alerting),
        180 | 183 if !has_sdp && !rang => Event::Rang(alerting),
        _ => Event::Progressed(alerting),
    }
}

/// What the wire may say to a caller that waits, alerting or not. Provisional responses are the phases' own.
pub(super) fn awaiting(at: Moment<'_>, signal: &Signal) -> Decision {
    match signal {
        Signal::Success(response) => answered(at, response),
        Signal::Failure(response) => endings::remote_refusal(response),
        Signal::TimedOut(Pending::Invite) => {
            Decision::default().end(ended(Act::Timeout, Side::Network, Agent::Timer, None))
        }
        Signal::TransportFailed { pending: Pending::Invite, .. } => {
            Decision::default().end(ended(Act::TransportError, Side::Network, Agent::Engine, None))
        }
        Signal::Request(request) => noted(request.method.to_ascii_lowercase()),
        Signal::Reachable { .. }
        | Signal::Invite(_)
        | Signal::Cancel(_)
        | Signal::Ack(_)
        | Signal::Bye(_)
        | Signal::Reinvite(_)
        | Signal::Provisional(_)
        | Signal::CancelAnswered(_)
        | Signal::ByeAnswered(_)
        | Signal::ReinviteAnswered(_)
        | Signal::TimedOut(Pending::Cancel | Pending::Bye | Pending::Reinvite | Pending::Other)
        | Signal::AckMissing
        | Signal::TransportFailed {
            pending: Pending::Cancel | Pending::Bye | Pending::Reinvite | Pending::Other,
            ..
        }
        | Signal::Drained(_) => unexpected(signal),
    }
}

/// 2xx: the ACK leaves with the same commit, so the call is connected at once (RFC 3261 §13.2.2.4).
fn answered(at: Moment<'_>, response: &Response) -> Decision {
    let policy = &at.profile.policy;
    let mut dialog = Arc::clone(response.dialog.as_ref().unwrap_or(&at.profile.dialog));
    if dialog.remote_tag.is_none() {
        Arc::make_mut(&mut dialog).remote_tag.clone_from(&response.to_tag);
    }
    let decision = Decision::default()
        .event(Event::Answered(Box::new(AnswerFacts { status: response.status, dialog })))
        .event(Event::Connected)
        .effect(Effect::DisarmAll)
        .effect(Effect::SendAck)
        .arm_after(TimerId::HangupDelay, at.now, policy.hangup_after_ms)
        .arm_after(TimerId::MaxDuration, at.now, policy.max_duration_ms);
    if bears_marks_of_an_announcement(response) {
        decision.arm_after(TimerId::AnnouncementMax, at.now, policy.announcement_max_ms)
    } else {
        decision
    }
}

/// The strong clues of an announcement that a 2xx itself can carry.
fn bears_marks_of_an_announcement(response: &Response) -> bool {
    response.clues.automata || !response.clues.diversions.is_empty() || !response.reasons.is_empty()
}

/// What the application may wish while it waits.
pub(super) fn wish(at: Moment<'_>, sent: bool, provisional: bool, command: &Command) -> Decision {
    match command {
        Command::Hangup(hangup) => {
            endings::cancel(at, sent, provisional, hangup.origin, reasons::cancel(hangup))
                .stating(hangup.cause)
                .accepted()
        }
        Command::Note(note) => note_down(*note),
        Command::Place(_)
        | Command::Ring
        | Command::Accept
        | Command::Hold
        | Command::Resume
        | Command::Divert { .. } => refused(command),
    }
}

/// The caller's own patience.
pub(super) fn time(at: Moment<'_>, sent: bool, provisional: bool, timer: TimerId) -> Decision {
    match timer {
        TimerId::NoAnswer => endings::cancel(at, sent, provisional, Agent::Timer, reasons::no_answer()),
        TimerId::RingDelay
        | TimerId::AnswerDelay
        | TimerId::HangupDelay
        | TimerId::CancelGiveUp
        | TimerId::AnnouncementMax
        | TimerId::MaxDuration
        | TimerId::EndGrace => Decision::nothing(),
    }
}

/// After a crash nobody waits for the answer any more: the INVITE is cancelled if it may have left.
pub(super) fn lost(recovery: &Recovery, at: Moment<'_>, sent: bool) -> Decision {
    let decision = endings::engine_lost(recovery.last_event_at, at.now);
    if sent { decision.effect(Effect::SendCancel { reasons: reasons::engine_lost() }) } else { decision }
}
