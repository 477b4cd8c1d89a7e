//! Decide: state × input → events and effects. One file per phase.
//!
//! What several phases share is here and in `endings` (how each kind of end begins) and `callee` (what a callee may
//! still do before the answer). Each phase lists every input it knows; what it does not expect is noted, never lost.

mod callee;
mod calling;
mod connected;
mod connecting;
mod early;
mod ended;
mod ending;
mod endings;
mod idle;
mod incoming;
mod reasons;
mod stated;

pub(in crate::call) use calling::provisional_event;

use super::command::{Command, Outcome};
use super::effect::Effect;
use super::event::{Event, Noted};
use super::input::Input;
use super::note::Note;
use super::observed;
use super::signal::Signal;
use super::state::{Call, Profile, State};
use super::timers::TimerId;
use crate::sip::MediaDirection;
use crate::time::Timestamp;

/// What an input leads to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// To be persisted, in this order, in one commit. Empty: nothing happened (an idempotent hang-up, a stale timer).
    pub events: Vec<Event>,
    /// To be performed once the events are durable, in this order.
    pub effects: Vec<Effect>,
    /// What the command is told; `None` for other inputs.
    pub outcome: Option<Outcome>,
}

impl Call {
    /// Decides what `input` leads to at `now`. Changes nothing; the same state, input and time give the same decision.
    #[must_use]
    pub fn decide(&self, input: &Input, now: Timestamp) -> Decision {
        if let (State::Observed(watched), Input::Observed(sight)) = (&self.state, input) {
            return observed::decide(watched, sight, now);
        }
        let Some(profile) = &self.profile else {
            return idle::decide(input, now);
        };
        let at = Moment { call: self, profile, now };
        match &self.state {
            State::Idle => idle::decide(input, now),
            State::Calling { sent, provisional } => calling::decide(at, *sent, *provisional, input),
            State::Incoming => incoming::decide(at, input),
            State::Early { rang, media, .. } => early::decide(at, *rang, *media, input),
            State::Connecting => connecting::decide(at, input),
            State::Connected { local_hold, remote_hold, pending, .. } => connected::decide(
                at,
                connected::Conversation {
                    local_hold: *local_hold,
                    remote_hold: *remote_hold,
                    pending: *pending,
                },
                input,
            ),
            State::Ending(intent) => ending::decide(at, intent, input),
            State::Ended { released, how } => ended::decide(at, *released, how, input),
            // Only a sight can mean something to a call that is only watched.
            State::Observed(_) => Decision::nothing(),
        }
    }
}

/// What every phase decides with.
#[derive(Clone, Copy)]
struct Moment<'a> {
    call: &'a Call,
    profile: &'a Profile,
    now: Timestamp,
}

impl Decision {
    fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    fn effect(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    fn accepted(mut self) -> Self {
        self.outcome = Some(Outcome::Accepted);
        self
    }

    /// Arms `timer` to run `after_ms` milliseconds from now, if the policy sets it.
    fn arm_after(self, timer: TimerId, now: Timestamp, after_ms: Option<u64>) -> Self {
        match after_ms {
            Some(ms) => self.effect(Effect::Arm { timer, at: now + std::time::Duration::from_millis(ms) }),
            None => self,
        }
    }

    /// Nothing at all: a stale timer, a repeated wish.
    fn nothing() -> Self {
        Self::default()
    }
}

/// Kept in the record, without consequence.
fn noted(what: impl Into<String>) -> Decision {
    Decision::default().event(Event::Noted(Noted { what: what.into() }))
}

/// A signal that this phase does not expect: kept in the record under its name.
fn unexpected(signal: &Signal) -> Decision {
    let decision = noted(format!("unexpected_{}", signal.code()));
    match signal {
        // Who asks must get an answer, whatever we think of the question.
        Signal::Bye(_) => decision.effect(Effect::AnswerBye { status: 481 }),
        Signal::Cancel(_) => decision.effect(Effect::AnswerCancel { status: 200 }),
        Signal::Reinvite(_) => {
            decision.effect(Effect::AnswerReinvite { status: 491, direction: MediaDirection::SendRecv })
        }
        // A 2xx creates a dialog at the other end: it must be acknowledged and ended, or it rings on there.
        Signal::Success(response) => decision.effect(Effect::DismissAnswer {
            to_tag: response.to_tag.clone(),
            reasons: reasons::late_answer(),
        }),
        Signal::Reachable { .. }
        | Signal::Invite(_)
        | Signal::Ack(_)
        | Signal::Request(_)
        | Signal::Provisional(_)
        | Signal::Failure(_)
        | Signal::CancelAnswered(_)
        | Signal::ByeAnswered(_)
        | Signal::ReinviteAnswered(_)
        | Signal::TimedOut(_)
        | Signal::AckMissing
        | Signal::TransportFailed { .. }
        | Signal::Drained(_) => decision,
    }
}

/// What the application knows is kept under its code.
fn note_down(note: Note) -> Decision {
    noted(note.code()).accepted()
}

/// A command that is not possible in this phase: told, and kept in the record.
fn refused(command: &Command) -> Decision {
    let mut decision = noted(format!("command_refused:{}", command.code()));
    decision.outcome = Some(Outcome::Refused);
    decision
}
