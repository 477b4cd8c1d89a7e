//! Virtual time: the timers of the machine, and the patience of the transactions below it, as far as the machine hears
//! of them (RFC 3261 §17.1, §13.3.1.4).

use std::time::Duration;

use crate::call::{Effect, Input, Pending, Signal, TimerId};
use crate::time::Timestamp;

/// Something that speaks up when its time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Clock {
    /// A timer of the call.
    Timer(TimerId),
    /// The final response to our INVITE, BYE or re-INVITE: timer B or F.
    Invite,
    /// See [`Clock::Invite`].
    Bye,
    /// See [`Clock::Invite`].
    Reinvite,
    /// The ACK of our 2xx.
    Ack,
}

impl Clock {
    /// The clock that speaks up with this input, if one does.
    pub(super) fn of(input: &Input) -> Option<Self> {
        match input {
            Input::Timer(timer) => Some(Self::Timer(*timer)),
            Input::Signal(Signal::TimedOut(Pending::Invite)) => Some(Self::Invite),
            Input::Signal(Signal::TimedOut(Pending::Bye)) => Some(Self::Bye),
            Input::Signal(Signal::TimedOut(Pending::Reinvite)) => Some(Self::Reinvite),
            Input::Signal(Signal::AckMissing) => Some(Self::Ack),
            Input::Signal(_) | Input::Command(_) | Input::Recovery(_) | Input::Observed(_) => None,
        }
    }

    /// What it says when its time has come.
    pub(super) fn input(self) -> Input {
        Input::Signal(match self {
            Self::Timer(timer) => return Input::Timer(timer),
            Self::Invite => Signal::TimedOut(Pending::Invite),
            Self::Bye => Signal::TimedOut(Pending::Bye),
            Self::Reinvite => Signal::TimedOut(Pending::Reinvite),
            Self::Ack => Signal::AckMissing,
        })
    }

    fn is_timer(self) -> bool {
        match self {
            Self::Timer(_) => true,
            Self::Invite | Self::Bye | Self::Reinvite | Self::Ack => false,
        }
    }
}

/// The armed clocks of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Clocks(Vec<(Clock, Timestamp)>);

impl Clocks {
    /// All that are armed, with their deadlines.
    pub(super) fn armed(&self) -> &[(Clock, Timestamp)] {
        &self.0
    }

    /// When `clock` is due, if it is armed.
    pub(super) fn deadline(&self, clock: Clock) -> Option<Timestamp> {
        self.0.iter().find(|(armed, _)| *armed == clock).map(|(_, at)| *at)
    }

    fn arm(&mut self, clock: Clock, at: Timestamp) {
        self.disarm(clock);
        self.0.push((clock, at));
    }

    fn disarm(&mut self, clock: Clock) {
        self.0.retain(|(armed, _)| *armed != clock);
    }

    /// What `input` puts an end to by coming.
    pub(super) fn hear(&mut self, input: &Input) {
        if let Some(clock) = Clock::of(input) {
            self.disarm(clock);
        }
        let Input::Signal(signal) = input else { return };
        match signal {
            Signal::Provisional(_) | Signal::Success(_) | Signal::Failure(_) => self.disarm(Clock::Invite),
            Signal::ByeAnswered(_) => self.disarm(Clock::Bye),
            Signal::ReinviteAnswered(_) => self.disarm(Clock::Reinvite),
            Signal::Ack(_) | Signal::Bye(_) => self.disarm(Clock::Ack),
            Signal::TransportFailed { pending, .. } => match pending {
                Pending::Invite => self.disarm(Clock::Invite),
                Pending::Bye => self.disarm(Clock::Bye),
                Pending::Reinvite => self.disarm(Clock::Reinvite),
                Pending::Cancel | Pending::Other => {}
            },
            Signal::Reachable { .. }
            | Signal::Invite(_)
            | Signal::Cancel(_)
            | Signal::Reinvite(_)
            | Signal::Request(_)
            | Signal::CancelAnswered(_)
            | Signal::TimedOut(_)
            | Signal::AckMissing
            | Signal::Drained(_) => {}
        }
    }

    /// Does what `effects`, decided at `now`, say of clocks; transactions have `patience`.
    pub(super) fn follow(&mut self, effects: &[Effect], now: Timestamp, patience: Duration) {
        for effect in effects {
            match effect {
                Effect::Arm { timer, at } => self.arm(Clock::Timer(*timer), *at),
                Effect::Disarm { timer } => self.disarm(Clock::Timer(*timer)),
                Effect::DisarmAll => self.0.retain(|(clock, _)| !clock.is_timer()),
                Effect::SendInvite { .. } => self.arm(Clock::Invite, now + patience),
                Effect::SendBye { .. } => self.arm(Clock::Bye, now + patience),
                Effect::SendReinvite { .. } => self.arm(Clock::Reinvite, now + patience),
                Effect::Respond { status: 200..=299, .. } => self.arm(Clock::Ack, now + patience),
                Effect::Respond { .. }
                | Effect::Reach
                | Effect::SendAck
                | Effect::DismissAnswer { .. }
                | Effect::SendCancel { .. }
                | Effect::AnswerCancel { .. }
                | Effect::AnswerBye { .. }
                | Effect::AnswerReinvite { .. } => {}
            }
        }
    }
}
