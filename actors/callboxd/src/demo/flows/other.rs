//! Flow 5: other ends.

use callbox::Notification as N;
use callbox_events::party::Agent;
use callbox_events::verdict::{Cause, VerdictPhase};

use crate::demo::flow::{Deed, Expected, Flow, Move, Party, Path};
use crate::demo::server::Step;

/// The flows.
pub const FLOWS: &[Flow] = &[Flow {
    id: "5a",
    title: "the ACK never arrives",
    // The server calls, takes the answer and does not acknowledge it.
    path: Path::FromServer(&[Step::Invite]),
    no_answer_ms: None,
    moves: &[Move::own(Party::B, N::Ringing, 100, Deed::Accept)],
    at_a: None,
    at_b: Some(Expected {
        agent: Some(Agent::Timer),
        phase: Some(VerdictPhase::Answering),
        ..Expected::whoever(Cause::AckMissing)
    }),
}];
