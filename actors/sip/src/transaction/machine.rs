//! One transaction: its state and its alarms. It knows no message.

use std::time::Duration;

use callbox_events::Timestamp;
use callbox_events::call::SipTimers;

use super::table::{Action, Input, Kind, State, Timer};

/// A transaction without its messages: what the tables say, plus the deadlines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    kind: Kind,
    state: State,
    reliable: bool,
    /// No machine ever has more than two timers at once.
    alarms: [Option<Alarm>; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Alarm {
    timer: Timer,
    at: Timestamp,
    /// How long it was set for: the base of the next, doubled interval.
    span: Duration,
}

/// RFC 3261 §17.2.1.
const TRYING_AFTER: Duration = Duration::from_millis(200);

impl Machine {
    /// A transaction that has not begun; on a reliable transport nothing is repeated.
    #[must_use]
    pub fn new(kind: Kind, reliable: bool) -> Self {
        Self { kind, state: kind.initial(), reliable, alarms: [None; 2] }
    }

    /// A transaction of which only the state is known: after a restart.
    #[must_use]
    pub fn resumed(kind: Kind, reliable: bool, state: State) -> Self {
        Self { kind, state, reliable, alarms: [None; 2] }
    }

    /// Which machine.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Takes an input; the answer is what the caller must do. Timers are kept here.
    pub fn step(&mut self, input: Input, now: Timestamp, timers: SipTimers) -> &'static [Action] {
        let Some(row) = self.kind.row(self.state, input) else { return &[] };
        let due = match input {
            Input::Timer(timer) => self.disarm(timer),
            Input::Start
            | Input::Provisional
            | Input::Success
            | Input::Failure
            | Input::Cancel
            | Input::Again
            | Input::Ack
            | Input::SendProvisional
            | Input::SendSuccess
            | Input::SendFailure
            | Input::Broken => None,
        };
        self.state = row.to;
        for action in row.actions {
            match *action {
                Action::Arm(timer) => self.arm(timer, due, now, timers),
                Action::Disarm(timer) => {
                    self.disarm(timer);
                }
                Action::Send
                | Action::SendAgain
                | Action::SendAck
                | Action::SendTrying
                | Action::Report
                | Action::Absorb
                | Action::TimeOut
                | Action::Fail => {}
            }
        }
        if self.state == State::Terminated {
            self.alarms = [None; 2];
        }
        row.actions
    }

    /// The first timer that is due at `now`. Feed it back as [`Input::Timer`]; ask again until there is none.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<Timer> {
        let due = self.alarms.iter().flatten().filter(|alarm| alarm.at <= now);
        due.min_by_key(|alarm| alarm.at).map(|alarm| alarm.timer)
    }

    /// The next deadline.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.alarms.iter().flatten().map(|alarm| alarm.at).min()
    }

    /// Whether nothing will be sent or told by itself any more: repeated messages are remembered for a while, then it ends.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        let mut alarms = self.alarms.iter().flatten().peekable();
        alarms.peek().is_some() && alarms.all(|alarm| alarm.timer.is_drain())
    }

    /// Arms a timer at an absolute time: a deadline that survived a restart.
    pub fn arm_at(&mut self, timer: Timer, at: Timestamp) {
        self.put(Alarm { timer, at, span: Duration::ZERO });
    }

    fn arm(&mut self, timer: Timer, due: Option<Alarm>, now: Timestamp, timers: SipTimers) {
        let Some(span) = self.span(timer, due.map(|alarm| alarm.span), timers) else { return };
        if span.is_zero() {
            // On a reliable transport D, I, J and K are zero: the transaction is over at once.
            if let Some(row) = self.kind.row(self.state, Input::Timer(timer)) {
                self.state = row.to;
            }
            return;
        }
        self.put(Alarm { timer, at: now + span, span });
    }

    fn put(&mut self, alarm: Alarm) {
        self.disarm(alarm.timer);
        if let Some(free) = self.alarms.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(alarm);
        }
    }

    fn disarm(&mut self, timer: Timer) -> Option<Alarm> {
        self.alarms.iter_mut().find(|slot| slot.is_some_and(|alarm| alarm.timer == timer))?.take()
    }

    /// How long to wait (RFC 3261 table 4); `None`: not on this transport.
    fn span(&self, timer: Timer, last: Option<Duration>, timers: SipTimers) -> Option<Duration> {
        match timer {
            Timer::A => (!self.reliable).then(|| last.map_or(timers.t1(), |span| span * 2)),
            Timer::G => {
                (!self.reliable).then(|| last.map_or(timers.t1(), |span| (span * 2).min(timers.t2())))
            }
            Timer::E => (!self.reliable).then(|| match (self.state, last) {
                (State::Proceeding, _) => timers.t2(),
                (_, None) => timers.t1(),
                (_, Some(span)) => (span * 2).min(timers.t2()),
            }),
            Timer::B | Timer::F | Timer::H | Timer::L | Timer::M | Timer::Cancelled => {
                Some(timers.patience())
            }
            Timer::D | Timer::J => Some(if self.reliable { Duration::ZERO } else { timers.patience() }),
            Timer::I | Timer::K => Some(if self.reliable { Duration::ZERO } else { timers.t4() }),
            Timer::Trying => Some(TRYING_AFTER),
        }
    }
}
