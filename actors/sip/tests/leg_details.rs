//! Details of single messages: what a leg and the stateless replies read and write, by hand-made messages.

#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use callbox_events::Timestamp;
use callbox_events::call::{Effect, Signal};
use callbox_events::sip::{Diversion, MediaDirection, Peer, Reason, Transport};
use callbox_sip::ids::SeededIds;
use callbox_sip::leg::{Leg, Outbox, Transmit, TransmitKind};
use callbox_sip::wire::{HeaderName, Limits, Message, parse};
use callbox_sip::{digest, stateless};
use world::{ANSWER, OFFER, address, call_to_b, config, title};

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

fn message(lines: &[&str]) -> Message {
    parse((lines.join("\r\n") + "\r\n\r\n").into(), &Limits::default()).unwrap()
}

fn request(method: &str, uri: &str, more: &[&str]) -> Message {
    let first = format!("{method} {uri} SIP/2.0");
    let cseq = format!("CSeq: 7 {method}");
    let mut lines = vec![first.as_str()];
    let has = |name: &str| more.iter().any(|line| line.starts_with(name));
    if !has("Via:") {
        lines.push("Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;rport");
    }
    if !has("From:") {
        lines.push("From: <sip:ann@example.com>;tag=ann");
    }
    if !has("To:") {
        lines.push("To: <sip:bob@example.com>");
    }
    if !has("Contact:") {
        lines.push("Contact: <sip:ann@10.0.0.1>");
    }
    lines.extend(["Call-ID: c1", &cseq]);
    lines.extend(more);
    message(&lines)
}

fn source() -> Peer {
    Peer { transport: Transport::Udp, addr: "10.0.0.1:40000".parse().unwrap() }
}

fn read(sent: &Transmit) -> Message {
    parse(sent.bytes.clone(), &Limits::default()).unwrap()
}

fn begin(invite: &Message) -> (Leg, callbox_events::call::Invite) {
    Leg::incoming(invite, source(), "tag-b".into(), config('b', Transport::Udp), NOW).unwrap()
}

fn respond(leg: &mut Leg, effect: &Effect) -> Message {
    let mut out = Outbox::new();
    leg.perform(NOW, effect, Some(ANSWER), &mut SeededIds::new(1), &mut out).unwrap();
    read(&out.transmits[0])
}

fn plain(status: u16, reasons: Vec<Reason>) -> Effect {
    Effect::Respond { status, sdp: false, reasons, contact: None, retry_after: None }
}

#[test]
fn a_request_for_no_call_gets_what_rfc_3261_8_2_says() {
    for (method, uri, more, status) in [
        ("INVITE", "sip:b@h", &[][..], None),
        ("INVITE", "tel:+1555", &[], None),
        ("INVITE", "urn:service:sos", &[], Some(416)),
        ("INVITE", "sip:b@h", &["To: <sip:b@h>;tag=t"], Some(481)),
        ("INVITE", "sip:b@h", &["Require: 100rel, foo"], Some(420)),
        ("BYE", "sip:b@h", &["To: <sip:b@h>;tag=t"], Some(481)),
        ("CANCEL", "sip:b@h", &[], Some(481)),
        ("OPTIONS", "sip:b@h", &[], Some(200)),
        ("OPTIONS", "sip:b@h", &["To: <sip:b@h>;tag=t"], Some(481)),
        ("REGISTER", "sip:h", &[], Some(405)),
        ("MESSAGE", "sip:b@h", &[], Some(405)),
        ("WHAT", "sip:b@h", &[], Some(501)),
        ("ACK", "sip:b@h", &["To: <sip:b@h>;tag=t"], None),
    ] {
        let message = request(method, uri, more);
        let verdict = stateless::verdict_of_unroutable(&message);
        assert_eq!(verdict.as_ref().map(|refusal| refusal.status), status, "{method} {uri} {more:?}");
        let Some(refusal) = verdict else { continue };
        let reply = stateless::refuse(&message, source(), &refusal, &config('b', Transport::Udp)).unwrap();
        let again = stateless::refuse(&message, source(), &refusal, &config('b', Transport::Udp)).unwrap();
        assert_eq!(reply, again, "the same request gets the same reply");
        assert_eq!(reply.peer, source());
        let read = read(&reply);
        assert_eq!(read.status(), status);
        assert!(read.to_tag().is_some());
        assert_eq!(read.header(&HeaderName::Allow).is_some(), matches!(refusal.status, 405 | 501 | 200));
        assert_eq!(read.header(&HeaderName::Unsupported), (refusal.status == 420).then_some("100rel, foo"));
    }
}

#[test]
fn an_ack_or_a_response_is_never_answered() {
    let refusal = stateless::Refusal::new(481);
    let ack = request("ACK", "sip:b@h", &[]);
    assert_eq!(stateless::refuse(&ack, source(), &refusal, &config('b', Transport::Udp)), None);
    let response = message(&[
        "SIP/2.0 200 OK",
        "Via: SIP/2.0/UDP h;branch=z9hG4bKx",
        "From: <sip:a@h>;tag=1",
        "To: <sip:b@h>;tag=2",
        "Call-ID: c1",
        "CSeq: 7 INVITE",
    ]);
    assert_eq!(stateless::verdict_of_unroutable(&response), None);
    assert_eq!(stateless::refuse(&response, source(), &refusal, &config('b', Transport::Udp)), None);
}

#[test]
fn what_can_be_told_of_a_broken_request_is_told() {
    let raw = "INVITE sip:b@h SIP/3.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\n\
               To: <sip:b@h>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n\r\n";
    let error = parse(raw.into(), &Limits::default()).unwrap_err();
    let reply = stateless::reject(&error, source(), &config('b', Transport::Udp)).unwrap();
    assert_eq!(read(&reply).status(), Some(505));
}

#[test]
fn responses_go_where_rfc_3581_and_18_2_2_say() {
    for (via, peer) in [
        ("Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;rport", "10.0.0.1:40000"),
        ("Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx", "10.0.0.1:5060"),
        ("Via: SIP/2.0/UDP nat.example:5070;branch=z9hG4bKx", "10.0.0.1:5070"),
        ("Via: SIP/2.0/UDP h;branch=z9hG4bKx;maddr=10.0.0.7", "10.0.0.7:5060"),
    ] {
        let (mut leg, _) = begin(&request("INVITE", "sip:b@h", &[via]));
        let mut out = Outbox::new();
        leg.perform(NOW, &plain(180, vec![]), None, &mut SeededIds::new(1), &mut out).unwrap();
        assert_eq!(out.transmits[0].peer.addr, peer.parse().unwrap(), "{via}");
    }
}

#[test]
fn a_response_copies_what_it_must_and_says_who_answers() {
    let invite = request(
        "INVITE",
        "sip:b@h",
        &[
            "Via: SIP/2.0/UDP p1;branch=z9hG4bKx;rport, SIP/2.0/UDP ua;branch=z9hG4bKy",
            "Record-Route: <sip:p1;lr>, <sip:p2;lr>",
        ],
    );
    let (mut leg, facts) = begin(&invite);
    assert_eq!(facts.dialog.route_set, ["<sip:p1;lr>", "<sip:p2;lr>"]);
    assert_eq!((facts.from.as_str(), facts.to.as_str()), ("sip:ann@example.com", "sip:bob@example.com"));
    let ringing = respond(&mut leg, &plain(180, vec![]));
    assert_eq!(ringing.to_tag(), Some("tag-b"));
    assert_eq!(ringing.record_routes().count(), 2);
    assert_eq!(ringing.vias().count(), 2);
    assert_eq!(ringing.top_via().rport(), Some(40_000));
    assert_eq!(ringing.contact().unwrap().uri, "sip:b@10.0.0.2:5060");
    let reasons =
        vec![Reason::q850(17, "say \"no\"\r\nEvil: 1"), Reason { raw: "a\r\nb".into(), ..Reason::default() }];
    let refused = respond(
        &mut leg,
        &Effect::Respond {
            status: 302,
            sdp: false,
            reasons,
            contact: Some("sip:carol@h".into()),
            retry_after: Some(30),
        },
    );
    assert_eq!(refused.status(), Some(302));
    assert_eq!(refused.contact().unwrap().uri, "sip:carol@h");
    assert_eq!(refused.retry_after().unwrap().seconds, 30);
    let told = refused.reasons();
    assert_eq!(told.len(), 1, "a reason that can't be written is left out, the response leaves all the same");
    assert_eq!((told[0].cause, told[0].text.as_deref()), (Some(17), Some("say \"no\"  Evil: 1")));
    assert_eq!(refused.header(&HeaderName::from("Evil")), None);
}

#[test]
fn an_invite_that_can_begin_no_call_is_refused_with_the_reason() {
    for (more, status) in [
        (&["Contact: *"][..], 400),
        (&["To: <sip:b@h>;tag=t"], 481),
        (&["Require: timer"], 420),
        (&["Content-Type: text/plain", "Content-Length: 2", "", "x"], 415),
    ] {
        let invite = request("INVITE", "sip:b@h", more);
        let refused = Leg::incoming(&invite, source(), "t".into(), config('b', Transport::Udp), NOW);
        assert_eq!(refused.unwrap_err().status, status, "{more:?}");
    }
}

#[test]
fn the_same_invite_on_another_path_is_merged() {
    let (mut leg, _) = begin(&request("INVITE", "sip:b@h", &[]));
    let merged = request("INVITE", "sip:b@h", &["Via: SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKother"]);
    assert!(leg.claims(&merged));
    let mut out = Outbox::new();
    leg.receive(NOW, merged, source(), &mut out);
    assert_eq!(read(&out.transmits[0]).status(), Some(482), "RFC 3261 §8.2.2.2");
    assert!(out.signals.is_empty());
}

#[test]
fn a_caller_of_rfc_2543_is_understood() {
    let via = "Via: SIP/2.0/UDP 10.0.0.1";
    let (mut leg, facts) = begin(&request("INVITE", "sip:b@h", &[via, "From: <sip:ann@example.com>"]));
    assert_eq!(facts.dialog.remote_tag.as_deref(), Some(""));
    let mut out = Outbox::new();
    leg.perform(NOW, &plain(180, vec![]), None, &mut SeededIds::new(1), &mut out).unwrap();
    out.clear();
    leg.receive(NOW, request("INVITE", "sip:b@h", &[via, "From: <sip:ann@example.com>"]), source(), &mut out);
    assert_eq!((out.transmits.len(), out.signals.len()), (1, 0), "repeated, absorbed, answered again");
    out.clear();
    leg.receive(NOW, request("CANCEL", "sip:b@h", &[via, "From: <sip:ann@example.com>"]), source(), &mut out);
    assert!(matches!(out.signals[..], [Signal::Cancel(_)]));
    let refused = respond(&mut leg, &plain(487, vec![]));
    assert_eq!(refused.status(), Some(487));
    out.clear();
    let to = "To: <sip:bob@example.com>;tag=tag-b";
    leg.receive(
        NOW,
        request("ACK", "sip:b@h", &[via, to, "From: <sip:ann@example.com>"]),
        source(),
        &mut out,
    );
    assert_eq!(leg.counters().stray, 0, "the ACK found its transaction");
}

#[test]
fn a_reliable_provisional_response_gets_its_prack_although_none_was_asked_for() {
    let mut ids = SeededIds::new(1);
    let dialog = call_to_b(Transport::Udp, &mut ids);
    let (call_id, branch) = (dialog.sip_call_id.clone(), dialog.invite_branch.clone().unwrap());
    let mut leg = Leg::outgoing(dialog.into(), config('a', Transport::Udp));
    let peer = address('b', Transport::Udp);
    let mut out = Outbox::new();
    leg.perform(NOW, &Effect::SendInvite { peer }, Some(OFFER), &mut ids, &mut out).unwrap();
    let mut answer = |method: &str, cseq: u32, branch: &str, status: &str, more: &str| {
        let text = format!(
            "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch={branch}\r\n\
             From: <sip:ann@example.com>;tag=tag-a\r\nTo: <sip:bob@example.com>;tag=tag-b\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:b@10.0.0.2>\r\n{more}\
             Content-Length: 0\r\n\r\n"
        );
        let mut out = Outbox::new();
        let message = parse(text.into(), &Limits::default()).unwrap();
        leg.receive(NOW, message, peer, &mut out);
        out
    };
    let out = answer("INVITE", 1, &branch, "183 Session Progress", "Require: 100rel\r\nRSeq: 9\r\n");
    assert!(matches!(out.signals[..], [Signal::Provisional(_)]));
    let prack = read(&out.transmits[0]);
    assert_eq!(out.transmits[0].kind, TransmitKind::AbsorbedReply);
    assert_eq!(prack.header(&HeaderName::RAck), Some("9 1 INVITE"));
    let branch = prack.branch().unwrap().to_owned();
    assert!(answer("PRACK", 2, &branch, "200 OK", "").signals.is_empty(), "its answer is absorbed");
}

#[test]
fn the_clues_of_a_server_are_found() {
    let body = "v=0\r\no=- 1 1 IN IP4 10.9.9.9\r\ns=-\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly";
    let message = message(&[
        "SIP/2.0 183 Session Progress",
        "Via: SIP/2.0/UDP h;branch=z9hG4bKx",
        "From: <sip:a@h>;tag=1",
        "To: <sip:b@h>;tag=2",
        "Call-ID: c1",
        "CSeq: 7 INVITE",
        "Contact: <sip:ivr@media.example:5080>;automata;+sip.x=\"y\"",
        "History-Info: <sip:bob@h?Reason=SIP%3Bcause%3D486>;index=1, <sip:vm@h;cause=408>;index=1.1",
        "Diversion: <sip:bob@h>;reason=user-busy;counter=1",
        "Server: PBX/1.0",
        "P-Early-Media: sendonly",
        "Retry-After: 120 (soon)",
        "Warning: 399 h \"Announcement\"",
        "X-Asterisk-HangupCause: User busy",
        "Reason: Q.850;cause=17;text=\"User busy\", SIP;cause=486",
        "Content-Type: application/sdp",
        "",
        body,
    ]);
    let facts = digest::response(&message);
    assert_eq!((facts.status, facts.to_tag.as_deref(), facts.reasons.len()), (183, Some("2"), 2));
    let sdp = facts.sdp.unwrap();
    assert_eq!((sdp.origin.as_str(), sdp.direction), ("10.9.9.9", MediaDirection::SendOnly));
    let clues = facts.clues;
    assert!(clues.automata);
    assert_eq!(clues.contact_host.as_deref(), Some("media.example"));
    assert_eq!(clues.software.as_deref(), Some("PBX/1.0"));
    assert_eq!(clues.early_media.as_deref(), Some("sendonly"));
    assert_eq!(clues.retry_after, Some(120));
    assert_eq!(clues.warnings, ["399 h \"Announcement\""]);
    assert_eq!(clues.hangup_cause.as_deref(), Some("User busy"));
    let moved =
        |cause: Option<u16>, reason: Option<&str>| Diversion { cause, reason: reason.map(Into::into) };
    assert_eq!(
        clues.diversions,
        [moved(Some(486), None), moved(Some(408), None), moved(None, Some("user-busy"))]
    );
}

#[test]
fn a_description_inside_a_multipart_body_is_found() {
    let body = "--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\
                o=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\n--x--";
    let message = request("INVITE", "sip:b@h", &["Content-Type: multipart/mixed;boundary=x", "", body]);
    assert_eq!(digest::sdp(&message).unwrap().origin, "10.1.1.1");
}

#[test]
fn an_ack_of_a_delayed_offer_brings_the_answer() {
    let (mut leg, _) = begin(&request("INVITE", "sip:b@h", &[]));
    assert_eq!(leg.remote_sdp(), None);
    let ok = respond(
        &mut leg,
        &Effect::Respond { status: 200, sdp: true, reasons: vec![], contact: None, retry_after: None },
    );
    assert!(ok.has_sdp() && title(&ok.raw).starts_with("200"));
    let to = "To: <sip:bob@example.com>;tag=tag-b";
    let via = "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKack";
    let ack = request("ACK", "sip:b@h", &[via, to, "Content-Type: application/sdp", "", "v=0\r\n"]);
    let mut out = Outbox::new();
    leg.receive(NOW, ack, source(), &mut out);
    assert!(matches!(out.signals[..], [Signal::Ack(_)]));
    assert!(leg.remote_sdp().unwrap().starts_with("v=0"));
}

#[test]
fn a_flood_of_requests_and_forks_is_bounded() {
    let (mut leg, _) = begin(&request("INVITE", "sip:b@h", &[]));
    let to = "To: <sip:bob@example.com>;tag=tag-b";
    for number in 0..10_000 {
        let via = format!("Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK{number};rport");
        let text = format!(
            "INFO sip:b@h SIP/2.0\r\n{via}\r\nFrom: <sip:ann@example.com>;tag=ann\r\n{to}\r\nCall-ID: c1\r\n\
             CSeq: {} INFO\r\n\r\n",
            number + 8
        );
        let mut out = Outbox::new();
        leg.receive(NOW, parse(text.into(), &Limits::default()).unwrap(), source(), &mut out);
        assert_eq!((out.transmits.len(), out.signals.len()), (1, 1));
    }
    assert!(format!("{leg:?}").len() < 100_000, "finished transactions are forgotten");
}

#[test]
fn a_drained_leg_begins_nothing() {
    let (mut leg, _) = begin(&request("INVITE", "sip:b@h", &[]));
    respond(&mut leg, &plain(486, vec![]));
    let mut out = Outbox::new();
    while let Some(next) = leg.next_timeout() {
        leg.handle_timeout(next, &mut SeededIds::new(1), &mut out);
    }
    assert!(leg.is_drained());
    out.clear();
    leg.receive(NOW, request("BYE", "sip:b@h", &["To: <sip:bob@example.com>;tag=tag-b"]), source(), &mut out);
    assert_eq!((out.signals.len(), read(&out.transmits[0]).status()), (0, Some(481)));
    assert_eq!(leg.next_timeout(), None);
}
