//! What must be refused, how it is answered, and what a stream does about it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod common;

use callbox_sip::wire::{Framer, HeaderName, Limits, Method, bridge, parse};
use common::{ok, options, outcome, read, response, source};

#[test]
fn broken_messages_are_answered_where_one_can() {
    let table = [
        ("no From", options(&[]).replace("From: <sip:lobby@example.org>;tag=f1\r\n", ""), "400"),
        (
            "no Via",
            options(&[]).replace("Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bKx1;rport\r\n", ""),
            "drop",
        ),
        ("two Call-IDs", options(&["Call-ID: 1\r\ni: 1"]), "400"),
        ("two CSeqs", options(&["CSeq: 7 OPTIONS\r\nCSeq: 7 OPTIONS"]), "400"),
        ("blank in the Call-ID", options(&["Call-ID: a b"]), "400"),
        ("CSeq of another method", options(&["CSeq: 7 INVITE"]), "400"),
        ("a line without colon", options(&["Subject"]), "400"),
        ("a name that is none", options(&["Sub ject: x"]), "400"),
        ("a fold before any header", options(&[]).replacen("Via:", " a: b\r\nVia:", 1), "400"),
        ("blanks in the start line", options(&["OPTIONS  sip:a@b SIP/2.0"]), "400"),
        ("a blank behind the version", options(&["OPTIONS sip:a@b SIP/2.0 "]), "400"),
        ("a bracketed Request-URI", options(&["OPTIONS <sip:a@b> SIP/2.0"]), "400"),
        ("a method that is no token", options(&[]).replacen("OPTIONS", "OPT(ONS", 1), "400"),
        ("no version", options(&["OPTIONS sip:a@b"]), "400"),
        ("another protocol over SIP's headers", options(&["OPTIONS sip:a@b HTTP/1.1"]), "400"),
        ("another protocol", "GET / HTTP/1.1\r\nHost: x\r\nVia: 1.1 proxy\r\n\r\n".to_owned(), "drop"),
        ("no headers", "OPTIONS sip:a@b SIP/2.0\r\n\r\n".to_owned(), "drop"),
        ("a malformed Contact", options(&["Contact: <sip:a@b"]), "400"),
        ("line ends alone", "\r\n\r\n".to_owned(), "drop"),
        ("nothing", String::new(), "drop"),
        ("an ACK without CSeq", options(&["CSeq: x"]).replacen("OPTIONS", "ACK", 1), "drop"),
        ("a response without CSeq", response("SIP/2.0 200 OK").replace("CSeq: 7 OPTIONS\r\n", ""), "drop"),
        ("cut in a line", options(&[]).trim_end().to_owned(), "400"),
    ];
    for (what, text, expected) in table {
        assert_eq!(outcome(&read(&text)), expected, "{what}");
    }
}

#[test]
fn limits_are_refused_with_the_status_that_tells_them() {
    let limits = Limits {
        max_message: 2_000,
        max_headers: 20,
        max_header_line: 500,
        max_start_line: 300,
        max_body: 400,
    };
    let refusal = |text: String| outcome(&parse(text.into(), &limits));
    assert_eq!(refusal(options(&[])), "ok");
    assert_eq!(refusal(options(&[]) + &"x".repeat(2_000)), "513");
    assert_eq!(refusal(options(&[&format!("Subject: {}", "x".repeat(600))])), "513");
    assert_eq!(refusal(options(&[&format!("Subject: a{}", "\r\n b".repeat(200))])), "513");
    assert_eq!(refusal(options(&[&"X: 1\r\n".repeat(20)]).replace("\r\n\r\n", "\r\n") + "\r\n"), "513");
    assert_eq!(refusal(options(&[&format!("Route: {}", "<sip:a>,".repeat(30))])), "513");
    assert_eq!(refusal(options(&[&format!("OPTIONS sip:{}@b SIP/2.0", "x".repeat(400))])), "414");
    assert_eq!(refusal(options(&["Content-Length: 401"]) + &"x".repeat(401)), "413");
}

#[test]
fn a_rejection_is_an_answer_that_its_client_understands() {
    let request = options(&["CSeq: 7 INVITE", "To: <sip:desk@example.org>"]);
    let reply = read(&request).unwrap_err().reply.unwrap();
    assert_eq!((reply.status, reply.phrase(), reply.call_id()), (400, "Bad Request", Some("lobby-1")));
    let text = String::from_utf8(reply.to_bytes("t7", source()).unwrap().to_vec()).unwrap();
    insta::assert_snapshot!(text.replace('\r', ""), @"
    SIP/2.0 400 Bad Request
    Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bKx1;rport=5099;received=198.51.100.7
    From: <sip:lobby@example.org>;tag=f1
    To: <sip:desk@example.org>;tag=t7
    Call-ID: lobby-1
    CSeq: 7 INVITE
    Content-Length: 0
    ");
}

#[test]
fn a_stream_goes_on_behind_a_bad_message_but_not_behind_a_bad_length() {
    let mut framer = Framer::new(Limits::default());
    framer.push(b"\r\n\r\n");
    framer.push(options(&["CSeq: 7 BYE"]).as_bytes());
    framer.push(b"\r\n");
    framer.push(options(&["Content-Length: 2"]).as_bytes());
    framer.push(b"hi");
    let outcomes: Vec<_> = framer.by_ref().map(|frame| outcome(&frame)).collect();
    assert_eq!(outcomes, ["400", "ok"]);
    assert_eq!((framer.take_pings(), framer.is_broken()), (1, false));
    framer.push(options(&["Content-Length: 2x"]).as_bytes());
    framer.push(options(&[]).as_bytes());
    let outcomes: Vec<_> = framer.by_ref().map(|frame| outcome(&frame)).collect();
    assert_eq!(outcomes, ["400"]);
    assert!(framer.is_broken());
    for bad in [options(&[]).replace("Content-Length: 0\r\n", ""), options(&["Content-Length: 70000"])] {
        let mut framer = Framer::new(Limits::default());
        framer.push(bad.as_bytes());
        let status = outcome(&framer.next().unwrap());
        assert!(framer.is_broken() && ["400", "413"].contains(&status.as_str()), "{status}");
    }
}

#[test]
fn rsip_values_hold_what_was_received() {
    let message = ok(&options(&["X-Extra: 1", "Reason: SIP;cause=200, Q.850;cause=26", "k: timer"]));
    let there = bridge::to_rsip(&message).unwrap();
    let rsip::SipMessage::Request(request) = &there else { panic!("a request") };
    assert_eq!(request.method, rsip::Method::Options);
    let others = request.headers.iter().filter(|header| matches!(header, rsip::Header::Other(..))).count();
    assert_eq!(others, 3, "X-Extra and two Reasons");
    let back = bridge::from_rsip(&there).unwrap();
    assert_eq!(back.start, message.start);
    let without_length = |message: &callbox_sip::wire::Message| -> Vec<_> {
        message.headers.iter().filter(|header| header.name != HeaderName::ContentLength).cloned().collect()
    };
    assert_eq!(without_length(&back), without_length(&message));
    let unknown = ok(&options(&[]).replace("OPTIONS", "BREW"));
    assert!(matches!(bridge::to_rsip(&unknown), Err(bridge::BridgeError::Method(Method::Other(_)))));
}
