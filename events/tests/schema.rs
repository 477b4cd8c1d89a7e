//! What is written stays readable for ever: the bytes that each released version wrote are frozen here.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::path::PathBuf;

use callbox_events::call::{
    Call, Command, Hangup, Input, Note, Pending, Policy, Recovery, Signal, TimerId, Tone,
};
use callbox_events::party::{Agent, Role};
use callbox_events::schema::{self, CodecError, Commit, Happened, StoredCommit, WireDirection, WireMessage};
use callbox_events::sip::{Clues, Counters, Diversion, MediaDirection, Reason, Sdp};
use callbox_events::verdict::Cause;
use callbox_events::{CallId, Timestamp};
use support::build;

/// Inputs that together write every kind of event and every kind of input.
fn story() -> Vec<Input> {
    let mut ringing = build::response(180);
    ringing.clues = Clues {
        hangup_code: Some(17),
        diversions: vec![Diversion { cause: Some(486), reason: Some("user-busy".into()) }],
        automata: true,
        contact_host: Some("ivr.example.net".into()),
        software: Some("Server/1".into()),
        early_media: Some("sendonly".into()),
        retry_after: Some(3),
        warnings: vec!["399 x \"y\"".into()],
        hangup_cause: Some("Busy".into()),
    };
    let mut media = build::response(183);
    media.sdp = Some(Sdp { origin: "192.0.2.9".into(), direction: MediaDirection::SendOnly });
    media.reasons = vec![Reason {
        raw: "Q.850;cause=17".into(),
        location: Some("LN".into()),
        ..Reason::q850(17, "busy")
    }];
    let mut answer = build::response(200);
    answer.dialog = Some(build::dialog().into());
    vec![
        Input::Command(Command::Place(Box::new(build::place(Policy {
            no_answer_ms: Some(1),
            ..Policy::default()
        })))),
        Input::Signal(Signal::Provisional(build::response(100))),
        Input::Signal(Signal::Provisional(ringing)),
        Input::Signal(Signal::Provisional(media)),
        Input::Signal(Signal::Success(answer)),
        Input::Command(Command::Hold),
        Input::Signal(Signal::ReinviteAnswered(build::response(200))),
        Input::Command(Command::Resume),
        Input::Signal(Signal::ReinviteAnswered(build::response(488))),
        Input::Recovery(Recovery { last_event_at: Timestamp::from_micros(5), fault: "crash".into() }),
        Input::Command(Command::Note(Note::Tone(Tone::Busy))),
        Input::Command(Command::Hangup(Hangup {
            status: Some(486),
            reason: Some("bye".into()),
            cause: Some(Cause::CreditExhausted),
            ..Hangup::by(Agent::User)
        })),
        Input::Signal(Signal::TransportFailed { pending: Pending::Other, detail: "refused".into() }),
        Input::Timer(TimerId::EndGrace),
        Input::Signal(Signal::Drained(Counters { sent_again: 1, received_again: 2, stray: 3 })),
    ]
}

fn commits() -> Vec<Commit> {
    let mut call = Call::default();
    let mut commits = Vec::new();
    let callee = vec![
        Input::Signal(Signal::Invite(Box::new(build::invite(Policy::default())))),
        Input::Command(Command::Accept),
        Input::Command(Command::Hangup(Hangup::by(Agent::Application))),
        Input::Signal(Signal::Ack(build::request("ACK"))),
        Input::Signal(Signal::Bye(build::request("BYE"))),
    ];
    for (role, inputs) in [(Role::Caller, story()), (Role::Callee, callee)] {
        if role == Role::Callee {
            call = Call::default();
        }
        for (step, input) in (0u64..).zip(inputs) {
            let at = Timestamp::from_micros(1_700_000_000_000_000 + step * 1000);
            let (phase_before, version) = (call.phase(), call.version);
            let decision = call.decide(&input, at);
            let events = decision.events.into_iter().map(|event| {
                call.apply(&event, at).unwrap();
                Happened { phase: call.phase(), event }
            });
            commits.push(Commit {
                call: CallId::derive(
                    Timestamp::from_micros(1_700_000_000_000_000),
                    role,
                    "story@example.com",
                    "a-tag",
                    1,
                ),
                version,
                at,
                node: "n1".into(),
                epoch: 2,
                phase_before,
                input,
                events: events.collect(),
                wire: vec![WireMessage {
                    direction: WireDirection::In,
                    peer: build::peer(),
                    to: None,
                    bytes: vec![0, 255, 13, 10],
                }],
            });
        }
    }
    commits
}

fn frozen(version: u16) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/frozen/v{version}.bin"))
}

#[test]
fn version_1_as_it_was_released_reads_as_it_did() {
    let path = frozen(1);
    if std::env::var_os("FREEZE_SCHEMA").is_some() {
        let framed: Vec<u8> = commits()
            .iter()
            .flat_map(|commit| {
                let bytes = schema::encode(commit).unwrap();
                let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
                length.into_iter().chain(bytes)
            })
            .collect();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, framed).unwrap();
    }
    let bytes = std::fs::read(&path).expect("the frozen sample");
    let mut rest = bytes.as_slice();
    let mut read = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let (body, tail) = tail.split_at(u32::from_be_bytes(*length) as usize);
        read.push(schema::decode(body).expect("a frozen commit"));
        rest = tail;
    }
    insta::assert_json_snapshot!("frozen_v1", read);
}

#[test]
fn the_sample_holds_every_kind_of_event() {
    let mut kinds: Vec<_> = commits()
        .iter()
        .flat_map(|commit| &commit.events)
        .map(|happened| happened.event.kind().code())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), 17, "{kinds:?}");
}

#[test]
fn a_newer_version_is_refused_by_name_and_garbage_is_no_commit() {
    let mut bytes = schema::encode(&commits()[0]).unwrap();
    bytes[..2].copy_from_slice(&9u16.to_be_bytes());
    assert!(matches!(schema::decode(&bytes), Err(CodecError::TooNew { found: 9 })));
    assert_eq!(
        schema::decode(&bytes).unwrap_err().to_string(),
        "the commit has schema version 9; this callbox reads up to 1"
    );
    for garbage in [&b""[..], b"\x00", b"\x00\x00abc", b"\x00\x01", b"\x00\x01\xc1", b"\x00\x01\x80"] {
        assert!(matches!(schema::decode(garbage), Err(CodecError::Malformed(_))), "{garbage:?}");
    }
}

#[test]
fn the_envelope_is_what_the_interface_promises() {
    let commit = commits().remove(0);
    let recorded = StoredCommit::plain(40, [0xab; 32], commit).recorded();
    insta::assert_json_snapshot!(recorded[1], @r#"
    {
      "seq": 41,
      "call_seq": 1,
      "recorded_at": "2023-11-14T22:13:20.000000Z",
      "type": "sent",
      "version": 1,
      "phase_before": "calling",
      "phase_after": "calling",
      "caused_by": {
        "kind": "command",
        "detail": "place"
      },
      "data": {
        "peer": {
          "addr": "192.0.2.7:5060",
          "transport": "udp"
        }
      },
      "hash": "abababababababababababababababababababababababababababababababab"
    }
    "#);
}
