//! One simulated engine: cores, routes and a journal; no threads, no sockets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use callbox_events::call::{Command, Outcome, Policy};
use callbox_events::schema::Commit;
use callbox_events::sip::{Peer, Transport};
use callbox_events::{CallId, Role, Timestamp};
use callbox_sip::ids::{Ids, SeededIds};
use callbox_sip::leg::Transmit;
use callbox_sip::stateless::{self, verdict_of_unroutable};
use callbox_sip::wire::{self, Limits, Message, Method};
use callbox_store::{Cursor, Expect, Journal, JournalReader, memory::MemoryJournal};

use crate::core::{CallCore, Fault, Outgoing, Seat, Step, Stimulus};
use crate::media::StaticPcmu;
use crate::routing::Routes;

/// One engine of the simulation.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) addr: SocketAddr,
    pub(super) policy: Policy,
    pub(super) journal: MemoryJournal,
    seat: Arc<Seat>,
    ids: SeededIds,
    calls: BTreeMap<CallId, CallCore>,
    routes: Routes<CallId>,
    /// The next commit is made durable, and then the power fails.
    pub(super) doomed: bool,
    pub(super) alive: bool,
}

/// What a node wants the network to carry.
pub(super) type Sending = Vec<Transmit>;

impl Node {
    pub(super) fn new(name: &str, addr: SocketAddr, seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            addr,
            policy: Policy::default(),
            journal: MemoryJournal::new(),
            seat: Arc::new(seat(name, addr)),
            ids: SeededIds::new(seed),
            calls: BTreeMap::new(),
            routes: Routes::default(),
            doomed: false,
            alive: true,
        }
    }

    pub(super) fn core(&self, call: CallId) -> Option<&CallCore> {
        self.calls.get(&call)
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.calls.values().filter_map(CallCore::next_deadline).min()
    }

    pub(super) fn place(
        &mut self,
        now: Timestamp,
        outgoing: Outgoing,
        sending: &mut Sending,
    ) -> Result<CallId, Fault> {
        let sip_call_id = self.ids.call_id();
        let (core, step) = CallCore::place(now, outgoing, sip_call_id, &self.seat, &mut self.ids)?;
        let call = self.take_in(Role::Caller, core);
        self.follow(now, call, Ok(step), sending);
        Ok(call)
    }

    pub(super) fn command(
        &mut self,
        now: Timestamp,
        call: CallId,
        command: Command,
        sending: &mut Sending,
    ) -> Option<Outcome> {
        self.stimulate(now, call, Stimulus::Command(command), sending)
    }

    /// Hands a stimulus to a call and follows its steps to the end.
    pub(super) fn stimulate(
        &mut self,
        now: Timestamp,
        call: CallId,
        stimulus: Stimulus,
        sending: &mut Sending,
    ) -> Option<Outcome> {
        let core = self.calls.get_mut(&call)?;
        let step = core.handle(now, stimulus, &mut self.ids);
        self.follow(now, call, step, sending)
    }

    pub(super) fn deadlines(&mut self, now: Timestamp, sending: &mut Sending) {
        let due = |core: &CallCore| core.next_deadline().is_some_and(|at| at <= now);
        let calls: Vec<CallId> =
            self.calls.iter().filter(|(_, core)| due(core)).map(|(call, _)| *call).collect();
        for call in calls {
            self.stimulate(now, call, Stimulus::Deadline, sending);
        }
    }

    pub(super) fn receive(&mut self, now: Timestamp, from: SocketAddr, bytes: Bytes, sending: &mut Sending) {
        let source = Peer { transport: Transport::Udp, addr: from };
        let message = match wire::parse(bytes, &Limits::default()) {
            Ok(message) => message,
            Err(error) => {
                sending.extend(stateless::reject(&error, source, &self.seat.leg));
                return;
            }
        };
        if let Some(call) = self.routes.find(&message).copied() {
            self.stimulate(now, call, Stimulus::Message { message, source }, sending);
        } else if begins_a_call(&message) {
            self.accept_invite(now, &message, source, sending);
        } else if let Some(refusal) = verdict_of_unroutable(&message) {
            sending.extend(stateless::refuse(&message, source, &refusal, &self.seat.leg));
        }
    }

    fn accept_invite(&mut self, now: Timestamp, invite: &Message, source: Peer, sending: &mut Sending) {
        match CallCore::incoming(now, invite, source, self.policy.clone(), &self.seat, &mut self.ids) {
            Ok((core, step)) => {
                let call = self.take_in(Role::Callee, core);
                self.follow(now, call, Ok(step), sending);
            }
            Err(refusal) => sending.extend(stateless::refuse(invite, source, &refusal, &self.seat.leg)),
        }
    }

    /// Nobody listens at `peer`.
    pub(super) fn refused(&mut self, now: Timestamp, peer: SocketAddr, sending: &mut Sending) {
        let peer = Peer { transport: Transport::Udp, addr: peer };
        let concerned = |core: &CallCore| core.leg().dialog().peer == peer;
        let calls: Vec<CallId> =
            self.calls.iter().filter(|(_, core)| concerned(core)).map(|(call, _)| *call).collect();
        for call in calls {
            let detail = "connection refused".to_owned();
            self.stimulate(now, call, Stimulus::TransportFailed { peer, detail }, sending);
        }
    }

    fn take_in(&mut self, role: Role, core: CallCore) -> CallId {
        let call = core.id();
        self.routes.add(call, role, core.leg(), call);
        self.calls.insert(call, core);
        call
    }

    /// Persists and acts, step by step, until the call has nothing more to say.
    fn follow(
        &mut self,
        now: Timestamp,
        call: CallId,
        mut step: Result<Step, Fault>,
        sending: &mut Sending,
    ) -> Option<Outcome> {
        let mut told = None;
        loop {
            let Ok(Step { transmits, commit, outcome }) = step else {
                self.restore(now, call, "panic", sending);
                return told;
            };
            sending.extend(transmits);
            told = told.or(outcome);
            let Some(commit) = commit else { break };
            self.persist(commit);
            if std::mem::take(&mut self.doomed) {
                self.crash();
                return told;
            }
            let core = self.calls.get_mut(&call)?;
            let Ok(acted) = core.committed() else {
                self.restore(now, call, "panic", sending);
                return told;
            };
            sending.extend(acted.transmits);
            told = told.or(acted.outcome);
            step = core.resume(now, &mut self.ids);
        }
        if self.calls.get(&call).is_some_and(CallCore::is_released)
            && let Some(core) = self.calls.remove(&call)
        {
            self.routes.remove(&core.leg().dialog().sip_call_id, call);
        }
        told
    }

    fn persist(&self, commit: Commit) {
        let expect = if commit.version == 0 { Expect::New } else { Expect::At(commit.version) };
        let mut append = std::pin::pin!(self.journal.append(commit, expect));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let acked = append.as_mut().poll(&mut context);
        assert!(matches!(acked, std::task::Poll::Ready(Ok(_))), "the simulated journal refused: {acked:?}");
    }

    /// Everything in memory is gone; the journal stays.
    pub(super) fn crash(&mut self) {
        self.calls.clear();
        self.routes = Routes::default();
        self.journal = self.journal.crash(0);
        self.alive = false;
    }

    /// The engine comes back and takes up what has no end.
    pub(super) fn reopen(&mut self, now: Timestamp, seed: u64, sending: &mut Sending) {
        self.alive = true;
        self.ids = SeededIds::new(seed);
        let calls: Vec<CallId> = match self.journal.calls() {
            Ok(calls) => calls.filter_map(Result::ok).collect(),
            Err(_) => Vec::new(),
        };
        for call in calls {
            self.restore(now, call, "crash", sending);
        }
    }

    fn restore(&mut self, now: Timestamp, call: CallId, fault: &str, sending: &mut Sending) {
        if let Some(core) = self.calls.remove(&call) {
            self.routes.remove(&core.leg().dialog().sip_call_id, call);
        }
        let commits: Vec<Commit> = self.commits(call);
        let Ok(core) = CallCore::restore(now, &commits, &self.seat) else { return };
        if core.is_released() {
            return;
        }
        let role = core.call().profile.as_ref().map_or(Role::Callee, |profile| profile.role);
        self.take_in(role, core);
        self.stimulate(now, call, Stimulus::Recovery { fault: fault.to_owned() }, sending);
    }

    pub(super) fn commits(&self, call: CallId) -> Vec<Commit> {
        let stored = self.journal.read(call).unwrap_or_default();
        stored.into_iter().map(|stored| stored.commit).collect()
    }

    /// The calls of the journal, in the order in which they began.
    pub(super) fn recorded_calls(&self) -> Vec<CallId> {
        let mut calls = Vec::new();
        for stored in self.journal.read_all(Cursor::START).into_iter().flatten().flatten() {
            if stored.commit.version == 0 {
                calls.push(stored.commit.call);
            }
        }
        calls
    }
}

fn seat(name: &str, addr: SocketAddr) -> Seat {
    let local = Peer { transport: Transport::Udp, addr };
    Seat::new(name, "callbox", local, addr, Arc::new(StaticPcmu::default()))
}

fn begins_a_call(message: &Message) -> bool {
    message.is_request() && *message.method() == Method::Invite && message.to_tag().is_none()
}
