//! What can be wrong with received bytes.

use super::{HeaderName, Reject};

/// Bytes that are no usable message. The text says what is wrong and never holds the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// What a server answers without state; `None` if it must or can only drop the message: a response, an ACK, or
    /// nothing that tells whom to answer.
    pub reply: Option<Box<Reject>>,
}

/// Kinds of wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// Nothing but line ends or NUL: a keep-alive.
    #[error("an empty message")]
    Empty,
    /// The first line is neither a request line nor a status line of SIP.
    #[error("not SIP")]
    NotSip,
    /// SIP, but the first line breaks the grammar.
    #[error("malformed start line")]
    StartLine,
    /// Another version of SIP than 2.0.
    #[error("unsupported SIP version")]
    Version,
    /// The Request-URI is malformed.
    #[error("malformed Request-URI")]
    RequestUri,
    /// The start line is longer than the limit.
    #[error("start line too long")]
    StartLineTooLong,
    /// The message, one header, or their number exceeds a limit.
    #[error("message too large")]
    TooLarge,
    /// The body is larger than the limit.
    #[error("body too large")]
    BodyTooLarge,
    /// A bare CR, a bare LF or a NUL before the body.
    #[error("control character in the header")]
    ControlByte,
    /// A header line without name or colon.
    #[error("malformed header line")]
    HeaderLine,
    /// The header does not end: no empty line.
    #[error("truncated header")]
    Truncated,
    /// A header that may occur once occurs twice.
    #[error("more than one {0}")]
    Duplicate(HeaderName),
    /// A header that must be there is not.
    #[error("no {0}")]
    Missing(HeaderName),
    /// A header that is needed cannot be read.
    #[error("malformed {0}")]
    Malformed(HeaderName),
    /// Content-Length is no number, or too large a one.
    #[error("malformed Content-Length")]
    ContentLength,
    /// The datagram ends before its body does.
    #[error("body shorter than its Content-Length")]
    BodyTooShort,
    /// The method of CSeq is not that of the request.
    #[error("CSeq names another method")]
    CSeqMismatch,
    /// The same with a method that is unknown here.
    #[error("CSeq names another method than the unknown one of the request")]
    UnknownMethodMismatch,
}

impl ParseErrorKind {
    /// The status with which a server refuses such a request.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Empty
            | Self::NotSip
            | Self::StartLine
            | Self::RequestUri
            | Self::ControlByte
            | Self::HeaderLine
            | Self::Truncated
            | Self::Duplicate(_)
            | Self::Missing(_)
            | Self::Malformed(_)
            | Self::ContentLength
            | Self::BodyTooShort
            | Self::CSeqMismatch => 400,
            Self::BodyTooLarge => 413,
            Self::StartLineTooLong => 414,
            // RFC 4475 §3.1.2.18: 501 tells more than 400.
            Self::UnknownMethodMismatch => 501,
            Self::Version => 505,
            Self::TooLarge => 513,
        }
    }
}
