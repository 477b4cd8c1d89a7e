//! What the SIP work of a call costs, without parsing: a called leg from INVITE to the answered BYE.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use callbox_events::Timestamp;
use callbox_events::call::Effect;
use callbox_events::sip::{Peer, Transport};
use callbox_sip::ids::SeededIds;
use callbox_sip::leg::{Leg, LegConfig, Outbox};
use callbox_sip::wire::{Limits, Message, parse};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

fn request(method: &str, cseq: u32, to_tag: &str, body: &str) -> Message {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let text = format!(
        "{method} sip:service@127.0.0.1:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-1-{cseq}-{method}\r\n\
         Max-Forwards: 70\r\nFrom: sipp <sip:sipp@127.0.0.1:5061>;tag=1SIPpTag001\r\n\
         To: service <sip:service@127.0.0.1:5060>{to_tag}\r\nCall-ID: 1-12345@127.0.0.1\r\n\
         CSeq: {cseq} {method}\r\nContact: <sip:sipp@127.0.0.1:5061>\r\nSubject: Performance Test\r\n\
         {kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    parse(text.into(), &Limits::default()).unwrap()
}

fn peer() -> Peer {
    Peer { transport: Transport::Udp, addr: "127.0.0.1:5061".parse().unwrap() }
}

fn respond(status: u16, sdp: bool) -> Effect {
    Effect::Respond { status, sdp, reasons: Vec::new(), contact: None, retry_after: None }
}

struct Call {
    invite: Message,
    ack: Message,
    bye: Message,
}

/// A whole call as its callee sees it. Returns the leg, so that dropping it is not measured.
fn call(config: &LegConfig, ids: &mut SeededIds, out: &mut Outbox, call: Call) -> Leg {
    let now = Timestamp::from_micros(1_000_000);
    let (mut leg, invite) =
        Leg::incoming(&call.invite, peer(), "local-tag".to_owned(), config.clone(), now).unwrap();
    black_box(invite);
    leg.perform(now, &respond(180, false), None, ids, out).unwrap();
    leg.perform(now, &respond(200, true), Some(SDP), ids, out).unwrap();
    leg.receive(now, call.ack, peer(), out);
    leg.receive(now, call.bye, peer(), out);
    leg.perform(now, &Effect::AnswerBye { status: 200 }, None, ids, out).unwrap();
    black_box(leg.next_timeout());
    assert_eq!(out.transmits.len(), 3);
    out.clear();
    leg
}

fn uas_call(c: &mut Criterion) {
    let config = LegConfig::new("sip:service@127.0.0.1:5060", "127.0.0.1:5060");
    let mut ids = SeededIds::new(1);
    let mut out = Outbox::new();
    let messages = (
        request("INVITE", 1, "", SDP),
        request("ACK", 1, ";tag=local-tag", ""),
        request("BYE", 2, ";tag=local-tag", ""),
    );
    c.bench_function("uas_call_through_leg", |bencher| {
        bencher.iter_batched(
            || Call { invite: messages.0.clone(), ack: messages.1.clone(), bye: messages.2.clone() },
            |messages| call(&config, &mut ids, &mut out, messages),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, uas_call);
criterion_main!(benches);
