//! Writing down: what is kept back, what is due, how a record ends.

use std::time::Duration;

use callbox_events::Timestamp;
use callbox_events::call::observed::{Seen, Sight, Stop};
use callbox_events::call::{Pending, Phase, Signal};
use callbox_events::party::Side;
use callbox_events::schema::{Commit, WireMessage};
use callbox_events::sip::Counters;

use super::super::Sighting;
use super::super::due::Due;
use super::super::held::Held;
use super::super::record::wire;
use super::Tracked;

/// So many copies of an INVITE say that its sender got no response; without them the responses took another way.
const COPIES_WITHOUT_RESPONSE: u32 = 3;

/// Copies of an INVITE until timer B: the last one is sent at 63·T1 (RFC 3261 §17.1.1.2).
const COPIES_UNTIL_TIMER_B: u32 = 6;

impl Tracked {
    /// The next deadline has come.
    pub(in crate::observe) fn fire(&mut self, now: Timestamp, commits: &mut Vec<Commit>) {
        let Some((at, due)) = self.deadlines.pop(now) else { return };
        let signal = match due {
            Due::Held => return self.give_up(commits),
            Due::Idle => return self.stop(Stop::Idle, at, commits),
            Due::Release => return self.release(at, commits),
            Due::NoResponse if self.attempt.answered || !self.was_repeated() => return,
            Due::NoResponse => Signal::TimedOut(Pending::Invite),
            Due::AckMissing => Signal::AckMissing,
            Due::Cancel => Signal::TimedOut(Pending::Cancel),
            Due::Bye => Signal::TimedOut(Pending::Bye),
        };
        self.queue(Sight::new(Side::Nobody, None, Seen::Signal(signal)), at, None, commits);
    }

    /// Nothing more will be seen.
    pub(in crate::observe) fn stop(&mut self, stop: Stop, at: Timestamp, commits: &mut Vec<Commit>) {
        self.give_up(commits);
        if self.is_in_setup() && !self.attempt.answered && self.attempt.copies >= COPIES_UNTIL_TIMER_B {
            let seen = Seen::Signal(Signal::TimedOut(Pending::Invite));
            self.write(Sight::new(Side::Nobody, None, seen), at, None, commits);
        }
        if !self.is_over() {
            self.write(Sight::new(Side::Nobody, None, Seen::Stopped(stop)), at, None, commits);
        }
        self.release(at, commits);
    }

    fn release(&mut self, at: Timestamp, commits: &mut Vec<Commit>) {
        let counters = Counters { sent_again: 0, received_again: self.again.all, stray: self.stray };
        let seen = Seen::Signal(Signal::Drained(counters));
        self.write(Sight::new(Side::Nobody, None, seen), at, None, commits);
        self.released = true;
    }

    /// Only who hears nothing sends again and again.
    fn was_repeated(&self) -> bool {
        self.datagrams && self.attempt.copies >= COPIES_WITHOUT_RESPONSE
    }

    /// Writes a message down, unless the record is long enough without it.
    pub(super) fn put(&mut self, mut sight: Sight, sighting: &Sighting, commits: &mut Vec<Commit>) {
        sight.stranger = sight.signal().is_some() && self.parties.is_stranger(sighting);
        if self.record.events() >= self.config.max_messages && !is_vital(&sight) {
            self.stray = self.stray.saturating_add(1);
            return;
        }
        self.queue(sight, sighting.at, Some(wire(sighting, self.config.max_bytes)), commits);
    }

    /// Writes a sight down, or keeps it while it is open whether the failure before it was the last.
    pub(super) fn queue(
        &mut self,
        sight: Sight,
        at: Timestamp,
        wire: Option<WireMessage>,
        commits: &mut Vec<Commit>,
    ) {
        let is_cancel = matches!(sight.signal(), Some(Signal::Cancel(_)));
        if is_cancel {
            self.give_up(commits);
            self.attempt.cancelled = true;
        }
        if let Some(held) = &mut self.held {
            if held.push((sight, at, wire)) {
                return;
            }
            return self.give_up(commits);
        }
        if let Some(patience) = self.patience(&sight) {
            self.deadlines.set(Due::Held, at + patience);
            self.held = Some(Held::new(sight, at, wire));
            return;
        }
        self.write(sight, at, wire, commits);
    }

    /// How long a failure is not believed to be the last: it may be overcome by credentials, another target, other media.
    fn patience(&self, sight: &Sight) -> Option<Duration> {
        let Some(Signal::Failure(response)) = sight.signal() else { return None };
        if self.attempt.cancelled || !self.is_in_setup() {
            return None;
        }
        match response.status {
            487 | 600.. => None,
            300..=399 | 401 | 407 | 422 => Some(self.config.sip.patience()),
            _ => Some(self.config.sip.t4()),
        }
    }

    /// The failure was overcome by a new INVITE.
    pub(super) fn overcome(&mut self, commits: &mut Vec<Commit>) {
        self.unhold(true, commits);
    }

    /// The failure was the last.
    fn give_up(&mut self, commits: &mut Vec<Commit>) {
        self.unhold(false, commits);
    }

    fn unhold(&mut self, overcome: bool, commits: &mut Vec<Commit>) {
        self.deadlines.clear(Due::Held);
        let Some(held) = self.held.take() else { return };
        for (sight, at, wire) in held.decided(overcome) {
            self.write(sight, at, wire, commits);
        }
    }

    pub(super) fn write(
        &mut self,
        mut sight: Sight,
        at: Timestamp,
        wire: Option<WireMessage>,
        commits: &mut Vec<Commit>,
    ) {
        if std::mem::take(&mut self.away) && !self.is_over() && !matches!(sight.seen, Seen::Stopped(_)) {
            let resumed = Sight { again: self.again, ..Sight::new(Side::Nobody, None, Seen::Resumed) };
            commits.extend(self.record.take(resumed, at, None));
        }
        sight.again = self.again;
        let before = self.record.phase();
        let cancelled = matches!(sight.signal(), Some(Signal::Cancel(_)));
        let Some(commit) = self.record.take(sight, at, wire) else { return };
        commits.push(commit);
        if cancelled && before != Phase::Ended {
            self.deadlines.set(Due::Cancel, at + self.config.sip.patience());
        }
        if self.record.phase() != before {
            self.wait_in(self.record.phase(), at);
        }
    }

    /// What is waited for in a phase that begins.
    fn wait_in(&mut self, phase: Phase, at: Timestamp) {
        let sip = self.config.sip;
        match phase {
            Phase::Connecting => {
                self.deadlines.clear(Due::Cancel);
                self.deadlines.set(Due::AckMissing, at + sip.patience() + sip.t2());
            }
            Phase::Connected => {
                self.deadlines.clear(Due::AckMissing);
                self.deadlines.clear(Due::Cancel);
            }
            Phase::Ending => {
                self.deadlines.clear(Due::AckMissing);
                self.deadlines.set(Due::Bye, at + sip.patience());
            }
            Phase::Ended => self.deadlines.over(at + sip.patience()),
            Phase::Idle | Phase::Calling | Phase::Incoming | Phase::Early => {}
        }
    }
}

/// What may end the call, and is written down however long the record is.
fn is_vital(sight: &Sight) -> bool {
    sight.signal().is_some_and(|signal| {
        matches!(
            signal,
            Signal::Bye(_)
                | Signal::ByeAnswered(_)
                | Signal::Cancel(_)
                | Signal::Failure(_)
                | Signal::Success(_)
        )
    })
}
