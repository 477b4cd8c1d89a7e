//! Two records of one call: the caller's and the callee's, matched, put on one clock, and compared.
//!
//! 1. [`CallKey`] is what a call is matched by; small, so that whole stores fit into memory.
//! 2. [`match_calls`] finds the pairs: by Call-ID and tags where the call went through unchanged, by Session-ID or by
//!    parties and time where something between began a call of its own (then the pair is inferred, and says so).
//! 3. [`Clocks`] bounds how much the two clocks differ, from the messages that both recorded.
//! 4. [`join`] says what the two records agree on and what they contradict each other in. Everything is told by the two
//!    ends of the call, so that the order of the two records does not matter.
//! 5. [`Presence`] tells of a call without a partner whether the other store should have had it.
//! 6. [`merged()`] draws both as one chart.
//!
//! A record may be an observer's: it then stands in for the end that lies behind it, seen from the other record.

mod absent;
mod chart;
mod clocks;
mod contradictions;
mod end;
mod key;
mod matching;
mod passage;
mod vantage;

pub use absent::{Absence, Presence};
pub use chart::merged;
pub use clocks::{Clocks, Estimate};
pub use contradictions::Contradiction;
pub use key::CallKey;
pub use matching::{Basis, Matched, match_calls};
pub use passage::{Passage, passages};
pub use vantage::is_nearer_to_the_caller;

use end::End;

use crate::party::Role;
use crate::schema::StoredCommit;
use crate::verdict::Verdict;

/// What two records of one call say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The verdict by the caller's record.
    pub caller: Verdict,
    /// The verdict by the callee's record.
    pub callee: Verdict,
    /// What both say.
    pub agreements: Vec<String>,
    /// Where they contradict each other.
    pub contradictions: Vec<Contradiction>,
    /// Messages that one side sent and the other side's record does not have, although it would: `BYE of the caller`.
    pub lost: Vec<String>,
    /// How much later the callee's clock is than the caller's, as far as this call alone tells.
    pub clocks: Clocks,
}

/// Compares two records of a call: that of the caller's end, or nearer to it, and that of the callee's.
#[must_use]
pub fn join(caller: &[StoredCommit], callee: &[StoredCommit], basis: Basis) -> Joined {
    let passages = passages(caller, callee, basis);
    let clocks = Clocks::of(&passages);
    let (caller, callee) = (End::of(caller, Role::Caller), End::of(callee, Role::Callee));
    let contradictions = contradictions::find(&caller, &callee, clocks);
    Joined {
        agreements: contradictions::agreements(&caller, &callee),
        contradictions,
        lost: passages.iter().filter_map(Passage::lost).collect(),
        clocks,
        caller: caller.verdict,
        callee: callee.verdict,
    }
}
