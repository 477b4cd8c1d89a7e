//! What the tests of the wire share.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod exercise;

use std::net::SocketAddr;
use std::path::PathBuf;

use bytes::Bytes;
use callbox_sip::wire::{Limits, Message, ParseError, parse};

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
