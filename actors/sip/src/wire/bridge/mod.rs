//! Between our messages and rsip's value types: the one place where rsip is known.
//!
//! rsip's parsers and printers are not used, because they reject or change legal input (an unknown method, a dotted
//! user, IPv6, `tel:`, `?headers`, `487 RequestTerminated`). Its values are filled from our own scan and written by
//! our own writer. What its types cannot hold is an error here, never a silent loss.

mod header;
mod message;
mod uri;

pub use header::{header_from_rsip, header_to_rsip};
pub use message::{from_rsip, method_to_rsip, status_from_rsip, status_to_rsip, to_rsip, write_rsip};
pub use uri::{uri_from_rsip, uri_to_rsip};

use super::{Method, ParseError, SyntaxError, WriteError};

/// Why a value does not fit on the other side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BridgeError {
    /// rsip has fourteen methods, and this is none of them.
    #[error("rsip has no word for the method {0}")]
    Method(Method),
    /// rsip's URI has no room for `?headers`.
    #[error("rsip's URI cannot hold headers")]
    UriHeaders,
    /// The text is no URI.
    #[error("no URI: {0}")]
    Uri(#[from] SyntaxError),
    /// The value would break the message it is written into.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The message that rsip describes lacks what every message has.
    #[error(transparent)]
    Parse(#[from] ParseError),
}
