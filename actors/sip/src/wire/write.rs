//! Own messages to bytes.

use std::fmt::Display;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::grammar::{Param, Via, is_token};
use super::text::has_control;
use super::{Header, HeaderName, Message, Method, phrase_of};

/// Why a message cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The value of this header holds CR, LF or NUL and would make another header or message.
    #[error("control character in the value of {0}")]
    ControlByte(HeaderName),
    /// A header name that is no token.
    #[error("a header name that is no token")]
    HeaderName,
    /// Content-Length is the writer's to write.
    #[error("Content-Length is not for the caller to set")]
    ContentLength,
    /// A method that is no token.
    #[error("a method that is no token")]
    Method,
    /// A Request-URI that is empty or holds blanks or control characters.
    #[error("a Request-URI that is none")]
    Uri,
    /// A status outside of 100 to 699.
    #[error("a status outside of 100 to 699")]
    Status,
    /// A phrase with a control character.
    #[error("control character in the reason phrase")]
    Phrase,
    /// A tag that is no token.
    #[error("a tag that is no token")]
    Tag,
}

/// Builds one message: start line first, then headers in the order given, then the body.
///
/// The first mistake is remembered and told at the end, so that calls chain. Content-Length is written by the
/// writer alone and is always right; bodies are opaque bytes.
#[derive(Debug)]
#[must_use]
pub struct Writer {
    bytes: Vec<u8>,
    error: Option<WriteError>,
}

impl Writer {
    /// A request.
    pub fn request(method: &Method, uri: &str) -> Self {
        let mut writer = Self::with_capacity(1_024);
        if !is_token(method.as_str()) {
            writer.fail(WriteError::Method);
        }
        if uri.is_empty() || uri.bytes().any(|b| b <= b' ' || b == 0x7f) {
            writer.fail(WriteError::Uri);
        }
        writer.put(method.as_str()).put(" ").put(uri).put(" SIP/2.0\r\n");
        writer
    }

    /// A response with the usual phrase.
    pub fn response(status: u16) -> Self {
        Self::response_with_phrase(status, phrase_of(status))
    }

    /// A response with a phrase of its own.
    pub fn response_with_phrase(status: u16, phrase: &str) -> Self {
        Self::with_status(status, phrase, 768)
    }

    fn with_status(status: u16, phrase: &str, capacity: usize) -> Self {
        let mut writer = Self::with_capacity(capacity);
        if !(100..700).contains(&status) {
            writer.fail(WriteError::Status);
        }
        if has_control(phrase.as_bytes()) {
            writer.fail(WriteError::Phrase);
        }
        writer.put("SIP/2.0 ").number(status.into()).put(" ").put(phrase).put("\r\n");
        writer
    }

    /// A response to `request` with what every response copies (RFC 3261 §8.2.6.2): Via, From, To, Call-ID, CSeq,
    /// and Timestamp in a 100.
    ///
    /// `to_tag` is added to a To that has none, except in a 100. `source` is where the request came from: the top
    /// Via gets `received` and `rport` by it (RFC 3261 §18.2.1, RFC 3581 §4).
    pub fn reply(request: &Message, status: u16, to_tag: Option<&str>, source: SocketAddr) -> Self {
        Self::reply_with_phrase(request, status, phrase_of(status), to_tag, source)
    }

    /// As [`Writer::reply`], with a phrase of its own.
    pub fn reply_with_phrase(
        request: &Message,
        status: u16,
        phrase: &str,
        to_tag: Option<&str>,
        source: SocketAddr,
    ) -> Self {
        // A response is about as long as its request, and may be kept for 64·T1 to be sent again: no room to spare.
        let capacity = request.raw.len().saturating_sub(request.body.len()).min(1_024) + 96;
        let mut writer = Self::with_status(status, phrase, capacity);
        let to_tag = to_tag.filter(|_| status != 100);
        let mut top = true;
        for header in &request.headers {
            match header.name {
                HeaderName::Via if std::mem::take(&mut top) => {
                    writer.top_via(header, Some(request.top_via()), source);
                }
                HeaderName::To => writer.tagged(header, to_tag.filter(|_| request.keys.to_tag.is_none())),
                HeaderName::Via | HeaderName::From | HeaderName::CallId | HeaderName::CSeq => {
                    writer.copied(header);
                }
                HeaderName::Timestamp if status == 100 => writer.copied(header),
                _ => {}
            }
        }
        writer
    }

    /// Adds a header.
    pub fn header(mut self, name: &HeaderName, value: &str) -> Self {
        self.begin(name);
        if has_control(value.as_bytes()) {
            self.fail(WriteError::ControlByte(name.clone()));
        }
        self.put(value).put("\r\n");
        self
    }

    /// Adds a header whose value is put together by a formatter: `format_args!("{n} INVITE")`.
    pub fn header_display(mut self, name: &HeaderName, value: impl Display) -> Self {
        self.begin(name);
        let start = self.bytes.len();
        // Writing to a vector cannot fail; a formatter that says it did is treated as a bad value.
        let failed = write!(self.bytes, "{value}").is_err();
        if failed || has_control(self.bytes.get(start..).unwrap_or_default()) {
            self.fail(WriteError::ControlByte(name.clone()));
        }
        self.put("\r\n");
        self
    }

    /// Copies a received header, byte for byte even if it was not UTF-8.
    pub fn copy(mut self, header: &Header) -> Self {
        self.copied(header);
        self
    }

    /// Copies all headers of a name from a received message, in their order.
    pub fn copy_all(mut self, message: &Message, name: &HeaderName) -> Self {
        for header in message.headers.iter().filter(|header| header.name == *name) {
            self.copied(header);
        }
        self
    }

    /// Ends a message without a body.
    ///
    /// # Errors
    /// The first mistake that was made on the way.
    pub fn finish(mut self) -> Result<Bytes, WriteError> {
        self.put("Content-Length: 0\r\n\r\n");
        self.done()
    }

    /// Ends a message with a body of this type.
    ///
    /// # Errors
    /// The first mistake that was made on the way.
    pub fn finish_with_body(self, content_type: &str, body: &[u8]) -> Result<Bytes, WriteError> {
        self.header(&HeaderName::ContentType, content_type).finish_with_raw_body(body)
    }

    /// Ends a message with a body whose Content-Type is among the headers already.
    ///
    /// # Errors
    /// The first mistake that was made on the way.
    pub fn finish_with_raw_body(mut self, body: &[u8]) -> Result<Bytes, WriteError> {
        self.bytes.reserve(body.len() + 32);
        self.put("Content-Length: ").number(body.len()).put("\r\n\r\n");
        self.bytes.extend_from_slice(body);
        self.done()
    }
}

/// The same steps on a writer in place.
impl Writer {
    pub(super) fn copied(&mut self, header: &Header) {
        self.begin(&header.name);
        self.value_of(header);
        self.put("\r\n");
    }

    /// Copies a To that has no tag, and adds one.
    pub(super) fn tagged(&mut self, header: &Header, tag: Option<&str>) {
        self.begin(&header.name);
        self.value_of(header);
        if let Some(tag) = tag {
            if !is_token(tag) {
                self.fail(WriteError::Tag);
            }
            self.put(";tag=").put(tag);
        }
        self.put("\r\n");
    }

    /// Writes the top Via of a request, if it could be read, back with what its receiver knows of the sender.
    ///
    /// One that is not UTF-8 goes back as it came: its client must find its branch in it, byte for byte.
    pub(super) fn top_via(&mut self, header: &Header, via: Option<Via<'_>>, source: SocketAddr) {
        if header.value.is_latin1() {
            return self.copied(header);
        }
        let value = header.value.as_str();
        self.begin(&HeaderName::Via);
        if has_control(value.as_bytes()) {
            self.fail(WriteError::ControlByte(HeaderName::Via));
        }
        match via {
            Some(via) => self.received_via(value, &via, source),
            None => {
                self.put(value);
            }
        }
        self.put("\r\n");
    }

    fn received_via(&mut self, value: &str, via: &Via<'_>, source: SocketAddr) {
        let address = source.ip().to_canonical();
        let asks = |param: &Param<'_>| {
            param.name.eq_ignore_ascii_case("rport") && param.value.is_none_or(str::is_empty)
        };
        let wants_rport = via.params.find("rport").is_some_and(|rport| asks(&rport));
        // RFC 3581 §4: with rport, received is always said.
        if !wants_rport && is_same_host(via.host, address) {
            self.put(value);
            return;
        }
        let head = value.len() - via.params.as_str().len();
        self.put(value.get(..head).unwrap_or(value).trim_end_matches([';', ' ', '\t']));
        for param in via.params.iter().filter(|param| !param.name.eq_ignore_ascii_case("received")) {
            self.put(";").put(param.name);
            if wants_rport && asks(&param) {
                self.put("=").number(source.port().into());
            } else if let Some(value) = param.value {
                self.put("=").put(value);
            }
        }
        self.put(";received=");
        match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets().map(usize::from);
                self.number(a).put(".").number(b).put(".").number(c).put(".").number(d);
            }
            // Writing to a vector cannot fail.
            IpAddr::V6(address) => drop(write!(self.bytes, "{address}")),
        }
    }

    fn done(self) -> Result<Bytes, WriteError> {
        match self.error {
            None => Ok(Bytes::from(self.bytes)),
            Some(error) => Err(error),
        }
    }

    fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), error: None }
    }

    fn fail(&mut self, error: WriteError) {
        self.error.get_or_insert(error);
    }

    fn begin(&mut self, name: &HeaderName) {
        match name {
            HeaderName::ContentLength => self.fail(WriteError::ContentLength),
            HeaderName::Other(name) if !is_token(name) => self.fail(WriteError::HeaderName),
            _ => {}
        }
        self.put(name.as_str()).put(": ");
    }

    fn value_of(&mut self, header: &Header) {
        let value = header.value.to_wire();
        if has_control(&value) {
            self.fail(WriteError::ControlByte(header.name.clone()));
        }
        self.bytes.extend_from_slice(&value);
    }

    fn put(&mut self, text: &str) -> &mut Self {
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// Decimal digits, without the machinery of formatting.
    fn number(&mut self, number: usize) -> &mut Self {
        let mut digits = [0_u8; 20];
        let mut rest = number;
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            // A remainder by ten is a digit.
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        let start = digits.len() - used;
        self.bytes.extend_from_slice(digits.get(start..).unwrap_or_default());
        self
    }
}

/// Whether sent-by names the very address that the request came from.
fn is_same_host(host: &str, address: IpAddr) -> bool {
    let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
    host.parse::<IpAddr>().is_ok_and(|host| host.to_canonical() == address)
}
