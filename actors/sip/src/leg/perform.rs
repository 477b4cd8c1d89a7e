//! Effects of the machine that answer the other side (the server's part).

use callbox_events::Timestamp;
use callbox_events::call::Effect;
use callbox_events::sip::Reason;

use super::answers::Final;
use super::error::BuildError;
use super::outbox::Outbox;
use super::tx::Purpose;
use super::{Leg, build};
use crate::ids::Ids;
use crate::wire::HeaderName;

impl Leg {
    pub(super) fn act(
        &mut self,
        now: Timestamp,
        effect: &Effect,
        sdp: Option<&str>,
        ids: &mut dyn Ids,
        out: &mut Outbox,
    ) -> Result<(), BuildError> {
        match effect {
            Effect::Reach | Effect::Arm { .. } | Effect::Disarm { .. } | Effect::DisarmAll => Ok(()),
            Effect::SendInvite { peer } => self.send_invite(now, *peer, sdp, ids, out),
            Effect::SendAck => self.take_answer(ids, out),
            Effect::DismissAnswer { to_tag, reasons } => {
                self.dismiss(now, to_tag.as_deref(), reasons, ids, out)
            }
            Effect::SendCancel { reasons } => self.cancel_or_wait(now, reasons, out),
            Effect::SendBye { reasons } => self.send_bye(now, reasons, ids, out),
            Effect::SendReinvite { direction: _ } => self.send_reinvite(now, sdp, ids, out),
            Effect::Respond { status, sdp: with_sdp, reasons, contact, retry_after } => {
                let reply = build::Reply {
                    status: *status,
                    reasons,
                    redirect: contact.as_deref(),
                    retry_after: *retry_after,
                    sdp: sdp.filter(|_| *with_sdp),
                    headers: &[],
                };
                self.answer_invite(now, reply, out)
            }
            Effect::AnswerCancel { status } => {
                self.answer(now, "answer_cancel", Purpose::Cancel, plain(*status, &[]), out)
            }
            Effect::AnswerBye { status } => {
                self.answer(now, "answer_bye", Purpose::Bye, plain(*status, &[]), out)?;
                // The dialog is over: nobody waits for the ACK of an answer any more (RFC 3261 §15.1.2).
                self.answers.clear();
                self.end(now, false);
                Ok(())
            }
            Effect::AnswerReinvite { status, direction: _ } => {
                let is_success = (200..300).contains(status);
                let accept = [(HeaderName::Accept, build::SDP.to_owned())];
                let reply = build::Reply {
                    sdp: sdp.filter(|_| is_success),
                    headers: if matches!(status, 415 | 488) { &accept } else { &[] },
                    ..plain(*status, &[])
                };
                self.answer(now, "answer_reinvite", Purpose::Reinvite, reply, out)
            }
        }
    }

    /// The response to the initial INVITE.
    fn answer_invite(
        &mut self,
        now: Timestamp,
        reply: build::Reply<'_>,
        out: &mut Outbox,
    ) -> Result<(), BuildError> {
        self.answer(now, "respond", Purpose::Invite, reply, out)?;
        if reply.status >= 300 {
            self.end(now, false);
        }
        Ok(())
    }

    /// Answers the request of this purpose that waits.
    fn answer(
        &mut self,
        now: Timestamp,
        effect: &'static str,
        purpose: Purpose,
        reply: build::Reply<'_>,
        out: &mut Outbox,
    ) -> Result<(), BuildError> {
        let nothing = BuildError::NothingToAnswer { effect };
        let index = self.servers.iter().position(|server| server.purpose == purpose && server.is_open());
        let index = index.ok_or_else(|| nothing.clone())?;
        let server = self.servers.get(index).ok_or_else(|| nothing.clone())?;
        let request = server.request.as_ref().ok_or(nothing)?;
        let response = build::response(request, server.source.addr, &self.dialog, &self.config, reply)?;
        let (peer, cseq, is_invite) = (server.peer, server.cseq, server.is_invite());
        let success = (200..300).contains(&reply.status);
        let target = match purpose {
            Purpose::Reinvite if success => request.contact().map(|contact| contact.uri.to_owned()),
            Purpose::Reinvite
            | Purpose::Invite
            | Purpose::Cancel
            | Purpose::Bye
            | Purpose::Dismissal
            | Purpose::Other => None,
        };
        self.take_target(target.as_deref());
        if is_invite && success {
            self.await_ack(now, Final { cseq, peer, response: response.clone() });
        }
        self.respond(now, index, reply.status, response, out);
        Ok(())
    }
}

fn plain(status: u16, reasons: &[Reason]) -> build::Reply<'_> {
    build::Reply { status, reasons, ..Default::default() }
}
