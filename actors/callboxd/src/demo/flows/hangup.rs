//! Flow 1: somebody hangs up in conversation.

use callbox::Notification as N;
use callbox_events::call::Act;
use callbox_events::party::{Agent, Side};
use callbox_events::verdict::{Cause, VerdictPhase};

use crate::demo::flow::{Deed, Expected, Flow, Move, Party, Path};

const HANGUP_BY_CALLER: Expected = Expected::new(Cause::Hangup, Side::Caller);
const HANGUP_BY_CALLEE: Expected = Expected::new(Cause::Hangup, Side::Callee);

/// The flows.
pub const FLOWS: &[Flow] = &[
    Flow {
        id: "1a",
        title: "the caller hangs up",
        path: Path::Direct,
        no_answer_ms: None,
        moves: &[
            Move::own(Party::B, N::Ringing, 100, Deed::Accept),
            Move::own(Party::A, N::Connected, 300, Deed::HangUp(None)),
        ],
        at_a: Some(HANGUP_BY_CALLER.by(Agent::User).how(Act::Bye, VerdictPhase::Connected)),
        at_b: Some(HANGUP_BY_CALLER.how(Act::Bye, VerdictPhase::Connected)),
    },
    Flow {
        id: "1b",
        title: "the callee hangs up",
        path: Path::Direct,
        no_answer_ms: None,
        moves: &[
            Move::own(Party::B, N::Ringing, 100, Deed::Accept),
            Move::own(Party::B, N::Connected, 300, Deed::HangUp(None)),
        ],
        at_a: Some(HANGUP_BY_CALLEE.how(Act::Bye, VerdictPhase::Connected)),
        at_b: Some(HANGUP_BY_CALLEE.by(Agent::User).how(Act::Bye, VerdictPhase::Connected)),
    },
    Flow {
        id: "1d",
        title: "the caller holds, then hangs up",
        path: Path::Direct,
        no_answer_ms: None,
        moves: &[
            Move::own(Party::B, N::Ringing, 100, Deed::Accept),
            Move::own(Party::A, N::Connected, 100, Deed::Hold),
            Move::own(Party::A, N::Held, 200, Deed::HangUp(None)),
        ],
        at_a: Some(HANGUP_BY_CALLER.by(Agent::User).how(Act::Bye, VerdictPhase::Held)),
        at_b: Some(HANGUP_BY_CALLER.how(Act::Bye, VerdictPhase::Held)),
    },
];
