//! The seam to the media: who supplies session descriptions.
//!
//! The engine carries no RTP. An adapter describes what the application's media stack offers; the built-in one says
//! PCMU at a fixed port and is enough for signalling.

use std::fmt::Debug;
use std::net::IpAddr;

use callbox_events::CallId;
use callbox_events::sip::MediaDirection;

/// What an adapter is told of the session to describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Which call.
    pub call: CallId,
    /// The address that the other side can reach us at.
    pub local: IpAddr,
    /// In which direction our media shall flow.
    pub direction: MediaDirection,
    /// How many descriptions this call had before: the version in `o=` (RFC 8866 §5.2).
    pub version: u64,
}

/// Supplies the session descriptions (RFC 3264). Called on the engine's thread: must not block.
pub trait MediaAdapter: Send + Sync + Debug {
    /// Our offer.
    fn offer(&self, session: &Session) -> String;

    /// Our answer to `offer`.
    fn answer(&self, session: &Session, offer: &str) -> String;
}

/// The built-in adapter: one audio stream, PCMU, at a port where nobody listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaticPcmu {
    /// The port in `m=`.
    pub port: u16,
}

impl Default for StaticPcmu {
    /// Port 9, discard: the usual word for "no port yet".
    fn default() -> Self {
        Self { port: 9 }
    }
}
