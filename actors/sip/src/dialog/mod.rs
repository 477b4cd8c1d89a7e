//! Dialogs (RFC 3261 §12): how they come to be, what belongs to them, where their requests go.
//!
//! The dialog itself is a plain value of the vocabulary, [`callbox_events::sip::Dialog`], because it is persisted.
//! This module is what the RFC says about it.

mod admission;
mod route;

use callbox_events::sip::{Dialog, Peer};

pub use admission::{Admission, admit};
pub use route::{Routing, next_hop, route};

use crate::ids::MAGIC_COOKIE;
use crate::wire::Message;

/// The dialog that an INVITE begins at its receiver (RFC 3261 §12.1.1), with `local_tag` for the responses.
/// `None` without a Contact: later requests would have no target. Only a sender of RFC 2543, whose branch has no magic
/// cookie, may leave it out; its From is the target then.
#[must_use]
pub fn uas(invite: &Message, source: Peer, local_tag: String, contact: &str) -> Option<Dialog> {
    let (from, to) = (invite.from(), invite.to());
    let target = match invite.contact() {
        Some(contact) if contact.uri != "*" => contact.uri,
        Some(_) => return None,
        None if is_of_rfc_2543(invite) => from.uri,
        None => return None,
    };
    let mut dialog = Dialog {
        sip_call_id: invite.call_id().to_owned(),
        local_uri: to.without_tag(),
        local_tag,
        remote_uri: from.without_tag(),
        // A peer of RFC 2543 may have none: the dialog has an empty one (§12.1.1).
        remote_tag: Some(from.tag().unwrap_or_default().to_owned()),
        remote_target: target.to_owned(),
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

/// Whether the sender knows nothing of RFC 3261: its branch, if there is one, does not begin with the magic cookie (§8.1.1.7).
fn is_of_rfc_2543(request: &Message) -> bool {
    !request.branch().is_some_and(|branch| branch.starts_with(MAGIC_COOKIE))
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

#[cfg(test)]
mod tests {
    use callbox_events::sip::Transport;

    use super::*;
    use crate::wire::{Limits, parse};

    fn dialog(via: &str, contact: &str) -> Option<Dialog> {
        let text = format!(
            "INVITE sip:b@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7{via}\r\nFrom: <sip:a@192.0.2.7>\r\nTo: <sip:b@192.0.2.1>\r\n\
             Call-ID: old@192.0.2.7\r\nCSeq: 1 INVITE\r\n{contact}\r\n"
        );
        let invite = parse(text.into(), &Limits::default()).expect("a legal INVITE");
        let source = Peer { transport: Transport::Udp, addr: ([192, 0, 2, 7], 5060).into() };
        uas(&invite, source, "ours".into(), "sip:192.0.2.1")
    }

    #[test]
    fn only_an_old_sender_may_leave_its_contact_out() {
        let target = |via, contact| dialog(via, contact).map(|dialog| dialog.remote_target);
        assert_eq!(target("", ""), Some("sip:a@192.0.2.7".to_owned()), "RFC 2543: no branch at all");
        assert_eq!(
            target(";branch=1", ""),
            Some("sip:a@192.0.2.7".to_owned()),
            "RFC 2543: a branch of its own"
        );
        assert_eq!(target(";branch=z9hG4bK1", ""), None);
        assert_eq!(target(";branch=z9hG4bK1", "Contact: *\r\n"), None);
        assert_eq!(target(";branch=z9hG4bK1", "Contact: <sip:x@y>\r\n"), Some("sip:x@y".to_owned()));
    }
}
