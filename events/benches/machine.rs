//! What a call costs in the pure core: deciding and applying its inputs, and turning its commits into bytes and back.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use callbox_events::call::{Call, IncomingPolicy, Input, Invite, Policy, Signal};
use callbox_events::schema::{self, Commit, Happened, WireDirection, WireMessage};
use callbox_events::sip::{Counters, Dialog, Peer, Request, Sdp, Transport};
use callbox_events::{CallId, Timestamp, verdict};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn peer() -> Peer {
    Peer { transport: Transport::Udp, addr: ([192, 0, 2, 7], 5060).into() }
}

fn request(method: &str) -> Request {
    Request { method: method.into(), cseq: 1, sdp: Some(Sdp::default()), ..Request::default() }
}

/// INVITE answered at once, ACK, BYE, drained: the call that load tests make.
fn inputs() -> Vec<Input> {
    let dialog = Dialog {
        sip_call_id: "1-20817@127.0.0.1".into(),
        local_uri: "<sip:service@127.0.0.1:5060>".into(),
        local_tag: "f3a9c1d2e4b5".into(),
        remote_uri: "\"rig\" <sip:rig@127.0.0.1:5070>".into(),
        remote_tag: Some("20817SIPpTag001".into()),
        remote_target: "sip:rig@127.0.0.1:5070".into(),
        route_set: Vec::new(),
        local_cseq: 0,
        remote_cseq: 1,
        local_contact: "sip:127.0.0.1:5060".into(),
        peer: peer(),
        invite_branch: Some("z9hG4bK-20817-1-0".into()),
        invite_cseq: 1,
    };
    let invite = Invite {
        from: "sip:rig@127.0.0.1:5070".into(),
        to: "sip:service@127.0.0.1:5060".into(),
        dialog: dialog.into(),
        request: request("INVITE"),
        expires: None,
        policy: Policy { incoming: IncomingPolicy::Answer, ..Policy::default() },
    };
    vec![
        Input::Signal(Signal::Invite(Box::new(invite))),
        Input::Signal(Signal::Ack(request("ACK"))),
        Input::Signal(Signal::Bye(request("BYE"))),
        Input::Signal(Signal::Drained(Counters::default())),
    ]
}

fn live(inputs: &[Input]) -> Vec<Commit> {
    let mut call = Call::default();
    let mut commits = Vec::with_capacity(inputs.len());
    for input in inputs {
        let at = Timestamp::from_micros(1_700_000_000_000_000);
        let (phase_before, version) = (call.phase(), call.version);
        let mut events = Vec::new();
        for event in call.decide(input, at).events {
            call.apply(&event, at).unwrap();
            events.push(Happened { phase: call.phase(), event });
        }
        let wire = vec![WireMessage {
            direction: WireDirection::In,
            peer: peer(),
            to: None,
            bytes: vec![b'x'; 600],
        }];
        let id = CallId::from_bytes([7; 16]);
        commits.push(Commit {
            call: id,
            version,
            at,
            node: String::new(),
            epoch: 0,
            phase_before,
            input: input.clone(),
            events,
            wire,
        });
    }
    commits
}

fn machine(criterion: &mut Criterion) {
    let inputs = inputs();
    let commits = live(&inputs);
    let bytes: Vec<Vec<u8>> = commits.iter().map(|commit| schema::encode(commit).unwrap()).collect();
    let size: usize = bytes.iter().map(Vec::len).sum();
    let events: usize = commits.iter().map(|commit| commit.events.len()).sum();
    println!(
        "one call: {} commits, {events} events, {size} bytes of which 2400 are SIP messages",
        commits.len()
    );

    let mut group = criterion.benchmark_group("machine");
    group.throughput(Throughput::Elements(1));
    group.bench_function("decide and apply a call", |bencher| bencher.iter(|| live(black_box(&inputs))));
    group.bench_function("encode a call", |bencher| {
        bencher.iter(|| {
            commits.iter().map(|commit| schema::encode(black_box(commit)).unwrap().len()).sum::<usize>()
        });
    });
    group.bench_function("decode a call", |bencher| {
        bencher.iter(|| {
            bytes.iter().map(|bytes| schema::decode(black_box(bytes)).unwrap().events.len()).sum::<usize>()
        });
    });
    group.bench_function("judge a call", |bencher| bencher.iter(|| verdict::judge(black_box(&commits))));
    group.finish();
}

criterion_group!(benches, machine);
criterion_main!(benches);
