//! One stimulus in; steps and acts out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use callbox_events::Timestamp;
use callbox_events::call::{
    Command, Decision, Effect, IllegalTransition, Input, Pending, Phase, Recovery, Signal, target,
};
use callbox_events::schema::{Commit, Happened, WireMessage};
use callbox_events::sip::MediaDirection;
use callbox_sip::ids::Ids;
use callbox_sip::leg::Outbox;
use smallvec::{SmallVec, smallvec};

use super::step::Waiting;
use super::{Acted, CallCore, Fault, Queued, Step, Stimulus, transmit};
use crate::media::Session;

impl CallCore {
    /// Takes a stimulus. `now` is the engine's clock; `ids` its identifiers.
    ///
    /// # Errors
    /// [`Fault`]: this core is done for, see the module's documentation.
    pub fn handle(&mut self, now: Timestamp, stimulus: Stimulus, ids: &mut dyn Ids) -> Result<Step, Fault> {
        if self.is_waiting() {
            return Err(Fault::OutOfTurn);
        }
        guarded(|| {
            let mut step = Step::default();
            self.take(now, stimulus, ids, &mut step);
            self.advance(now, ids, step)
        })
    }

    /// Goes on after an ack: the next input of the same stimulus, then what has become due.
    ///
    /// # Errors
    /// [`Fault`]: this core is done for.
    pub fn resume(&mut self, now: Timestamp, ids: &mut dyn Ids) -> Result<Step, Fault> {
        if self.is_waiting() {
            return Err(Fault::OutOfTurn);
        }
        guarded(|| self.advance(now, ids, Step::default()))
    }

    /// The commit of the last step is durable.
    ///
    /// # Errors
    /// [`Fault`]: this core is done for.
    pub fn committed(&mut self) -> Result<Acted, Fault> {
        guarded(|| {
            let waiting = self.waiting.take().ok_or(Fault::OutOfTurn)?;
            for happened in &waiting.events {
                self.call.apply(&happened.event, waiting.at)?;
            }
            for effect in &waiting.timers {
                self.timers.follow(effect);
            }
            Ok(Acted { transmits: waiting.transmits, outcome: waiting.outcome, reach: waiting.reach })
        })
    }

    /// Turns a stimulus into inputs.
    fn take(&mut self, now: Timestamp, stimulus: Stimulus, ids: &mut dyn Ids, step: &mut Step) {
        match stimulus {
            Stimulus::Message { message, source } => {
                let raw = message.raw.clone();
                let mut out = Outbox::new();
                self.leg.receive(now, message, source, &mut out);
                let wire = if out.signals.is_empty() {
                    SmallVec::new()
                } else {
                    let told = out.transmits.iter().filter(|sent| transmit::tells(sent)).map(transmit::sent);
                    std::iter::once(transmit::received(source, &raw)).chain(told).collect()
                };
                self.absorb(out, wire, step);
            }
            Stimulus::Command(command) => self.queue.push_back(Queued::bare(Input::Command(command))),
            Stimulus::Deadline => self.leg_timeout(now, ids, step),
            Stimulus::TransportFailed { peer, detail } => {
                let mut out = Outbox::new();
                self.leg.transport_failed(now, peer, &detail, &mut out);
                self.absorb(out, SmallVec::new(), step);
            }
            Stimulus::Reached(Ok(peer)) => self.signal(Signal::Reachable { peer }),
            Stimulus::Reached(Err(detail)) => {
                self.signal(Signal::TransportFailed { pending: Pending::Invite, detail });
            }
            Stimulus::Recovery { fault } => {
                let last_event_at = self.call.last_event_at;
                self.queue.push_back(Queued::bare(Input::Recovery(Recovery { last_event_at, fault })));
            }
        }
    }

    fn leg_timeout(&mut self, now: Timestamp, ids: &mut dyn Ids, step: &mut Step) {
        if self.leg.next_timeout().is_some_and(|due| due <= now) {
            let mut out = Outbox::new();
            self.leg.handle_timeout(now, ids, &mut out);
            self.absorb(out, SmallVec::new(), step);
        }
    }

    fn signal(&mut self, signal: Signal) {
        self.queue.push_back(Queued::bare(Input::Signal(signal)));
    }

    /// Queues the leg's signals and releases its own messages. The record of the messages rides with the first signal.
    fn absorb(&mut self, out: Outbox, wire: SmallVec<[WireMessage; 1]>, step: &mut Step) {
        step.transmits.extend(out.transmits);
        let mut wire = Some(wire);
        for signal in out.signals {
            // The leg's word that it has drained comes when it likes; ours is asked for when the call is over.
            if !matches!(signal, Signal::Drained(_)) {
                let wire = wire.take().unwrap_or_default();
                self.queue.push_back(Box::new(Queued { input: Input::Signal(signal), wire }));
            }
        }
    }

    /// Works off inputs until one of them needs a commit or nothing is left to do.
    pub(super) fn advance(
        &mut self,
        now: Timestamp,
        ids: &mut dyn Ids,
        mut step: Step,
    ) -> Result<Step, Fault> {
        let now = now.max(self.call.last_event_at);
        loop {
            let next = match self.queue.pop_front() {
                Some(queued) => queued,
                None => match self.due(now, ids, &mut step) {
                    Some(queued) => queued,
                    None => return Ok(step),
                },
            };
            self.decide(now, next, ids, &mut step)?;
            if step.commit.is_some() {
                return Ok(step);
            }
        }
    }

    /// What is due by itself: a timer of the call, or its release.
    fn due(&mut self, now: Timestamp, ids: &mut dyn Ids, step: &mut Step) -> Option<Box<Queued>> {
        if let Some(timer) = self.timers.take_due(now) {
            return Some(Queued::bare(Input::Timer(timer)));
        }
        self.leg_timeout(now, ids, step);
        if let Some(queued) = self.queue.pop_front() {
            return Some(queued);
        }
        if self.phase() != Phase::Ended || self.is_released() {
            return None;
        }
        if !self.finished {
            self.finished = true;
            let mut out = Outbox::new();
            self.leg.finish(now, &mut out);
            self.absorb(out, SmallVec::new(), step);
            if let Some(queued) = self.queue.pop_front() {
                return Some(queued);
            }
        }
        let drained = self.leg.is_drained();
        drained.then(|| Queued::bare(Input::Signal(Signal::Drained(self.leg.counters()))))
    }

    /// Decides one input and builds its commit with everything that will leave.
    fn decide(
        &mut self,
        now: Timestamp,
        queued: Box<Queued>,
        ids: &mut dyn Ids,
        step: &mut Step,
    ) -> Result<(), Fault> {
        let Decision { events, effects, outcome } = self.call.decide(&queued.input, now);
        let phase_before = self.phase();
        let events = phased(phase_before, events)?;
        let mut waiting =
            Waiting { at: now, events, transmits: Vec::new(), timers: Vec::new(), outcome, reach: false };
        for effect in effects {
            self.prepare(now, effect, ids, &mut waiting);
        }
        if waiting.events.is_empty() {
            waiting.timers.iter().for_each(|effect| {
                self.timers.follow(effect);
            });
            step.transmits.append(&mut waiting.transmits);
            step.outcome = step.outcome.or(outcome);
            return Ok(());
        }
        let Queued { input, wire } = *queued;
        let mut wire = wire.into_vec();
        wire.extend(waiting.transmits.iter().map(transmit::sent));
        step.commit = Some(Commit {
            call: self.id,
            version: self.call.version,
            at: now,
            node: self.seat.node.as_ref().to_owned(),
            epoch: 0,
            phase_before,
            input,
            events: waiting.events.clone(),
            wire,
        });
        self.waiting = Some(Box::new(waiting));
        Ok(())
    }

    /// Builds the message of an effect; keeps what is the shell's for after the ack.
    fn prepare(&mut self, now: Timestamp, effect: Effect, ids: &mut dyn Ids, waiting: &mut Waiting) {
        let sdp = match &effect {
            Effect::Reach => {
                waiting.reach = true;
                return;
            }
            Effect::Arm { .. } | Effect::Disarm { .. } | Effect::DisarmAll => {
                waiting.timers.push(effect);
                return;
            }
            Effect::SendInvite { .. } => Some(self.offer(MediaDirection::SendRecv)),
            Effect::SendReinvite { direction } => Some(self.offer(*direction)),
            Effect::Respond { sdp: true, .. } => Some(self.answer(MediaDirection::SendRecv)),
            Effect::AnswerReinvite { status: 200..=299, direction } => Some(self.answer(*direction)),
            Effect::Respond { sdp: false, .. }
            | Effect::AnswerReinvite { .. }
            | Effect::SendAck
            | Effect::DismissAnswer { .. }
            | Effect::SendCancel { .. }
            | Effect::SendBye { .. }
            | Effect::AnswerCancel { .. }
            | Effect::AnswerBye { .. } => None,
        };
        let mut out = Outbox::new();
        if let Err(error) = self.leg.perform(now, &effect, sdp.as_deref(), ids, &mut out) {
            tracing::warn!(call = %self.id, %error, "an effect could not be performed");
            if let Some(pending) = pending_of(&effect) {
                self.signal(Signal::TransportFailed { pending, detail: error.to_string() });
            }
        }
        waiting.transmits.append(&mut out.transmits);
        for signal in out.signals {
            if !matches!(signal, Signal::Drained(_)) {
                self.signal(signal);
            }
        }
    }

    fn offer(&mut self, direction: MediaDirection) -> String {
        let session = self.session(direction);
        self.seat.media.offer(&session)
    }

    /// An answer to the other side's description; an offer if there was none (RFC 3264 §5).
    fn answer(&mut self, direction: MediaDirection) -> String {
        let session = self.session(direction);
        match self.leg.remote_sdp() {
            Some(offer) => self.seat.media.answer(&session, offer),
            None => self.seat.media.offer(&session),
        }
    }

    fn session(&mut self, direction: MediaDirection) -> Session {
        let version = self.descriptions;
        self.descriptions += 1;
        Session { call: self.id, local: self.seat.advertised.ip(), direction, version }
    }
}

impl Queued {
    pub(super) fn bare(input: Input) -> Box<Self> {
        Box::new(Self { input, wire: smallvec![] })
    }
}

/// The events with the phase after each. The table is asked before the append, so that nothing illegal is persisted.
fn phased(
    mut phase: Phase,
    events: Vec<callbox_events::call::Event>,
) -> Result<Vec<Happened>, IllegalTransition> {
    events
        .into_iter()
        .map(|event| {
            let kind = event.kind();
            phase = target(phase, kind).ok_or(IllegalTransition { from: phase, event: kind })?;
            Ok(Happened { phase, event })
        })
        .collect()
}

/// What never left because it could not be built.
fn pending_of(effect: &Effect) -> Option<Pending> {
    match effect {
        Effect::SendInvite { .. } => Some(Pending::Invite),
        Effect::SendCancel { .. } => Some(Pending::Cancel),
        Effect::SendBye { .. } => Some(Pending::Bye),
        Effect::SendReinvite { .. } => Some(Pending::Reinvite),
        Effect::Reach
        | Effect::Respond { .. }
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

/// Runs a part of the core; a panic in it is this call's fault alone.
pub(super) fn guarded<T>(part: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(part)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Fault::Panicked(text.unwrap_or_else(|| "without words".into())))
    })
}

/// Whether a command asks for something that can be said on the wire at all.
pub(crate) fn is_sane(command: &Command) -> Result<(), (&'static str, String)> {
    match command {
        Command::Hangup(hangup) => match hangup.status {
            Some(status) if !(300..=699).contains(&status) => {
                Err(("status", "a call is refused with a status from 300 to 699".into()))
            }
            Some(_) | None => match hangup.cause {
                Some(cause) if !cause.can_be_stated() => Err((
                    "cause",
                    format!("{cause} is not for an application to state: only the record shows it"),
                )),
                Some(_) | None => Ok(()),
            },
        },
        Command::Place(_)
        | Command::Ring
        | Command::Accept
        | Command::Hold
        | Command::Resume
        | Command::Divert { .. }
        | Command::Note(_) => Ok(()),
    }
}
