//! Whatever comes in: no panic, no disagreement between the ways to read it, and what is written can be read.
//!
//! `fuzz_smoke` runs as many cases as `CALLBOX_FUZZ_CASES` says; a few by default.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod common;

use bytes::Bytes;
use callbox_sip::wire::{Framer, HeaderName, Limits, Message, Method, ParseError, Writer, call_id_of};
use common::exercise::{exercise, views};
use common::{crlf, read, realistic_invite, source};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Messages to start mutations from: between them they use every feature of the scanner.
fn seeds() -> Vec<Vec<u8>> {
    let odd = crlf(
        "SIP/2.0 183 Sitzung l\u{e4}uft\nv : SIP / 2.0 / UDP [2001:db8::1]:5060;branch=z9hG4bK=a/b;rport\n ,SIP/2.0/TCP x\n\
         f:\"a \\\" <b>\" <sip:a;b@c;d=e?f=g>;tag=1\nt: sip:x@y;tag=\"q\"\ni: 1\nCSeq: 1\tINVITE\nRSeq: 9\n\
         Reason: Q.850;cause=16;text=\"a,b;c\",sip;cause=200\nHistory-Info: <sip:a@b?Reason=SIP%3Bcause%3D486>;index=1\n\
         Diversion: <tel:+1>;reason=\"user-busy\"\nWarning: 370 h \"t, u\"\nContact: <urn:x:y>;q=0.5 , *\n\
         Retry-After: 5 (c;d);duration=1\nl: 3\n\nabc",
    );
    let latin1 = b"BYE tel:+1;ext=2 sip/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK1\r\nFrom: \"J\xf6rg\" <sip:j@x>;tag=a\r\n\
        To: <sip:x>;tag=b\r\nCall-ID: c\r\nCSeq: 2 BYE\r\nReplaces: a;to-tag=1;from-tag=2;early-only\r\n\r\n";
    let register = crlf(
        "REGISTER sip:[::1] SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:a@b>;tag=1\nTo: a <sip:a@b>\nCall-ID:\n r1\nCSeq: 1 REGISTER\n\
         Refer-To: <sip:a@b?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>\nContact: sip:a@b;expires=60, \"x,y\" <sip:c@d>\nContent-Length: 0\n\n",
    );
    vec![realistic_invite(), odd.into_bytes(), latin1.to_vec(), register.into_bytes()]
}

#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    Cut(Index, usize),
    Insert(Index, &'static str),
    Repeat(Index, usize),
    Truncate(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    const SPICE: &[&str] = &[
        "\r\n",
        "\r",
        "\n",
        "\0",
        "\\\0",
        "\"",
        "<",
        ">",
        ",",
        ";",
        ":",
        "=",
        "\\",
        "%",
        "%4",
        "@",
        "[",
        "]",
        " ",
        "\t",
        "\r\n ",
        "\r\n\r\n",
        "é",
        "\u{0}",
        "l: 99999999999999999999\r\n",
        "\r\nl: 1",
        "\r\ni: x",
        "?",
        "sip:",
        "SIP/2.0",
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Flip(at, byte)),
        (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Mutation::Cut(at, length)),
        (any::<Index>(), select(SPICE)).prop_map(|(at, text)| Mutation::Insert(at, text)),
        (any::<Index>(), 1..80_usize).prop_map(|(at, length)| Mutation::Repeat(at, length)),
        any::<Index>().prop_map(Mutation::Truncate),
    ]
}

/// Bytes that a failed case prints so that one can read them.
#[derive(Clone)]
struct Datagram(Vec<u8>);

impl std::fmt::Debug for Datagram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

fn mutated() -> impl Strategy<Value = Datagram> {
    (select(seeds()), vec(mutation(), 1..6)).prop_map(|(mut bytes, mutations)| {
        for mutation in mutations {
            mutate(&mut bytes, &mutation);
        }
        Datagram(bytes)
    })
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    let length = bytes.len();
    if length == 0 {
        return;
    }
    match *mutation {
        Mutation::Flip(at, byte) => bytes[at.index(length)] = byte,
        Mutation::Cut(at, count) => {
            let at = at.index(length);
            bytes.drain(at..(at + count).min(length));
        }
        Mutation::Insert(at, text) => {
            let at = at.index(length);
            bytes.splice(at..at, text.bytes());
        }
        Mutation::Repeat(at, count) => {
            let at = at.index(length);
            let part = bytes[at..(at + count).min(length)].to_vec();
            bytes.splice(at..at, part);
        }
        Mutation::Truncate(at) => bytes.truncate(at.index(length)),
    }
}

/// Reads bytes in all ways and holds the results against each other.
fn hold(bytes: &[u8]) {
    let _ = call_id_of(bytes);
    match read(bytes) {
        Ok(message) => hold_message(bytes, &message),
        Err(error) => hold_error(&error),
    }
    let mut framer = Framer::new(Limits::default());
    framer.push(bytes);
    framer.by_ref().flatten().for_each(|message| exercise(&message));
}

fn hold_message(bytes: &[u8], message: &Message) {
    exercise(message);
    // Non-UTF-8 Call-IDs differ in encoding alone.
    let found = call_id_of(bytes).expect("a message that parses has a Call-ID");
    if let Ok(found) = std::str::from_utf8(found) {
        assert_eq!(found, message.call_id());
    }
    if !message.is_request() {
        return;
    }
    let reply =
        Writer::reply(message, 486, Some("t"), source()).finish().expect("what was read can be echoed");
    let reply = read(&reply).expect("our replies parse");
    assert_eq!(reply.status(), Some(486));
    assert_eq!(reply.call_id(), message.call_id());
    assert_eq!(reply.cseq(), message.cseq());
    assert_eq!(reply.branch(), message.branch());
    assert_eq!(reply.from(), message.from());
    assert_eq!(reply.to().uri, message.to().uri);
    assert!(reply.to().params.has("tag"));
    assert_eq!(reply.vias().count(), message.vias().count());
}

fn hold_error(error: &ParseError) {
    assert!(error.to_string().len() < 200, "errors never hold the message");
    if let Some(reply) = &error.reply {
        assert!(matches!(reply.status, 400 | 413 | 414 | 501 | 505 | 513));
        let bytes = reply.to_bytes("t", source()).expect("every rejection can be written");
        assert!(bytes.starts_with(b"SIP/2.0 "));
        assert!(bytes.ends_with(b"Content-Length: 0\r\n\r\n"));
    }
}

fn frames(parts: &[&[u8]]) -> (Vec<Result<Bytes, ParseError>>, usize, bool) {
    let mut framer = Framer::new(Limits { max_message: 4_000, ..Limits::default() });
    let mut frames = Vec::new();
    for part in parts {
        framer.push(part);
        frames.extend(framer.by_ref().map(|frame| frame.map(|message| message.raw)));
    }
    let pings = framer.take_pings();
    (frames, pings, framer.is_broken())
}

fn fuzz_cases() -> u32 {
    std::env::var("CALLBOX_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: fuzz_cases(), ..ProptestConfig::default() })]

    #[test]
    fn fuzz_smoke(datagram in mutated()) {
        hold(&datagram.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_refused_without_a_panic(bytes in vec(any::<u8>(), 0..600)) {
        hold(&bytes);
    }

    #[test]
    fn views_take_any_text(text in "(\\PC|[\\x00-\\x7f]|[<>\";:,=@%\\\\ ]){0,80}") {
        views(&text);
        views(&format!("SIP/2.0/UDP {text}"));
        views(&format!("sip:{text}"));
        views(&format!("\"{text}\" <sip:{text}>;{text}"));
    }

    #[test]
    fn how_a_stream_was_cut_does_not_matter(
        messages in vec(prop_oneof![3 => select(seeds()).prop_map(Datagram), 1 => mutated(), 1 => Just(Datagram(b"\r\n\r\n".to_vec()))], 1..5),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let stream = messages.iter().map(|message| &message.0[..]).collect::<Vec<_>>().concat();
        let whole = frames(&[&stream]);
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(&frames(&single), &whole);
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        places.sort_unstable();
        let mut parts = Vec::new();
        let mut from = 0;
        for place in places {
            parts.push(&stream[from..place]);
            from = place;
        }
        parts.push(&stream[from..]);
        prop_assert_eq!(&frames(&parts), &whole);
    }

    #[test]
    fn what_is_written_is_read_again(
        values in vec(("[A-Za-z][A-Za-z-]{2,12}", "[ -~äöü]{0,60}"), 0..12),
        body in vec(any::<u8>(), 0..300),
        number in 0..1_u32 << 31,
        user in "[a-z.0-9]{1,20}",
    ) {
        let mut writer = Writer::request(&Method::Info, &format!("sip:{user}@192.0.2.1"))
            .header(&HeaderName::Via, "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1")
            .header(&HeaderName::From, "<sip:a@b>;tag=1")
            .header(&HeaderName::To, &format!("<sip:{user}@d>;tag=2"))
            .header(&HeaderName::CallId, "x")
            .header_display(&HeaderName::CSeq, format_args!("{number} INFO"));
        let mut written = Vec::new();
        for (name, value) in &values {
            let name = HeaderName::from(format!("X-{name}").as_str());
            writer = writer.header(&name, value);
            written.push((name, value.trim().to_owned()));
        }
        let message = read(writer.finish_with_body("application/x", &body).unwrap()).unwrap();
        prop_assert_eq!(message.cseq(), (number, &Method::Info));
        prop_assert_eq!(&message.body[..], &body[..]);
        let others: Vec<_> = message.headers.iter().filter(|header| header.name.as_str().starts_with("X-")).collect();
        prop_assert_eq!(others.len(), written.len());
        for (header, (name, value)) in others.iter().zip(&written) {
            prop_assert_eq!(&header.name, name);
            prop_assert_eq!(header.value.as_str(), value.as_str());
        }
    }
}

#[test]
fn no_part_of_a_message_is_taken_for_the_whole() {
    for seed in [&seeds()[0], &seeds()[1]] {
        for length in 0..seed.len() {
            let parsed = read(&seed[..length]);
            assert!(parsed.is_err(), "{length} of {} bytes were taken for a message", seed.len());
            hold_error(&parsed.unwrap_err());
        }
        assert!(read(seed).is_ok());
    }
}
