//! The INVITE that begins a call.

use std::sync::Arc;

use callbox_events::call::{Invite, Policy};
use callbox_events::sip::Peer;
use callbox_events::{Role, Timestamp};

use super::outbox::Outbox;
use super::tx::{Purpose, Server};
use super::{Leg, LegConfig};
use crate::stateless::{self, Refusal};
use crate::transaction::{Input, Kind};
use crate::wire::{Message, Method};
use crate::{dialog, digest};

/// Makes the leg of an INVITE, or says with what to refuse it (RFC 3261 §8.2).
pub(super) fn begin(
    invite: &Message,
    source: Peer,
    local_tag: String,
    config: LegConfig,
    now: Timestamp,
) -> Result<(Leg, Invite), Refusal> {
    if let Some(refusal) = stateless::verdict_of_unroutable(invite) {
        return Err(refusal);
    }
    if *invite.method() != Method::Invite || !invite.is_request() {
        return Err(Refusal::new(481));
    }
    if let Some(refusal) = stateless::unacceptable_body(invite) {
        return Err(refusal);
    }
    // §8.1.1.8: an INVITE must say where its sender can be reached.
    let dialog = dialog::uas(invite, source, local_tag, &config.contact).ok_or_else(|| Refusal::new(400))?;
    let dialog = Arc::new(dialog);
    let facts = Invite {
        from: invite.from().uri.to_owned(),
        to: invite.to().uri.to_owned(),
        dialog: Arc::clone(&dialog),
        request: digest::request(invite),
        expires: invite.expires(),
        policy: Policy::default(),
    };
    let mut leg = Leg::new(Role::Callee, dialog, config);
    leg.note_sdp(invite);
    let mut server = Server::new(Box::new(invite.clone()), Purpose::Invite, Kind::InviteServer, source);
    let timers = leg.config.timers;
    server.step(Input::Start, now, timers, &mut leg.counters, &mut Outbox::new());
    leg.servers.push(Box::new(server));
    Ok((leg, facts))
}

impl Leg {
    /// Keeps the other side's description for the media adapter.
    pub(super) fn note_sdp(&mut self, message: &Message) {
        if let Some(text) = digest::sdp_text(message) {
            self.remote_sdp = Some(text.into());
        }
    }
}
