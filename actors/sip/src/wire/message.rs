//! A message as it came in.

use bytes::Bytes;

use super::spans::{AddressSpans, Span, ViaSpans};
use super::{HeaderName, Method, Str};

/// A received message: well formed as far as routing and answering it need (RFC 3261 §8.1.1, §8.2.6).
#[derive(Debug, Clone)]
pub struct Message {
    /// Request line or status line.
    pub start: StartLine,
    /// All headers in order, comma lists split. To be read, not changed: what routing needs was found in them once.
    pub headers: Vec<Header>,
    /// The body, cut by Content-Length.
    pub body: Bytes,
    /// The whole datagram or frame, byte for byte.
    pub raw: Bytes,
    pub(super) keys: Keys,
}

/// Where the headers stand that every step needs, and what was read of them already.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub via: usize,
    pub from: usize,
    pub to: usize,
    pub call_id: usize,
    pub cseq: u32,
    pub cseq_method: Method,
    /// The value of the top Via.
    pub top: ViaSpans,
    /// In the value of the top Via.
    pub branch: Option<Span>,
    /// The value of From.
    pub sender: AddressSpans,
    /// In the value of From.
    pub from_tag: Option<Span>,
    /// The value of To.
    pub receiver: AddressSpans,
    /// In the value of To; may be empty.
    pub to_tag: Option<Span>,
    /// The first Contact of a request: its place and its value.
    pub contact: Option<(usize, AddressSpans)>,
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartLine {
    /// `INVITE sip:bob@host SIP/2.0`
    Request {
        /// The method.
        method: Method,
        /// The Request-URI as written.
        uri: Str,
    },
    /// `SIP/2.0 486 Busy Here`
    Response {
        /// 100 to 699.
        status: u16,
        /// As sent; may be empty.
        phrase: Str,
    },
}

/// One header, or one element of a header that is a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name, compact forms resolved.
    pub name: HeaderName,
    /// The value, unfolded, without blanks at its ends.
    pub value: Str,
}

impl Message {
    /// Whether it is a request.
    #[must_use]
    pub fn is_request(&self) -> bool {
        match self.start {
            StartLine::Request { .. } => true,
            StartLine::Response { .. } => false,
        }
    }

    /// The method of a request; of a response the one it answers (its CSeq's).
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.keys.cseq_method
    }

    /// The Request-URI of a request.
    #[must_use]
    pub fn uri(&self) -> Option<&str> {
        match &self.start {
            StartLine::Request { uri, .. } => Some(uri),
            StartLine::Response { .. } => None,
        }
    }

    /// The status of a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { status, .. } => Some(status),
        }
    }

    /// The reason phrase of a response, as sent.
    #[must_use]
    pub fn phrase(&self) -> Option<&str> {
        match &self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { phrase, .. } => Some(phrase),
        }
    }

    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.iter().find(|header| header.name == *name).map(|header| header.value.as_str())
    }

    /// All values of a header in order.
    pub fn all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |header| header.name == *name).map(|header| header.value.as_str())
    }

    /// Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &str {
        self.key(self.keys.call_id, &HeaderName::CallId)
    }

    /// CSeq: its number, below 2^31, and method.
    #[must_use]
    pub fn cseq(&self) -> (u32, &Method) {
        (self.keys.cseq, &self.keys.cseq_method)
    }

    /// A part of such a value.
    pub(super) fn span(&self, place: usize, name: &HeaderName, span: Option<Span>) -> Option<&str> {
        span?.within(self.key(place, name))
    }

    /// The value of a header whose place is known; looked for if someone changed the headers since.
    pub(super) fn key<'a>(&'a self, place: usize, name: &HeaderName) -> &'a str {
        let found = self.headers.get(place).filter(|header| header.name == *name);
        let found = found.or_else(|| self.headers.iter().find(|header| header.name == *name));
        found.map_or("", |header| header.value.as_str())
    }
}
