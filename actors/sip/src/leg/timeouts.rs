//! What happens when nothing happens, and when the transport fails.

use callbox_events::Timestamp;
use callbox_events::call::Pending;
use callbox_events::sip::Peer;

use super::outbox::{Outbox, TransmitKind};
use super::tx::{Purpose, again};
use super::{Leg, Signal};
use crate::transaction::{Input, State, Timer};

impl Leg {
    pub(super) fn run_timers(&mut self, now: Timestamp, out: &mut Outbox) {
        for index in 0..self.clients.len() {
            while let Some(timer) = self.clients.get(index).and_then(|client| client.machine.due(now)) {
                self.client_timer(index, timer, now, out);
            }
        }
        for index in 0..self.servers.len() {
            while let Some(timer) = self.servers.get(index).and_then(|server| server.machine.due(now)) {
                self.server_timer(index, timer, now, out);
            }
        }
        self.run_answers(now, out);
        self.sweep();
    }

    fn client_timer(&mut self, index: usize, timer: Timer, now: Timestamp, out: &mut Outbox) {
        let timers = self.config.timers;
        let Some(client) = self.clients.get_mut(index) else { return };
        let left = client.step(Input::Timer(timer), now, timers, &mut self.counters, out);
        let purpose = client.purpose;
        if left.timed_out
            && let Some(pending) = purpose.pending()
        {
            out.signal(Signal::TimedOut(pending));
        }
        let gave_up = left.timed_out || timer == Timer::Cancelled;
        match purpose {
            Purpose::Invite if gave_up => self.end(now, true),
            Purpose::Bye if gave_up => self.end(now, false),
            Purpose::Invite
            | Purpose::Bye
            | Purpose::Reinvite
            | Purpose::Cancel
            | Purpose::Dismissal
            | Purpose::Other => {}
        }
    }

    fn server_timer(&mut self, index: usize, timer: Timer, now: Timestamp, out: &mut Outbox) {
        let timers = self.config.timers;
        let Some(server) = self.servers.get_mut(index) else { return };
        let left = server.step(Input::Timer(timer), now, timers, &mut self.counters, out);
        if left.timed_out {
            out.signal(Signal::TimedOut(Pending::Other));
        }
        if left.trying {
            self.send_trying(index, out);
        }
    }

    /// Repeats the 2xx that nobody acknowledged, and gives up in the end (RFC 3261 §13.3.1.4).
    fn run_answers(&mut self, now: Timestamp, out: &mut Outbox) {
        let longest = self.config.timers.t2();
        let counters = &mut self.counters;
        let mut missing = false;
        self.answers.retain(|answer| {
            if answer.give_up <= now {
                missing = true;
                return false;
            }
            if answer.next <= now {
                again(answer.peer, &answer.response, TransmitKind::Retransmission, counters, out);
                answer.interval = (answer.interval * 2).min(longest);
                answer.next = now + answer.interval;
            }
            true
        });
        if missing {
            out.signal(Signal::AckMissing);
        }
    }

    /// Forgets finished transactions, and what could only be needed while they lasted.
    pub(super) fn sweep(&mut self) {
        self.servers.retain(|server| server.machine.state() != State::Terminated);
        let before = self.clients.len();
        self.clients.retain(|client| client.machine.state() != State::Terminated);
        if self.clients.len() != before {
            let clients = &self.clients;
            self.forks.retain(|fork| {
                fork.dialog.is_some() || clients.iter().any(|client| client.cseq == fork.cseq)
            });
        }
    }

    pub(super) fn break_transport(&mut self, now: Timestamp, peer: Peer, detail: &str, out: &mut Outbox) {
        let timers = self.config.timers;
        let mut signal = |pending| {
            out.signal(Signal::TransportFailed { pending, detail: detail.to_owned() });
        };
        let mut lost_invite = false;
        let mut scratch = Outbox::new();
        for client in self.clients.iter_mut().filter(|client| client.peer == peer) {
            let open = client.is_open();
            let left = client.step(Input::Broken, now, timers, &mut self.counters, &mut scratch);
            if left.failed && open {
                lost_invite |= client.purpose == Purpose::Invite;
                client.purpose.pending().into_iter().for_each(&mut signal);
            }
        }
        let mut undelivered = false;
        for server in self.servers.iter_mut().filter(|server| server.peer == peer) {
            undelivered |= server.step(Input::Broken, now, timers, &mut self.counters, &mut scratch).failed;
        }
        if undelivered {
            signal(Pending::Other);
        }
        if lost_invite && !self.confirmed {
            self.end(now, true);
        }
        self.sweep();
    }
}
