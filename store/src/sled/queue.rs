//! What waits for the writer: bounded, and cheap to hand over.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use callbox_events::Timestamp;

use super::room::Side;
use crate::append::Ack;
use crate::erasable::opening::Opener;
use crate::error::AppendError;
use crate::frame::{Facts, HEADER_BYTES};

/// A commit that waits.
#[derive(Debug)]
pub struct Request {
    /// What the log needs to know of it.
    pub facts: Facts,
    /// When it was recorded.
    pub at: Timestamp,
    /// Encoded.
    pub payload: Vec<u8>,
    /// What opens it, if it is sealed.
    pub opener: Opener,
    /// Whether something waits to be let out by its ack: a message, the answer to a command.
    pub urgent: bool,
    /// Whom to tell.
    pub ack: Ack,
}

impl Request {
    /// What it takes in the log.
    fn bytes(&self) -> usize {
        HEADER_BYTES + self.payload.len()
    }
}

/// Limits of what is taken at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most commits.
    pub commits: usize,
    /// The most encoded bytes.
    pub bytes: usize,
}

/// How long a group may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Whatever waits.
    pub any: Duration,
    /// While nothing urgent waits.
    pub relaxed: Duration,
}

/// The queue.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    closing: Condvar,
    capacity: Limits,
    group: Limits,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Request>,
    /// How many of those that wait are urgent.
    urgent: usize,
    bytes: usize,
    closed: Option<AppendError>,
    /// Which sides wait for room on the disk.
    short: Vec<Side>,
    writer: Writer,
    /// When the newest came, if the writer has let a group grow since.
    arrival: Option<Instant>,
}

/// What the writer does: it is woken only when that is worth it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Writer {
    #[default]
    Busy,
    /// Sleeps until anything comes.
    Idle,
    /// Lets a group grow: wants to be woken only when the group is full.
    Lingering,
    /// Lets a group without urgency grow: wants to be woken when it is full or something urgent comes.
    Resting,
}

impl Queue {
    /// An empty queue that holds up to `capacity` and gives groups of up to `group`.
    pub fn new(capacity: Limits, group: Limits) -> Self {
        Self { state: Mutex::default(), arrived: Condvar::new(), closing: Condvar::new(), capacity, group }
    }

    /// Hands a request over, or resolves it at once if it can't be taken.
    pub fn push(&self, request: Request) {
        let mut state = self.lock();
        let full = state.waiting.len() >= self.capacity.commits || state.bytes >= self.capacity.bytes;
        let no_room = request.facts.version == 0 && !state.short.is_empty();
        let refusal = state.closed.clone().or(no_room.then_some(AppendError::Full));
        let refusal = refusal.or(full.then_some(AppendError::Overloaded));
        if let Some(error) = refusal {
            drop(state);
            request.ack.resolve(Err(error));
            return;
        }
        state.bytes += request.bytes();
        state.urgent += usize::from(request.urgent);
        state.waiting.push_back(request);
        if matches!(state.writer, Writer::Lingering | Writer::Resting) {
            state.arrival = Some(Instant::now());
        }
        let wake = match state.writer {
            Writer::Busy => false,
            Writer::Idle => true,
            Writer::Lingering => state.holds(self.group),
            Writer::Resting => state.urgent > 0 || state.holds(self.group),
        };
        if wake {
            state.writer = Writer::Busy;
            drop(state);
            self.arrived.notify_one();
        }
    }

    /// Lets the next group grow: first whatever waits, then as long as nothing urgent does. Ends early if it is full.
    /// Returns whether that was worth it: something still came in the second half of the time.
    pub fn linger(&self, growth: Growth) -> bool {
        let mut state = self.lock();
        let began = Instant::now();
        state.arrival = None;
        let mut state = self.wait_as(state, Writer::Lingering, growth.any);
        if state.urgent == 0 {
            state = self.wait_as(state, Writer::Resting, growth.relaxed);
        }
        state.writer = Writer::Busy;
        let waited = began.elapsed();
        state.arrival.is_some_and(|arrival| arrival.duration_since(began) * 2 >= waited)
    }

    fn wait_as<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        writer: Writer,
        limit: Duration,
    ) -> MutexGuard<'a, State> {
        if state.closed.is_some() || state.holds(self.group) || limit.is_zero() {
            return state;
        }
        state.writer = writer;
        let waited = self.arrived.wait_timeout_while(state, limit, |state| state.writer == writer);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits for something, then takes a group into `group`. False once the queue is closed and empty.
    pub fn take(&self, group: &mut VecDeque<Request>) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed.is_some() {
                return false;
            }
            state.writer = Writer::Idle;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.writer = Writer::Busy;
        let mut bytes = 0;
        while let Some(next) = state.waiting.front().map(Request::bytes) {
            let full = group.len() >= self.group.commits || bytes + next > self.group.bytes;
            if full && !group.is_empty() {
                break;
            }
            bytes += next;
            let taken = state.waiting.pop_front();
            let urgent = taken.as_ref().is_some_and(|request| request.urgent);
            state.urgent = state.urgent.saturating_sub(usize::from(urgent));
            group.extend(taken);
        }
        state.bytes -= bytes.min(state.bytes);
        true
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Takes no more requests: later ones are answered with `error`. What waits stays to be taken.
    pub fn close(&self, error: AppendError) {
        let mut state = self.lock();
        state.closed.get_or_insert(error);
        state.writer = Writer::Busy;
        drop(state);
        self.arrived.notify_all();
        self.closing.notify_all();
    }

    /// Takes no more requests and answers what waits with the same error.
    pub fn poison(&self, error: &AppendError) {
        let mut state = self.lock();
        state.closed = Some(error.clone());
        state.bytes = 0;
        state.urgent = 0;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.closing.notify_all();
        for request in waiting {
            request.ack.resolve(Err(error.clone()));
        }
    }

    /// One side finds no room on the disk: new calls are refused until it [has some](Self::has_room). Waits so long, or
    /// until the queue is closed: then it is false that trying again makes sense.
    pub fn wait_for_room(&self, side: Side, pause: Duration) -> bool {
        let mut state = self.lock();
        if !state.short.contains(&side) {
            state.short.push(side);
        }
        let waited = self.closing.wait_timeout_while(state, pause, |state| state.closed.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.closed.is_none()
    }

    /// That side can write again.
    pub fn has_room(&self, side: Side) {
        self.lock().short.retain(|short| *short != side);
    }

    /// Why new calls are refused, if they are.
    pub fn refusal(&self) -> Option<AppendError> {
        let state = self.lock();
        state.closed.clone().or((!state.short.is_empty()).then_some(AppendError::Full))
    }

    /// Why it is closed, if it is.
    pub fn closed(&self) -> Option<AppendError> {
        self.lock().closed.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn holds(&self, group: Limits) -> bool {
        self.waiting.len() >= group.commits || self.bytes >= group.bytes
    }
}
