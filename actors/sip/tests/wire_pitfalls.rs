//! What trips other parsers: one small message or value for each, and what ours makes of it.
//!
//! The numbers are those of the list of known pitfalls of the rsip crate in the project's notes; each of them is a
//! class of legal input that was refused or changed, or of harmful input that was let through.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod common;

use callbox_sip::wire::grammar::{CSeq, ContentType, NameAddr, RAck, SipUri, Uri, Via, Warning};
use callbox_sip::wire::{HeaderName, Limits, Method, ParseErrorKind, WriteError, Writer, bridge, parse};
use common::{ok, options, read, refused, response, source};

// Messages.

#[test]
fn p01_an_unknown_method_is_a_method() {
    let message =
        ok(&options(&["OPTIONS sip:desk@192.0.2.8 SIP/2.0", "CSeq: 7 OPTIONS"]).replace("OPTIONS", "Brew"));
    assert_eq!(message.method(), &Method::Other("Brew".into()));
    // Case counts: `invite` is not INVITE.
    assert_eq!(Method::from("invite"), Method::Other("invite".into()));
    let allow = ok(&options(&["Allow: INVITE, BREW"]));
    assert_eq!(allow.allow().collect::<Vec<_>>(), ["INVITE", "BREW"]);
    assert!(NameAddr::parse("<sip:a@b;method=BREW>").is_ok());
}

#[test]
fn p02_folded_lines_are_one_value() {
    let message =
        ok(&options(&["Subject: one\r\n two\r\n\t  three \r\n \r\n four", "To: <sip:a@b>\r\n ;x\r\n =1"]));
    assert_eq!(message.header(&HeaderName::Subject), Some("one two three four"));
    assert_eq!(message.to().params.get("x"), Some("1"));
}

#[test]
fn p03_blanks_may_stand_before_the_colon() {
    let message = ok(&options(&["Subject \t : hi"]));
    assert_eq!(message.header(&HeaderName::Subject), Some("hi"));
}

#[test]
fn p04_compact_names_are_the_long_ones() {
    let text = "OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nF: <sip:x@y>;tag=1\r\nt: <sip:a@b>\r\n\
                I: c1\r\nCSeq: 1 OPTIONS\r\nk: timer\r\nx: 90;refresher=uas\r\nr: <sip:c@d>\r\nc: text/plain\r\nl: 2\r\n\r\nhi";
    let message = ok(text);
    assert_eq!(message.call_id(), "c1");
    assert_eq!(message.supported().collect::<Vec<_>>(), ["timer"]);
    assert_eq!(message.session_expires().unwrap().interval, 90);
    assert_eq!(message.refer_to().unwrap().unwrap().address.uri, "sip:c@d");
    assert!(message.content_type().unwrap().is("TEXT", "plain"));
}

#[test]
fn p05_content_length_says_where_the_body_ends() {
    let with = |length: &str, body: &str| options(&[&format!("Content-Length: {length}")]) + body;
    assert_eq!(&ok(&with("3", "abcdef")).body[..], b"abc", "the rest is cut off");
    assert_eq!(refused(&with("7", "abc")), ("400".into(), ParseErrorKind::BodyTooShort));
    for bad in ["-1", "+3", "3 3", "0x3", "99999999999999999999999", "", "3,3"] {
        assert_eq!(refused(&with(bad, "abc")), ("400".into(), ParseErrorKind::ContentLength), "{bad:?}");
    }
    let twice = options(&["Content-Length: 0\r\nl: 0"]);
    assert_eq!(refused(&twice).1, ParseErrorKind::Duplicate(HeaderName::ContentLength));
    let none = options(&["Content-Length: 0"]).replace("Content-Length: 0\r\n", "") + "rest";
    assert_eq!(&ok(&none).body[..], b"rest", "without it a datagram's body is all the rest");
}

#[test]
fn p06_latin_1_survives_byte_for_byte() {
    let mut bytes = options(&["Subject: Gr#ner Tee", "From: \"J#rg\" <sip:j@x>;tag=f1"]).into_bytes();
    bytes.iter_mut().filter(|byte| **byte == b'#').for_each(|byte| *byte = 0xfc);
    let message = read(&bytes).unwrap();
    assert_eq!(message.header(&HeaderName::Subject), Some("Grüner Tee"));
    assert_eq!(message.from().display().as_deref(), Some("Jürg"));
    let reply = Writer::reply(&message, 200, Some("t"), source()).finish().unwrap();
    assert!(reply.windows(5).any(|window| window == b"\"J\xfcrg"), "the echo has the byte that came");
    assert_eq!(&message.raw[..], &bytes[..]);
    let mut bytes = options(&["Via: SIP/2.0/UDP h;branch=z9hG4bK#"]).into_bytes();
    bytes.iter_mut().filter(|byte| **byte == b'#').for_each(|byte| *byte = 0xfc);
    let reply = Writer::reply(&read(&bytes).unwrap(), 200, Some("t"), source()).finish().unwrap();
    assert!(reply.windows(9).any(|window| window == b"z9hG4bK\xfc\r"), "the branch above all");
}

#[test]
fn p07_the_version_has_no_case_and_another_one_is_answered() {
    assert_eq!(ok(&options(&["OPTIONS sip:a@b sip/2.0"])).uri(), Some("sip:a@b"));
    assert_eq!(refused(&options(&["OPTIONS sip:a@b SIP/7.0"])), ("505".into(), ParseErrorKind::Version));
    assert_eq!(refused(&options(&["OPTIONS sip:a@b SIP/2"])).0, "505");
    assert_eq!(refused(&options(&["OPTIONS sip:a@b SIP/two"])).0, "400");
}

#[test]
fn p08_phrases_are_kept_and_written_as_the_rfc_has_them() {
    let message = ok(&response("SIP/2.0 487 Wurde abgebrochen"));
    assert_eq!((message.status(), message.phrase()), (Some(487), Some("Wurde abgebrochen")));
    assert_eq!(ok(&response("SIP/2.0 200")).phrase(), Some(""));
    for (status, phrase) in [
        (487, "Request Terminated"),
        (486, "Busy Here"),
        (603, "Decline"),
        (481, "Call/Transaction Does Not Exist"),
    ] {
        let written = Writer::response(status).finish().unwrap();
        assert!(written.starts_with(format!("SIP/2.0 {status} {phrase}\r\n").as_bytes()));
        let back = bridge::status_to_rsip(status, phrase).to_string();
        assert_eq!(back, format!("{status} {phrase}"));
        assert_eq!(bridge::status_from_rsip(&rsip::StatusCode::from(status)), (status, phrase));
    }
    assert_eq!(bridge::status_from_rsip(&rsip::StatusCode::from(499)), (499, "Request Failure"));
    for bad in [
        "SIP/2.0 20 OK",
        "SIP/2.0 2000 OK",
        "SIP/2.0 099 x",
        "SIP/2.0 700 x",
        "SIP/2.0  200 OK",
        "SIP/2.0 +20 OK",
    ] {
        assert_eq!(refused(&response(bad)), ("drop".into(), ParseErrorKind::StartLine), "{bad}");
    }
}

#[test]
fn p09_bodies_are_opaque() {
    let body = [0xff, 0xfe, 0x80, 0, b'\r', b'\n'];
    let mut request = Writer::request(&Method::Options, "sip:a@b");
    for (name, value) in [
        ("Via", "SIP/2.0/UDP h"),
        ("From", "<sip:a@b>"),
        ("To", "<sip:a@b>"),
        ("Call-ID", "1"),
        ("CSeq", "1 OPTIONS"),
    ] {
        request = request.header(&name.into(), value);
    }
    let message =
        parse(request.finish_with_body("application/octet-stream", &body).unwrap(), &Limits::default())
            .unwrap();
    assert_eq!(&message.body[..], &body);
    let there = bridge::to_rsip(&message).unwrap();
    assert_eq!(&bridge::from_rsip(&there).unwrap().body[..], &body);
}

#[test]
fn p10_no_value_makes_a_second_header() {
    for evil in ["x\r\nEvil: 1", "x\ny", "x\ry", "x\0y"] {
        let written = Writer::response(200).header(&HeaderName::Subject, evil).finish();
        assert_eq!(written, Err(WriteError::ControlByte(HeaderName::Subject)), "{evil:?}");
        assert_eq!(Writer::response_with_phrase(200, evil).finish(), Err(WriteError::Phrase));
        assert_eq!(Writer::request(&Method::Bye, evil).finish(), Err(WriteError::Uri));
        assert_eq!(Writer::response(200).header(&evil.into(), "x").finish(), Err(WriteError::HeaderName));
        assert_eq!(Writer::request(&evil.into(), "sip:a@b").finish(), Err(WriteError::Method));
        let there = rsip::Header::Subject(rsip::headers::Subject::from(evil));
        assert!(bridge::header_from_rsip(&there).is_err());
    }
    assert_eq!(Writer::response(99).finish(), Err(WriteError::Status));
    assert_eq!(
        Writer::response(200).header(&HeaderName::ContentLength, "9").finish(),
        Err(WriteError::ContentLength)
    );
    let bad_tag = Writer::reply(&ok(&options(&[])), 200, Some("a;b"), source()).finish();
    assert_eq!(bad_tag, Err(WriteError::Tag));
}

#[test]
fn p11_bare_line_ends_and_nul_are_refused() {
    for bad in ["Subject: a\nVia: x", "Subject: a\rb", "Subject: a\0b", "Subject: a\r\r", "Subject: a\n"] {
        assert_eq!(refused(&options(&[bad])), ("400".into(), ParseErrorKind::ControlByte), "{bad:?}");
    }
    // An escaped NUL in a quoted string is legal, and comes back.
    let message = ok(&options(&["From: \"a\\\0b\" <sip:a@b>;tag=1"]));
    assert_eq!(message.from().display().as_deref(), Some("a\0b"));
    assert!(Writer::reply(&message, 200, None, source()).finish().is_ok());
}

#[test]
fn p12_adding_a_header_keeps_the_others() {
    let reply = Writer::response(200)
        .header(&"X-One".into(), "1")
        .header(&HeaderName::Reason, "SIP;cause=200")
        .finish();
    let text = String::from_utf8(reply.unwrap().to_vec()).unwrap();
    assert!(text.contains("X-One: 1\r\nReason: SIP;cause=200\r\n"));
}

#[test]
fn p13_errors_are_short_and_say_nothing_of_the_sender() {
    let error = read(options(&["CSeq: secret OPTIONS"])).unwrap_err();
    assert_eq!(error.to_string(), "malformed CSeq");
}

#[test]
fn p14_lists_are_one_header_each() {
    let via = "Via: SIP/2.0/UDP h1;branch=z9hG4bK1,SIP/2.0/UDP h2;branch=z9hG4bK2 , SIP/2.0/TCP h3";
    let message =
        ok(&options(&[via, "Route: \"P, 3\" <sip:p@q;lr>,<sip:r@s,t;lr>", "Contact: <sip:a@b>, sip:c@d"]));
    let hosts: Vec<_> = message.vias().map(|via| via.unwrap().host).collect();
    assert_eq!(hosts, ["h1", "h2", "h3"]);
    assert_eq!(message.route().map(|route| route.uri).collect::<Vec<_>>(), ["sip:p@q;lr", "sip:r@s,t;lr"]);
    assert_eq!(message.contacts().count(), 2);
    let reply = Writer::reply(&message, 100, None, source()).finish().unwrap();
    assert_eq!(read(&reply).unwrap().vias().count(), 3);
}

#[test]
fn p15_texts_are_slices_of_the_datagram() {
    let message = ok(&options(&[]));
    let (start, end) = (message.raw.as_ptr() as usize, message.raw.as_ptr() as usize + message.raw.len());
    assert!(message.headers.iter().all(|header| (start..end).contains(&(header.value.as_ptr() as usize))));
}

// URIs and addresses.

#[test]
fn p16_a_dotted_user_is_a_user() {
    let uri = SipUri::parse("sip:john.q.doe:pa.ss@example.com:5070;lr").unwrap();
    assert_eq!(
        (uri.user, uri.password, uri.host, uri.port),
        (Some("john.q.doe"), Some("pa.ss"), "example.com", Some(5070))
    );
    let there = bridge::uri_to_rsip("sip:john.q.doe@example.com").unwrap();
    assert_eq!((there.user(), there.host().to_string().as_str()), (Some("john.q.doe"), "example.com"));
}

#[test]
fn p17_ipv6_stands_everywhere() {
    let uri = SipUri::parse("sip:a@[2001:db8::7]:5070;maddr=[::1]").unwrap();
    assert_eq!((uri.host, uri.port), ("[2001:db8::7]", Some(5070)));
    assert_eq!(SipUri::parse("sip:[::1]").unwrap().port, None);
    for bad in [
        "sip:2001:db8::7",
        "sip:a@[::1",
        "sip:a@[]",
        "sip:a@[::1]x",
        "sip:a@[::1]:",
        "sip:a@h:0x1",
        "sip:a@h:70000",
    ] {
        assert!(SipUri::parse(bad).is_err(), "{bad}");
    }
    let via = Via::parse("SIP/2.0/UDP [2001:db8::7]:5062;received=2001:db8::8;branch=z9hG4bK1").unwrap();
    assert_eq!((via.host, via.port), ("[2001:db8::7]", Some(5062)));
    assert_eq!(via.received(), "2001:db8::8".parse().ok());
    for text in ["sip:a@[2001:db8::7]:5070", "sip:[::1]"] {
        assert_eq!(bridge::uri_from_rsip(&bridge::uri_to_rsip(text).unwrap()).unwrap(), text);
    }
    let from_socket = rsip::Uri::from(std::net::SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 5060)));
    assert_eq!(bridge::uri_from_rsip(&from_socket).unwrap(), "sip:[::1]:5060");
}

#[test]
fn p18_other_schemes_stay_as_they_are() {
    for text in ["tel:+1555", "tel:+1-201-555;phone-context=+1;ext=7", "urn:service:sos", "mailto:a@b.c"] {
        let Uri::Opaque { scheme, rest } = Uri::parse(text).unwrap() else { panic!("{text}") };
        assert_eq!(format!("{scheme}:{rest}"), text);
        assert_eq!(bridge::uri_from_rsip(&bridge::uri_to_rsip(text).unwrap()).unwrap(), text);
    }
    assert_eq!(ok(&options(&["OPTIONS tel:+1555 SIP/2.0"])).uri(), Some("tel:+1555"));
}

#[test]
fn p19_uri_headers_are_not_lost_in_silence() {
    let uri = SipUri::parse("sip:a@b;x=1?Replaces=c%3Bto-tag%3D1&Subject=hi").unwrap();
    assert_eq!(uri.headers, Some("Replaces=c%3Bto-tag%3D1&Subject=hi"));
    assert_eq!(bridge::uri_to_rsip("sip:a@b?x=1"), Err(bridge::BridgeError::UriHeaders));
    let refer = ok(&options(&["Refer-To: <sip:a@b?Replaces=c%3Bto-tag%3D1%3Bfrom-tag%3D2>"]));
    assert_eq!(refer.refer_to().unwrap().unwrap().replaces.as_deref(), Some("c;to-tag=1;from-tag=2"));
    let careless = ok(&options(&["Refer-To: <sip:a@b?Replaces=c@d%3Bto-tag%3D1%3Bfrom-tag%3D2>"]));
    assert_eq!(careless.refer_to().unwrap().unwrap().replaces.as_deref(), Some("c@d;to-tag=1;from-tag=2"));
}

#[test]
fn p20_parameters_may_hold_more_than_tokens() {
    let address = NameAddr::parse("<sip:a@b;x=/:&[]$%22;y=%41>;p=a/b:c;q=\"s;t,<u>\"").unwrap();
    assert_eq!(address.params.get("p"), Some("a/b:c"));
    assert_eq!(address.params.text("q").as_deref(), Some("s;t,<u>"));
    let uri = SipUri::parse(address.uri).unwrap();
    assert_eq!((uri.params.get("x"), uri.params.get("Y")), (Some("/:&[]$%22"), Some("%41")));
}

#[test]
fn p21_a_via_branch_is_never_cut() {
    for (value, branch) in [
        ("SIP/2.0/UDP h ;branch=z9hG4bK1", "z9hG4bK1"),
        ("SIP / 2.0 / UDP h:5060 ; branch = z9hG4bK2", "z9hG4bK2"),
        ("SIP/2.0/UDP h;branch=z9hG4bKa/b", "z9hG4bKa/b"),
        ("SIP/2.0/UDP h;branch=z9hG4bK=abc", "z9hG4bK=abc"),
        ("SIP/2.0/XYZ h : 5060;rport;BRANCH=z9hG4bK3", "z9hG4bK3"),
        ("SIP/2.0/TLS-SCTP h;received=1.2.3.4;branch=z9hG4bK\u{fc}", "z9hG4bK\u{fc}"),
    ] {
        assert_eq!(Via::parse(value).unwrap().branch(), Some(branch), "{value}");
    }
    assert!(NameAddr::parse("<sip:a@b;transport=XYZ>").is_ok());
    for bad in [
        "",
        "SIP/2.0",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ;branch=x",
        "SIP/2.0/UDP h;;",
        "SIP/2.0/UDP h:x",
        "SIP/2.0/UDP h i",
        "SIP/2.0/UDP h;b=\"x",
    ] {
        assert!(Via::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn p22_display_names_and_quoted_parameters() {
    let address =
        NameAddr::parse("\"A <b> \\\"c\\\" \\\\\" <sip:a@b> ; tag = t1 ;+sip.instance=\"<urn:uuid:1>\"")
            .unwrap();
    assert_eq!(address.display().as_deref(), Some("A <b> \"c\" \\"));
    assert_eq!(address.tag(), Some("t1"));
    assert_eq!(address.params.text("+sip.instance").as_deref(), Some("<urn:uuid:1>"));
    assert_eq!(address.without_tag(), "\"A <b> \\\"c\\\" \\\\\" <sip:a@b>;+sip.instance=\"<urn:uuid:1>\"");
    assert_eq!(NameAddr::parse("sip:a@b;tag=2").unwrap().tag(), Some("2"));
    for bad in [
        "\"open <sip:a@b>",
        "<sip:a@b",
        "\"x\" sip:a@b",
        "<>",
        "<nothing>",
        "sip:a@b?c=d",
        "<sip:a@b> x",
        "<sip:a@b>;tag=\"x",
        "<sip:a b@c>",
    ] {
        assert!(NameAddr::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(
        refused(&options(&["To: \"open <sip:a@b>"])),
        ("400".into(), ParseErrorKind::Malformed(HeaderName::To))
    );
}

#[test]
fn p23_lists_of_contacts_and_exotic_addresses() {
    let moved = ok(&(response("SIP/2.0 302 Moved").trim_end().to_owned()
        + "\r\nContact: \"a,b\" <sip:a@b>;q=0.2, <tel:+1>;q=1.0\r\nAlert-Info: <urn:alert:service:normal>\r\nCall-Info: <http://x/y,z> ;purpose=icon\r\n\r\n"));
    let contacts: Vec<_> = moved.contacts().map(|contact| (contact.uri, contact.preference())).collect();
    assert_eq!(contacts, [("sip:a@b", 200), ("tel:+1", 1000)]);
    assert_eq!(moved.addresses(&HeaderName::AlertInfo).next().unwrap().uri, "urn:alert:service:normal");
    let info = moved.addresses(&HeaderName::CallInfo).next().unwrap();
    assert_eq!((info.uri, info.params.get("purpose")), ("http://x/y,z", Some("icon")));
    assert_eq!(ok(&options(&["Contact: *"])).contact().unwrap().uri, "*");
}

#[test]
fn p24_small_grammars() {
    assert_eq!(CSeq::parse(" 7\t \tINVITE ").unwrap(), CSeq { number: 7, method: "INVITE" });
    assert_eq!(CSeq::parse("2147483647 BYE").unwrap().number, 2_147_483_647);
    for bad in ["2147483648 BYE", "-1 BYE", "+1 BYE", "1", "BYE", "1 B(E", "99999999999 BYE", ""] {
        assert!(CSeq::parse(bad).is_err(), "{bad:?}");
    }
    assert_eq!(RAck::parse("5 7 INVITE").unwrap().rseq, 5);
    assert_eq!(ok(&options(&["Allow: "])).allow().count(), 0);
    let warned = ok(&options(&["Warning: 399 a \"one, two\", 370 b:5060 \"x\\\"y\""]));
    let warnings: Vec<Warning<'_>> = warned.warnings().collect();
    assert_eq!((warnings[0].code, &*warnings[0].text, warnings[1].agent), (399, "one, two", "b:5060"));
    assert_eq!(&*warnings[1].text, "x\"y");
    let media = ContentType::parse("multipart/mixed ; boundary=\"a;b\"").unwrap();
    assert_eq!((media.params.get("boundary"), media.boundary().as_deref()), (Some("\"a;b\""), Some("a;b")));
}

#[test]
fn p25_to_p28_challenges_pass_through_unchanged() {
    let challenge = "Digest realm=\"a, b\", qop=\"auth,auth-int\", algorithm=SHA-256, nonce=\"x\\\"y\"";
    let credentials = "Digest username=\"u\", nc=0000000A, qop=auth, response=\"00\"";
    let message =
        ok(&options(&[&format!("WWW-Authenticate: {challenge}"), &format!("Authorization: {credentials}")]));
    assert_eq!(message.header(&HeaderName::WwwAuthenticate), Some(challenge));
    assert_eq!(message.header(&HeaderName::Authorization), Some(credentials));
    let back = bridge::from_rsip(&bridge::to_rsip(&message).unwrap()).unwrap();
    assert_eq!(back.header(&HeaderName::WwwAuthenticate), Some(challenge));
}

#[test]
fn p29_the_same_input_gives_the_same_bytes() {
    let message = ok(&options(&[]));
    let write = || Writer::reply(&message, 404, Some("t"), source()).finish().unwrap();
    assert_eq!(write(), write());
    assert!(!Writer::response(200).finish().unwrap().windows(4).any(|window| window == b"tag="));
}

#[test]
fn p30_uris_are_equal_by_the_rfc() {
    let same = |a: &str, b: &str| {
        let (a, b) = (SipUri::parse(a).unwrap(), SipUri::parse(b).unwrap());
        assert_eq!(a.is_equivalent(&b), b.is_equivalent(&a), "symmetric");
        a.is_equivalent(&b)
    };
    for (a, b) in [
        ("sip:%61lice@example.org;transport=TCP", "sip:alice@EXAMPLE.org;Transport=tcp"),
        ("sip:carol@example.org", "sip:carol@example.org;newparam=5"),
        ("sip:b@example.org;transport=tcp?to=a%40b&x=1", "SIP:b@example.org;transport=tcp?X=1&To=a%40b"),
        ("sip:carol@example.org;security=on", "sip:carol@example.org;newparam=5"),
    ] {
        assert!(same(a, b), "{a} {b}");
    }
    for (a, b) in [
        ("sip:ALICE@example.org", "sip:alice@example.org"),
        ("sip:bob@example.org", "sip:bob@example.org:5060"),
        ("sip:bob@example.org", "sip:bob@example.org;transport=udp"),
        ("sip:bob@example.org", "sips:bob@example.org"),
        ("sip:bob@example.org", "sip:example.org"),
        ("sip:bob@example.org", "sip:bob@example.org?subject=x"),
        ("sip:carol@example.org;security=on", "sip:carol@example.org;security=off"),
        ("sip:a:b@example.org", "sip:a:c@example.org"),
    ] {
        assert!(!same(a, b), "{a} {b}");
    }
}

#[test]
fn p31_and_p32_headers_without_a_type_elsewhere_have_one_here() {
    let reasons = "Reason: q.850;cause=16;text=\"a, b\";location=LN, SIP;description=\"User Hung Up\", Q.850 ; CAUSE = 999999, preemption";
    let message = ok(&options(&[
        reasons,
        "RSeq: 17",
        "RAck: 17 4 INVITE",
        "Min-SE: 120",
        "Session-Expires: 1800 ;refresher=UAC",
        "Replaces: a@b;from-tag=1;to-tag=2;early-only",
        "Retry-After: 30 (try; again);duration=60",
        "History-Info: <sip:a@b?Reason=SIP%3Bcause%3D408%3Btext%3D%22x%22>;index=1, <sip:c@d;cause=486>;index=1.1",
        "Diversion: <sip:a@b>;reason=\"no-answer\";counter=2",
        "P-Asserted-Identity: \"A\" <sip:a@b>, <tel:+1>",
        "Timestamp: 54.5 0.25",
        "Require: 100rel,\ttimer ,,",
        "Proxy-Require: sec",
        "Expires: 180",
    ]));
    let read: Vec<_> = message.reasons();
    assert_eq!(read.len(), 4);
    assert_eq!(
        (read[0].protocol.as_str(), read[0].cause, read[0].location.as_deref()),
        ("q.850", Some(16), Some("LN"))
    );
    assert_eq!(read[0].text.as_deref(), Some("a, b"));
    assert_eq!((read[1].cause, read[1].text.as_deref()), (None, Some("User Hung Up")));
    assert_eq!((read[2].cause, read[2].raw.as_str()), (None, "Q.850 ; CAUSE = 999999"));
    assert_eq!(read[3].protocol, "preemption");
    assert_eq!((message.rseq(), message.min_se(), message.expires()), (Some(17), Some(120), Some(180)));
    assert_eq!(
        message.session_expires().unwrap().refresher,
        Some(callbox_sip::wire::grammar::Refresher::Uac)
    );
    let replaces = message.replaces().unwrap().unwrap();
    assert_eq!(
        (replaces.call_id, replaces.to_tag, replaces.from_tag, replaces.early_only),
        ("a@b", "2", "1", true)
    );
    let retry = message.retry_after().unwrap();
    assert_eq!((retry.seconds, retry.duration), (30, Some(60)));
    let history: Vec<_> = message.history_info().map(|entry| (entry.cause, entry.index)).collect();
    assert_eq!(history, [(Some(408), Some("1")), (Some(486), Some("1.1"))]);
    let diversion = message.diversions().next().unwrap();
    assert_eq!((diversion.reason.as_deref(), diversion.counter), (Some("no-answer"), Some(2)));
    assert_eq!(message.addresses(&HeaderName::PAssertedIdentity).count(), 2);
    assert_eq!(message.require().collect::<Vec<_>>(), ["100rel", "timer"]);
    assert_eq!(message.timestamp().unwrap().delay.as_millis(), 250);
}
