//! What a message means in its call: from the wire into what the machine of observed calls takes.

use callbox_events::call::Signal;
use callbox_events::call::observed::Seen;
use callbox_events::party::Side;

use super::attempt::Attempt;
use crate::digest;
use crate::wire::{HeaderName, Message};

/// Whose request it is, or answers: the caller's if its From tag is the caller's.
pub(super) fn requester(message: &Message, caller_tag: &str) -> Option<Side> {
    if message.from_tag().unwrap_or_default() == caller_tag {
        Some(Side::Caller)
    } else if message.to_tag().unwrap_or_default() == caller_tag {
        Some(Side::Callee)
    } else {
        None
    }
}

/// The callee's tag in a message of a request by `requester`.
pub(super) fn callee_tag(message: &Message, requester: Side) -> Option<String> {
    let tag = match requester {
        Side::Callee => message.from_tag(),
        Side::Caller | Side::Network | Side::Both | Side::Nobody | Side::Unknown => message.to_tag(),
    };
    tag.map(str::to_owned)
}

/// What a request means that is no initial INVITE.
pub(super) fn request(message: &Message, attempt: &Attempt) -> Seen {
    let request = digest::request(message);
    match request.method.as_str() {
        // One that cancels a later INVITE is about the media, not about the call.
        "CANCEL" if request.cseq != attempt.cseq => Seen::Signal(Signal::Request(request)),
        "CANCEL"
            if attempt.is_below(message)
                || attempt.is_cancelled_by_proxy(message)
                || attempt.success.is_some() && attempt.cancelled =>
        {
            Seen::BranchCancelled(request)
        }
        "CANCEL" => Seen::Signal(Signal::Cancel(request)),
        "ACK" if attempt.acks_failure(message) => Seen::Signal(Signal::Request(request)),
        "ACK" if request.cseq == attempt.cseq => Seen::Signal(Signal::Ack(request)),
        "BYE" => Seen::Signal(Signal::Bye(request)),
        "INVITE" | "UPDATE" => Seen::Signal(Signal::Reinvite(request)),
        "NOTIFY" => match refer_progress(message) {
            Some(status) => Seen::Referred { status },
            None => Seen::Signal(Signal::Request(request)),
        },
        _ => Seen::Signal(Signal::Request(request)),
    }
}

/// What a response means; none for what tells nothing.
pub(super) fn response(message: &Message, requester: Side, attempt: &mut Attempt) -> Option<Seen> {
    let response = digest::response(message);
    let (cseq, method) = message.cseq();
    Some(match (method.as_str(), response.status) {
        ("INVITE", status) if requester == Side::Caller && cseq == attempt.cseq => {
            attempt.answered = true;
            match status {
                100..=199 => Seen::Signal(Signal::Provisional(response)),
                200..=299 => Seen::Signal(Signal::Success(response)),
                _ if attempt.fail(message, &response) => Seen::Signal(Signal::Failure(response)),
                _ => Seen::BranchFailed(response),
            }
        }
        (_, 100) => return None,
        ("INVITE" | "UPDATE", 200..) => Seen::Signal(Signal::ReinviteAnswered(response)),
        ("BYE", 200..) => Seen::Signal(Signal::ByeAnswered(response)),
        ("CANCEL", 200..) => Seen::Signal(Signal::CancelAnswered(response)),
        (method, _) => Seen::Answered { method: method.to_owned(), response },
    })
}

/// The status in the body of a NOTIFY about a REFER (RFC 3515 §2.4.5).
fn refer_progress(message: &Message) -> Option<u16> {
    let event = message.header(&HeaderName::Event)?;
    if !event.trim_start().get(..5)?.eq_ignore_ascii_case("refer") {
        return None;
    }
    let body = String::from_utf8_lossy(message.body.get(..64).unwrap_or(&message.body));
    let status = body.trim_start().strip_prefix("SIP/2.0 ")?.get(..3)?;
    status.parse().ok().filter(|status| (100..700).contains(status))
}

/// Whether a request carries an answer to a challenge.
pub(super) fn has_credentials(message: &Message) -> bool {
    [HeaderName::Authorization, HeaderName::ProxyAuthorization]
        .iter()
        .any(|name| message.header(name).is_some())
}

/// Whether a message may be the first that is seen of a call, whose INVITE had passed before.
pub(super) fn may_begin_midway(message: &Message) -> bool {
    let method = message.method().as_str();
    match message.status() {
        Some(100) => false,
        Some(_) => matches!(method, "INVITE" | "BYE"),
        None => match method {
            "CANCEL" => true,
            "BYE" | "INVITE" | "UPDATE" | "PRACK" | "INFO" | "REFER" => message.to_tag().is_some(),
            _ => false,
        },
    }
}

/// A message in a few characters: its method, or its status.
pub(super) fn what(message: &Message) -> String {
    let name = message.status().map_or_else(|| message.method().as_str().to_owned(), |s| s.to_string());
    // A method is a token of any length; nobody needs all of it in a note.
    name.chars().take(16).collect()
}
