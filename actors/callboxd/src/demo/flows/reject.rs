//! Flow 3: the callee rejects, and what a business server makes of it.

use callbox::Notification as N;
use callbox_events::call::Act;
use callbox_events::party::{Agent, Side};
use callbox_events::verdict::{Cause, VerdictPhase};

use crate::demo::flow::{Deed, Expected, Flow, Move, Party, Path};
use crate::demo::server::Step;

const REJECT: Move = Move::own(Party::B, N::Ringing, 200, Deed::HangUp(None));
const DECLINED: Expected = Expected::new(Cause::Declined, Side::Callee);
const HOW: (Act, VerdictPhase) = (Act::FinalResponse, VerdictPhase::Ringing);
const USER_BUSY: Option<&str> = Some("Q.850;cause=17;text=\"User busy\"");

/// The flows.
pub const FLOWS: &[Flow] = &[
    Flow {
        id: "3a",
        title: "the callee rejects: 603",
        path: Path::Direct,
        no_answer_ms: None,
        moves: &[REJECT],
        at_a: Some(DECLINED.how(HOW.0, HOW.1)),
        at_b: Some(DECLINED.by(Agent::User).how(HOW.0, HOW.1)),
    },
    Flow {
        id: "3b",
        title: "the callee is busy: 486",
        path: Path::Direct,
        no_answer_ms: None,
        moves: &[Move::own(Party::B, N::Ringing, 200, Deed::HangUp(Some(486)))],
        at_a: Some(Expected::new(Cause::Busy, Side::Callee).how(HOW.0, HOW.1)),
        at_b: Some(DECLINED.by(Agent::User).how(HOW.0, HOW.1)),
    },
    Flow {
        id: "3g",
        title: "rejected; the server answers and plays \"busy\"",
        path: Path::Through(&[
            Step::Forward,
            Step::Relay(180),
            Step::AwaitRefusal,
            Step::Answer { status: 200, sdp: true, reason: USER_BUSY },
        ]),
        no_answer_ms: None,
        moves: &[REJECT, Move::own(Party::A, N::Connected, 400, Deed::HangUp(None))],
        at_a: Some(
            Expected::new(Cause::Hangup, Side::Caller)
                .by(Agent::User)
                .how(Act::Bye, VerdictPhase::Connected)
                .announced(&[Cause::Busy, Cause::Declined]),
        ),
        at_b: Some(DECLINED.by(Agent::User)),
    },
    Flow {
        id: "3h",
        title: "rejected; the server plays \"busy\" before any answer",
        path: Path::Through(&[
            Step::Forward,
            Step::Relay(180),
            Step::AwaitRefusal,
            Step::Answer { status: 183, sdp: true, reason: USER_BUSY },
            Step::AwaitCancel,
            Step::Answer { status: 487, sdp: false, reason: None },
        ]),
        no_answer_ms: None,
        moves: &[REJECT, Move::own(Party::A, N::EarlyMedia, 400, Deed::HangUp(None))],
        at_a: Some(
            Expected::new(Cause::Cancelled, Side::Caller)
                .by(Agent::User)
                .how(Act::Cancel, VerdictPhase::EarlyMedia)
                .announced(&[Cause::Busy, Cause::Declined]),
        ),
        at_b: Some(DECLINED.by(Agent::User)),
    },
    Flow {
        id: "3i",
        title: "rejected; the server plays \"busy\", then ends it: 486",
        path: Path::Through(&[
            Step::Forward,
            Step::Relay(180),
            Step::AwaitRefusal,
            Step::Answer { status: 183, sdp: true, reason: None },
            Step::Wait(400),
            Step::Answer { status: 486, sdp: false, reason: USER_BUSY },
        ]),
        no_answer_ms: None,
        moves: &[REJECT],
        at_a: Some(Expected {
            phase: Some(VerdictPhase::EarlyMedia),
            act: Some(Act::FinalResponse),
            ..Expected::whoever(Cause::Busy)
        }),
        at_b: Some(DECLINED.by(Agent::User)),
    },
];
