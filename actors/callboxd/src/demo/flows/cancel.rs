//! Flow 2: the caller gives up before the answer.

use callbox::Notification as N;
use callbox_events::call::Act;
use callbox_events::party::{Agent, Side};
use callbox_events::verdict::{Cause, RaceKind, VerdictPhase};

use crate::demo::flow::{Deed, Expected, Flow, Move, Party, Path};
use crate::demo::server::Step;

const CANCELLED: Expected = Expected::new(Cause::Cancelled, Side::Caller);

/// The flows.
pub const FLOWS: &[Flow] = &[
    Flow {
        id: "2a",
        title: "the caller cancels while it rings",
        path: Path::Direct,
        no_answer_ms: None,
        moves: &[Move::own(Party::A, N::Ringing, 300, Deed::HangUp(None))],
        at_a: Some(CANCELLED.by(Agent::User).how(Act::Cancel, VerdictPhase::Ringing)),
        at_b: Some(CANCELLED.how(Act::Cancel, VerdictPhase::Ringing)),
    },
    Flow {
        id: "2d",
        title: "the CANCEL crosses the answer",
        path: Path::Through(&[
            Step::Forward,
            Step::Relay(180),
            // The answer is on its way while the caller gives up.
            Step::Keep(200),
            Step::AwaitCancel,
            Step::ReleaseKept,
        ]),
        no_answer_ms: None,
        moves: &[
            Move::own(Party::B, N::Ringing, 100, Deed::Accept),
            Move {
                seen_by: Party::B,
                on: N::Answered,
                after_ms: 20,
                who: Party::A,
                what: Deed::HangUp(None),
            },
        ],
        at_a: Some(CANCELLED.by(Agent::User).race(RaceKind::CancelVs200)),
        at_b: Some(Expected::new(Cause::Hangup, Side::Caller)),
    },
];
