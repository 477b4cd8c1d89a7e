//! Connected: the conversation, with hold and re-INVITE.

use std::time::Duration;

use super::{Decision, Moment, endings, note_down, noted, reasons, refused, unexpected};
use crate::call::command::Command;
use crate::call::effect::Effect;
use crate::call::event::{Act, Event, Media, Recovered};
use crate::call::input::{Input, Recovery};
use crate::call::policy::RecoveryPolicy;
use crate::call::signal::{Pending, Signal};
use crate::call::state::State;
use crate::call::timers::TimerId;
use crate::party::Agent;
use crate::sip::{MediaDirection, Request, Response};
use crate::time::Timestamp;

/// The media as it stands.
#[derive(Clone, Copy)]
pub(super) struct Conversation {
    pub(super) local_hold: bool,
    pub(super) remote_hold: bool,
    pub(super) pending: Option<MediaDirection>,
}

pub(super) fn decide(at: Moment<'_>, media: Conversation, input: &Input) -> Decision {
    match input {
        Input::Signal(signal) => hear(at, media, signal),
        Input::Command(command) => wish(at, media, command),
        Input::Timer(timer) => time(at, *timer),
        Input::Observed(_) => Decision::nothing(),
        Input::Recovery(recovery) => resume(at, recovery),
    }
}

fn hear(at: Moment<'_>, media: Conversation, signal: &Signal) -> Decision {
    match signal {
        Signal::Bye(_) => endings::remote_bye(at),
        Signal::Reinvite(request) => remote_change(at, media, request),
        Signal::ReinviteAnswered(response) => own_change_answered(at, media, response),
        Signal::TimedOut(Pending::Reinvite) => dialog_gone(at, 408),
        Signal::TransportFailed { pending: Pending::Reinvite, .. } => {
            Decision::default().event(Event::MediaRefused { status: 503 })
        }
        Signal::Success(response) => noted("fork_answered").effect(Effect::DismissAnswer {
            to_tag: response.to_tag.clone(),
            reasons: reasons::late_answer(),
        }),
        Signal::Cancel(_) => noted("cancel_after_answer").effect(Effect::AnswerCancel { status: 200 }),
        Signal::Request(request) => noted(request.method.to_ascii_lowercase()),
        Signal::Reachable { .. }
        | Signal::Invite(_)
        | Signal::Ack(_)
        | Signal::Provisional(_)
        | Signal::Failure(_)
        | Signal::CancelAnswered(_)
        | Signal::ByeAnswered(_)
        | Signal::TimedOut(Pending::Invite | Pending::Cancel | Pending::Bye | Pending::Other)
        | Signal::AckMissing
        | Signal::TransportFailed {
            pending: Pending::Invite | Pending::Cancel | Pending::Bye | Pending::Other,
            ..
        }
        | Signal::Drained(_) => unexpected(signal),
    }
}

/// The other side changes the media or its target.
fn remote_change(at: Moment<'_>, media: Conversation, request: &Request) -> Decision {
    if media.pending.is_some() {
        // RFC 3261 §14.2: both sides asked at once.
        return noted("reinvite_glare")
            .effect(Effect::AnswerReinvite { status: 491, direction: MediaDirection::SendRecv });
    }
    let Some(sdp) = &request.sdp else {
        let direction = own_direction(media.local_hold, media.remote_hold);
        return noted("refreshed").effect(Effect::AnswerReinvite { status: 200, direction });
    };
    let change = Media {
        by: at.profile.role.peer().side(),
        direction: sdp.direction,
        new_target: request.new_target.clone(),
    };
    Decision::default()
        .event(Event::Media(change))
        .effect(Effect::AnswerReinvite { status: 200, direction: answer_to(sdp.direction, media.local_hold) })
}

fn own_change_answered(at: Moment<'_>, media: Conversation, response: &Response) -> Decision {
    let Some(direction) = media.pending else { return noted("reinvite_answered_late") };
    match response.status {
        200..=299 => Decision::default().event(Event::Media(Media {
            by: at.profile.role.side(),
            direction,
            new_target: response.dialog.as_ref().map(|dialog| dialog.remote_target.clone()),
        })),
        // RFC 5057 §5.1: these two say that the dialog itself is gone.
        408 | 481 => dialog_gone(at, response.status),
        status => Decision::default().event(Event::MediaRefused { status }),
    }
}

/// The other side no longer knows this dialog: BYE, and over (RFC 3261 §12.2.1.2).
fn dialog_gone(at: Moment<'_>, status: u16) -> Decision {
    let mut decision = Decision::default().event(Event::MediaRefused { status });
    let bye = endings::bye(at, Act::Bye, Agent::Engine, reasons::dialog_gone(), false);
    decision.events.extend(bye.events);
    decision.effects.extend(bye.effects);
    decision
}

fn wish(at: Moment<'_>, media: Conversation, command: &Command) -> Decision {
    match command {
        Command::Hangup(hangup) => endings::hang_up(at, hangup, false),
        Command::Hold => change(media, true, command),
        Command::Resume => change(media, false, command),
        Command::Note(note) => note_down(*note),
        Command::Place(_) | Command::Ring | Command::Accept | Command::Divert { .. } => refused(command),
    }
}

/// Hold or resume; one change at a time.
fn change(media: Conversation, hold: bool, command: &Command) -> Decision {
    if media.pending.is_some() {
        return refused(command);
    }
    if media.local_hold == hold {
        return noted(format!("already_{}", if hold { "held" } else { "resumed" })).accepted();
    }
    let direction = own_direction(hold, media.remote_hold);
    Decision::default()
        .event(Event::MediaRequested { direction })
        .effect(Effect::SendReinvite { direction })
        .accepted()
}

fn time(at: Moment<'_>, timer: TimerId) -> Decision {
    match timer {
        TimerId::HangupDelay => {
            endings::bye(at, Act::Bye, Agent::Application, reasons::time_is_up("Normal call clearing"), false)
        }
        TimerId::MaxDuration => {
            endings::bye(at, Act::Bye, Agent::Timer, reasons::time_is_up("Maximum duration"), false)
        }
        TimerId::AnnouncementMax => {
            endings::bye(at, Act::Bye, Agent::Timer, reasons::time_is_up("Announcement over"), false)
        }
        TimerId::NoAnswer
        | TimerId::RingDelay
        | TimerId::AnswerDelay
        | TimerId::CancelGiveUp
        | TimerId::EndGrace => Decision::nothing(),
    }
}

/// The engine came back: the conversation goes on, or ends by policy.
fn resume(at: Moment<'_>, recovery: &Recovery) -> Decision {
    let policy = &at.profile.policy;
    match policy.recovery {
        RecoveryPolicy::Resume if !recovery.is_of_this_call() => {
            let since = match &at.call.state {
                State::Connected { since, .. } => *since,
                State::Idle
                | State::Calling { .. }
                | State::Incoming
                | State::Early { .. }
                | State::Connecting
                | State::Ending(_)
                | State::Ended { .. }
                | State::Observed(_) => at.now,
            };
            Decision::default()
                .event(Event::Recovered(Recovered { last_event_at: recovery.last_event_at }))
                .arm_since(TimerId::HangupDelay, since, at.now, policy.hangup_after_ms)
                .arm_since(TimerId::MaxDuration, since, at.now, policy.max_duration_ms)
        }
        RecoveryPolicy::Resume | RecoveryPolicy::End => endings::engine_lost(recovery.last_event_at, at.now)
            .effect(Effect::SendBye { reasons: reasons::engine_lost() }),
    }
}

impl Decision {
    /// Arms a timer that began at `since`; overdue ones are due at once.
    fn arm_since(self, timer: TimerId, since: Timestamp, now: Timestamp, after_ms: Option<u64>) -> Self {
        match after_ms {
            Some(ms) => self.effect(Effect::Arm { timer, at: (since + Duration::from_millis(ms)).max(now) }),
            None => self,
        }
    }
}

/// What we offer: `sendonly` holds, and `inactive` if the other side holds us too (RFC 3264 §8.4).
fn own_direction(local_hold: bool, remote_hold: bool) -> MediaDirection {
    match (local_hold, remote_hold) {
        (false, false) => MediaDirection::SendRecv,
        (true, false) => MediaDirection::SendOnly,
        (false, true) => MediaDirection::RecvOnly,
        (true, true) => MediaDirection::Inactive,
    }
}

/// What we answer to an offer (RFC 3264 §6.1).
fn answer_to(offer: MediaDirection, local_hold: bool) -> MediaDirection {
    match (offer, local_hold) {
        (MediaDirection::SendRecv, false) => MediaDirection::SendRecv,
        (MediaDirection::SendRecv, true) => MediaDirection::SendOnly,
        (MediaDirection::RecvOnly, _) => MediaDirection::SendOnly,
        (MediaDirection::SendOnly, false) => MediaDirection::RecvOnly,
        (MediaDirection::SendOnly, true) | (MediaDirection::Inactive, _) => MediaDirection::Inactive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::apply::is_hold;

    #[test]
    fn our_answer_never_sends_to_who_does_not_listen() {
        for local_hold in [false, true] {
            for offer in [MediaDirection::SendOnly, MediaDirection::Inactive] {
                assert!(is_hold(offer));
                assert!(!matches!(
                    answer_to(offer, local_hold),
                    MediaDirection::SendRecv | MediaDirection::SendOnly
                ));
            }
        }
    }
}
