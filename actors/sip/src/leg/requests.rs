//! Requests inside the dialog (RFC 3261 §12.2.2, §14.2, §15.1.2).

use std::sync::Arc;

use callbox_events::Timestamp;
use callbox_events::sip::Peer;

use super::outbox::{Outbox, TransmitKind};
use super::tx::Purpose;
use super::{Leg, Signal, build};
use crate::dialog::{Admission, admit, new_target};
use crate::transaction::Input;
use crate::wire::{HeaderName, Message, Method};
use crate::{digest, stateless};

impl Leg {
    pub(super) fn receive_in_dialog(
        &mut self,
        now: Timestamp,
        message: Box<Message>,
        source: Peer,
        out: &mut Outbox,
    ) {
        if !self.confirmed {
            return self.receive_early(now, message, source, out);
        }
        match admit(&self.dialog, self.cseqs.remote, &message) {
            Admission::Foreign => self.foreign(&message, source, out),
            Admission::OutOfOrder if self.bye_cseq == Some(message.cseq().0) => {
                // The BYE again, after its transaction is gone (a restart): the answer is known.
                self.counters.received_again = self.counters.received_again.saturating_add(1);
                self.refuse(&message, source, 200, out);
            }
            Admission::OutOfOrder => self.refuse(&message, source, 500, out),
            Admission::InOrder => {
                self.cseqs.remote = message.cseq().0;
                self.dispatch(now, message, source, out);
            }
        }
    }

    /// Not of the call's dialog: perhaps of a fork that was dismissed and says goodbye by itself.
    fn foreign(&mut self, message: &Message, source: Peer, out: &mut Outbox) {
        let tag = message.from_tag().unwrap_or_default();
        let known = message.to_tag() == Some(&self.dialog.local_tag)
            && self.forks.iter().any(|fork| &*fork.tag == tag);
        let status = if known && *message.method() == Method::Bye { 200 } else { 481 };
        self.refuse(message, source, status, out);
    }

    /// A caller before the answer: only early dialogs that spoke may ask, and none may end the call (§15).
    fn receive_early(&mut self, now: Timestamp, message: Box<Message>, source: Peer, out: &mut Outbox) {
        let tag = message.from_tag().unwrap_or_default();
        let known =
            message.to_tag() == Some(&self.dialog.local_tag) && self.early.iter().any(|early| early.0 == tag);
        match message.method() {
            _ if !known => self.refuse(&message, source, 481, out),
            Method::Bye | Method::Invite => self.refuse(&message, source, 481, out),
            // RFC 3311 §5.2: our offer is not answered yet.
            Method::Update if message.has_sdp() => self.answer_by_itself(now, message, source, 491, out),
            _ => self.answer_other(now, message, source, out),
        }
    }

    fn dispatch(&mut self, now: Timestamp, message: Box<Message>, source: Peer, out: &mut Outbox) {
        let is_bye = *message.method() == Method::Bye;
        if self.bye_cseq.is_some() || self.ended.is_some() && !is_bye {
            return self.refuse(&message, source, 481, out);
        }
        if let Some(refusal) = stateless::unsupported_extension(&message) {
            return self.answer_with(now, message, source, &refusal, out);
        }
        match message.method() {
            Method::Bye => {
                self.bye_cseq = Some(message.cseq().0);
                let request = digest::request(&message);
                self.accept(now, message, Purpose::Bye, source, out);
                out.signal(Signal::Bye(request));
            }
            Method::Invite => self.reinvite(now, message, source, out),
            Method::Update if message.has_sdp() => self.reinvite(now, message, source, out),
            Method::Update => {
                let target = new_target(&self.dialog, &message).map(ToOwned::to_owned);
                self.answer_by_itself(now, message, source, 200, out);
                self.take_target(target.as_deref());
            }
            _ => self.answer_other(now, message, source, out),
        }
    }

    /// A change of the media, unless another one is under way (§14.2, RFC 3311 §5.2).
    fn reinvite(&mut self, now: Timestamp, message: Box<Message>, source: Peer, out: &mut Outbox) {
        if let Some(refusal) = stateless::unacceptable_body(&message) {
            return self.answer_with(now, message, source, &refusal, out);
        }
        let pending = self
            .servers
            .iter()
            .any(|server| server.is_open() && matches!(server.purpose, Purpose::Invite | Purpose::Reinvite));
        if pending {
            let mut refusal = stateless::Refusal::new(500);
            refusal.headers.push((HeaderName::RetryAfter, retry_after(&message).to_string()));
            return self.answer_with(now, message, source, &refusal, out);
        }
        let ours = self.clients.iter().any(|client| client.is_open() && client.purpose == Purpose::Reinvite);
        if ours || !self.answers.is_empty() {
            return self.answer_by_itself(now, message, source, 491, out);
        }
        let mut request = digest::request(&message);
        request.new_target = new_target(&self.dialog, &message).map(ToOwned::to_owned);
        self.note_sdp(&message);
        self.accept(now, message, Purpose::Reinvite, source, out);
        out.signal(Signal::Reinvite(request));
    }

    /// What the machine need not decide: a table by method.
    fn answer_other(&mut self, now: Timestamp, message: Box<Message>, source: Peer, out: &mut Outbox) {
        let status = match message.method() {
            Method::Info | Method::Options | Method::Message | Method::Notify | Method::Update => 200,
            // RFC 3262 §3: we send no reliable provisional responses, so none can be meant.
            Method::Prack => 481,
            Method::Subscribe | Method::Refer | Method::Register | Method::Publish => 405,
            Method::Other(_) => 501,
            Method::Invite | Method::Ack | Method::Bye | Method::Cancel => 405,
        };
        self.answer_by_itself(now, message, source, status, out);
    }

    fn answer_by_itself(
        &mut self,
        now: Timestamp,
        message: Box<Message>,
        source: Peer,
        status: u16,
        out: &mut Outbox,
    ) {
        self.answer_with(now, message, source, &stateless::Refusal::new(status), out);
    }

    /// Answers in a transaction and reports it.
    fn answer_with(
        &mut self,
        now: Timestamp,
        message: Box<Message>,
        source: Peer,
        answer: &stateless::Refusal,
        out: &mut Outbox,
    ) {
        let facts = digest::request(&message);
        let reply = build::Reply { status: answer.status, headers: &answer.headers, ..Default::default() };
        let response = build::response(&message, source.addr, &self.dialog, &self.config, reply);
        self.accept(now, message, Purpose::Other, source, out);
        out.signal(Signal::Request(facts));
        let Ok(response) = response else { return };
        let index = self.servers.len().saturating_sub(1);
        let first = out.transmits.len();
        self.respond(now, index, answer.status, response, out);
        for transmit in out.transmits.iter_mut().skip(first) {
            transmit.kind = TransmitKind::AbsorbedReply;
        }
    }

    /// Gives a response to the transaction that waits for it.
    pub(super) fn respond(
        &mut self,
        now: Timestamp,
        index: usize,
        status: u16,
        response: bytes::Bytes,
        out: &mut Outbox,
    ) {
        let timers = self.config.timers;
        let Some(server) = self.servers.get_mut(index) else { return };
        let input = match status {
            ..200 => Input::SendProvisional,
            200..300 => Input::SendSuccess,
            300.. => Input::SendFailure,
        };
        server.response = response;
        server.step(input, now, timers, &mut self.counters, out);
        self.sweep();
    }

    pub(super) fn take_target(&mut self, target: Option<&str>) {
        if let Some(target) = target {
            crate::dialog::refresh(Arc::make_mut(&mut self.dialog), target);
        }
    }
}

/// 0 to 10 seconds (§14.2), different for different requests yet the same in every replay.
fn retry_after(message: &Message) -> u32 {
    let branch = message.branch().unwrap_or_default();
    branch.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 11
}
