//! A message goes in, its parts come out, and an answer to it goes back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::net::SocketAddr;

use bytes::Bytes;
use callbox_sip::wire::{Limits, Message, Method, Writer, call_id_of, parse};

const INVITE: &str = "INVITE sip:bob.jones@192.0.2.4:5070;transport=udp SIP/2.0\r\n\
    v: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa/b=c;rport , SIP / 2.0 / TCP [2001:db8::1]:5060;branch=z9hG4bK2\r\n\
    f: \"Al <ice> \\\"A\\\"\" <sip:alice@example.org>;tag=a1\r\n\
    To : <sip:bob.jones@example.org>\r\n\
    i: 77@host\r\n\
    CSeq: 4711\tINVITE\r\n\
    m: <sip:alice@192.0.2.1:5062;transport=tcp>;+sip.instance=\"<urn:uuid:1>\"\r\n\
    k: 100rel, timer\r\n\
    Reason: q.850;cause=16;text=\"Normal, clearing\", SIP ;cause=486\r\n\
    Subject: folded\r\n \tvalue\r\n\
    Content-Length: 4\r\n\r\nbodyjunk";

fn source() -> SocketAddr {
    "198.51.100.7:5099".parse().unwrap()
}

fn read(text: &str) -> Message {
    parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::default()).unwrap()
}

#[test]
fn every_part_of_an_invite_is_found() {
    let invite = read(INVITE);
    assert_eq!(invite.method(), &Method::Invite);
    assert_eq!(invite.call_id(), "77@host");
    assert_eq!(call_id_of(INVITE.as_bytes()), Some(&b"77@host"[..]));
    assert_eq!(invite.cseq(), (4711, &Method::Invite));
    assert_eq!(invite.from().display().as_deref(), Some("Al <ice> \"A\""));
    assert_eq!(invite.from_tag(), Some("a1"));
    assert_eq!(invite.to_tag(), None);
    assert_eq!(invite.branch(), Some("z9hG4bKa/b=c"));
    let vias: Vec<_> = invite.vias().map(|via| via.unwrap()).collect();
    assert_eq!(vias[1].host, "[2001:db8::1]");
    assert_eq!(vias[1].transport, "TCP");
    assert_eq!(invite.supported().collect::<Vec<_>>(), ["100rel", "timer"]);
    assert_eq!(invite.reasons()[0].text.as_deref(), Some("Normal, clearing"));
    assert_eq!(invite.reasons()[1].cause, Some(486));
    assert_eq!(invite.header(&"Subject".into()), Some("folded value"));
    assert_eq!(&invite.body[..], b"body");
}

#[test]
fn a_reply_carries_back_what_the_request_came_with() {
    let bytes = Writer::reply(&read(INVITE), 180, Some("t9"), source()).finish().unwrap();
    insta::assert_snapshot!(String::from_utf8(bytes.to_vec()).unwrap().replace('\r', ""), @r#"
    SIP/2.0 180 Ringing
    Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa/b=c;rport=5099;received=198.51.100.7
    Via: SIP / 2.0 / TCP [2001:db8::1]:5060;branch=z9hG4bK2
    From: "Al <ice> \"A\"" <sip:alice@example.org>;tag=a1
    To: <sip:bob.jones@example.org>;tag=t9
    Call-ID: 77@host
    CSeq: 4711	INVITE
    Content-Length: 0
    "#);
    let reply = parse(bytes, &Limits::default()).unwrap();
    assert_eq!(reply.status(), Some(180));
    assert_eq!(reply.to_tag(), Some("t9"));
}
