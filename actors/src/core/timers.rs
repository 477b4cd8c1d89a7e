//! The armed timers of one call: a handful, so a list without order is the fastest there is.

use callbox_events::Timestamp;
use callbox_events::call::{Effect, TimerId};
use smallvec::SmallVec;

#[derive(Debug, Clone, Default)]
pub(super) struct Timers(SmallVec<[(TimerId, Timestamp); 3]>);

impl Timers {
    pub(super) fn arm(&mut self, timer: TimerId, at: Timestamp) {
        self.disarm(timer);
        self.0.push((timer, at));
    }

    pub(super) fn disarm(&mut self, timer: TimerId) {
        self.0.retain(|(armed, _)| *armed != timer);
    }

    pub(super) fn disarm_all(&mut self) {
        self.0.clear();
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.iter().map(|(_, at)| *at).min()
    }

    /// Takes the timer that has been due longest, if one is due.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<TimerId> {
        let due = self.0.iter().filter(|(_, at)| *at <= now).min_by_key(|(timer, at)| (*at, *timer)).copied();
        due.inspect(|(timer, _)| self.disarm(*timer)).map(|(timer, _)| timer)
    }

    /// Does what an effect says of timers; false if it says something else.
    pub(super) fn follow(&mut self, effect: &Effect) -> bool {
        match effect {
            Effect::Arm { timer, at } => self.arm(*timer, *at),
            Effect::Disarm { timer } => self.disarm(*timer),
            Effect::DisarmAll => self.disarm_all(),
            Effect::Reach
            | Effect::SendInvite { .. }
            | Effect::Respond { .. }
            | Effect::SendAck
            | Effect::DismissAnswer { .. }
            | Effect::SendCancel { .. }
            | Effect::SendBye { .. }
            | Effect::SendReinvite { .. }
            | Effect::AnswerCancel { .. }
            | Effect::AnswerBye { .. }
            | Effect::AnswerReinvite { .. } => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timer_that_has_been_due_longest_comes_first_and_only_once() {
        let mut timers = Timers::default();
        let at = Timestamp::from_micros;
        timers.arm(TimerId::NoAnswer, at(9));
        timers.arm(TimerId::RingDelay, at(5));
        timers.arm(TimerId::NoAnswer, at(7));
        assert_eq!(timers.next(), Some(at(5)));
        assert_eq!(timers.take_due(at(8)), Some(TimerId::RingDelay));
        assert_eq!(timers.take_due(at(8)), Some(TimerId::NoAnswer));
        assert_eq!(timers.take_due(at(8)), None);
    }
}
