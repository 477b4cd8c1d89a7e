//! Messages, methods, status codes.

use bytes::Bytes;
use rsip::{Request, Response, SipMessage, StatusCode};

use super::super::grammar::trim;
use super::super::{Header, HeaderName, Limits, Message, Method, StartLine, Writer, parse, phrase_of};
use super::{BridgeError, header_from_rsip, header_to_rsip, uri_from_rsip, uri_to_rsip};

/// A method as rsip's value; `None` for one beyond its fourteen.
#[must_use]
pub fn method_to_rsip(method: &Method) -> Option<rsip::Method> {
    Some(match method {
        Method::Invite => rsip::Method::Invite,
        Method::Ack => rsip::Method::Ack,
        Method::Bye => rsip::Method::Bye,
        Method::Cancel => rsip::Method::Cancel,
        Method::Register => rsip::Method::Register,
        Method::Options => rsip::Method::Options,
        Method::Info => rsip::Method::Info,
        Method::Prack => rsip::Method::PRack,
        Method::Update => rsip::Method::Update,
        Method::Subscribe => rsip::Method::Subscribe,
        Method::Notify => rsip::Method::Notify,
        Method::Refer => rsip::Method::Refer,
        Method::Message => rsip::Method::Message,
        Method::Publish => rsip::Method::Publish,
        Method::Other(_) => return None,
    })
}

impl From<rsip::Method> for Method {
    fn from(method: rsip::Method) -> Self {
        match method {
            rsip::Method::Invite => Self::Invite,
            rsip::Method::Ack => Self::Ack,
            rsip::Method::Bye => Self::Bye,
            rsip::Method::Cancel => Self::Cancel,
            rsip::Method::Register => Self::Register,
            rsip::Method::Options => Self::Options,
            rsip::Method::Info => Self::Info,
            rsip::Method::PRack => Self::Prack,
            rsip::Method::Update => Self::Update,
            rsip::Method::Subscribe => Self::Subscribe,
            rsip::Method::Notify => Self::Notify,
            rsip::Method::Refer => Self::Refer,
            rsip::Method::Message => Self::Message,
            rsip::Method::Publish => Self::Publish,
        }
    }
}

/// A status with the phrase it came with. It is always `Other`, because rsip's named codes lose the phrase and print
/// Rust identifiers (`486 BusyHere`); so compare `code()`, never the values.
#[must_use]
pub fn status_to_rsip(status: u16, phrase: &str) -> StatusCode {
    StatusCode::Other(status, phrase.to_owned())
}

/// Code and phrase of rsip's status; named ones, and those made from a bare number, get the phrase of the RFC.
#[must_use]
pub fn status_from_rsip(status: &StatusCode) -> (u16, &str) {
    match status {
        // What rsip says of a code that it does not know.
        StatusCode::Other(code, phrase) if phrase != "Other" => (*code, phrase),
        status => (status.code(), phrase_of(status.code())),
    }
}

/// A message as rsip's value: lists split, names long, body opaque.
///
/// # Errors
/// The method or the Request-URI has no place there.
pub fn to_rsip(message: &Message) -> Result<SipMessage, BridgeError> {
    let headers: rsip::Headers = message.headers.iter().map(header_to_rsip).collect::<Vec<_>>().into();
    let body = message.body.to_vec();
    let version = rsip::Version::V2;
    Ok(match &message.start {
        StartLine::Request { method, uri } => {
            let method = method_to_rsip(method).ok_or_else(|| BridgeError::Method(method.clone()))?;
            SipMessage::Request(Request { method, uri: uri_to_rsip(uri)?, version, headers, body })
        }
        StartLine::Response { status, phrase } => SipMessage::Response(Response {
            status_code: status_to_rsip(*status, phrase),
            version,
            headers,
            body,
        }),
    })
}

/// Writes rsip's message: real phrases, brackets about IPv6, opaque body, its true Content-Length whatever the
/// headers say.
///
/// # Errors
/// A value that would break the message.
pub fn write_rsip(message: &SipMessage) -> Result<Bytes, BridgeError> {
    let (mut writer, headers, body) = match message {
        SipMessage::Request(request) => {
            let uri = uri_from_rsip(&request.uri)?;
            (Writer::request(&request.method.into(), &uri), &request.headers, &request.body)
        }
        SipMessage::Response(response) => {
            let (status, phrase) = status_from_rsip(&response.status_code);
            (Writer::response_with_phrase(status, phrase), &response.headers, &response.body)
        }
    };
    for header in headers.iter() {
        let Header { name, value } = header_from_rsip(header)?;
        if name != HeaderName::ContentLength {
            writer = writer.header(&name, trim(&value));
        }
    }
    Ok(writer.finish_with_raw_body(body)?)
}

/// rsip's message as ours: written, then read.
///
/// # Errors
/// As [`write_rsip`], or what is written is no message: a mandatory header is missing, say.
pub fn from_rsip(message: &SipMessage) -> Result<Message, BridgeError> {
    let limits = Limits { max_message: usize::MAX, max_body: usize::MAX, ..Limits::default() };
    Ok(parse(write_rsip(message)?, &limits)?)
}
