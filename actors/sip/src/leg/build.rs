//! The messages that a leg sends.

use std::net::SocketAddr;

use bytes::Bytes;
use callbox_events::sip::{Dialog, Peer, Reason, Transport};

use super::LegConfig;
use super::error::BuildError;
use crate::dialog::route;
use crate::wire::grammar::write_reason;
use crate::wire::{HeaderName, Message, Method, Via, WriteError, Writer};

/// What our descriptions are.
pub(super) const SDP: &str = "application/sdp";
const DEFAULT_PORT: u16 = 5060;
/// RFC 3261 §8.1.1.6.
const MAX_FORWARDS: &str = "70";

/// What distinguishes one request from another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub method: &'a Method,
    pub cseq: u32,
    pub branch: &'a str,
    pub peer: Peer,
    pub reasons: &'a [Reason],
    pub sdp: Option<&'a str>,
}

/// A request in `dialog`, or the one that begins it.
pub(super) fn request(dialog: &Dialog, config: &LegConfig, parts: Parts<'_>) -> Result<Bytes, WriteError> {
    let writer = begin(dialog, config, parts.method, parts.branch, parts.peer);
    let mut writer = numbered(to(writer, dialog), dialog, parts.cseq, parts.method);
    if matches!(parts.method, Method::Invite | Method::Update) {
        writer = writer
            .header_display(&HeaderName::Contact, contact(dialog, config))
            .header(&HeaderName::Allow, &config.allow);
    }
    if !config.user_agent.is_empty() {
        writer = writer.header(&HeaderName::UserAgent, &config.user_agent);
    }
    finish(with_reasons(writer, parts.reasons), parts.sdp)
}

/// The ACK of a 300-699: everything but the To is the INVITE's (RFC 3261 §17.1.1.3).
pub(super) fn ack_failure(
    dialog: &Dialog,
    config: &LegConfig,
    (cseq, branch, peer): (u32, &str, Peer),
    response: &Message,
) -> Result<Bytes, WriteError> {
    let writer = begin(dialog, config, &Method::Ack, branch, peer).copy_all(response, &HeaderName::To);
    numbered(writer, dialog, cseq, &Method::Ack).finish()
}

/// PRACK of a reliable provisional response (RFC 3262 §4).
pub(super) fn prack(
    dialog: &Dialog,
    config: &LegConfig,
    (cseq, branch): (u32, &str),
    rseq: u32,
) -> Result<Bytes, WriteError> {
    let writer = begin(dialog, config, &Method::Prack, branch, dialog.peer);
    numbered(to(writer, dialog), dialog, cseq, &Method::Prack)
        .header_display(&HeaderName::RAck, format_args!("{rseq} {} INVITE", dialog.invite_cseq))
        .finish()
}

/// Everything up to From.
fn begin(dialog: &Dialog, config: &LegConfig, method: &Method, branch: &str, peer: Peer) -> Writer {
    let routing = route(dialog);
    let transport = match peer.transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
    };
    let mut writer = Writer::request(method, &routing.uri)
        .header_display(
            &HeaderName::Via,
            format_args!("SIP/2.0/{transport} {};branch={branch};rport", config.sent_by),
        )
        .header(&HeaderName::MaxForwards, MAX_FORWARDS);
    for value in &routing.routes {
        writer = writer.header(&HeaderName::Route, value);
    }
    let from = (&dialog.local_uri, Tag(Some(&dialog.local_tag)));
    writer.header_display(&HeaderName::From, format_args!("{}{}", from.0, from.1))
}

fn to(writer: Writer, dialog: &Dialog) -> Writer {
    let tag = Tag(dialog.remote_tag.as_deref());
    writer.header_display(&HeaderName::To, format_args!("{}{tag}", dialog.remote_uri))
}

fn numbered(writer: Writer, dialog: &Dialog, cseq: u32, method: &Method) -> Writer {
    writer
        .header(&HeaderName::CallId, &dialog.sip_call_id)
        .header_display(&HeaderName::CSeq, format_args!("{cseq} {method}"))
}

/// `;tag=...`, or nothing for a side that has none.
struct Tag<'a>(Option<&'a str>);

impl std::fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(tag) if !tag.is_empty() => write!(f, ";tag={tag}"),
            Some(_) | None => Ok(()),
        }
    }
}

/// What a response says beyond its status.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reply<'a> {
    pub status: u16,
    pub reasons: &'a [Reason],
    /// Contact of a 3xx.
    pub redirect: Option<&'a str>,
    pub retry_after: Option<u32>,
    pub sdp: Option<&'a str>,
    /// Further headers.
    pub headers: &'a [(HeaderName, String)],
}

/// A response to `request`, which came from `source`.
pub(super) fn response(
    request: &Message,
    source: SocketAddr,
    dialog: &Dialog,
    config: &LegConfig,
    reply: Reply<'_>,
) -> Result<Bytes, WriteError> {
    let mut writer = Writer::reply(request, reply.status, Some(&dialog.local_tag), source);
    if reply.status == 100 {
        return writer.finish();
    }
    let makes_dialog = matches!(request.method(), Method::Invite | Method::Update);
    if makes_dialog && reply.status < 300 {
        writer = writer
            .copy_all(request, &HeaderName::RecordRoute)
            .header_display(&HeaderName::Contact, contact(dialog, config));
    }
    if let Some(target) = reply.redirect {
        writer = writer.header_display(&HeaderName::Contact, format_args!("<{target}>"));
    }
    let tells_allow = makes_dialog || *request.method() == Method::Options;
    if tells_allow && (200..300).contains(&reply.status) || matches!(reply.status, 405 | 501) {
        writer = writer.header(&HeaderName::Allow, &config.allow);
    }
    if let Some(seconds) = reply.retry_after {
        writer = writer.header_display(&HeaderName::RetryAfter, seconds);
    }
    for (name, value) in reply.headers {
        writer = writer.header(name, value);
    }
    if !config.user_agent.is_empty() {
        writer = writer.header(&HeaderName::Server, &config.user_agent);
    }
    finish(with_reasons(writer, reply.reasons), reply.sdp)
}

fn finish(writer: Writer, sdp: Option<&str>) -> Result<Bytes, WriteError> {
    match sdp {
        Some(sdp) => writer.finish_with_body(SDP, sdp.as_bytes()),
        None => writer.finish(),
    }
}

/// Reason values. Their texts are quoted; one that is illegal beyond that is left out, because the act itself must
/// never fail for the sake of its explanation.
fn with_reasons(mut writer: Writer, reasons: &[Reason]) -> Writer {
    for value in reasons.iter().map(write_reason) {
        if !value.is_empty() && !value.bytes().any(|byte| byte.is_ascii_control()) {
            writer = writer.header(&HeaderName::Reason, &value);
        }
    }
    writer
}

fn contact<'a>(dialog: &'a Dialog, config: &'a LegConfig) -> Contact<'a> {
    let own = dialog.local_contact.as_str();
    Contact(if own.is_empty() { &config.contact } else { own }, dialog.peer.transport)
}

/// Our Contact. A URI without `transport` means UDP, so a call over TCP says where it is (RFC 3261 §19.1.2).
struct Contact<'a>(&'a str, Transport);

impl std::fmt::Display for Contact<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.1 {
            Transport::Tcp if !self.0.contains(";transport=") => write!(f, "<{};transport=tcp>", self.0),
            Transport::Tcp | Transport::Udp => write!(f, "<{}>", self.0),
        }
    }
}

/// Where the response to a request with this topmost Via goes (RFC 3261 §18.2.2, RFC 3581 §4).
pub(crate) fn reply_peer(via: &Via<'_>, source: Peer) -> Peer {
    if source.transport.is_reliable() || via.wants_rport() {
        return source;
    }
    let port = via.port.unwrap_or(DEFAULT_PORT);
    let maddr = via.params.get("maddr").and_then(|maddr| maddr.parse().ok());
    Peer { addr: SocketAddr::new(maddr.unwrap_or(source.addr.ip()), port), ..source }
}

impl From<WriteError> for BuildError {
    fn from(error: WriteError) -> Self {
        Self::Illegal(error.to_string())
    }
}
