//! The run: recorded inputs and what is assumed beside them, in the order of virtual time, through the machine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::Changes;
use super::assumption::{Assumption, Kind};
use super::clocks::{Clock, Clocks};
use super::record::{Ask, Record, patience};
use super::world::{self, Standing};
use crate::call::{Call, Command, Decision, Input, Phase, Policy, Signal};
use crate::schema::{Commit, Happened, StoredCommit, WireDirection, WireMessage};
use crate::sip::Counters;
use crate::time::Timestamp;

/// A run has no more steps than its record and this many: it ends, whatever the machine does.
const MORE_STEPS: usize = 1_000;

/// Something that will come.
struct Coming {
    at: Timestamp,
    /// The recorded step it is from; none if it is assumed.
    step: Option<usize>,
    input: Input,
}

pub(super) struct Run<'a> {
    pub(super) record: &'a Record<'a>,
    pub(super) changes: &'a Changes,
    pub(super) call: Call,
    pub(super) clocks: Clocks,
    /// By time; at the same time the recorded before the assumed, each in their order.
    agenda: VecDeque<Coming>,
    standing: BTreeMap<Ask, Standing>,
    /// Whether anything was different so far. Until then the record decides what comes; afterwards it is asked whether
    /// it still can.
    parted: bool,
    pub(super) now: Timestamp,
    pub(super) commits: Vec<StoredCommit>,
    /// What was taken for granted, with the recorded event that it is about.
    assumed: Vec<(Kind, Option<u64>)>,
}

impl<'a> Run<'a> {
    pub(super) fn new(record: &'a Record<'a>, changes: &'a Changes) -> Self {
        let mut run = Self {
            record,
            changes,
            call: Call::default(),
            clocks: Clocks::default(),
            agenda: VecDeque::new(),
            standing: BTreeMap::new(),
            parted: false,
            now: Timestamp::default(),
            commits: Vec::new(),
            assumed: Vec::new(),
        };
        for (index, stored) in record.commits.iter().enumerate() {
            let at = stored.commit.at + run.delay_of(index);
            run.come(Coming { at, step: Some(index), input: stored.commit.input.clone() });
        }
        run
    }

    /// How much later a recorded input comes: because it is late itself, or because what it answers was.
    fn delay_of(&self, index: usize) -> Duration {
        let own = self.changes.late_in.get(&index).copied().unwrap_or_default();
        let asked = self.record.steps.get(index).and_then(|step| step.answers);
        let asker = asked.and_then(|(_, asker)| self.changes.late_out.get(&asker).copied());
        own + asker.unwrap_or_default()
    }

    fn come(&mut self, coming: Coming) {
        let order = |coming: &Coming| (coming.at, coming.step.is_none());
        let place = self.agenda.partition_point(|known| order(known) <= order(&coming));
        self.agenda.insert(place, coming);
    }

    /// Runs to the end: of the call, or of everything that could still happen.
    pub(super) fn finish(&mut self) {
        for _ in 0..self.record.commits.len() + MORE_STEPS {
            if self.parted && self.call.phase() == Phase::Ended {
                return self.drain();
            }
            let due = self.next_clock();
            let next = self.agenda.front().map(|coming| coming.at);
            if let Some((at, clock)) = due.filter(|(at, _)| next.is_none_or(|next| *at < next)) {
                self.ring(at, clock);
                continue;
            }
            let Some(coming) = self.agenda.pop_front() else { break };
            self.now = self.now.max(coming.at);
            match coming.step {
                Some(index) => self.recorded(index, coming.input),
                None => self.feed(coming.input, None),
            }
        }
        if self.parted && self.call.phase() != Phase::Ended {
            self.assume(Kind::OpenEnd { phase: self.call.phase() }, None);
        }
    }

    /// The next clock that may speak up. One that the record itself left running stays silent as long as nothing has
    /// changed.
    fn next_clock(&mut self) -> Option<(Timestamp, Clock)> {
        let record = self.record;
        let parted = self.parted;
        let armed = self.clocks.armed().iter();
        let may = armed.filter(|(clock, deadline)| parted || !record.armed(*clock, *deadline));
        let (at, clock) = may.map(|(clock, at)| (record.speaks_up(*clock, *at), *clock)).min()?;
        let down = self.agenda.front().is_some_and(
            |next| matches!(&next.input, Input::Recovery(recovery) if !recovery.is_of_this_call() && recovery.last_event_at <= at),
        );
        if down {
            self.assume(Kind::EngineDown, None);
            return None;
        }
        Some((at.max(self.now), clock))
    }

    /// A clock speaks up where the record has nothing of it.
    fn ring(&mut self, at: Timestamp, clock: Clock) {
        self.part();
        self.now = at;
        if !self.agenda.iter().any(|coming| coming.step.is_some()) {
            self.assume(Kind::Silence, None);
        }
        self.feed(clock.input(), None);
    }

    /// A recorded input has its turn.
    fn recorded(&mut self, index: usize, input: Input) {
        let Some(step) = self.record.steps.get(index) else { return };
        if self.changes.lost_in.contains(&index) {
            return self.part();
        }
        let answers = step.answers.map(|(ask, _)| (ask, self.standing.get(&ask).copied()));
        if answers.is_some_and(|(_, standing)| standing == Some(Standing::Lost))
            || self.never_heard_of(&input)
        {
            return self.part();
        }
        if self.delay_of(index) > Duration::ZERO {
            self.part();
        }
        let moved = Clock::of(&input).is_some_and(|clock| self.clocks.deadline(clock) != step.was_due);
        // Up to the first difference, one step of the record is one of this run.
        if moved || self.commits.len() != index {
            self.part();
        }
        if self.parted {
            self.as_far_as_possible(index, input, answers)
        } else {
            self.feed(input, Some(index))
        }
    }

    /// Our INVITE was lost: whatever the other side said, it did not say.
    fn never_heard_of(&self, input: &Input) -> bool {
        let lost = self.standing.get(&Ask::Invite) == Some(&Standing::Lost);
        lost && matches!(input, Input::Signal(signal) if signal.is_from_the_other_side())
    }

    /// The changed rules go into the input that begins the call, and with it into everything that follows.
    fn with_rules(&self, mut input: Input) -> Input {
        let rule = |policy: &mut Policy| {
            for (setting, value) in &self.changes.settings {
                // Values were tried when the changes were read.
                let _ = setting.put(policy, value);
            }
        };
        match &mut input {
            Input::Command(Command::Place(place)) => rule(&mut place.policy),
            Input::Signal(Signal::Invite(invite)) => rule(&mut invite.policy),
            Input::Command(_)
            | Input::Signal(_)
            | Input::Timer(_)
            | Input::Recovery(_)
            | Input::Observed(_) => {}
        }
        input
    }

    /// Gives one input to the machine and keeps what it decides.
    pub(super) fn feed(&mut self, input: Input, step: Option<usize>) {
        let input = self.with_rules(input);
        let Decision { events, effects, .. } = self.call.decide(&input, self.now);
        if events.is_empty() {
            self.clocks.hear(&input);
            return;
        }
        let (version, phase_before) = (self.call.version, self.call.phase());
        let mut happened = Vec::new();
        for event in events {
            if self.call.apply(&event, self.now).is_err() {
                break;
            }
            happened.push(Happened { phase: self.call.phase(), event });
        }
        self.clocks.hear(&input);
        self.clocks.follow(&effects, self.now, patience(&self.call));
        self.keep(version, phase_before, input, happened, step);
        for ask in effects.iter().filter_map(Ask::of) {
            self.ask(ask, step);
        }
    }

    fn keep(
        &mut self,
        version: u64,
        phase_before: Phase,
        input: Input,
        events: Vec<Happened>,
        step: Option<usize>,
    ) {
        let recorded = step.and_then(|index| self.record.commits.get(index)).map(|stored| &stored.commit);
        let kinds =
            |events: &[Happened]| events.iter().map(|happened| happened.event.kind()).collect::<Vec<_>>();
        let same = recorded.is_some_and(|commit| kinds(&commit.events) == kinds(&events));
        let wire = recorded.map(|commit| kept(&commit.wire, same)).unwrap_or_default();
        if !same {
            self.part();
        }
        let Some(first) = self.record.commits.first().map(|stored| &stored.commit) else { return };
        let commit = Commit {
            call: first.call,
            version,
            at: self.now,
            node: first.node.clone(),
            epoch: first.epoch,
            phase_before,
            input,
            events,
            wire,
        };
        self.commits.push(StoredCommit::plain(version, [0; 32], commit));
    }

    /// A message of ours leaves: the other side answers as on record, as assumed, or never gets it.
    fn ask(&mut self, ask: Ask, step: Option<usize>) {
        let recorded = |index: usize| {
            let asked = self.record.steps.get(index).is_some_and(|step| step.asks.contains(&ask));
            let at = self.record.commits.get(index).map(|stored| stored.commit.at);
            asked && at == Some(self.now)
        };
        let standing = match step {
            Some(index) if self.changes.lost_out.contains(&index) => Standing::Lost,
            Some(index) if recorded(index) => Standing::AsRecorded,
            Some(_) | None => Standing::Assumed,
        };
        let reachable = self.standing.get(&Ask::Invite) != Some(&Standing::Lost);
        self.standing.insert(ask, standing);
        match standing {
            Standing::Lost => self.part(),
            Standing::Assumed if reachable && self.call.phase() != Phase::Ended => {
                let (mut answers, mut assumption) = world::reaction(self.record, ask, &self.call);
                if ask == Ask::Cancel && self.is_answered_there() {
                    // Too late: over there the INVITE has its final response already (RFC 3261 §9.2).
                    answers.retain(|(_, input)| matches!(input, Input::Signal(Signal::CancelAnswered(_))));
                    assumption = Kind::CancelTooLate;
                }
                self.assume(assumption, None);
                for (after, input) in answers {
                    self.come(Coming { at: self.now + after, step: None, input });
                }
            }
            Standing::AsRecorded | Standing::Assumed => {}
        }
    }

    /// Whether a final response to our INVITE is on its way, late by the user's wish.
    fn is_answered_there(&self) -> bool {
        self.agenda.iter().any(|coming| {
            let recorded = coming.step.and_then(|index| self.record.commits.get(index));
            let left = recorded.is_some_and(|stored| stored.commit.at <= self.now);
            left && matches!(coming.input, Input::Signal(Signal::Success(_) | Signal::Failure(_)))
        })
    }

    fn part(&mut self) {
        self.parted = true;
    }

    pub(super) fn assume(&mut self, kind: Kind, event: Option<u64>) {
        if let Kind::AnsweredAsRecorded { ask } = &kind {
            // The recorded answers come after all, at another time.
            self.assumed.retain(|(known, _)| !matches!(known, Kind::NotAsked { ask: left } if left == ask));
        }
        let entry = (kind, event);
        if !self.assumed.contains(&entry) {
            self.assumed.push(entry);
        }
    }

    /// What was taken for granted, in the order of the run.
    pub(super) fn assumptions(&self) -> Vec<Assumption> {
        self.assumed.iter().map(|(kind, event)| Assumption::new(kind, *event)).collect()
    }

    /// The call is over: its transactions have as long as transactions have.
    fn drain(&mut self) {
        if !self.call.is_released() {
            self.now = self.now + patience(&self.call);
            self.feed(Input::Signal(Signal::Drained(Counters::default())), None);
        }
    }
}

/// The messages of a step in another run: what came in, and what left if the machine did the same.
fn kept(wire: &[WireMessage], same: bool) -> Vec<WireMessage> {
    wire.iter().filter(|message| same || message.direction == WireDirection::In).cloned().collect()
}

/// The steps that a set of numbers names.
pub(super) type Steps = BTreeSet<usize>;
