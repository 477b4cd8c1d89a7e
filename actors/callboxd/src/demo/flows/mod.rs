//! The flows, by group.

mod cancel;
mod hangup;
mod no_answer;
mod other;
mod reject;

use super::flow::Flow;

/// All flows in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Flow> {
    [hangup::FLOWS, cancel::FLOWS, reject::FLOWS, no_answer::FLOWS, other::FLOWS].into_iter().flatten()
}
