//! One end's record, as far as it is held against the other's.

use super::vantage::{is_blind, sender};
use crate::call::observed::Sight;
use crate::call::{Act, Event, Input, Signal};
use crate::party::Role;
use crate::schema::StoredCommit;
use crate::time::Timestamp;
use crate::verdict::{Verdict, judge};

/// What one end's record says.
pub(super) struct End {
    pub(super) verdict: Verdict,
    /// The event of the first 2xx, sent or received.
    pub(super) answered: Option<u64>,
    /// When the end was decided or told; none for a live call.
    pub(super) ended: Option<u64>,
    /// A 2xx that came, wanted or not.
    pub(super) heard_answer: bool,
    /// A BYE that came: its event and time.
    pub(super) heard_bye: Option<(u64, Timestamp)>,
    /// A CANCEL that came: its event and time.
    pub(super) heard_cancel: Option<(u64, Timestamp)>,
    /// A BYE of ours was decided, or may have left.
    pub(super) may_have_sent_bye: bool,
    /// A CANCEL of ours was decided, or may have left.
    pub(super) may_have_sent_cancel: bool,
    /// An observer's record that lacks something: what is not in it proves nothing.
    pub(super) blind: bool,
    /// Whether the engine came back: what it sent by then is not dated.
    pub(super) restored: bool,
    answered_at: Option<Timestamp>,
    /// When the end was decided, or told.
    pub(super) decided_at: Option<Timestamp>,
    /// When the signalling was done.
    done_at: Option<Timestamp>,
}

impl End {
    /// The record of the end `role`, or of an observer that stands in for it.
    pub(super) fn of(commits: &[StoredCommit], role: Role) -> Self {
        let verdict = judge(commits.iter().map(|stored| &stored.commit));
        let blind = is_blind(commits, &verdict);
        let mut end = Self {
            verdict,
            answered: None,
            ended: None,
            heard_answer: blind,
            heard_bye: None,
            heard_cancel: None,
            may_have_sent_bye: blind,
            may_have_sent_cancel: blind,
            blind,
            restored: blind,
            answered_at: None,
            decided_at: None,
            done_at: None,
        };
        for stored in commits {
            end.hear(&stored.commit.input, role, (stored.commit.version, stored.commit.at));
            for (event, happened) in (stored.commit.version..).zip(&stored.commit.events) {
                end.see(&happened.event, event, stored.commit.at);
            }
        }
        end
    }

    fn hear(&mut self, input: &Input, role: Role, place: (u64, Timestamp)) {
        match input {
            Input::Signal(Signal::Success(_)) => {
                // An answer that nobody wants is acknowledged and ended with a BYE.
                self.may_have_sent_bye |= self.heard_answer || self.ended.is_some();
                self.heard_answer = true;
            }
            Input::Signal(Signal::Bye(_)) => _ = self.heard_bye.get_or_insert(place),
            Input::Signal(Signal::Cancel(_)) => _ = self.heard_cancel.get_or_insert(place),
            Input::Recovery(_) => {
                self.restored = true;
                (self.may_have_sent_bye, self.may_have_sent_cancel) = (true, true);
            }
            Input::Observed(sight) => self.overhear(sight, role, place),
            Input::Signal(_) | Input::Command(_) | Input::Timer(_) => {}
        }
    }

    /// What passed an observer that stands in for `role`: what the other end sent came to it, what this end sent left it.
    fn overhear(&mut self, sight: &Sight, role: Role, place: (u64, Timestamp)) {
        let (Some(signal), Some(from)) = (sight.signal(), sender(sight)) else { return };
        let came = from != role;
        if let Signal::Success(_) = signal {
            self.heard_answer |= came;
        } else if let Signal::Bye(_) = signal {
            self.may_have_sent_bye |= !came;
            self.heard_bye = self.heard_bye.or(came.then_some(place));
        } else if let Signal::Cancel(_) = signal {
            self.may_have_sent_cancel |= !came;
            self.heard_cancel = self.heard_cancel.or(came.then_some(place));
        }
    }

    fn see(&mut self, event: &Event, number: u64, at: Timestamp) {
        if let Event::Answered(_) = event {
            self.answered.get_or_insert(number);
            self.answered_at.get_or_insert(at);
        } else if let Event::Ending(ending) = event {
            self.may_have_sent_cancel |= ending.act == Act::Cancel;
            // A CANCEL that crosses the answer becomes a BYE.
            self.may_have_sent_bye |= matches!(ending.act, Act::Bye | Act::Timeout | Act::Cancel);
            self.ended.get_or_insert(number);
            self.decided_at.get_or_insert(at);
        } else if matches!(event, Event::EndSeen(_) | Event::CancelSeen) {
            self.decided_at.get_or_insert(at);
        } else if let Event::Ended(_) = event {
            self.ended.get_or_insert(number);
            self.decided_at.get_or_insert(at);
            self.done_at.get_or_insert(at);
        }
    }

    /// Milliseconds of conversation: at least to the decision to end it, at most until the other side is known to know.
    pub(super) fn talked_ms(&self) -> Option<(u64, u64)> {
        if self.blind {
            return None;
        }
        let (answered, decided, done) = (self.answered_at?, self.decided_at?, self.done_at?);
        let millis = |at: Timestamp| u64::try_from(at.since(answered).as_millis()).unwrap_or(u64::MAX);
        Some((millis(decided), millis(done)))
    }
}
