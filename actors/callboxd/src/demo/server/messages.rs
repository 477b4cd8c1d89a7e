//! The server's messages, made of received ones.

use std::net::SocketAddr;

use bytes::Bytes;
use callbox_sip::wire::{HeaderName, Message, Method, WriteError, Writer};

/// What the server plays with: nobody listens there, the demo has no media.
const SDP_TYPE: &str = "application/sdp";

/// The server's name in its messages.
const SOFTWARE: &str = "callbox-demo-server";

/// The request as the server passes it on: its own Via on top, one hop less, a new target.
pub fn forwarded(request: &Message, target: &str, via: &str) -> Result<Bytes, WriteError> {
    let hops = request.max_forwards().unwrap_or(70).saturating_sub(1);
    let mut writer = Writer::request(request.method(), target)
        .header(&HeaderName::Via, via)
        .header_display(&HeaderName::MaxForwards, hops);
    for header in &request.headers {
        match header.name {
            HeaderName::MaxForwards | HeaderName::ContentLength | HeaderName::ContentType => {}
            _ => writer = writer.copy(header),
        }
    }
    finish(writer, request)
}

/// The response as the server passes it back: without its own Via.
pub fn returned(response: &Message) -> Result<Bytes, WriteError> {
    let status = response.status().unwrap_or(500);
    let mut writer = Writer::response_with_phrase(status, response.phrase().unwrap_or_default());
    let mut own_via = true;
    for header in &response.headers {
        match header.name {
            HeaderName::Via if std::mem::take(&mut own_via) => {}
            HeaderName::ContentLength | HeaderName::ContentType => {}
            _ => writer = writer.copy(header),
        }
    }
    finish(writer, response)
}

fn finish(writer: Writer, original: &Message) -> Result<Bytes, WriteError> {
    match original.header(&HeaderName::ContentType) {
        Some(content_type) => writer.finish_with_body(content_type, &original.body),
        None => writer.finish(),
    }
}

/// The server's own answer to A's INVITE.
pub fn answer(
    invite: &Message,
    from: SocketAddr,
    own: SocketAddr,
    (status, sdp, reason): (u16, bool, Option<&str>),
) -> Result<Bytes, WriteError> {
    let mut writer = Writer::reply(invite, status, Some("server"), from)
        .header_display(&HeaderName::Contact, format_args!("<sip:{own}>"))
        .header(&HeaderName::Server, SOFTWARE);
    if let Some(reason) = reason {
        writer = writer.header(&HeaderName::Reason, reason);
    }
    if sdp { writer.finish_with_body(SDP_TYPE, description(own).as_bytes()) } else { writer.finish() }
}

/// A plain 200: for BYE and CANCEL.
pub fn ok(request: &Message, from: SocketAddr) -> Result<Bytes, WriteError> {
    Writer::reply(request, 200, Some("server"), from).finish()
}

/// An INVITE of the server's own.
pub fn invite(id: &str, own: SocketAddr, target: &str, via: &str) -> Result<Bytes, WriteError> {
    Writer::request(&Method::Invite, target)
        .header(&HeaderName::Via, via)
        .header(&HeaderName::MaxForwards, "70")
        .header_display(&HeaderName::From, format_args!("<sip:alice.{id}@{own}>;tag=server"))
        .header_display(&HeaderName::To, format_args!("<{target}>"))
        .header_display(&HeaderName::CallId, format_args!("{id}-{}@{own}", std::process::id()))
        .header(&HeaderName::CSeq, "1 INVITE")
        .header_display(&HeaderName::Contact, format_args!("<sip:{own}>"))
        .header(&HeaderName::UserAgent, SOFTWARE)
        .finish_with_body(SDP_TYPE, description(own).as_bytes())
}

/// CANCEL for an INVITE that the server sent (RFC 3261 §9.1).
pub fn cancel(invite: &Message, reason: Option<&str>) -> Result<Bytes, WriteError> {
    let mut writer = same_transaction(invite, &Method::Cancel).copy_all(invite, &HeaderName::To);
    if let Some(reason) = reason {
        writer = writer.header(&HeaderName::Reason, reason);
    }
    writer.finish()
}

/// ACK for a failure of an INVITE that the server sent (RFC 3261 §17.1.1.3).
pub fn ack(invite: &Message, failure: &Message) -> Result<Bytes, WriteError> {
    same_transaction(invite, &Method::Ack).copy_all(failure, &HeaderName::To).finish()
}

fn same_transaction(invite: &Message, method: &Method) -> Writer {
    let (number, _) = invite.cseq();
    let mut writer = Writer::request(method, invite.uri().unwrap_or_default());
    if let Some(via) = invite.headers.iter().find(|header| header.name == HeaderName::Via) {
        writer = writer.copy(via);
    }
    writer
        .header(&HeaderName::MaxForwards, "70")
        .copy_all(invite, &HeaderName::From)
        .copy_all(invite, &HeaderName::CallId)
        .header_display(&HeaderName::CSeq, format_args!("{number} {}", method.as_str()))
}

fn description(own: SocketAddr) -> String {
    let ip = own.ip();
    format!(
        "v=0\r\no=server 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=sendonly\r\n"
    )
}
