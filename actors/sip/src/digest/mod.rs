//! Messages into plain values: what the machine decides on and the rulebook judges by.

mod body;
mod clues;
mod media;
mod sdp;

use callbox_events::sip::{Request, Response, Sdp};

pub use body::sdp_text;
pub use clues::clues;
pub use media::audio_addresses;
pub use sdp::read_sdp;

use crate::wire::Message;

/// What matters of a request. A changed remote target is the leg's to add.
#[must_use]
pub fn request(message: &Message) -> Request {
    Request {
        method: message.method().as_str().to_owned(),
        cseq: message.cseq().0,
        reasons: message.reasons(),
        sdp: sdp(message),
        clues: clues(message),
        new_target: None,
    }
}

/// What matters of a response. Its dialog is the leg's to add.
#[must_use]
pub fn response(message: &Message) -> Response {
    let status = message.status().unwrap_or_default();
    let contacts = match status {
        300..=399 => message.contacts().map(|contact| contact.uri.to_owned()).collect(),
        _ => Vec::new(),
    };
    Response {
        status,
        phrase: message.phrase().unwrap_or_default().to_owned(),
        to_tag: message.to_tag().map(ToOwned::to_owned),
        reasons: message.reasons(),
        sdp: sdp(message),
        clues: clues(message),
        rseq: message.rseq(),
        dialog: None,
        contacts,
    }
}

/// What matters of the message's session description, if it has one.
#[must_use]
pub fn sdp(message: &Message) -> Option<Sdp> {
    sdp_text(message).map(|text| read_sdp(&text))
}
