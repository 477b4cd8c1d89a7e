//! A simulated engine: cores and a journal, without actors.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use callbox_events::call::{Command, IncomingPolicy, Outcome, Policy, RefusalKind};
use callbox_events::schema::Commit;
use callbox_events::sip::Peer;
use callbox_events::{CallId, Role, Timestamp};
use callbox_sip::ids::SeededIds;
use callbox_sip::leg::Transmit;
use callbox_sip::stateless;
use callbox_sip::wire::{self, Limits, Message, Method};
use callbox_store::memory::MemoryJournal;
use callbox_store::{Expect, Journal, JournalReader};
use futures::FutureExt;

use super::world::{Sim, What};
use crate::core::{Acted, CallCore, Fault, Seat, Step, Stimulus};
use crate::recovery::unfinished;
use crate::routing::Routes;

/// How long a name takes to be looked up.
const LOOKUP: Duration = Duration::from_millis(20);

/// One engine of the simulation.
#[derive(Debug)]
pub(super) struct SimEngine {
    pub(super) name: String,
    pub(super) local: Peer,
    pub(super) policy: Policy,
    pub(super) max_calls: usize,
    pub(super) seat: Arc<Seat>,
    pub(super) journal: MemoryJournal,
    pub(super) calls: BTreeMap<CallId, Slot>,
    /// Every call it ever had, in the order of their beginning.
    pub(super) known: Vec<CallId>,
    /// Commands and what they were told.
    pub(super) outcomes: Vec<Told>,
    /// Calls that failed inside.
    pub(super) faults: Vec<Fault>,
    /// How often it was started. What was scheduled for a former life is void.
    pub(super) life: u32,
    pub(super) up: bool,
    pub(super) ids: SeededIds,
    routes: Routes<CallId>,
}

/// A command and its outcome.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) call: CallId,
    pub(super) command: &'static str,
    pub(super) given_at: Timestamp,
    pub(super) outcome: Option<Outcome>,
}

/// A live call.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) core: Box<CallCore>,
    pending: Option<Commit>,
    inbox: VecDeque<(Stimulus, Option<usize>)>,
    /// Which of the engine's outcomes the step under way belongs to.
    telling: Option<usize>,
}

impl SimEngine {
    pub(super) fn new(name: &str, local: Peer, policy: Policy, seed: u64) -> Self {
        let media = Arc::new(crate::media::StaticPcmu { port: 4000 });
        let seat = Seat::new(name, "callbox-sim", local, local.addr, media);
        Self {
            name: name.to_owned(),
            local,
            policy,
            max_calls: usize::MAX,
            seat: Arc::new(seat),
            journal: MemoryJournal::new(),
            calls: BTreeMap::new(),
            known: Vec::new(),
            outcomes: Vec::new(),
            faults: Vec::new(),
            life: 0,
            up: true,
            ids: SeededIds::new(seed),
            routes: Routes::default(),
        }
    }

    pub(super) fn has(&self, call: CallId) -> bool {
        self.calls.contains_key(&call)
    }

    /// Whether no call lives.
    pub(super) fn is_quiet(&self) -> bool {
        self.calls.is_empty()
    }

    /// The earliest deadline of a call that is not waiting for its journal.
    pub(super) fn next_deadline(&self) -> Option<(Timestamp, CallId)> {
        let free = self.calls.iter().filter(|(_, slot)| !slot.core.is_waiting());
        free.filter_map(|(id, slot)| slot.core.next_deadline().map(|at| (at, *id))).min()
    }

    pub(super) fn picture(&self) -> String {
        let mut text = format!("{} at {}{}\n", self.name, self.local, if self.up { "" } else { " (down)" });
        for (id, slot) in &self.calls {
            let deadline = slot.core.next_deadline().map(|at| at.to_string());
            text.push_str(&format!("    {id} {} next {deadline:?}\n", slot.core.phase()));
        }
        text
    }

    fn adopt(&mut self, core: Box<CallCore>, role: Role) -> CallId {
        let id = core.id();
        self.routes.add(id, role, core.leg(), id);
        if !self.known.contains(&id) {
            self.known.push(id);
        }
        let slot = Slot { core, pending: None, inbox: VecDeque::new(), telling: None };
        self.calls.insert(id, slot);
        id
    }

    /// Everything in memory is gone. Of the commits under way the first `kept` had reached the disk.
    pub(super) fn crash(&mut self, kept: usize) {
        for slot in self.calls.values_mut().filter(|slot| slot.pending.is_some()).take(kept) {
            if let Some(commit) = slot.pending.take() {
                let expect = Expect::of(&commit);
                drop(self.journal.append(commit, expect));
            }
        }
        self.calls.clear();
        self.routes = Routes::default();
        self.life += 1;
        self.up = false;
    }
}

impl Sim {
    pub(super) fn place_on(&mut self, engine: usize, outgoing: crate::core::Outgoing) -> Option<CallId> {
        let now = self.now;
        let owner = self.engines.get_mut(engine)?;
        let seat = Arc::clone(&owner.seat);
        let sip_call_id = callbox_sip::ids::Ids::call_id(&mut owner.ids);
        match CallCore::place(now, outgoing, sip_call_id, &seat, &mut owner.ids) {
            Ok((core, step)) => {
                let id = owner.adopt(core, Role::Caller);
                self.follow(engine, id, Ok(step));
                Some(id)
            }
            Err(fault) => {
                owner.faults.push(fault);
                None
            }
        }
    }

    pub(super) fn deliver_to_engine(&mut self, engine: usize, source: Peer, bytes: Bytes) {
        let Some(owner) = self.engines.get_mut(engine).filter(|owner| owner.up) else { return };
        let seat = Arc::clone(&owner.seat);
        match wire::parse(bytes, &Limits::default()).map(Box::new) {
            Ok(message) => match owner.routes.find(&message).copied() {
                Some(call) => self.stimulate(engine, call, Stimulus::Message { message, source }, None),
                None => self.deliver_stray(engine, &message, source, &seat),
            },
            Err(error) => {
                let reply = stateless::reject(&error, source, &seat.leg);
                self.transmit_all(seat.local, reply);
            }
        }
    }

    fn deliver_stray(&mut self, engine: usize, message: &Message, source: Peer, seat: &Arc<Seat>) {
        let refusal = match stateless::verdict_of_unroutable(message) {
            Some(refusal) => refusal,
            None if message.is_request() && *message.method() == Method::Invite => {
                match self.admit(engine, message, source, seat) {
                    Ok(()) => return,
                    Err(refusal) => refusal,
                }
            }
            None => return,
        };
        self.transmit_all(seat.local, stateless::refuse(message, source, &refusal, &seat.leg));
    }

    fn admit(
        &mut self,
        engine: usize,
        invite: &Message,
        source: Peer,
        seat: &Arc<Seat>,
    ) -> Result<(), stateless::Refusal> {
        let now = self.now;
        let Some(owner) = self.engines.get_mut(engine) else { return Ok(()) };
        let mut policy = owner.policy.clone();
        if owner.calls.len() >= owner.max_calls {
            policy.incoming = IncomingPolicy::Refuse { status: 486, why: RefusalKind::MaxCalls };
        }
        let (core, step) = CallCore::incoming(now, invite, source, policy, seat, &mut owner.ids)?;
        let id = owner.adopt(core, Role::Callee);
        self.follow(engine, id, Ok(step));
        Ok(())
    }

    pub(super) fn deadline(&mut self, engine: usize, call: CallId) {
        self.stimulate(engine, call, Stimulus::Deadline, None);
    }

    pub(super) fn command_on(&mut self, engine: usize, call: CallId, command: Command) {
        let given_at = self.now;
        let Some(owner) = self.engines.get_mut(engine) else { return };
        let told = owner.outcomes.len();
        let live = owner.calls.contains_key(&call);
        let over = match command {
            Command::Hangup(_) => Outcome::AlreadyEnded,
            Command::Place(_)
            | Command::Ring
            | Command::Accept
            | Command::Hold
            | Command::Resume
            | Command::Divert { .. }
            | Command::Note(_) => Outcome::Refused,
        };
        let outcome = (!live).then_some(over);
        owner.outcomes.push(Told { call, command: command.code(), given_at, outcome });
        self.stimulate(engine, call, Stimulus::Command(command), Some(told));
    }

    /// Hands a stimulus to a call, or lets it wait for the ack that the call waits for.
    fn stimulate(&mut self, engine: usize, call: CallId, stimulus: Stimulus, telling: Option<usize>) {
        let now = self.now;
        let Some(owner) = self.engines.get_mut(engine) else { return };
        let Some(slot) = owner.calls.get_mut(&call) else { return };
        if slot.core.is_waiting() {
            slot.inbox.push_back((stimulus, telling));
            return;
        }
        slot.telling = telling;
        let step = slot.core.handle(now, stimulus, &mut owner.ids);
        self.follow(engine, call, step);
    }

    fn follow(&mut self, engine: usize, call: CallId, step: Result<Step, Fault>) {
        let step = match step {
            Ok(step) => step,
            Err(fault) => return self.restore_one(engine, call, fault),
        };
        let Some(owner) = self.engines.get_mut(engine) else { return };
        let (local, life) = (owner.local, owner.life);
        if let Some(slot) = owner.calls.get_mut(&call) {
            tell(&mut owner.outcomes, slot.telling, step.outcome);
            slot.pending = step.commit;
            let committing = slot.pending.is_some();
            self.transmit_all(local, step.transmits);
            if committing {
                let (from, to) = self.disk;
                let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(0);
                let takes = Duration::from_micros(self.rng.between(micros(from), micros(to)));
                self.schedule(takes, What::Ack { engine, life, call });
            } else {
                self.settled(engine, call);
            }
        }
    }

    /// The commit under way reaches the disk now, and its call hears of it.
    pub(super) fn ack(&mut self, engine: usize, life: u32, call: CallId) {
        let now = self.now;
        let Some(owner) = self.engines.get_mut(engine).filter(|owner| owner.life == life) else { return };
        let Some(slot) = owner.calls.get_mut(&call) else { return };
        let Some(commit) = slot.pending.take() else { return };
        let expect = Expect::of(&commit);
        let appended = owner.journal.append(commit, expect).now_or_never();
        if !matches!(appended, Some(Ok(_))) {
            owner.faults.push(Fault::Panicked(format!("the journal answered {appended:?}")));
            return;
        }
        let acted = slot.core.committed();
        let local = owner.local;
        let Acted { transmits, outcome, reach } = match acted {
            Ok(acted) => acted,
            Err(fault) => return self.restore_one(engine, call, fault),
        };
        tell(&mut owner.outcomes, slot.telling, outcome);
        let target = reach.then(|| slot.core.leg().dialog().remote_target.clone());
        self.transmit_all(local, transmits);
        if let Some(target) = target {
            let result = self.look_up(&target);
            self.schedule(LOOKUP, What::Reached { engine, life, call, result });
        }
        let Some(owner) = self.engines.get_mut(engine) else { return };
        if let Some(slot) = owner.calls.get_mut(&call) {
            let step = slot.core.resume(now, &mut owner.ids);
            self.follow(engine, call, step);
        }
    }

    pub(super) fn reached(&mut self, engine: usize, life: u32, call: CallId, result: Result<Peer, String>) {
        if self.engines.get(engine).is_some_and(|owner| owner.life == life) {
            self.stimulate(engine, call, Stimulus::Reached(result), None);
        }
    }

    /// Nothing is under way for this call: the next in its inbox, or its end.
    fn settled(&mut self, engine: usize, call: CallId) {
        let Some(owner) = self.engines.get_mut(engine) else { return };
        let Some(slot) = owner.calls.get_mut(&call) else { return };
        if slot.core.is_released() {
            let sip_call_id = slot.core.leg().dialog().sip_call_id.clone();
            let inbox = std::mem::take(&mut slot.inbox);
            owner.calls.remove(&call);
            owner.routes.remove(&sip_call_id, call);
            for (stimulus, telling) in inbox {
                if let Stimulus::Command(command) = stimulus {
                    let hangup = matches!(command, Command::Hangup(_));
                    let outcome = if hangup { Outcome::AlreadyEnded } else { Outcome::Refused };
                    tell(&mut owner.outcomes, telling, Some(outcome));
                }
            }
        } else if let Some((stimulus, telling)) = slot.inbox.pop_front() {
            self.stimulate(engine, call, stimulus, telling);
        }
    }

    /// A call failed inside: from its record, as the actor does it.
    fn restore_one(&mut self, engine: usize, call: CallId, fault: Fault) {
        let now = self.now;
        let Some(owner) = self.engines.get_mut(engine) else { return };
        owner.faults.push(fault);
        let stored = owner.journal.read(call).unwrap_or_default();
        let commits: Vec<Commit> = stored.into_iter().map(|stored| stored.commit).collect();
        let seat = Arc::clone(&owner.seat);
        match CallCore::restore(now, &commits, &seat) {
            Ok(core) if owner.faults.len() < 100 => {
                if let Some(slot) = owner.calls.get_mut(&call) {
                    slot.core = core;
                    slot.pending = None;
                }
                self.stimulate(engine, call, Stimulus::Recovery { fault: "panic".into() }, None);
            }
            Ok(_) | Err(_) => {
                owner.calls.remove(&call);
            }
        }
    }

    /// Starts an engine again on its journal.
    pub(super) fn reopen_engine(&mut self, engine: usize) {
        let now = self.now;
        let seed = self.rng.next();
        let Some(owner) = self.engines.get_mut(engine) else { return };
        owner.up = true;
        owner.ids = SeededIds::new(seed);
        let seat = Arc::clone(&owner.seat);
        let mut restored = Vec::new();
        for commits in unfinished(&owner.journal, &owner.name).unwrap_or_default().own {
            match CallCore::restore(now, &commits, &seat) {
                Ok(core) => {
                    if let Some(role) = core.call().profile.as_ref().map(|profile| profile.role) {
                        restored.push(owner.adopt(core, role));
                    }
                }
                Err(fault) => owner.faults.push(fault),
            }
        }
        for call in restored {
            self.stimulate(engine, call, Stimulus::Recovery { fault: "crash".into() }, None);
        }
    }

    fn transmit_all(&mut self, from: Peer, transmits: impl IntoIterator<Item = Transmit>) {
        for transmit in transmits {
            self.transmit(from, transmit);
        }
    }

    /// Names are those of the parties, in any case: `sip:x@b` finds B.
    fn look_up(&self, uri: &str) -> Result<Peer, String> {
        let uri = callbox_sip::wire::SipUri::parse(uri).map_err(|error| error.to_string())?;
        let engines = self.engines.iter().map(|engine| (&engine.name, engine.local));
        let scripts = self.scripts.iter().map(|script| (&script.name, script.local));
        let found = engines.chain(scripts).find(|(name, _)| name.eq_ignore_ascii_case(uri.host));
        found.map(|(_, local)| local).ok_or_else(|| "no such host".to_owned())
    }
}

fn tell(outcomes: &mut [Told], telling: Option<usize>, outcome: Option<Outcome>) {
    if let Some(outcome) = outcome
        && let Some(told) = telling.and_then(|index| outcomes.get_mut(index))
    {
        told.outcome.get_or_insert(outcome);
    }
}
