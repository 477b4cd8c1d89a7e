//! Recorded inputs in a run that has parted from the record: as far as they are still possible.

use super::assumption::Kind;
use super::clocks::Clock;
use super::record::Ask;
use super::run::Run;
use super::world::{self, Fate, Standing};
use crate::call::{Decision, Input, Outcome, Recovery};

impl Run<'_> {
    /// A recorded input in a run that has parted from the record.
    pub(super) fn as_far_as_possible(
        &mut self,
        index: usize,
        input: Input,
        answers: Option<(Ask, Option<Standing>)>,
    ) {
        let event = self.record.commits.get(index).map(|stored| stored.commit.version).unwrap_or_default();
        match input {
            Input::Timer(_) => self.clock_word(input, index),
            Input::Command(command) => {
                let code = command.code();
                let wish = Input::Command(command);
                match self.call.decide(&wish, self.now) {
                    Decision { outcome: Some(Outcome::Refused), .. } => {
                        self.assume(Kind::WishRefused { command: code }, Some(event));
                    }
                    Decision { .. } => {
                        self.assume(Kind::SameTimeHere, None);
                        self.feed(wish, Some(index));
                    }
                }
            }
            Input::Recovery(recovery) => {
                let last_event_at = self.call.last_event_at;
                self.feed(Input::Recovery(Recovery { last_event_at, ..recovery }), Some(index));
            }
            // Calls that were only watched are refused before.
            Input::Observed(_) => self.feed(input, Some(index)),
            Input::Signal(signal) => {
                // What is late was on its way whatever we did meanwhile.
                let answers = answers.filter(|_| !self.changes.late_in.contains_key(&index));
                match world::fate(&self.call, &signal, answers) {
                    Fate::Comes => {
                        let late = self.changes.late_in.contains_key(&index);
                        if !late && answers.is_none_or(|(ask, _)| ask == Ask::Invite) {
                            self.assume(Kind::SameTimeThere, None);
                        }
                        self.feed(Input::Signal(signal), Some(index));
                    }
                    Fate::Becomes(other, kind) => {
                        self.assume(kind, Some(event));
                        self.feed(Input::Signal(*other), None);
                    }
                    Fate::LeftOut(kind) => self.assume(kind, Some(event)),
                    Fate::Void => self.clock_word(Input::Signal(signal), index),
                }
            }
        }
    }

    /// The recorded word of a clock counts if that clock is due in this run too.
    fn clock_word(&mut self, input: Input, index: usize) {
        let due = Clock::of(&input).and_then(|clock| self.clocks.deadline(clock));
        if due.is_some_and(|due| due <= self.now) {
            self.feed(input, Some(index));
        }
    }
}
