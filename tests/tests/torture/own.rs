//! Messages of our own writing, one or more for each class of mistake.

use callbox_tests::probe::{Request, header};

use super::target::Expect::{Answer, Open, Silence, Status};
use super::target::{Expect, Sender, Target, assert_none, torture};

/// A request that is correct as far as this file can make it, from a sender at the default port.
fn request(target: &Target, method: &str) -> Request {
    Request::new(method, "127.0.0.1:5060".parse().expect("an address"), &target.label())
}

/// `text` with the first `from` replaced.
fn bent(text: &str, from: &str, to: &str) -> Vec<u8> {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1).into_bytes()
}

/// `text` without its header of that name.
fn without(text: &str, name: &str) -> Vec<u8> {
    let kept: Vec<&str> = text.split("\r\n").filter(|row| !row.starts_with(&format!("{name}:"))).collect();
    kept.join("\r\n").into_bytes()
}

fn run(target: &Target, cases: Vec<(&str, Vec<u8>, Expect)>) {
    let mut deviations = Vec::new();
    for (name, datagram, expect) in cases {
        deviations.extend(torture(target, name, &datagram, expect).err());
    }
    assert_none(&deviations);
}

#[test]
fn requests_that_lack_or_repeat_what_they_need() {
    let target = Target::new();
    let options = || request(&target, "OPTIONS").text();
    let invite = || request(&target, "INVITE").offer().text();
    let cases = vec![
        ("no Call-ID", without(&options(), "Call-ID"), Status(&[400])),
        ("no From", without(&options(), "From"), Status(&[400])),
        ("no To", without(&options(), "To"), Status(&[400])),
        ("no CSeq", without(&options(), "CSeq"), Status(&[400])),
        ("no Via: nowhere to answer to but the source", without(&options(), "Via"), Open),
        ("no Max-Forwards, as of RFC 2543", without(&options(), "Max-Forwards"), Status(&[200, 400])),
        ("an INVITE without Contact", without(&invite(), "Contact"), Status(&[400, 486])),
        ("two Call-IDs", bent(&options(), "CSeq:", "Call-ID: another\r\nCSeq:"), Status(&[400])),
        ("two CSeqs", bent(&options(), "CSeq:", "CSeq: 2 OPTIONS\r\nCSeq:"), Status(&[400])),
        ("CSeq of another method", bent(&options(), "1 OPTIONS", "1 INVITE"), Status(&[400])),
        ("CSeq without a number", bent(&options(), "1 OPTIONS", "OPTIONS"), Status(&[400])),
        ("CSeq beyond 2^32", bent(&options(), "1 OPTIONS", "4294967296 OPTIONS"), Status(&[400])),
        ("Content-Length beyond the datagram", bent(&options(), "Length: 0", "Length: 99"), Status(&[400])),
        ("Content-Length that is no number", bent(&options(), "Length: 0", "Length: many"), Status(&[400])),
        (
            "Max-Forwards that is no number",
            bent(&options(), "Forwards: 70", "Forwards: far"),
            Status(&[200, 400]),
        ),
        ("a version of the future", bent(&options(), "SIP/2.0\r\n", "SIP/3.0\r\n"), Status(&[505])),
        (
            "a Request-URI of another scheme",
            bent(&options(), "sip:bob@127.0.0.1 ", "mailto:bob@x "),
            Status(&[416]),
        ),
        (
            "an extension nobody knows",
            bent(&options(), "CSeq:", "Require: teleport\r\nCSeq:"),
            Status(&[420]),
        ),
        (
            "a body of an unknown type",
            bent(&invite(), "application/sdp", "application/x-unknown"),
            Status(&[415]),
        ),
    ];
    run(&target, cases);
    target.finish();
}

#[test]
fn requests_that_are_odd_but_right() {
    let target = Target::new();
    let options = || request(&target, "OPTIONS").text();
    let invite = || request(&target, "INVITE").offer().text();
    let folded = bent(&options(), "From: ", "From:\r\n \t ");
    let compact =
        String::from_utf8(bent(&options(), "Call-ID:", "i:")).expect("text").replace("From:", "f :");
    let cases = vec![
        ("a folded header", folded, Status(&[200])),
        ("compact names with blanks", compact.into_bytes(), Status(&[200])),
        ("names in odd case", bent(&options(), "Call-ID:", "cALL-iD:"), Status(&[200])),
        ("a Latin-1 byte in a display name", latin1(&options()), Status(&[200])),
        (
            "an unknown header",
            bent(&options(), "CSeq:", "X-Anything: at;all=\"x\r\n y\"\r\nCSeq:"),
            Status(&[200]),
        ),
        ("empty lines before the start line", [b"\r\n\r\n", options().as_bytes()].concat(), Status(&[200])),
        ("bytes after the body", [options().as_bytes(), b"rest"].concat(), Status(&[200])),
        ("an INVITE without an offer", request(&target, "INVITE").text().into_bytes(), Status(&[486])),
        (
            "an INVITE with IPv6 in its URIs",
            bent(&invite(), "sip:bob@127.0.0.1 ", "sip:bob@[::1] "),
            Status(&[486]),
        ),
        (
            "an INVITE to a tel URI",
            bent(&invite(), "sip:bob@127.0.0.1 ", "tel:+358-555-1234567 "),
            Status(&[404, 416, 486]),
        ),
        (
            "a dot in the user part",
            bent(&invite(), "sip:bob@127.0.0.1 ", "sip:john.doe@127.0.0.1 "),
            Status(&[486]),
        ),
    ];
    run(&target, cases);
    target.finish();
}

fn latin1(text: &str) -> Vec<u8> {
    let at = text.find("<sip:probe").expect("a From header");
    [&text.as_bytes()[..at], b"\"Ren\xe9\" ", &text.as_bytes()[at..]].concat()
}

#[test]
fn requests_that_belong_to_no_call() {
    let target = Target::new();
    let stray = |method: &str| {
        let mut request = request(&target, method);
        request.to_tag = Some("nobody".to_owned());
        request.text().into_bytes()
    };
    let fresh = |method: &str| request(&target, method).text().into_bytes();
    let cases = vec![
        ("a stray ACK is never answered", stray("ACK"), Silence),
        ("a stray BYE", stray("BYE"), Status(&[481])),
        ("a stray CANCEL", fresh("CANCEL"), Status(&[481])),
        ("a stray re-INVITE", stray("INVITE"), Status(&[481])),
        ("a stray UPDATE", stray("UPDATE"), Status(&[481, 405])),
        ("a stray INFO", stray("INFO"), Status(&[481, 405])),
        ("a stray PRACK", stray("PRACK"), Status(&[481, 405])),
        ("a BYE without a tag", fresh("BYE"), Status(&[481, 400])),
        ("REGISTER", fresh("REGISTER"), Status(&[405, 501])),
        ("SUBSCRIBE", fresh("SUBSCRIBE"), Status(&[405, 489, 501])),
        ("MESSAGE", fresh("MESSAGE"), Status(&[405, 501])),
        ("an unknown method", fresh("FOO"), Status(&[405, 501])),
        ("a known method in lower case is another method", fresh("invite"), Status(&[405, 501])),
        ("a response to nothing", response("200 OK", "INVITE"), Silence),
        ("a provisional response to nothing", response("180 Ringing", "INVITE"), Silence),
        ("a response to a BYE that never was", response("481 Gone", "BYE"), Silence),
    ];
    run(&target, cases);
    target.finish();
}

fn response(status: &str, method: &str) -> Vec<u8> {
    format!(
        "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-nothing\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:c@d>;tag=2\r\nCall-ID: nothing@nowhere\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

#[test]
fn a_method_that_is_not_allowed_comes_with_those_that_are() {
    let target = Target::new();
    for method in ["REGISTER", "FOO"] {
        let sender = Sender::new();
        sender.send(target.daemon.ready.udp, request(&target, method).text().as_bytes());
        let answer =
            sender.answer(callbox_tests::wait::SOON).unwrap_or_else(|| panic!("no answer to {method}"));
        let allow = header(&answer, "Allow").unwrap_or_default();
        for allowed in ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"] {
            assert!(allow.contains(allowed), "{method}: {allowed} is missing in Allow: {answer}");
        }
    }
    target.finish();
}

#[test]
fn messages_beyond_every_limit() {
    let target = Target::new();
    let options = || request(&target, "OPTIONS").text();
    let many: String = (0..2000).map(|n| format!("X-{n}: 1\r\n")).collect();
    let vias: String = (0..400).map(|n| format!("Via: SIP/2.0/UDP h{n};branch=z9hG4bK{n}\r\n")).collect();
    let mut large = request(&target, "INVITE");
    large.extra.push("Content-Type: application/sdp".to_owned());
    large.body = "a".repeat(60_000);
    let cases = vec![
        ("2,000 headers", bent(&options(), "CSeq:", &format!("{many}CSeq:")), Open),
        ("400 Via headers", bent(&options(), "CSeq:", &format!("{vias}CSeq:")), Open),
        (
            "a header of 50,000 bytes",
            bent(&options(), "CSeq:", &format!("X: {}\r\nCSeq:", "y".repeat(50_000))),
            Open,
        ),
        (
            "a Request-URI of 50,000 bytes",
            bent(&options(), "sip:bob@", &format!("sip:{}@", "b".repeat(50_000))),
            Open,
        ),
        ("a method of 10,000 bytes", bent(&options(), "OPTIONS", &"M".repeat(10_000)), Open),
        ("a body of 60,000 bytes that is no description", large.text().into_bytes(), Answer),
        (
            "deep quotes and brackets",
            bent(&options(), "<sip:probe", &format!("{}<sip:probe", "\"<".repeat(3000))),
            Open,
        ),
        (
            "10,000 commas in Contact",
            bent(&options(), "Contact: ", &format!("Contact: {}", ",".repeat(10_000))),
            Open,
        ),
    ];
    run(&target, cases);
    target.finish();
}

#[test]
fn bytes_that_are_no_message() {
    let target = Target::new();
    let options = request(&target, "OPTIONS").text();
    let cases = vec![
        ("nothing", Vec::new(), Silence),
        ("one NUL", vec![0], Silence),
        ("a keep-alive", b"\r\n\r\n".to_vec(), Open),
        ("a STUN request", [&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42][..], &[7; 12]].concat(), Silence),
        ("an RTP packet", [&[0x80, 0, 0, 1][..], &[0x55; 160]].concat(), Silence),
        ("1,500 times 0xFF", vec![0xFF; 1500], Silence),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), Open),
        ("a start line alone", b"OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\n\r\n".to_vec(), Open),
        ("bare line feeds", options.replace("\r\n", "\n").into_bytes(), Open),
        ("bare carriage returns", options.replace("\r\n", "\r").into_bytes(), Open),
        ("half a message", options.as_bytes()[..options.len() / 2].to_vec(), Open),
        ("UTF-16", options.encode_utf16().flat_map(u16::to_le_bytes).collect(), Silence),
    ];
    run(&target, cases);
    target.finish();
}
