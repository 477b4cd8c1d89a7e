//! The end of a leg: lingering, draining, and saying so once.

use callbox_events::Timestamp;

use super::outbox::Outbox;
use super::{Ended, Leg, Signal};

/// After so many times 64·T1 whatever is left is dropped: nothing of RFC 3261 lasts that long after the final act, and
/// a leg that never drains would never be forgotten.
const HARD_STOP: u32 = 4;

impl Leg {
    /// Marks the final act. `linger`: a 2xx may still come for 64·T1, because nobody ever answered the INVITE for good
    /// (RFC 3261 §9.1, §13.2.2.4).
    pub(super) fn end(&mut self, now: Timestamp, linger: bool) {
        let until = if linger { now + self.config.timers.patience() } else { now };
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
            && self.forks.iter().all(|fork| fork.dialog.is_none())
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
        let clients = self.clients.iter().filter_map(|client| client.machine.next_timeout());
        let servers = self.servers.iter().filter_map(|server| server.machine.next_timeout());
        let answers = self.answers.iter().map(|answer| answer.next.min(answer.give_up));
        let ended = self.ended.map(|ended| {
            let stop = ended.at + self.config.timers.patience() * HARD_STOP;
            if self.is_idle() { ended.linger } else { stop }
        });
        clients.chain(servers).chain(answers).chain(ended).min()
    }
}
