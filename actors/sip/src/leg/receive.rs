//! A message comes in: whose is it, and was it here before?

use callbox_events::sip::Peer;
use callbox_events::{Role, Timestamp};

use super::Leg;
use super::outbox::{Outbox, TransmitKind};
use super::tx::{Purpose, Server};
use crate::transaction::{Input, Kind, State};
use crate::wire::{Message, Method};
use crate::{digest, stateless};

/// Requests of the other side that are remembered at once; a call has a handful.
const MAX_SERVERS: usize = 32;

impl Leg {
    /// Whether this message belongs to this leg rather than to another one with the same Call-ID (an engine that
    /// calls itself, two forks of one call).
    #[must_use]
    pub fn claims(&self, message: &Message) -> bool {
        if message.call_id() != self.dialog.sip_call_id {
            return false;
        }
        if !message.is_request() {
            return message.from_tag() == Some(&self.dialog.local_tag);
        }
        match message.to_tag() {
            Some(tag) => tag == self.dialog.local_tag,
            None => {
                self.servers.iter().any(|server| server.key.is_of(message)) || self.is_first_invite(message)
            }
        }
    }

    /// The From tag and CSeq of the INVITE that began this call, by whatever way it came.
    fn is_first_invite(&self, message: &Message) -> bool {
        self.role == Role::Callee
            && message.cseq().0 == self.dialog.invite_cseq
            && message.from_tag().unwrap_or_default() == self.dialog.remote_tag.as_deref().unwrap_or_default()
    }

    /// The leg has said its last word: nothing may begin here any more.
    pub(super) fn receive_too_late(&mut self, message: &Message, source: Peer, out: &mut Outbox) {
        self.refuse(message, source, 481, out);
    }

    pub(super) fn receive_request(
        &mut self,
        now: Timestamp,
        message: Box<Message>,
        source: Peer,
        out: &mut Outbox,
    ) {
        match message.method() {
            Method::Ack => return self.receive_ack(now, &message, out),
            Method::Cancel => return self.receive_cancel(now, message, source, out),
            _ => {}
        }
        if self.absorb(now, &message, out) {
            return;
        }
        if message.to_tag().is_some() {
            return self.receive_in_dialog(now, message, source, out);
        }
        // RFC 3261 §8.2.2.2: the same request on another path is a loop or a merge; anything else is no part of this
        // call.
        let status = if self.is_first_invite(&message) { 482 } else { 481 };
        self.refuse(&message, source, status, out);
    }

    /// A repeated request gets the same answer; true if it was one.
    fn absorb(&mut self, now: Timestamp, message: &Message, out: &mut Outbox) -> bool {
        let timers = self.config.timers;
        let wants_invite = *message.method() == Method::Invite;
        let found = self.servers.iter_mut().find(|server| {
            server.is_invite() == wants_invite
                && server.purpose != Purpose::Cancel
                && server.cseq == message.cseq().0
                && server.key.is_of(message)
        });
        let Some(server) = found else { return false };
        server.step(Input::Again, now, timers, &mut self.counters, out);
        true
    }

    /// CANCEL has the branch of what it cancels and a transaction of its own (RFC 3261 §9.2).
    fn receive_cancel(&mut self, now: Timestamp, message: Box<Message>, source: Peer, out: &mut Outbox) {
        let timers = self.config.timers;
        let repeated = self
            .servers
            .iter_mut()
            .find(|server| server.purpose == Purpose::Cancel && server.key.is_of(&message));
        if let Some(server) = repeated {
            server.step(Input::Again, now, timers, &mut self.counters, out);
            return;
        }
        let invite = self.servers.iter().find(|server| server.is_invite() && server.key.is_of(&message));
        match invite.map(|server| server.purpose) {
            Some(Purpose::Invite) => {
                let request = digest::request(&message);
                self.accept(now, message, Purpose::Cancel, source, out);
                out.signal(super::Signal::Cancel(request));
            }
            // A re-INVITE is answered within the same breath: there is nothing left to cancel (§9.2: no effect).
            Some(_) => self.refuse(&message, source, 200, out),
            None => self.refuse(&message, source, 481, out),
        }
    }

    /// Opens a server transaction that the machine or the leg will answer.
    pub(super) fn accept(
        &mut self,
        now: Timestamp,
        message: Box<Message>,
        purpose: Purpose,
        source: Peer,
        out: &mut Outbox,
    ) {
        let kind = if *message.method() == Method::Invite { Kind::InviteServer } else { Kind::Server };
        let mut server = Server::new(message, purpose, kind, source);
        let timers = self.config.timers;
        server.step(Input::Start, now, timers, &mut self.counters, out);
        self.make_room();
        self.servers.push(Box::new(server));
    }

    /// A peer that sends requests without end must not make every look-up slow: the oldest finished one that is no
    /// matter of the call is forgotten. Should it come again, its CSeq is out of order.
    fn make_room(&mut self) {
        if self.servers.len() >= MAX_SERVERS {
            let oldest =
                self.servers.iter().position(|server| server.purpose == Purpose::Other && !server.is_open());
            oldest.map(|index| self.servers.remove(index));
        }
    }

    /// Answers without a transaction: the same request would get the same answer again.
    pub(super) fn refuse(&mut self, message: &Message, source: Peer, status: u16, out: &mut Outbox) {
        self.counters.stray = self.counters.stray.saturating_add(1);
        let refusal = stateless::Refusal::new(status);
        if let Some(reply) =
            stateless::refuse_as(message, source, &refusal, &self.config, &self.dialog.local_tag)
        {
            out.transmits.push(reply);
        }
    }

    /// 100 Trying, because nobody said anything for 200 ms (RFC 3261 §17.2.1).
    pub(super) fn send_trying(&mut self, index: usize, out: &mut Outbox) {
        let Some(server) = self.servers.get_mut(index) else { return };
        let Some(request) = &server.request else { return };
        let reply = super::build::Reply { status: 100, ..Default::default() };
        let source = server.source.addr;
        if let Ok(bytes) = super::build::response(request, source, &self.dialog, &self.config, reply) {
            server.response = bytes.clone();
            out.send(server.peer, bytes, TransmitKind::AbsorbedReply);
        }
    }

    /// ACK: of a failure, which belongs to the INVITE's transaction, or of a 2xx, which does not (§17.1.1.3, §13.2.2.4).
    fn receive_ack(&mut self, now: Timestamp, message: &Message, out: &mut Outbox) {
        let timers = self.config.timers;
        let cseq = message.cseq().0;
        let failure = self.servers.iter_mut().find(|server| {
            let state = server.machine.state();
            server.is_invite()
                && matches!(state, State::Completed | State::Confirmed)
                && server.key.is_of(message)
        });
        if let Some(server) = failure {
            server.step(Input::Ack, now, timers, &mut self.counters, out);
            return self.sweep();
        }
        if message.to_tag().unwrap_or_default() != self.dialog.local_tag {
            self.counters.stray = self.counters.stray.saturating_add(1);
            return;
        }
        let waiting = self.answers.iter().position(|answer| answer.cseq == cseq);
        let initial = self.role == Role::Callee && cseq == self.dialog.invite_cseq;
        if let Some(index) = waiting {
            self.answers.remove(index);
            self.note_sdp(message);
        }
        match (waiting.is_some(), initial) {
            // Also after a restart, when the 2xx had left before.
            (true, true) => self.first_ack(message, out),
            (false, true) if !self.acked && self.ended.is_none() && !self.has_open_invite() => {
                self.note_sdp(message);
                self.first_ack(message, out);
            }
            (true, false) => {}
            (false, _) => self.counters.received_again = self.counters.received_again.saturating_add(1),
        }
    }

    fn first_ack(&mut self, message: &Message, out: &mut Outbox) {
        if !self.acked {
            self.acked = true;
            out.signal(super::Signal::Ack(digest::request(message)));
        }
    }

    /// Whether the initial INVITE, or a re-INVITE, of the other side waits for its final response.
    pub(super) fn has_open_invite(&self) -> bool {
        self.servers.iter().any(|server| server.is_invite() && server.is_open())
    }
}
