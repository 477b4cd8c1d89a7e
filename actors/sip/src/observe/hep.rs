//! HEP, the Homer Encapsulation Protocol: how SIP servers mirror their messages to somebody who watches.
//!
//! Version 3 (`HEP3`, a list of chunks; sent by Kamailio, OpenSIPS, FreeSWITCH, Asterisk, heplify, captagent) and the
//! older versions 1 and 2 (a fixed header). The layouts are those of the draft "HEP/EEP Network Protocol" of the Homer
//! project, and for version 2 those of the C structures that its senders copy onto the wire.

mod chunks;
mod fixed;

use callbox_events::Timestamp;
use callbox_events::sip::Transport;

use super::{Sighting, is_sip};

/// Bytes of the longest packet: its length is a 16 bit number.
pub const MAX_PACKET: usize = 65_535;

/// What a packet held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A SIP message.
    Sip(Sighting),
    /// Something that is no SIP: RTCP reports, logs, keep-alives.
    Other,
}

/// A packet that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// What it held.
    pub content: Content,
    /// What the sender said to prove that it may send; version 3 alone has a place for it (chunk 0x000e).
    pub key: Option<Vec<u8>>,
}

/// Why a packet was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HepError {
    /// It begins like no version of HEP.
    #[error("it is not HEP")]
    NotHep,
    /// It ends before its own lengths say.
    #[error("it is cut off")]
    Truncated,
    /// A length in it contradicts another one.
    #[error("its lengths contradict each other")]
    Length,
    /// It holds SIP, but not from where to where.
    #[error("it lacks an address")]
    NoAddress,
    /// It holds nothing.
    #[error("it lacks a payload")]
    NoPayload,
    /// The compressed payload can't be expanded, or would exceed what a SIP message may have.
    #[error("its compressed payload is broken or too large")]
    Compression,
}

/// Whether a datagram or a file begins like HEP.
#[must_use]
pub fn is_hep(bytes: &[u8]) -> bool {
    chunks::is_version_3(bytes) || fixed::is_version_1_or_2(bytes)
}

/// The length of the version 3 packet that `bytes` begin with, if they do: how a file or a stream of packets is cut.
/// The older versions carry no length of their payload and can't be cut.
#[must_use]
pub fn length(bytes: &[u8]) -> Option<usize> {
    chunks::length(bytes)
}

/// Reads one packet. `received` is when it came, for the versions that do not say when the message passed.
///
/// # Errors
/// [`HepError`]; never because of what the SIP message in it looks like.
pub fn decode(bytes: &[u8], received: Timestamp) -> Result<Packet, HepError> {
    if chunks::is_version_3(bytes) {
        chunks::decode(bytes, received)
    } else if fixed::is_version_1_or_2(bytes) {
        fixed::decode(bytes, received)
    } else {
        Err(HepError::NotHep)
    }
}

/// UDP is UDP; what else carries SIP (TCP, TLS, SCTP, WebSocket) is reliable, which is what counts.
fn transport(protocol: u8) -> Transport {
    if protocol == 17 { Transport::Udp } else { Transport::Tcp }
}

/// Seconds and microseconds of a sender as one point in time; none if it never set its clock.
fn time(seconds: u32, micros: u32) -> Option<Timestamp> {
    let whole = u64::from(seconds) * 1_000_000 + u64::from(micros);
    (seconds > 0 && micros < 1_000_000).then(|| Timestamp::from_micros(whole))
}
