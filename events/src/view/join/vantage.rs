//! Where on the way from the caller to the callee a record was made.
//!
//! An engine stands at one of the ends. An observer stands somewhere between, and for the other record it stands in for
//! the end that lies behind it: what the caller sends passes an observer before it reaches the callee, and what the
//! callee sends leaves the observer for the caller.

use super::clocks::Clocks;
use super::matching::Basis;
use super::passage::passages;
use crate::call::Input;
use crate::call::observed::{Seen, Sight};
use crate::party::{Role, Side};
use crate::schema::StoredCommit;
use crate::verdict::{Completeness, Direction, Verdict};

/// Whether `a` is the record nearer to the caller. Between two observers the clocks decide: a message of the caller
/// passes the nearer one first and a message of the callee last, so seen from the wrong end they contradict each other.
#[must_use]
pub fn is_nearer_to_the_caller(
    (a, of_a): (&[StoredCommit], Direction),
    (b, of_b): (&[StoredCommit], Direction),
    basis: Basis,
) -> bool {
    match (of_a, of_b) {
        (Direction::Outgoing, _) | (Direction::Observed, Direction::Incoming) => true,
        (Direction::Incoming, _) | (Direction::Observed, Direction::Outgoing) => false,
        (Direction::Observed, Direction::Observed) => {
            let is_possible = |near, far| {
                Clocks::of(&passages(near, far, basis)).estimate().is_none_or(|estimate| estimate.steady)
            };
            is_possible(a, b) || !is_possible(b, a)
        }
    }
}

/// Whether an observer made the record.
pub(super) fn is_observed(commits: &[StoredCommit]) -> bool {
    commits.first().is_some_and(|first| matches!(first.commit.input, Input::Observed(_)))
}

/// Whether an observer's record lacks something that passed, so that what is not in it proves nothing.
pub(super) fn is_blind(commits: &[StoredCommit], verdict: &Verdict) -> bool {
    is_observed(commits) && verdict.completeness != Completeness::Full
}

/// The end whose message an observer saw; none for what is no message of an end, or one that had passed already.
pub(super) fn sender(sight: &Sight) -> Option<Role> {
    match &sight.seen {
        Seen::Relayed { .. } | Seen::Repeated { .. } | Seen::Malformed { .. } | Seen::Stray { .. } => {
            return None;
        }
        // Made by a proxy, below it.
        Seen::BranchFailed(_) | Seen::BranchCancelled(_) => return None,
        Seen::Invite { .. }
        | Seen::Midway { .. }
        | Seen::Signal(_)
        | Seen::Retried { .. }
        | Seen::Overcome(_)
        | Seen::Answered { .. }
        | Seen::Referred { .. }
        | Seen::Heard(_)
        | Seen::Related(_)
        | Seen::Resumed
        | Seen::Stopped(_) => {}
    }
    match sight.by {
        Side::Caller => Some(Role::Caller),
        Side::Callee => Some(Role::Callee),
        Side::Network | Side::Both | Side::Nobody | Side::Unknown => None,
    }
}
