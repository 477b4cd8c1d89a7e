//! Responses to what we sent (RFC 3261 §13.2.2, §12.2.1.2).

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use callbox_events::Timestamp;
use callbox_events::sip::Response;

use super::outbox::{Outbox, TransmitKind};
use super::tx::{Client, Fork, Purpose, again};
use super::{Leg, Signal, build};
use crate::dialog::new_target;
use crate::transaction::{Input, Kind, Machine};
use crate::wire::{Message, Method};
use crate::{dialog, digest};

/// Forks of one INVITE that are told apart.
const MAX_FORKS: usize = 64;

impl Leg {
    pub(super) fn receive_response(&mut self, now: Timestamp, message: &Message, out: &mut Outbox) {
        let status = message.status().unwrap_or_default();
        let branch = message.branch().unwrap_or_default();
        let found = self
            .clients
            .iter()
            .position(|client| &*client.branch == branch && client.method == *message.method());
        let Some(index) = found else {
            return self.stray_response(message, status, out);
        };
        let input = match status {
            ..200 => Input::Provisional,
            200..300 => Input::Success,
            300.. => Input::Failure,
        };
        let timers = self.config.timers;
        let Some(client) = self.clients.get_mut(index) else { return };
        let before = self.counters.received_again;
        let left = client.step(input, now, timers, &mut self.counters, out);
        if left.ack {
            self.ack_failure(index, message, out);
        }
        if left.report {
            self.report(now, index, message, status, out);
        } else if self.counters.received_again == before {
            // The machine ignores it: a 2xx behind a failure is an answer all the same, the rest came too late.
            self.stray_response(message, status, out);
        }
        self.sweep();
    }

    /// No transaction knows it. A 2xx to our INVITE matters even so (RFC 6026 §8.5).
    fn stray_response(&mut self, message: &Message, status: u16, out: &mut Outbox) {
        let is_answer = (200..300).contains(&status)
            && *message.method() == Method::Invite
            && message.from_tag() == Some(&self.dialog.local_tag);
        let ours = message.cseq().0 == self.dialog.invite_cseq && self.role == callbox_events::Role::Caller;
        let known = || self.forks.iter().any(|fork| fork.cseq == message.cseq().0);
        if is_answer && (ours || known()) {
            self.answered(message, out);
        } else {
            self.counters.stray = self.counters.stray.saturating_add(1);
        }
    }

    fn ack_failure(&mut self, index: usize, response: &Message, out: &mut Outbox) {
        let Some(client) = self.clients.get_mut(index) else { return };
        if client.ack.is_empty() {
            let line = (client.cseq, &*client.branch, client.peer);
            let Ok(ack) = build::ack_failure(&self.dialog, &self.config, line, response) else { return };
            client.ack = ack;
        } else {
            self.counters.sent_again = self.counters.sent_again.saturating_add(1);
        }
        out.send(client.peer, client.ack.clone(), TransmitKind::AbsorbedReply);
    }

    fn report(&mut self, now: Timestamp, index: usize, message: &Message, status: u16, out: &mut Outbox) {
        let Some(client) = self.clients.get(index) else { return };
        let (purpose, cseq) = (client.purpose, client.cseq);
        if status < 200 {
            if purpose == Purpose::Invite {
                self.provisional(now, message, status, out);
            }
            return;
        }
        match purpose {
            Purpose::Invite if status < 300 => self.answered(message, out),
            Purpose::Invite => {
                self.held_cancel = None;
                out.signal(Signal::Failure(digest::response(message)));
                if !self.confirmed {
                    self.end(now, false);
                }
            }
            Purpose::Reinvite => self.reinvite_answered(index, cseq, message, status, out),
            Purpose::Cancel => out.signal(Signal::CancelAnswered(digest::response(message))),
            Purpose::Bye => out.signal(Signal::ByeAnswered(digest::response(message))),
            Purpose::Dismissal | Purpose::Other => {}
        }
    }

    fn provisional(&mut self, now: Timestamp, message: &Message, status: u16, out: &mut Outbox) {
        // The first one of all is told even if it is a mere 100: CANCEL may be sent from now on (RFC 3261 §9.1).
        let first = !std::mem::replace(&mut self.provisional, true);
        let repeated = status > 100 && self.was_heard(message);
        if repeated || status == 100 && !first {
            self.counters.received_again = self.counters.received_again.saturating_add(1);
        } else {
            if !self.confirmed {
                self.note_sdp(message);
            }
            out.signal(Signal::Provisional(digest::response(message)));
        }
        if !repeated {
            self.acknowledge_reliable(now, message, out);
        }
        if let Some(held) = self.held_cancel.take() {
            // A branch that can't be built can't be cancelled; the timers end it.
            let _ = self.cancel(now, &held.reasons, out);
        }
    }

    /// Whether the same early dialog said exactly this before. Networks repeat provisional responses.
    fn was_heard(&mut self, message: &Message) -> bool {
        let mut hasher = DefaultHasher::new();
        hasher.write(&message.raw);
        let print = hasher.finish();
        let tag = message.to_tag().unwrap_or_default();
        let full = self.early.len() >= MAX_FORKS;
        match self.early.iter_mut().find(|early| early.0 == tag) {
            Some(early) => std::mem::replace(&mut early.1, print) == print,
            // Beyond that many forks somebody is inventing tags.
            None if full => true,
            None => {
                self.early.push(Box::new((tag.to_owned(), print)));
                false
            }
        }
    }

    /// PRACK for a 1xx that wants it (RFC 3262 §4), although we never ask for one: the sender would repeat it for 32 s
    /// and then give up the call.
    fn acknowledge_reliable(&mut self, now: Timestamp, message: &Message, out: &mut Outbox) {
        let Some(rseq) = message.rseq().filter(|_| message.require().any(|tag| tag == "100rel")) else {
            return;
        };
        let dialog = dialog::uac(&self.dialog, message);
        let cseq = self.cseqs.next();
        let invite = dialog.invite_branch.as_deref().unwrap_or_default();
        let branch = format!("{invite}-p{cseq}");
        let Ok(request) = build::prack(&dialog, &self.config, (cseq, &branch), rseq) else { return };
        let mut client = Client {
            machine: Machine::new(Kind::Client, dialog.peer.transport.is_reliable()),
            purpose: Purpose::Other,
            method: Method::Prack,
            branch: branch.into(),
            cseq,
            peer: dialog.peer,
            request,
            ack: bytes::Bytes::new(),
        };
        client.step(Input::Start, now, self.config.timers, &mut self.counters, out);
        if let Some(sent) = out.transmits.last_mut() {
            sent.kind = TransmitKind::AbsorbedReply;
        }
        self.clients.push(Box::new(client));
    }

    /// A 2xx to our INVITE: a new fork is told to the machine, a repeated one gets its ACK again.
    fn answered(&mut self, message: &Message, out: &mut Outbox) {
        let cseq = message.cseq().0;
        let tag = message.to_tag().unwrap_or_default();
        if let Some(fork) = self.forks.iter().find(|fork| fork.cseq == cseq && &*fork.tag == tag) {
            self.counters.received_again = self.counters.received_again.saturating_add(1);
            let kind = TransmitKind::AbsorbedReply;
            again(fork.peer, &fork.ack, kind, &mut self.counters, out);
            return;
        }
        if cseq != self.dialog.invite_cseq || self.forks.len() >= MAX_FORKS {
            self.counters.stray = self.counters.stray.saturating_add(1);
            return;
        }
        if !self.confirmed {
            self.note_sdp(message);
        }
        self.held_cancel = None;
        let mut dialog = dialog::uac(&self.dialog, message);
        (dialog.local_cseq, dialog.remote_cseq) = (self.cseqs.local, self.cseqs.remote);
        let dialog = Arc::new(dialog);
        let response = Response { dialog: Some(Arc::clone(&dialog)), ..digest::response(message) };
        self.forks.push(Box::new(Fork {
            tag: tag.into(),
            cseq,
            peer: dialog.peer,
            dialog: Some(dialog),
            ack: bytes::Bytes::new(),
        }));
        out.signal(Signal::Success(response));
    }

    /// The final response to our re-INVITE. Its ACK does not wait for the machine: nothing is decided by it.
    fn reinvite_answered(
        &mut self,
        index: usize,
        cseq: u32,
        message: &Message,
        status: u16,
        out: &mut Outbox,
    ) {
        let tag = message.to_tag().unwrap_or_default();
        let mut facts = digest::response(message);
        if status < 300 {
            if let Some(fork) = self.forks.iter().find(|fork| fork.cseq == cseq && &*fork.tag == tag) {
                self.counters.received_again = self.counters.received_again.saturating_add(1);
                again(fork.peer, &fork.ack, TransmitKind::AbsorbedReply, &mut self.counters, out);
                return;
            }
            let target = new_target(&self.dialog, message).map(ToOwned::to_owned);
            if target.is_some() {
                self.take_target(target.as_deref());
                facts.dialog = Some(self.dialog_now());
            }
            self.note_sdp(message);
            let branch = self.clients.get(index).map(|client| format!("{}-a", client.branch));
            self.send_ack(cseq, tag, &branch.unwrap_or_default(), TransmitKind::AbsorbedReply, out);
        }
        out.signal(Signal::ReinviteAnswered(facts));
    }

    fn send_ack(&mut self, cseq: u32, tag: &str, branch: &str, kind: TransmitKind, out: &mut Outbox) {
        let peer = self.dialog.peer;
        let parts = build::Parts { method: &Method::Ack, cseq, branch, peer, reasons: &[], sdp: None };
        let Ok(ack) = build::request(&self.dialog, &self.config, parts) else { return };
        out.send(peer, ack.clone(), kind);
        self.forks.push(Box::new(Fork { tag: tag.into(), cseq, dialog: None, ack, peer }));
    }
}
