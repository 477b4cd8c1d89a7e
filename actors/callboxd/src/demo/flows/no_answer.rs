//! Flow 4: nobody answers; whose timer runs out, and what a business server makes of it.

use callbox::Notification as N;
use callbox_events::call::Act;
use callbox_events::party::{Agent, Side};
use callbox_events::verdict::{Cause, VerdictPhase};

use crate::demo::flow::{Deed, Expected, Flow, Move, Party, Path};
use crate::demo::server::Step;
use crate::demo::timing::{CALLER_PATIENCE_MS, SERVER_PATIENCE_MS};

/// What B makes of the Reason in the CANCEL of the server.
const MISSED: Expected = Expected::new(Cause::NoAnswer, Side::Network);
const NOBODY_ANSWERS: Option<&str> = Some("Q.850;cause=19;text=\"No answer from user\"");
const SERVER_GAVE_UP: Option<&str> = Some("SIP;cause=408;text=\"Request Timeout\"");

/// The flows.
pub const FLOWS: &[Flow] = &[
    Flow {
        id: "4a",
        title: "the callee's timer runs out: 480",
        path: Path::Direct,
        no_answer_ms: None,
        moves: &[],
        at_a: Some(
            Expected::new(Cause::NoAnswer, Side::Callee).how(Act::FinalResponse, VerdictPhase::Ringing),
        ),
        at_b: Some(Expected::new(Cause::NoAnswer, Side::Callee).by(Agent::Timer)),
    },
    Flow {
        id: "4b",
        title: "the server's timer runs out: 408",
        path: Path::Through(&[
            Step::Forward,
            Step::Relay(180),
            Step::Wait(SERVER_PATIENCE_MS),
            Step::CancelB { reason: SERVER_GAVE_UP },
            Step::AwaitRefusal,
            Step::Answer { status: 408, sdp: false, reason: None },
        ]),
        no_answer_ms: None,
        moves: &[],
        at_a: Some(Expected::new(Cause::NoAnswer, Side::Network)),
        at_b: Some(MISSED),
    },
    Flow {
        id: "4c",
        title: "the caller's timer runs out: CANCEL",
        path: Path::Direct,
        no_answer_ms: Some(CALLER_PATIENCE_MS),
        moves: &[],
        at_a: Some(
            Expected::new(Cause::NoAnswer, Side::Caller)
                .by(Agent::Timer)
                .how(Act::Cancel, VerdictPhase::Ringing),
        ),
        at_b: Some(Expected::new(Cause::NoAnswer, Side::Caller)),
    },
    Flow {
        id: "4d",
        title: "no response at all",
        path: Path::Through(&[Step::Silence]),
        no_answer_ms: None,
        moves: &[],
        at_a: Some(Expected {
            phase: Some(VerdictPhase::Setup),
            ..Expected::new(Cause::NoResponse, Side::Network)
        }),
        at_b: None,
    },
    Flow {
        id: "4g",
        title: "nobody answers; the server answers and plays it",
        path: Path::Through(&[
            Step::Forward,
            Step::Relay(180),
            Step::Wait(SERVER_PATIENCE_MS),
            Step::CancelB { reason: SERVER_GAVE_UP },
            Step::AwaitRefusal,
            Step::Answer { status: 200, sdp: true, reason: NOBODY_ANSWERS },
        ]),
        no_answer_ms: None,
        moves: &[Move::own(Party::A, N::Connected, 400, Deed::HangUp(None))],
        at_a: Some(
            Expected::new(Cause::Hangup, Side::Caller)
                .by(Agent::User)
                .how(Act::Bye, VerdictPhase::Connected)
                .announced(&[Cause::NoAnswer]),
        ),
        at_b: Some(MISSED),
    },
    Flow {
        id: "4f",
        title: "nobody answers; the server plays it before any answer",
        path: Path::Through(&[
            Step::Forward,
            Step::Relay(180),
            Step::Wait(SERVER_PATIENCE_MS),
            Step::CancelB { reason: SERVER_GAVE_UP },
            Step::AwaitRefusal,
            Step::Answer { status: 183, sdp: true, reason: NOBODY_ANSWERS },
            Step::AwaitCancel,
            Step::Answer { status: 487, sdp: false, reason: None },
        ]),
        no_answer_ms: None,
        moves: &[Move::own(Party::A, N::EarlyMedia, 400, Deed::HangUp(None))],
        at_a: Some(
            Expected::new(Cause::Cancelled, Side::Caller)
                .by(Agent::User)
                .how(Act::Cancel, VerdictPhase::EarlyMedia)
                .announced(&[Cause::NoAnswer]),
        ),
        at_b: Some(MISSED),
    },
    Flow {
        id: "4e",
        title: "somebody else takes the call",
        path: Path::Through(&[
            Step::Forward,
            Step::Relay(180),
            Step::Wait(300),
            Step::CancelB { reason: Some("SIP;cause=200;text=\"Call completed elsewhere\"") },
            Step::AwaitRefusal,
            Step::Answer { status: 200, sdp: true, reason: None },
        ]),
        no_answer_ms: None,
        moves: &[Move::own(Party::A, N::Connected, 300, Deed::HangUp(None))],
        at_a: Some(
            Expected::new(Cause::Hangup, Side::Caller).by(Agent::User).how(Act::Bye, VerdictPhase::Connected),
        ),
        at_b: Some(Expected::whoever(Cause::AnsweredElsewhere)),
    },
];
