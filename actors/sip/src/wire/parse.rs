//! From scanned headers to a message that can be routed and answered.

use bytes::Bytes;

use super::grammar::{CSeq, NameAddr, Uri, Via, cut, is_token};
use super::message::Keys;
use super::scan::{Scanned, scan};
use super::spans::{AddressSpans, Span, ViaSpans};
use super::{HeaderName, Limits, Message, Method, ParseError, ParseErrorKind, Reject, StartLine, Str};

/// Reads one datagram.
///
/// The body ends where Content-Length says; what follows is cut off (RFC 3261 §18.3). Without one it is all the rest.
///
/// # Errors
/// What is wrong, and how to answer if one may.
pub fn parse(datagram: Bytes, limits: &Limits) -> Result<Message, ParseError> {
    parse_framed(datagram, limits, Framing::Datagram)
}

/// How the end of a message is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// By the datagram, if there is no Content-Length.
    Datagram,
    /// By Content-Length alone (RFC 3261 §18.3).
    Stream,
}

pub(super) fn parse_framed(raw: Bytes, limits: &Limits, framing: Framing) -> Result<Message, ParseError> {
    message(&raw, limits, framing).map_err(|kind| {
        let reply = Reject::of(&raw, &kind).map(Box::new);
        ParseError { kind, reply }
    })
}

fn message(raw: &Bytes, limits: &Limits, framing: Framing) -> Result<Message, ParseErrorKind> {
    if raw.len() > limits.max_message {
        return Err(ParseErrorKind::TooLarge);
    }
    // Line ends before the start line are keep-alives gone astray (RFC 3261 §7.5).
    let blank = raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | 0)).count();
    if blank == raw.len() {
        return Err(ParseErrorKind::Empty);
    }
    let text = raw.slice(blank..);
    let scanned = scan(&text, limits).map_err(|kind| blame(&text, kind))?;
    let start = start_line(&scanned.start).map_err(|kind| blame(&text, kind))?;
    let keys = keys(&scanned, &start)?;
    let body = body(&text, &scanned, limits, framing)?;
    Ok(Message { start, headers: scanned.headers, body, raw: raw.clone(), keys })
}

/// Whatever the scanner stumbled over, bytes that do not even begin like SIP are just not SIP.
fn blame(text: &[u8], kind: ParseErrorKind) -> ParseErrorKind {
    let line = text.split(|&b| b == b'\r' || b == b'\n').next().unwrap_or_default();
    let is_sip = line.windows(4).any(|window| window.eq_ignore_ascii_case(b"SIP/"));
    if is_sip || kind == ParseErrorKind::StartLineTooLong { kind } else { ParseErrorKind::NotSip }
}

/// Reads the first line; single spaces alone part its words (RFC 3261 §25.1).
fn start_line(line: &Str) -> Result<StartLine, ParseErrorKind> {
    if line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/")) {
        return status_line(line);
    }
    let (method, rest) = cut(line, b' ').ok_or(ParseErrorKind::StartLine)?;
    let (uri, version) = rest.rsplit_once(' ').ok_or(ParseErrorKind::StartLine)?;
    check_version(version)?;
    if !is_token(method) {
        return Err(ParseErrorKind::StartLine);
    }
    check_request_uri(uri)?;
    let method = Method::known(method).unwrap_or_else(|| Method::Other(line.part(method)));
    Ok(StartLine::Request { method, uri: line.part(uri) })
}

fn status_line(line: &Str) -> Result<StartLine, ParseErrorKind> {
    let (version, rest) = cut(line, b' ').ok_or(ParseErrorKind::StartLine)?;
    check_version(version)?;
    // An empty phrase should leave its space behind, and often does not (RFC 4475 §3.1.1.13).
    let (status, phrase) = cut(rest, b' ').unwrap_or((rest, ""));
    let digits = status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit());
    let fine = digits && !phrase.contains('\0');
    let status = status.parse().ok().filter(|status| fine && (100..700).contains(status));
    Ok(StartLine::Response { status: status.ok_or(ParseErrorKind::StartLine)?, phrase: line.part(phrase) })
}

fn check_version(version: &str) -> Result<(), ParseErrorKind> {
    if version.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    let number = version
        .split_at_checked(4)
        .filter(|(name, _)| name.eq_ignore_ascii_case("SIP/"))
        .map(|(_, number)| number);
    let Some(number) = number else { return Err(ParseErrorKind::StartLine) };
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    Err(if digits(major) && digits(minor) { ParseErrorKind::Version } else { ParseErrorKind::StartLine })
}

/// A Request-URI has no headers (RFC 3261 §19.1.1); whether its scheme is served is not asked here.
fn check_request_uri(uri: &str) -> Result<(), ParseErrorKind> {
    match Uri::parse(uri) {
        Ok(Uri::Sip(uri)) if uri.headers.is_some() => Err(ParseErrorKind::RequestUri),
        Ok(Uri::Sip(_) | Uri::Opaque { .. }) => Ok(()),
        Err(_) => Err(ParseErrorKind::RequestUri),
    }
}

/// Finds and checks what routing and answering need.
fn keys(scanned: &Scanned, start: &StartLine) -> Result<Keys, ParseErrorKind> {
    let places = Places::find(scanned)?;
    let (via, call_id) = (places.via?, places.call_id?);
    let (from, to, cseq) = (places.from?, places.to?, places.cseq?);
    let value = |place: usize| scanned.headers.get(place).map_or("", |header| header.value.as_str());
    let malformed = ParseErrorKind::Malformed;
    let top = Via::parse(value(via)).map_err(|_| malformed(HeaderName::Via))?;
    let sender = NameAddr::parse(value(from)).map_err(|_| malformed(HeaderName::From))?;
    let receiver = NameAddr::parse(value(to)).map_err(|_| malformed(HeaderName::To))?;
    if value(call_id).is_empty() || value(call_id).bytes().any(|b| b <= b' ' || b == 0x7f) {
        return Err(ParseErrorKind::Malformed(HeaderName::CallId));
    }
    let counted = CSeq::parse(value(cseq)).map_err(|_| ParseErrorKind::Malformed(HeaderName::CSeq))?;
    let cseq_method = match start {
        StartLine::Request { method, .. } if method.as_str() == counted.method => method.clone(),
        StartLine::Request { method: Method::Other(_), .. } => {
            return Err(ParseErrorKind::UnknownMethodMismatch);
        }
        StartLine::Request { .. } => return Err(ParseErrorKind::CSeqMismatch),
        StartLine::Response { .. } => counted.method.into(),
    };
    let contact = match places.contact.filter(|_| matches!(start, StartLine::Request { .. })) {
        Some(place) => {
            let contact = NameAddr::parse(value(place)).map_err(|_| malformed(HeaderName::Contact))?;
            Some((place, AddressSpans::of(value(place), &contact)))
        }
        None => None,
    };
    Ok(Keys {
        via,
        from,
        to,
        call_id,
        cseq: counted.number,
        cseq_method,
        top: ViaSpans::of(value(via), &top),
        branch: top.branch().map(|branch| Span::of(value(via), branch)),
        sender: AddressSpans::of(value(from), &sender),
        from_tag: sender.tag().map(|tag| Span::of(value(from), tag)),
        receiver: AddressSpans::of(value(to), &receiver),
        to_tag: receiver.params.get("tag").map(|tag| Span::of(value(to), tag)),
        contact,
    })
}

/// Where the mandatory headers stand.
struct Places {
    via: Result<usize, ParseErrorKind>,
    from: Result<usize, ParseErrorKind>,
    to: Result<usize, ParseErrorKind>,
    call_id: Result<usize, ParseErrorKind>,
    cseq: Result<usize, ParseErrorKind>,
    contact: Option<usize>,
}

impl Places {
    /// One pass; headers that may occur once are counted on the way (RFC 3261 §7.3.1, RFC 4475 §3.3.8).
    fn find(scanned: &Scanned) -> Result<Self, ParseErrorKind> {
        let missing = |name| Err(ParseErrorKind::Missing(name));
        let mut places = Self {
            via: missing(HeaderName::Via),
            from: missing(HeaderName::From),
            to: missing(HeaderName::To),
            call_id: missing(HeaderName::CallId),
            cseq: missing(HeaderName::CSeq),
            contact: None,
        };
        let mut once = [false; 2];
        for (place, header) in scanned.headers.iter().enumerate() {
            let slot = match header.name {
                HeaderName::From => &mut places.from,
                HeaderName::To => &mut places.to,
                HeaderName::CallId => &mut places.call_id,
                HeaderName::CSeq => &mut places.cseq,
                HeaderName::Via => {
                    if places.via.is_err() {
                        places.via = Ok(place);
                    }
                    continue;
                }
                HeaderName::Contact => {
                    places.contact = places.contact.or(Some(place));
                    continue;
                }
                HeaderName::MaxForwards | HeaderName::ContentLength => {
                    let seen = once.get_mut(usize::from(header.name == HeaderName::ContentLength));
                    if seen.is_some_and(|seen| std::mem::replace(seen, true)) {
                        return Err(ParseErrorKind::Duplicate(header.name.clone()));
                    }
                    continue;
                }
                _ => continue,
            };
            if slot.is_ok() {
                return Err(ParseErrorKind::Duplicate(header.name.clone()));
            }
            *slot = Ok(place);
        }
        Ok(places)
    }
}

fn body(text: &Bytes, scanned: &Scanned, limits: &Limits, framing: Framing) -> Result<Bytes, ParseErrorKind> {
    let rest = text.slice(scanned.body_start.min(text.len())..);
    let declared = scanned.headers.iter().find(|header| header.name == HeaderName::ContentLength);
    if !scanned.closed && declared.is_none_or(|header| content_length(&header.value) != Ok(0)) {
        // The empty line may be missing where Content-Length says that nothing follows it (RFC 4475 §3.1.2.15).
        return Err(ParseErrorKind::Truncated);
    }
    let length = match (declared, framing) {
        (Some(header), _) => content_length(&header.value)?,
        (None, Framing::Datagram) => rest.len(),
        (None, Framing::Stream) => return Err(ParseErrorKind::Missing(HeaderName::ContentLength)),
    };
    if length > limits.max_body {
        return Err(ParseErrorKind::BodyTooLarge);
    }
    if length > rest.len() {
        return Err(ParseErrorKind::BodyTooShort);
    }
    Ok(rest.slice(..length))
}

/// Digits alone: a sign, a blank or a number that does not fit is malformed.
pub(super) fn content_length(value: &str) -> Result<usize, ParseErrorKind> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    value.parse().ok().filter(|_| digits).ok_or(ParseErrorKind::ContentLength)
}
