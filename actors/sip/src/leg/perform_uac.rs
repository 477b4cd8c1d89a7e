//! Effects of the machine that ask the other side (the client's part).

use std::sync::Arc;

use bytes::Bytes;
use callbox_events::Timestamp;
use callbox_events::sip::{Dialog, Peer, Reason};

use super::error::BuildError;
use super::outbox::{Outbox, TransmitKind};
use super::tx::{Client, Purpose};
use super::{CSeqs, Held, Leg, build};
use crate::ids::Ids;
use crate::transaction::{Input, Kind, Machine, State};
use crate::wire::Method;

impl Leg {
    pub(super) fn send_invite(
        &mut self,
        now: Timestamp,
        peer: Peer,
        sdp: Option<&str>,
        ids: &mut dyn Ids,
        out: &mut Outbox,
    ) -> Result<(), BuildError> {
        let dialog = Arc::make_mut(&mut self.dialog);
        dialog.peer = peer;
        let branch = dialog.invite_branch.get_or_insert_with(|| ids.branch()).clone();
        let cseq = self.dialog.invite_cseq;
        let parts = build::Parts { method: &Method::Invite, cseq, branch: &branch, peer, reasons: &[], sdp };
        let request = build::request(&self.dialog, &self.config, parts)?;
        self.start(now, Purpose::Invite, Method::Invite, (cseq, branch, peer), request, out);
        Ok(())
    }

    pub(super) fn send_reinvite(
        &mut self,
        now: Timestamp,
        sdp: Option<&str>,
        ids: &mut dyn Ids,
        out: &mut Outbox,
    ) -> Result<(), BuildError> {
        self.need_dialog("send_reinvite")?;
        self.send_in_dialog(now, Purpose::Reinvite, Method::Invite, (&[], sdp), ids, out)
    }

    pub(super) fn send_bye(
        &mut self,
        now: Timestamp,
        reasons: &[Reason],
        ids: &mut dyn Ids,
        out: &mut Outbox,
    ) -> Result<(), BuildError> {
        self.need_dialog("send_bye")?;
        self.send_in_dialog(now, Purpose::Bye, Method::Bye, (reasons, None), ids, out)?;
        self.end(now, false);
        Ok(())
    }

    fn send_in_dialog(
        &mut self,
        now: Timestamp,
        purpose: Purpose,
        method: Method,
        (reasons, sdp): (&[Reason], Option<&str>),
        ids: &mut dyn Ids,
        out: &mut Outbox,
    ) -> Result<(), BuildError> {
        let (cseq, peer, branch) = (self.cseqs.next(), self.dialog.peer, ids.branch());
        let parts = build::Parts { method: &method, cseq, branch: &branch, peer, reasons, sdp };
        let request = build::request(&self.dialog, &self.config, parts)?;
        self.start(now, purpose, method, (cseq, branch, peer), request, out);
        Ok(())
    }

    /// CANCEL now, or as soon as a provisional response allows it (RFC 3261 §9.1). Nothing, if the INVITE is answered.
    pub(super) fn cancel_or_wait(
        &mut self,
        now: Timestamp,
        reasons: &[Reason],
        out: &mut Outbox,
    ) -> Result<(), BuildError> {
        if self.provisional {
            return self.cancel(now, reasons, out);
        }
        if self.clients.iter().any(|client| client.purpose == Purpose::Invite && client.is_open()) {
            self.held_cancel = Some(Box::new(Held { reasons: reasons.to_vec() }));
        }
        Ok(())
    }

    pub(super) fn cancel(
        &mut self,
        now: Timestamp,
        reasons: &[Reason],
        out: &mut Outbox,
    ) -> Result<(), BuildError> {
        let timers = self.config.timers;
        let sent = self.clients.iter().any(|client| client.purpose == Purpose::Cancel);
        let invite = self.clients.iter_mut().find(|client| client.purpose == Purpose::Invite);
        let Some(invite) = invite.filter(|client| client.machine.state() == State::Proceeding && !sent)
        else {
            return Ok(());
        };
        let (cseq, branch, peer) = (invite.cseq, invite.branch.to_string(), invite.peer);
        let parts = build::Parts { method: &Method::Cancel, cseq, branch: &branch, peer, reasons, sdp: None };
        let request = build::request(&self.dialog, &self.config, parts)?;
        invite.step(Input::Cancel, now, timers, &mut self.counters, out);
        self.start(now, Purpose::Cancel, Method::Cancel, (cseq, branch, peer), request, out);
        Ok(())
    }

    /// ACK of the first answer that waits; its dialog becomes the call's.
    pub(super) fn take_answer(&mut self, ids: &mut dyn Ids, out: &mut Outbox) -> Result<(), BuildError> {
        let waiting = self.forks.iter_mut().find(|fork| fork.dialog.is_some());
        let fork = waiting.ok_or(BuildError::NothingToAnswer { effect: "send_ack" })?;
        let Some(dialog) = fork.dialog.take() else { return Ok(()) };
        let ack = ack(&dialog, &self.config, fork.cseq, &ids.branch())?;
        fork.ack = ack.clone();
        out.send(fork.peer, ack, TransmitKind::New);
        self.cseqs = CSeqs { local: dialog.local_cseq, remote: dialog.remote_cseq };
        self.dialog = dialog;
        self.confirmed = true;
        self.early.clear();
        Ok(())
    }

    /// ACK and BYE for an answer that nobody wants (RFC 3261 §13.2.2.4).
    pub(super) fn dismiss(
        &mut self,
        now: Timestamp,
        to_tag: Option<&str>,
        reasons: &[Reason],
        ids: &mut dyn Ids,
        out: &mut Outbox,
    ) -> Result<(), BuildError> {
        let tag = to_tag.unwrap_or_default();
        let waiting = self.forks.iter_mut().find(|fork| fork.dialog.is_some() && &*fork.tag == tag);
        let fork = waiting.ok_or(BuildError::NothingToAnswer { effect: "dismiss_answer" })?;
        let Some(dialog) = fork.dialog.take() else { return Ok(()) };
        if !self.confirmed {
            self.end(now, false);
        }
        let fork = self.forks.iter_mut().find(|fork| &*fork.tag == tag);
        let Some(fork) = fork else { return Ok(()) };
        let ack = ack(&dialog, &self.config, fork.cseq, &ids.branch())?;
        fork.ack = ack.clone();
        let peer = fork.peer;
        out.send(peer, ack, TransmitKind::New);
        let (cseq, branch) = (dialog.local_cseq.saturating_add(1), ids.branch());
        let parts = build::Parts { method: &Method::Bye, cseq, branch: &branch, peer, reasons, sdp: None };
        let request = build::request(&dialog, &self.config, parts)?;
        self.start(now, Purpose::Dismissal, Method::Bye, (cseq, branch, peer), request, out);
        Ok(())
    }

    fn start(
        &mut self,
        now: Timestamp,
        purpose: Purpose,
        method: Method,
        (cseq, branch, peer): (u32, String, Peer),
        request: Bytes,
        out: &mut Outbox,
    ) {
        let kind = if method == Method::Invite { Kind::InviteClient } else { Kind::Client };
        let mut client = Client {
            machine: Machine::new(kind, peer.transport.is_reliable()),
            purpose,
            method,
            branch: branch.into(),
            cseq,
            peer,
            request,
            ack: Bytes::new(),
        };
        client.step(Input::Start, now, self.config.timers, &mut self.counters, out);
        self.clients.push(Box::new(client));
    }

    fn need_dialog(&self, effect: &'static str) -> Result<(), BuildError> {
        if self.confirmed { Ok(()) } else { Err(BuildError::NoDialog { effect }) }
    }
}

fn ack(dialog: &Dialog, config: &super::LegConfig, cseq: u32, branch: &str) -> Result<Bytes, BuildError> {
    let parts =
        build::Parts { method: &Method::Ack, cseq, branch, peer: dialog.peer, reasons: &[], sdp: None };
    Ok(build::request(dialog, config, parts)?)
}
