//! What reading and writing one message costs, and what rsip's own parser and printer cost beside it.
//!
//! For instructions instead of time: `valgrind --tool=callgrind` on the `instructions` example.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may fail loudly")]

use std::hint::black_box;
use std::net::SocketAddr;

use bytes::Bytes;
use callbox_sip::wire::{HeaderName, Limits, Message, Writer, bridge, call_id_of, parse};
use criterion::{Criterion, criterion_group, criterion_main};

const INVITE: &[u8] = include_bytes!("../tests/common/invite.sip");

fn source() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 17], 5060))
}

/// Call-ID, branch, CSeq and tags: what finding a call and its transaction takes.
fn route_keys(message: &Message) {
    black_box((message.call_id(), message.branch(), message.cseq(), message.from_tag(), message.to_tag()));
}

fn ringing(invite: &Message) -> Bytes {
    let reply = Writer::reply(invite, 180, Some("8c1f0e6a"), source());
    reply.header(&HeaderName::Contact, "<sip:callbox@192.0.2.4:5060>").finish().unwrap_or_default()
}

fn wire(c: &mut Criterion) {
    let datagram = Bytes::from_static(INVITE);
    let limits = Limits::default();
    let invite = parse(datagram.clone(), &limits).unwrap();
    let rsip_invite = rsip::SipMessage::try_from(INVITE).unwrap();
    let mut group = c.benchmark_group("parse");
    group.bench_function("call_id_of", |b| b.iter(|| call_id_of(black_box(INVITE))));
    group.bench_function("scan", |b| b.iter(|| parse(black_box(datagram.clone()), &limits)));
    group.bench_function("scan and route keys", |b| {
        b.iter(|| route_keys(&parse(black_box(datagram.clone()), &limits).unwrap()))
    });
    group.bench_function("scan to rsip values", |b| {
        b.iter(|| bridge::to_rsip(&parse(black_box(datagram.clone()), &limits).unwrap()))
    });
    group.bench_function("serialise a response", |b| b.iter(|| ringing(black_box(&invite))));
    group.bench_function("rsip parses", |b| b.iter(|| rsip::SipMessage::try_from(black_box(INVITE))));
    group.bench_function("rsip prints", |b| b.iter(|| black_box(&rsip_invite).to_string()));
    group.finish();
}

criterion_group!(benches, wire);
criterion_main!(benches);
