//! Other people's calls: what a capture or a mirror of the traffic shows of them.
//!
//! A reader of captures or of HEP hands over [`Sighting`]s in the order of their time. It knows packets and streams, not
//! SIP; nothing in here knows packets.

mod sighting;

pub use sighting::Sighting;
