//! What a run takes from the record: what each step sent, which message answered which, how long the clocks ran.

use std::collections::BTreeMap;
use std::time::Duration;

use super::clocks::{Clock, Clocks};
use crate::call::{Call, Effect, Input, Signal};
use crate::schema::StoredCommit;
use crate::time::Timestamp;

/// A message of ours that the other side answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ask {
    /// The initial INVITE.
    Invite,
    /// Its CANCEL.
    Cancel,
    /// Our BYE.
    Bye,
    /// Our re-INVITE.
    Reinvite,
    /// Our 2xx, which the ACK answers.
    Answer,
}

impl Ask {
    /// What is asked by this effect.
    pub(super) fn of(effect: &Effect) -> Option<Self> {
        match effect {
            Effect::SendInvite { .. } => Some(Self::Invite),
            Effect::SendCancel { .. } => Some(Self::Cancel),
            Effect::SendBye { .. } => Some(Self::Bye),
            Effect::SendReinvite { .. } => Some(Self::Reinvite),
            Effect::Respond { status: 200..=299, .. } => Some(Self::Answer),
            Effect::Respond { .. }
            | Effect::Reach
            | Effect::SendAck
            | Effect::DismissAnswer { .. }
            | Effect::AnswerCancel { .. }
            | Effect::AnswerBye { .. }
            | Effect::AnswerReinvite { .. }
            | Effect::Arm { .. }
            | Effect::Disarm { .. }
            | Effect::DisarmAll => None,
        }
    }

    /// What `signal` answers; `cancelled`: our CANCEL had left, so that a 487 answers it.
    fn answered_by(signal: &Signal, cancelled: bool) -> Option<Self> {
        match signal {
            Signal::Failure(response) if cancelled && response.status == 487 => Some(Self::Cancel),
            Signal::Provisional(_) | Signal::Success(_) | Signal::Failure(_) => Some(Self::Invite),
            Signal::CancelAnswered(_) => Some(Self::Cancel),
            Signal::ByeAnswered(_) => Some(Self::Bye),
            Signal::ReinviteAnswered(_) => Some(Self::Reinvite),
            Signal::Ack(_) => Some(Self::Answer),
            Signal::Reachable { .. }
            | Signal::Invite(_)
            | Signal::Cancel(_)
            | Signal::Bye(_)
            | Signal::Reinvite(_)
            | Signal::Request(_)
            | Signal::TimedOut(_)
            | Signal::AckMissing
            | Signal::TransportFailed { .. }
            | Signal::Drained(_) => None,
        }
    }
}

/// One commit with what it did outside of the record.
pub(super) struct Step {
    /// What it asked of the other side.
    pub(super) asks: Vec<Ask>,
    /// What it answers, and the step that asked.
    pub(super) answers: Option<(Ask, usize)>,
    /// When the clock was due that its input is the word of, if it is and was armed.
    pub(super) was_due: Option<Timestamp>,
}

/// A recorded call, taken apart.
pub(super) struct Record<'a> {
    pub(super) commits: &'a [StoredCommit],
    pub(super) steps: Vec<Step>,
    /// Until when each armed clock is known to have run: it was stopped or spoke up then. A loaded engine is late, and
    /// one that is down does not look; whoever runs the call again must not know better.
    ran_until: BTreeMap<(Clock, Timestamp), Timestamp>,
    /// The shortest time from a message of ours to its answer.
    pub(super) round_trip: Option<Duration>,
}

impl<'a> Record<'a> {
    /// Takes apart commits that [`rerun`](fn@crate::view::rerun) agrees with.
    pub(super) fn of(commits: &'a [StoredCommit]) -> Self {
        let mut record = Self { commits, steps: Vec::new(), ran_until: BTreeMap::new(), round_trip: None };
        let (mut call, mut clocks) = (Call::default(), Clocks::default());
        let mut asked: BTreeMap<Ask, usize> = BTreeMap::new();
        for (index, stored) in commits.iter().enumerate() {
            let commit = &stored.commit;
            let effects = call.decide(&commit.input, commit.at).effects;
            let asks: Vec<Ask> = effects.iter().filter_map(Ask::of).collect();
            let answers = match &commit.input {
                Input::Signal(signal) => Ask::answered_by(signal, asked.contains_key(&Ask::Cancel))
                    .and_then(|ask| asked.get(&ask).map(|by| (ask, *by))),
                Input::Command(_) | Input::Timer(_) | Input::Recovery(_) | Input::Observed(_) => None,
            };
            let was_due = Clock::of(&commit.input).and_then(|clock| clocks.deadline(clock));
            record.steps.push(Step { asks: asks.clone(), answers, was_due });
            record.measure(index);
            asked.extend(asks.into_iter().map(|ask| (ask, index)));
            let before = clocks.clone();
            for happened in &commit.events {
                // The record was decided again: every event is legal here.
                let _ = call.apply(&happened.event, commit.at);
            }
            clocks.hear(&commit.input);
            clocks.follow(&effects, commit.at, patience(&call));
            let stopped = before.armed().iter().filter(|armed| !clocks.armed().contains(armed));
            record.ran_until.extend(stopped.map(|armed| (*armed, commit.at)));
        }
        let last = commits.last().map(|stored| stored.commit.at).unwrap_or_default();
        record.ran_until.extend(clocks.armed().iter().map(|armed| (*armed, last)));
        record
    }

    fn measure(&mut self, index: usize) {
        let Some((_, asker)) = self.steps.get(index).and_then(|step| step.answers) else { return };
        let at = |index: usize| self.commits.get(index).map(|stored| stored.commit.at).unwrap_or_default();
        let took = at(index).since(at(asker));
        self.round_trip = Some(self.round_trip.map_or(took, |shortest| shortest.min(took)));
    }

    /// Whether the record armed this clock with this deadline.
    pub(super) fn armed(&self, clock: Clock, deadline: Timestamp) -> bool {
        self.ran_until.contains_key(&(clock, deadline))
    }

    /// When `clock` would speak up in another run: at its deadline, but not before the record proves that it did not.
    pub(super) fn speaks_up(&self, clock: Clock, deadline: Timestamp) -> Timestamp {
        self.ran_until.get(&(clock, deadline)).map_or(deadline, |until| deadline.max(*until))
    }

    /// Whether the record ever sent this.
    pub(super) fn has_asked(&self, ask: Ask) -> bool {
        self.steps.iter().any(|step| step.asks.contains(&ask))
    }

    /// What answered `ask` on record, and how long after it.
    pub(super) fn answers_to(&self, ask: Ask) -> Vec<(Duration, Input)> {
        let answer = |(step, stored): (&Step, &StoredCommit)| {
            let (_, asker) = step.answers.filter(|(answered, _)| *answered == ask)?;
            let asked = self.commits.get(asker)?.commit.at;
            Some((stored.commit.at.since(asked), stored.commit.input.clone()))
        };
        self.steps.iter().zip(self.commits).filter_map(answer).collect()
    }
}

/// How long a transaction of this call waits: 64·T1.
pub(super) fn patience(call: &Call) -> Duration {
    call.profile.as_ref().map(|profile| profile.policy.sip).unwrap_or_default().patience()
}
