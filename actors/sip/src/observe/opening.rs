//! The first message of a call: who calls whom, and which end its sender is.

use callbox_events::call::SipTimers;
use callbox_events::call::observed::Opening;
use callbox_events::sip::{Dialog, Peer};

use super::Sighting;
use crate::wire::Message;

/// What the first message tells.
#[derive(Debug)]
pub(super) struct First {
    pub opening: Opening,
    /// The tag of the end that is taken for the caller's.
    pub caller_tag: String,
    /// Whether that is known, and not only so for want of better.
    pub oriented: bool,
}

impl First {
    /// A call that begins with its INVITE, or with any other message if its INVITE was not seen.
    pub(super) fn of(message: &Message, sighting: &Sighting, sip: SipTimers) -> Self {
        let (oriented, swapped) = orientation(message);
        let (from, to) = (message.from(), message.to());
        let (caller, callee) = if swapped { (to, from) } else { (from, to) };
        let caller_tag = caller.tag().unwrap_or_default().to_owned();
        let callee_tag = callee.tag().filter(|tag| !tag.is_empty() && !starts_a_dialog(message));
        let sent_by_caller = message.is_request() != swapped;
        let ends = if sent_by_caller {
            (sighting.source, sighting.destination)
        } else {
            (sighting.destination, sighting.source)
        };
        let end = |addr| Peer { transport: sighting.transport, addr };
        let dialog = Dialog {
            sip_call_id: message.call_id().to_owned(),
            local_uri: caller.without_tag(),
            local_tag: caller_tag.clone(),
            remote_uri: callee.without_tag(),
            remote_tag: callee_tag.map(str::to_owned),
            remote_target: message.uri().unwrap_or_default().to_owned(),
            route_set: Vec::new(),
            local_cseq: message.cseq().0,
            remote_cseq: 0,
            local_contact: message.contact().map(|contact| contact.uri.to_owned()).unwrap_or_default(),
            peer: end(ends.1),
            invite_branch: message.branch().map(str::to_owned),
            invite_cseq: message.cseq().0,
        };
        let opening = Opening {
            from: caller.uri.to_owned(),
            to: callee.uri.to_owned(),
            dialog,
            source: end(ends.0),
            sip,
        };
        Self { opening, caller_tag, oriented }
    }
}

/// Whether it is known which end sent the request, and whether that is the callee.
///
/// The CSeq of a side counts its own requests (RFC 3261 §12.2.1.1): a request in a dialog that is its sender's first
/// can't come from the one who had sent the INVITE.
fn orientation(message: &Message) -> (bool, bool) {
    let (cseq, method) = message.cseq();
    let in_dialog = match method.as_str() {
        "CANCEL" | "PRACK" => false,
        "INVITE" => message.is_request() && message.to_tag().is_some(),
        _ => true,
    };
    match (in_dialog, cseq) {
        (false, _) => (true, false),
        (true, 0 | 1) => (true, true),
        (true, _) => (false, false),
    }
}

/// A tag in the answer to an INVITE names one fork of several; which one counts the 2xx tells.
fn starts_a_dialog(message: &Message) -> bool {
    message.method().as_str() == "INVITE" && !message.is_request()
}
