//! Calls that a former observer left open: taken up again from their records.

use callbox_events::call::Input;
use callbox_events::call::observed::{Related, Relation, Seen};
use callbox_events::schema::Commit;
use callbox_events::{CallId, Timestamp};

use super::super::Sighting;
use super::super::tracked::{Restored, Tracked};
use super::{Observer, Slot};
use crate::wire::Message;

/// A record that can't be gone on with: no observed call's, closed, or with something missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record is no open one of an observed call")]
pub struct NotOpen;

impl Observer {
    /// Takes up a call again whose record breaks off because its observer was killed. `commits` are the record, from its
    /// first. Messages that are later than it go on with the call; when none comes in time it ends as far as it was
    /// seen. Returns what is to be written down of a call that had to make room for it.
    ///
    /// # Errors
    /// [`NotOpen`]: there is nothing to take up.
    pub fn resume(&mut self, commits: &[Commit]) -> Result<Vec<Commit>, NotOpen> {
        let Restored { call, messages } = Tracked::restore(commits, self.config, self.now).ok_or(NotOpen)?;
        let mut made_room = Vec::new();
        self.make_room(&mut made_room);
        let slot = self.next;
        self.next += 1;
        self.by_call_id.entry(call.sip_call_id.clone()).or_default().push(slot);
        self.due.extend(call.deadlines.next().map(|(at, _)| (at, slot)));
        if call.is_over() {
            self.over.insert(slot);
        }
        self.calls.insert(slot, call);
        self.join_again(slot, &messages, commits);
        for (message, sighting) in &messages {
            self.learn_wishes(slot, message, sighting);
        }
        Ok(made_room)
    }

    /// The call `call_id` is closed on record since `until`: an earlier message of it without its beginning is there
    /// already, or was left out for a reason.
    pub fn note_closed(&mut self, call_id: &str, until: Timestamp) {
        self.closed.insert(call_id.to_owned(), until);
    }

    /// Forgets the calls that were taken up and of which nothing was seen since. Their records stay as they are.
    pub fn leave_unseen(&mut self) {
        let unseen: Vec<Slot> =
            self.calls.iter().filter(|(_, call)| call.dormant).map(|(slot, _)| *slot).collect();
        for slot in unseen {
            self.forget(slot);
        }
    }

    /// Finds the other legs again, those that the record names.
    fn join_again(&mut self, slot: Slot, messages: &[(Message, Sighting)], commits: &[Commit]) {
        let Some((message, sighting)) = messages.first() else { return };
        for link in self.legs.begin(slot, message, sighting) {
            let other = self.calls.get(&link.other).map(|other| other.record.id());
            if link.relation == Relation::Leg && !other.is_some_and(|other| names(commits, other)) {
                self.legs.part(slot, link.other);
            }
        }
    }

    /// Whether a message may be of the call: a call that was taken up goes on where its record ends. What is earlier is
    /// on record, or passed by.
    pub(super) fn is_in_time(&self, slot: Slot, at: Timestamp) -> bool {
        self.calls.get(&slot).is_some_and(|call| !call.dormant || at > call.record.last_event_at())
    }

    /// The same call begins, seen again from its beginning: the record is gone through once more.
    pub(super) fn forget_twin(&mut self, call_id: &str, id: CallId) {
        let slots = self.by_call_id.get(call_id).map(|slots| slots.to_vec()).unwrap_or_default();
        let is_twin =
            |slot: &Slot| self.calls.get(slot).is_some_and(|call| call.dormant && call.record.id() == id);
        if let Some(twin) = slots.into_iter().find(is_twin) {
            self.forget(twin);
        }
    }
}

/// Whether a record says that `other` is the other leg.
fn names(commits: &[Commit], other: CallId) -> bool {
    commits.iter().any(|commit| {
        let Input::Observed(sight) = &commit.input else { return false };
        matches!(&sight.seen, Seen::Related(Related { call, relation: Relation::Leg, .. }) if *call == other)
    })
}
