//! Dialogs (RFC 3261 §12): how they come to be, what belongs to them, where their requests go.
//!
//! The dialog itself is a plain value of the vocabulary, [`callbox_events::sip::Dialog`], because it is persisted.
//! This module is what the RFC says about it.

mod admission;
mod route;

use callbox_events::sip::{Dialog, Peer};

pub use admission::{Admission, admit};
pub use route::{Routing, next_hop, route};

use crate::wire::Message;

/// The dialog that an INVITE begins at its receiver (RFC 3261 §12.1.1), with `local_tag` for the responses.
/// `None` without a Contact: later requests would have no target.
#[must_use]
pub fn uas(invite: &Message, source: Peer, local_tag: String, contact: &str) -> Option<Dialog> {
    let (from, to) = (invite.from(), invite.to());
    let target = invite.contact().filter(|contact| contact.uri != "*")?;
    let mut dialog = Dialog {
        sip_call_id: invite.call_id().to_owned(),
        local_uri: to.without_tag(),
        local_tag,
        remote_uri: from.without_tag(),
        // A peer of RFC 2543 may have none: the dialog has an empty one (§12.1.1).
        remote_tag: Some(from.tag().unwrap_or_default().to_owned()),
        remote_target: target.uri.to_owned(),
        route_set: invite.record_routes().map(ToOwned::to_owned).collect(),
        local_cseq: 0,
        remote_cseq: invite.cseq().0,
        local_contact: contact.to_owned(),
        peer: source,
        invite_branch: None,
        invite_cseq: invite.cseq().0,
    };
    dialog.peer = next_hop(&dialog, source);
    Some(dialog)
}

/// The dialog that a response to our INVITE creates or confirms (RFC 3261 §12.1.2). `template` is our half.
#[must_use]
pub fn uac(template: &Dialog, response: &Message) -> Dialog {
    let mut dialog = template.clone();
    dialog.remote_tag = Some(response.to_tag().unwrap_or_default().to_owned());
    if let Some(contact) = response.contact() {
        contact.uri.clone_into(&mut dialog.remote_target);
    }
    dialog.route_set = response.record_routes().map(ToOwned::to_owned).collect();
    dialog.route_set.reverse();
    dialog.peer = next_hop(&dialog, template.peer);
    dialog
}

/// The Contact of a target refresh request or its 2xx, if it differs from what the dialog has (RFC 3261 §12.2).
#[must_use]
pub fn new_target<'a>(dialog: &Dialog, message: &'a Message) -> Option<&'a str> {
    message.contact().map(|contact| contact.uri).filter(|uri| *uri != "*" && *uri != dialog.remote_target)
}

/// Takes a new remote target. The route set stays as it is (RFC 3261 §12.2.2).
pub fn refresh(dialog: &mut Dialog, target: &str) {
    target.clone_into(&mut dialog.remote_target);
    dialog.peer = next_hop(dialog, dialog.peer);
}
