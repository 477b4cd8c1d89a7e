//! What the tests of the wire share.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod exercise;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use bytes::Bytes;
use callbox_sip::wire::{Limits, Message, ParseError, ParseErrorKind, parse};

/// Where the sender of all test requests sits.
pub fn source() -> SocketAddr {
    "198.51.100.7:5099".parse().unwrap()
}

/// Reads a datagram with the default limits.
pub fn read(bytes: impl AsRef<[u8]>) -> Result<Message, ParseError> {
    parse(Bytes::copy_from_slice(bytes.as_ref()), &Limits::default())
}

/// Text with plain line ends as it stands on the wire.
pub fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// The folder with shared test data, if it is here.
pub fn shared() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let folder = std::env::var_os("CALLBOX_SHARED").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// What the parser makes of bytes, in one word or two: `ok`, `400`, `drop`.
pub fn outcome(parsed: &Result<Message, ParseError>) -> String {
    match parsed {
        Ok(_) => "ok".to_owned(),
        Err(ParseError { reply: Some(reply), .. }) => reply.status.to_string(),
        Err(ParseError { reply: None, .. }) => "drop".to_owned(),
    }
}

/// An INVITE of 1,150 bytes such as phones send it, with a session description.
pub fn realistic_invite() -> Vec<u8> {
    include_bytes!("invite.sip").to_vec()
}

/// A sound OPTIONS with one thing exchanged: `swap` replaces the line that begins with the same word.
pub fn options(swap: &[&str]) -> String {
    let mut text = String::new();
    let lines = [
        "OPTIONS sip:desk@192.0.2.8 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bKx1;rport",
        "Max-Forwards: 70",
        "From: <sip:lobby@example.org>;tag=f1",
        "To: <sip:desk@example.org>",
        "Call-ID: lobby-1",
        "CSeq: 7 OPTIONS",
        "Content-Length: 0",
    ];
    let word = |line: &str| line.split([' ', ':', '\t']).next().unwrap_or_default().to_ascii_lowercase();
    for line in lines {
        let by = swap.iter().find(|by| word(by) == word(line)).unwrap_or(&line);
        let _ = write!(text, "{by}\r\n");
    }
    for extra in swap.iter().filter(|by| !lines.iter().any(|line| word(line) == word(by))) {
        let _ = write!(text, "{extra}\r\n");
    }
    text + "\r\n"
}

/// Reads a message that must be taken.
pub fn ok(text: &str) -> Message {
    read(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

/// How a message that must be refused is, and why.
pub fn refused(text: &str) -> (String, ParseErrorKind) {
    let parsed = read(text);
    (outcome(&parsed), parsed.expect_err("a message that must be refused").kind)
}

/// A sound response with this status line.
pub fn response(status_line: &str) -> String {
    options(&["OPTIONS sip:desk@192.0.2.8 SIP/2.0"]).replacen(
        "OPTIONS sip:desk@192.0.2.8 SIP/2.0",
        status_line,
        1,
    )
}
