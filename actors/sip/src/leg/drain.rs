//! The end of a leg: lingering, draining, and saying so once.

use callbox_events::Timestamp;

use super::outbox::Outbox;
use super::{Ended, Leg, Signal};
use crate::transaction::Machine;

/// After so many times 64·T1 whatever is left is dropped: nothing of RFC 3261 lasts that long after the final act, and
/// a leg that never drains would never be forgotten.
const HARD_STOP: u32 = 4;

impl Leg {
    /// Marks the final act. `linger`: a 2xx may still come for 64·T1, because nobody ever answered the INVITE for good
    /// (RFC 3261 §9.1, §13.2.2.4).
    pub(super) fn end(&mut self, now: Timestamp, linger: bool) {
        let until = if linger { now + self.config.timers.patience() } else { now };
        // Nothing will be offered or answered any more.
        self.remote_sdp = None;
        match &mut self.ended {
            Some(ended) => ended.linger = ended.linger.max(until),
            None => self.ended = Some(Ended { at: now, linger: until }),
        }
    }

    /// Says `Drained` if all is over.
    pub(super) fn check_drained(&mut self, now: Timestamp, out: &mut Outbox) {
        let Some(ended) = self.ended else { return };
        if self.drained {
            return;
        }
        if now >= ended.at + self.config.timers.patience() * HARD_STOP {
            self.clear();
        }
        if now >= ended.linger && self.is_idle() {
            self.drained = true;
            self.clear();
            out.signal(Signal::Drained(self.counters));
        }
    }

    fn is_idle(&self) -> bool {
        self.clients.is_empty()
            && self.servers.is_empty()
            && self.answers.is_empty()
            && self.has_no_open_fork()
    }

    fn clear(&mut self) {
        self.clients.clear();
        self.servers.clear();
        self.answers.clear();
        self.forks.clear();
        self.held_cancel = None;
    }

    /// Whether nothing is left to do; the leg may be dropped.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.drained
    }

    /// When [`Leg::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        if self.drained {
            return None;
        }
        let machines = || {
            let clients = self.clients.iter().map(|client| &client.machine);
            clients.chain(self.servers.iter().map(|server| &server.machine))
        };
        let alarms = machines().filter_map(Machine::next_timeout);
        let Some(ended) = self.ended else { return alarms.chain(self.answer_timeouts()).min() };
        if self.answers.is_empty() && self.has_no_open_fork() && machines().all(Machine::is_draining) {
            // The last one to drain is worth a wake; when those before it leave is nobody's concern.
            return alarms.chain([ended.linger]).max();
        }
        let stop = ended.at + self.config.timers.patience() * HARD_STOP;
        alarms.chain(self.answer_timeouts()).chain([stop]).min()
    }

    fn answer_timeouts(&self) -> impl Iterator<Item = Timestamp> {
        self.answers.iter().map(|answer| answer.next.min(answer.give_up))
    }

    fn has_no_open_fork(&self) -> bool {
        self.forks.iter().all(|fork| fork.dialog.is_none())
    }
}
