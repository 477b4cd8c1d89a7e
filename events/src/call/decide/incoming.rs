//! Incoming: an INVITE is here and nothing was said yet.

use super::{Decision, Moment, callee};
use crate::call::input::Input;

pub(super) fn decide(at: Moment<'_>, input: &Input) -> Decision {
    callee::before_answer(at, false, input)
}
