//! SIP Common Log Format, indexed text (RFC 6873): a record a SIP message.
//!
//! A record is a line of fixed width with pointers to its fields, then the fields, separated by tabs, on a second line.
//! Pointers count from 1, as in the example of RFC 6873 §5. Field values: `-` for one that is absent, `?` for one that
//! can't be read (RFC 6872 §8.1). Optional fields carry Contact, Reason, P-Asserted-Identity and the reason phrase.
//! Retransmissions are counted in the journal and not kept, so every record is of an original.

use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;

use callbox_events::Timestamp;
use callbox_events::schema::{StoredCommit, WireDirection, WireMessage};
use callbox_sip::wire::{HeaderName, Limits, Message, parse};

use super::CommitSink;
use super::destination::Destination;
use super::endpoints::{Endpoints, ends};
use crate::failure::Failure;

/// No field is longer, so that a pointer of four digits always reaches.
const MAX_FIELD: usize = 4_096;

/// Version and length, 13 pointers, the end of the line.
const INDEX_BYTES: usize = 8 + 13 * 4 + 1;

const ABSENT: &str = "-";
const UNREADABLE: &str = "?";

/// Writes the log.
pub struct Clf {
    out: Destination,
    endpoints: Endpoints,
}

impl Clf {
    /// Into `out`.
    pub fn new(out: Destination) -> Self {
        Self { out, endpoints: Endpoints::default() }
    }
}

impl CommitSink for Clf {
    fn commit(&mut self, stored: &StoredCommit, _: Option<[u8; 32]>) -> Result<(), Failure> {
        let local = self.endpoints.local(stored);
        for message in &stored.commit.wire {
            self.out.write_all(record(stored.commit.at, message, local).as_bytes())?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        self.out.finish()
    }
}

fn record(at: Timestamp, message: &WireMessage, local: Option<SocketAddr>) -> String {
    let parsed = parse(message.bytes.clone().into(), &Limits::default()).ok();
    let mut body = timestamp(at);
    body.push('\t');
    body.push_str(&flags(message));
    let mut pointers = Vec::with_capacity(13);
    for field in mandatory(message, parsed.as_ref(), local) {
        body.push('\t');
        pointers.push(INDEX_BYTES + body.len() + 1);
        body.push_str(&field);
    }
    pointers.push(INDEX_BYTES + body.len() + 1);
    for (name, value) in parsed.iter().flat_map(optional) {
        let value = format!("{name}: {value}");
        // Tag 00 of the IETF is a header field; 00 says that it is not Base64.
        let _ = write!(body, "\t00@00000000,{:04X},00,{value}", value.len());
    }
    body.push('\n');
    let mut record = format!("A{:06X},", INDEX_BYTES + body.len());
    for pointer in pointers {
        let _ = write!(record, "{pointer:04X}");
    }
    record.push('\n');
    record.push_str(&body);
    record
}

/// Seconds and milliseconds since 1970, 14 characters.
fn timestamp(at: Timestamp) -> String {
    let millis = at.micros() / 1_000;
    format!("{:010}.{:03}", millis / 1_000, millis % 1_000)
}

/// Request or response, original, sent or received, transport, encryption.
fn flags(message: &WireMessage) -> String {
    let kind = if is_response(message) { 'r' } else { 'R' };
    let direction = match message.direction {
        WireDirection::In => 'R',
        WireDirection::Out => 'S',
    };
    let transport = message.peer.transport.to_string();
    let carrier = if transport == "udp" { 'U' } else { 'T' };
    let encryption = if matches!(transport.as_str(), "tls" | "wss") { 'E' } else { 'U' };
    format!("{kind}O{direction}{carrier}{encryption}")
}

fn is_response(message: &WireMessage) -> bool {
    message.bytes.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
}

/// The twelve mandatory fields in their order.
fn mandatory(message: &WireMessage, parsed: Option<&Message>, local: Option<SocketAddr>) -> [String; 12] {
    let of = |read: &dyn Fn(&Message) -> Option<String>| match parsed {
        None => UNREADABLE.to_owned(),
        Some(parsed) => read(parsed).map_or_else(|| ABSENT.to_owned(), |text| escaped(&text)),
    };
    let (source, destination) = match local.map(|local| ends(local, message)) {
        Some((source, destination)) => (source.to_string(), destination.to_string()),
        None => match message.direction {
            WireDirection::In => (message.peer.addr.to_string(), ABSENT.to_owned()),
            WireDirection::Out => (ABSENT.to_owned(), message.peer.addr.to_string()),
        },
    };
    // Who sends a request or gets a response is the client of its transaction.
    let client = is_response(message) == (message.direction == WireDirection::In);
    let branch = |wanted: bool| of(&|parsed| parsed.branch().filter(|_| client == wanted).map(str::to_owned));
    [
        of(&|parsed| Some(format!("{} {}", parsed.cseq().0, parsed.cseq().1))),
        of(&|parsed| parsed.status().map(|status| status.to_string())),
        of(&|parsed| parsed.uri().map(str::to_owned)),
        destination,
        source,
        of(&|parsed| Some(parsed.to().uri.to_owned())),
        of(&|parsed| parsed.to_tag().map(str::to_owned)),
        of(&|parsed| Some(parsed.from().uri.to_owned())),
        of(&|parsed| parsed.from_tag().map(str::to_owned)),
        of(&|parsed| Some(parsed.call_id().to_owned())),
        branch(false),
        branch(true),
    ]
}

fn optional(parsed: &Message) -> Vec<(&'static str, String)> {
    let named = [
        ("Contact", HeaderName::Contact),
        ("Reason", HeaderName::Reason),
        ("P-Asserted-Identity", HeaderName::PAssertedIdentity),
    ];
    let mut fields: Vec<(&str, String)> = named
        .iter()
        .flat_map(|(name, header)| parsed.all(header).map(|value| (*name, one_line(value))))
        .collect();
    if let Some(phrase) = parsed.phrase().filter(|phrase| !phrase.is_empty()) {
        fields.push(("Reason-Phrase", one_line(phrase)));
    }
    fields
}

/// A mandatory field: never empty, never taken for one that is absent or unreadable.
fn escaped(text: &str) -> String {
    match one_line(text).as_str() {
        "" => ABSENT.to_owned(),
        ABSENT => "%2D".to_owned(),
        UNREADABLE => "%3F".to_owned(),
        text => text.to_owned(),
    }
}

/// Tabs become blanks, line ends are percent-encoded (RFC 6873 §4.2); cut where it is too long.
fn one_line(text: &str) -> String {
    let mut line = text.replace('\t', " ").replace('\r', "%0D").replace('\n', "%0A");
    let end = (0..=MAX_FIELD.min(line.len())).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
    line.truncate(end);
    line
}
