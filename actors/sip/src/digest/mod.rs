//! Messages into plain values: what the machine decides on and the rulebook judges by.

use callbox_events::sip::{Clues, Request, Response, Sdp};

use crate::wire::Message;

/// What matters of a request.
#[must_use]
pub fn request(message: &Message) -> Request {
    let _ = message;
    Request::default()
}

/// What matters of a response; its dialog is the leg's to add.
#[must_use]
pub fn response(message: &Message) -> Response {
    let _ = message;
    Response::default()
}

/// Headers that may betray an announcement, a diversion or a server.
#[must_use]
pub fn clues(message: &Message) -> Clues {
    let _ = message;
    Clues::default()
}

/// What matters of the message's session description, if it has one.
#[must_use]
pub fn sdp(message: &Message) -> Option<Sdp> {
    let _ = message;
    None
}
