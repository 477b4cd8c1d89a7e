//! One SIP message that was seen between two others.

use std::net::SocketAddr;

use bytes::Bytes;
use callbox_events::Timestamp;
use callbox_events::sip::Transport;

/// One whole message on one hop: a datagram, or what a stream's framing cut out. It may be malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// When it passed the point of capture.
    pub at: Timestamp,
    /// Who sent it on this hop.
    pub source: SocketAddr,
    /// Who it was sent to on this hop.
    pub destination: SocketAddr,
    /// How it travelled. A WebSocket (RFC 7118) counts as the TCP below it.
    pub transport: Transport,
    /// The message, without the framing of its transport.
    pub bytes: Bytes,
}
