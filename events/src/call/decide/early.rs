//! Early: it rings, or there is media before the answer.

use super::{Decision, Moment, callee, calling, endings};
use crate::call::input::Input;
use crate::call::signal::Signal;

pub(super) fn decide(at: Moment<'_>, rang: bool, media: bool, input: &Input) -> Decision {
    if !endings::is_caller(at) {
        return callee::before_answer(at, rang, input);
    }
    match input {
        Input::Signal(Signal::Provisional(response)) => {
            Decision::default().event(calling::provisional_event(response, rang, media))
        }
        Input::Signal(signal) => calling::awaiting(at, signal),
        Input::Command(command) => calling::wish(at, true, true, command),
        Input::Timer(timer) => calling::time(at, true, true, *timer),
        Input::Observed(_) => Decision::nothing(),
        Input::Recovery(recovery) => calling::lost(recovery, at, true),
    }
}
