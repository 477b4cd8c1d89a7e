//! A call that its observer left open, as its record shows it: taken up again after a crash.
//!
//! What was decided is on record. What an observer keeps in mind beside that comes from the same messages again. What was
//! only counted, or kept back, is lost with the process: the number of stray messages, a failure that might have been
//! overcome.

use callbox_events::Timestamp;
use callbox_events::call::observed::{Seen, Sight};
use callbox_events::call::{Input, Phase, Signal};
use callbox_events::schema::Commit;

use super::super::config::ObserverConfig;
use super::super::due::Due;
use super::super::known::Novelty;
use super::super::opening::First;
use super::super::record::{Record, sighted};
use super::super::{Sighting, mend};
use super::{Tracked, is_initial};
use crate::wire::{Limits, Message};

/// A call that is being watched again, and the messages of its record.
pub(in crate::observe) struct Restored {
    pub call: Tracked,
    pub messages: Vec<(Message, Sighting)>,
}

impl Tracked {
    /// The call of this record; none if it is no observed call's, has gaps or is closed.
    pub(in crate::observe) fn restore(
        commits: &[Commit],
        config: ObserverConfig,
        now: Timestamp,
    ) -> Option<Restored> {
        let limits = Limits { max_message: config.max_bytes, ..Limits::default() };
        let read = |commit: &Commit| {
            let sighting = sighted(commit)?;
            Some((mend::read(&sighting.bytes, &limits).ok()?.message, sighting))
        };
        let mut passed: Vec<Option<(Message, Sighting)>> = commits.iter().map(read).collect();
        let (message, sighting) = passed.iter().flatten().next()?;
        let first = First::of(message, sighting, config.sip);
        let mut call = Self::new(message, sighting, first, Record::new(commits.first()?.call), config);
        let is_counted = is_initial(message);
        for (index, (commit, passed)) in commits.iter().zip(&passed).enumerate() {
            let Input::Observed(sight) = &commit.input else { return None };
            call.record.follow(commit).ok()?;
            if let Some((message, sighting)) = passed.as_ref().filter(|_| index > 0 || !is_counted) {
                call.learn(message, sighting);
            }
            call.recall(sight);
        }
        if call.record.is_released() {
            return None;
        }
        (call.dormant, call.away) = (true, true);
        call.wait_again(now);
        let messages = passed.drain(..).flatten().collect();
        Some(Restored { call, messages })
    }

    /// A message that was decided on already.
    fn learn(&mut self, message: &Message, sighting: &Sighting) {
        self.last_seen = self.last_seen.max(sighting.at);
        let Some(requester) = self.parties.requester(message, sighting, self.attempt.cseq) else { return };
        match self.recognise(message, sighting, requester) {
            Novelty::New => {
                self.read(message, sighting, requester);
            }
            Novelty::Relayed if is_initial(message) => {
                self.attempt.relayed(message, sighting);
            }
            Novelty::Relayed | Novelty::Again(_) => {}
        }
        self.parties.meet(message, sighting);
    }

    /// What a sight of the record tells beside its message.
    fn recall(&mut self, sight: &Sight) {
        self.again = sight.again;
        if let Some(Signal::Cancel(_)) = sight.signal() {
            self.attempt.cancelled = true;
        }
        let odd = matches!(sight.seen, Seen::Malformed { .. } | Seen::Stray { .. });
        let mended = matches!(sight.seen, Seen::Malformed { mended: true, .. });
        self.oddities += u32::from(odd);
        self.stray += u32::from(odd && !mended);
        self.repeated |= matches!(sight.seen, Seen::Repeated { .. });
        if let Seen::Heard(heard) = &sight.seen {
            self.tones.push((sight.by, heard.tone, !self.is_in_setup()));
        }
    }

    /// What is waited for from now on. That something did not come while nobody watched says nothing, so no timer of SIP
    /// is taken up again; a call whose end was under way is given the time that it takes.
    fn wait_again(&mut self, now: Timestamp) {
        let patience = self.config.sip.patience().min(self.config.idle);
        let soon = self.last_seen.max(now) + patience;
        let is_ending = self.is_in_setup() && self.attempt.cancelled;
        match self.record.phase() {
            Phase::Ended => self.deadlines.over(soon),
            Phase::Ending => self.deadlines.only(Due::Idle, soon),
            Phase::Calling | Phase::Early if is_ending => self.deadlines.only(Due::Idle, soon),
            Phase::Idle
            | Phase::Calling
            | Phase::Incoming
            | Phase::Early
            | Phase::Connecting
            | Phase::Connected => {
                self.deadlines.only(Due::Idle, soon.max(self.last_seen + self.config.idle));
            }
        }
    }
}
