//! Messages on their way into a commit.

use callbox_events::schema::{WireDirection, WireMessage};
use callbox_events::sip::Peer;
use callbox_sip::leg::Transmit;

pub(super) fn received(peer: Peer, bytes: &[u8]) -> WireMessage {
    WireMessage { direction: WireDirection::In, peer, to: None, bytes: bytes.to_vec() }
}

pub(super) fn sent(transmit: &Transmit) -> WireMessage {
    WireMessage {
        direction: WireDirection::Out,
        peer: transmit.peer,
        to: None,
        bytes: transmit.bytes.to_vec(),
    }
}

/// Whether this belongs into the record although it left before the commit: the ACK of a failure, a re-sent answer.
/// 100 Trying says nothing of the call.
pub(super) fn tells(transmit: &Transmit) -> bool {
    !transmit.bytes.starts_with(b"SIP/2.0 100")
}
