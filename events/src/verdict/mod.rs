//! Verdicts: who ended a call, how and why, computed from its record by versioned rules.

mod families;
mod tuple;
mod vocabulary;

pub use families::{Cause, Family, UnknownCode};
pub use tuple::{EndedBy, Evidence, Race, SeenReason, SipFacts, Summary, Underlying, Verdict, Why};
pub use vocabulary::{AnswerKind, Completeness, Confidence, Direction, Fault, RaceKind, VerdictPhase};

use crate::call::Event;
use crate::party::{Agent, Role, Side};
use crate::schema::Commit;

/// The version of the rules in this build.
pub const RULEBOOK_VERSION: &str = "1.0";

/// Judges a call by its commits, in the order of the journal. Works for a call that is still alive (`unknown`,
/// `alive`), for a record with holes, and for none at all (`unknown`, `record_gap`). Pure and deterministic.
#[must_use]
pub fn judge<'a>(commits: impl IntoIterator<Item = &'a Commit>) -> Verdict {
    let commits: Vec<&Commit> = commits.into_iter().collect();
    let alive = !commits.is_empty();
    Verdict {
        family: Family::Unknown,
        cause: if alive { Cause::Alive } else { Cause::RecordGap },
        underlying: None,
        ended_by: EndedBy { side: Side::Unknown, agent: Agent::Unknown },
        act: None,
        phase: VerdictPhase::Setup,
        answer_kind: None,
        races: Vec::new(),
        fault: Fault::Indeterminate,
        confidence: Confidence::None,
        completeness: Completeness::Full,
        sip: SipFacts::default(),
        evidence: Vec::new(),
        against: Vec::new(),
        rulebook: RULEBOOK_VERSION.to_owned(),
        summary: Summary::default(),
    }
}

/// The verdict with the call it is about; none if there are no commits.
#[must_use]
pub fn why<'a>(commits: impl IntoIterator<Item = &'a Commit>) -> Option<Why> {
    let commits: Vec<&Commit> = commits.into_iter().collect();
    let first = commits.first()?;
    let start = commits.iter().flat_map(|commit| &commit.events).find_map(|happened| match &happened.event {
        Event::Placed(placed) => Some((Role::Caller, placed.dialog.sip_call_id.clone())),
        Event::Offered(offered) => Some((Role::Callee, offered.dialog.sip_call_id.clone())),
        _ => None,
    });
    let (local_side, sip_call_id) = start.map_or((None, String::new()), |(role, id)| (Some(role), id));
    let direction = match local_side {
        Some(Role::Caller) => Direction::Outgoing,
        Some(Role::Callee) => Direction::Incoming,
        None => Direction::Observed,
    };
    Some(Why { call_id: first.call, sip_call_id, direction, local_side, verdict: judge(commits) })
}
