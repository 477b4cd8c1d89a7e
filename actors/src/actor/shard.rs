//! What all calls of one arbiter share. One thread, no locks.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::{DefaultHasher, Hasher};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::{Addr, AsyncContext, Context};
use callbox_events::{CallId, Role, Timestamp};
use callbox_sip::ids::SeededIds;
use callbox_sip::leg::Transmit;
use callbox_store::Journal;
use tokio::sync::{Notify, mpsc};

use super::call::{CallActor, Due, First};
use super::deadlines::Deadlines;
use super::seats::Seats;
use super::work::Work;
use crate::clock::Clock;
use crate::config::Config;
use crate::core::{CallCore, Seat};
use crate::routing::Routes;
use crate::transport::Transports;

/// How many messages may wait for one call: more than any honest peer sends within a commit.
const MAILBOX: usize = 64;

/// How many calls may drain beside the live ones.
const DRAINING: usize = 262_144;

/// One arbiter's part of the engine.
pub(super) struct Shard {
    pub(super) config: Arc<Config>,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) clock: Clock,
    pub(super) place: Place,
    pub(super) ids: RefCell<SeededIds>,
    pub(super) routes: RefCell<Routes<Addr<CallActor>>>,
    pub(super) calls: RefCell<HashMap<CallId, Addr<CallActor>>>,
    pub(super) seats: Seats,
    pub(super) deadlines: Deadlines,
    pub(super) load: Load,
    transports: OnceCell<Transports>,
}

/// Which of how many shards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) index: usize,
    pub(super) count: usize,
}

impl Place {
    /// The shard that a Call-ID belongs to.
    pub(super) fn of(count: usize, sip_call_id: &[u8]) -> usize {
        if count < 2 {
            return 0;
        }
        let mut hash = DefaultHasher::new();
        hash.write(sip_call_id);
        usize::try_from(hash.finish() % (count as u64)).unwrap_or(0)
    }

    /// Whether a Call-ID belongs here.
    pub(super) fn holds(self, sip_call_id: &str) -> bool {
        Self::of(self.count, sip_call_id.as_bytes()) == self.index
    }
}

/// What the shard bears.
#[derive(Debug)]
pub(super) struct Load {
    /// Calls without an end, of all shards.
    live: Arc<AtomicUsize>,
    /// The same of this shard.
    own: Cell<usize>,
    /// Commits without an ack.
    pub(super) pending: Cell<usize>,
    /// No new calls: the engine closes.
    pub(super) closing: Cell<bool>,
    /// No new calls: the journal takes no commits any more.
    pub(super) store_down: Cell<bool>,
    /// Rung when the last call without an end has ended or the last commit was acknowledged.
    pub(super) idle: Notify,
}

impl Load {
    pub(super) fn new(live: Arc<AtomicUsize>) -> Self {
        Self {
            live,
            own: Cell::new(0),
            pending: Cell::new(0),
            closing: Cell::new(false),
            store_down: Cell::new(false),
            idle: Notify::new(),
        }
    }

    /// Calls without an end in the whole engine.
    pub(super) fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    pub(super) fn began(&self) {
        self.live.fetch_add(1, Ordering::Relaxed);
        self.own.set(self.own.get() + 1);
    }

    pub(super) fn ended(&self) {
        self.live.fetch_sub(1, Ordering::Relaxed);
        self.own.set(self.own.get().saturating_sub(1));
        self.ring_if_idle();
    }

    pub(super) fn appended(&self) {
        self.pending.set(self.pending.get() + 1);
    }

    pub(super) fn acknowledged(&self) {
        self.pending.set(self.pending.get().saturating_sub(1));
        self.ring_if_idle();
    }

    /// Whether no call is without an end and no commit without an ack.
    pub(super) fn is_idle(&self) -> bool {
        self.own.get() == 0 && self.pending.get() == 0
    }

    fn ring_if_idle(&self) {
        if self.is_idle() {
            self.idle.notify_waiters();
        }
    }
}

impl Shard {
    pub(super) fn new(
        config: Arc<Config>,
        journal: Arc<dyn Journal>,
        clock: Clock,
        place: Place,
        ids: SeededIds,
        live: Arc<AtomicUsize>,
    ) -> Rc<Self> {
        Rc::new(Self {
            config,
            journal,
            clock,
            place,
            ids: RefCell::new(ids),
            routes: RefCell::default(),
            calls: RefCell::default(),
            seats: Seats::default(),
            deadlines: Deadlines::new(clock),
            load: Load::new(live),
            transports: OnceCell::new(),
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// From here on messages can leave.
    pub(super) fn connect(&self, transports: Transports) {
        let _ = self.transports.set(transports);
    }

    pub(super) fn transports(&self) -> Option<&Transports> {
        self.transports.get()
    }

    pub(super) fn send(&self, seat: &Seat, transmits: Vec<Transmit>) {
        if let Some(transports) = self.transports.get() {
            for transmit in transmits {
                transports.send(seat.local, transmit.peer, transmit.bytes);
            }
        }
    }

    /// Why no new call can be recorded, if that is so. It may pass: a full disk does.
    pub(super) fn storage_refusal(&self) -> Option<String> {
        if self.load.store_down.get() {
            return Some("an earlier commit failed".into());
        }
        self.journal.refusal().map(|error| error.to_string())
    }

    /// Whether there is no room for another call, ended ones that drain included.
    pub(super) fn is_full(&self) -> bool {
        self.calls.borrow().len() >= (self.config.max_calls + DRAINING) / self.place.count
    }

    /// Gives a call its actor and its route.
    pub(super) fn adopt(self: &Rc<Self>, core: Box<CallCore>, role: Role, first: First) {
        let mut context = Context::new();
        context.set_mailbox_capacity(MAILBOX);
        let addr = context.address();
        self.routes.borrow_mut().add(core.id(), role, core.leg(), addr.clone());
        self.calls.borrow_mut().insert(core.id(), addr);
        context.run(CallActor::new(Rc::clone(self), core, first));
    }

    /// Forgets a call.
    pub(super) fn forget(&self, core: &CallCore) {
        self.routes.borrow_mut().remove(&core.leg().dialog().sip_call_id, core.id());
        self.calls.borrow_mut().remove(&core.id());
    }

    /// Wakes calls when they are due.
    pub(super) async fn keep_time(self: Rc<Self>) {
        loop {
            let due = poll_fn(|context| self.deadlines.poll(context)).await;
            self.wake(&due);
            tokio::task::yield_now().await;
        }
    }

    fn wake(&self, due: &[CallId]) {
        let calls = self.calls.borrow();
        for addr in due.iter().filter_map(|id| calls.get(id)) {
            // At most one per call is under way, so this can't grow.
            addr.do_send(Due);
        }
    }

    /// Does what other threads hand over.
    pub(super) async fn do_work(self: Rc<Self>, mut work: mpsc::Receiver<Work>) {
        while let Some(work) = work.recv().await {
            self.take(work);
        }
    }

    fn take(self: &Rc<Self>, work: Work) {
        match work {
            Work::Datagrams(datagrams) => self.receive(datagrams),
            Work::PeerFailed { peer, detail } => self.peer_failed(peer, &detail),
            Work::Place { place, reply } => self.place_call(*place, reply),
            Work::Command { call, command, reply } => self.command(call, command, reply),
            Work::Summaries { reply } => {
                actix::spawn(Rc::clone(self).summaries(reply));
            }
            Work::Close { reply } => {
                actix::spawn(Rc::clone(self).close(reply));
            }
        }
    }
}

impl std::fmt::Debug for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shard").field("place", &self.place).field("load", &self.load).finish_non_exhaustive()
    }
}
