//! Commits as an engine would write them, made from a number.

use callbox_events::call::{
    Act, Command, Ended, Event, Hangup, Input, Noted, Offered, Phase, Policy, TimerId,
};
use callbox_events::schema::{Commit, Happened, WireDirection, WireMessage};
use callbox_events::sip::{Counters, Dialog, Peer, Transport};
use callbox_events::{Agent, CallId, Role, Side, Timestamp};

/// The SIP Call-ID of the call with this number.
#[must_use]
pub fn sip_call_id(number: u64) -> String {
    format!("sample-{number}@host.invalid")
}

/// The id of the call with this number; later numbers start later.
#[must_use]
pub fn call(number: u64) -> CallId {
    CallId::derive(at(number), Role::Callee, &sip_call_id(number), "from", 1)
}

fn at(number: u64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + number * 1_000)
}

/// Bytes that look like nothing and can't be packed, the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| draw()).collect();
    bytes.truncate(length);
    bytes
}

/// Where the other side of every sample is.
#[must_use]
pub fn peer() -> Peer {
    Peer { transport: Transport::Udp, addr: ([127, 0, 0, 1], 5070).into() }
}

fn dialog(number: u64) -> Dialog {
    Dialog {
        sip_call_id: sip_call_id(number),
        local_uri: "<sip:bob@127.0.0.1>".into(),
        local_tag: format!("local-{number}"),
        remote_uri: "<sip:alice@127.0.0.1>".into(),
        remote_tag: Some("from".into()),
        remote_target: "sip:alice@127.0.0.1:5070".into(),
        route_set: Vec::new(),
        local_cseq: 0,
        remote_cseq: 1,
        local_contact: "sip:bob@127.0.0.1:5060".into(),
        peer: peer(),
        invite_branch: None,
        invite_cseq: 1,
    }
}

/// A commit of the call with this number, at this version, with `events` events and `wire_bytes` bytes of messages.
#[must_use]
pub fn commit(number: u64, version: u64, events: usize, wire_bytes: usize) -> Commit {
    let noted =
        |n: usize| Happened { phase: Phase::Early, event: Event::Noted(Noted { what: format!("note {n}") }) };
    let wire = WireMessage {
        direction: WireDirection::In,
        peer: peer(),
        to: None,
        bytes: noise(number * 31 + version, wire_bytes),
    };
    Commit {
        call: call(number),
        version,
        at: at(number),
        node: String::new(),
        epoch: 0,
        phase_before: Phase::Early,
        input: Input::Timer(TimerId::NoAnswer),
        events: (0..events).map(noted).collect(),
        wire: if wire_bytes == 0 { Vec::new() } else { vec![wire] },
    }
}

/// The first commit of a call: one event, with the dialog in it.
#[must_use]
pub fn offered(number: u64) -> Commit {
    let offered = Offered {
        from: "sip:alice@127.0.0.1".into(),
        to: "sip:bob@127.0.0.1".into(),
        dialog: dialog(number).into(),
        policy: Policy::default(),
        expires_at: None,
    };
    let event = Happened { phase: Phase::Incoming, event: Event::Offered(Box::new(offered)) };
    Commit { phase_before: Phase::Idle, events: vec![event], ..commit(number, 0, 1, 400) }
}

/// The last commit of a call: two events, its end and its release.
#[must_use]
pub fn released(number: u64, version: u64) -> Commit {
    let ended = Ended {
        act: Act::Bye,
        side: Side::Callee,
        agent: Agent::User,
        status: None,
        between: None,
        notes: Vec::new(),
        cause: None,
    };
    let hangup = Hangup { status: None, reason: None, reasons: Vec::new(), origin: Agent::User, cause: None };
    let events = vec![
        Happened { phase: Phase::Ended, event: Event::Ended(ended) },
        Happened { phase: Phase::Ended, event: Event::Released(Counters::default()) },
    ];
    let input = Input::Command(Command::Hangup(hangup));
    Commit { input, events, ..commit(number, version, 1, 0) }
}
