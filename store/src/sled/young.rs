//! What is durable in the write-ahead log and not in sled yet: readable from memory until it is.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::table::Row;
use crate::error::ReadError;
use crate::wal::Place;

/// One group on its way to sled.
#[derive(Debug, Clone)]
pub struct Item {
    /// The global sequence number of its first event.
    pub seq: u64,
    /// The one behind its last.
    pub end: u64,
    /// The record, as it stands in the log.
    pub record: Arc<[u8]>,
    /// If a new volume begins with it: the rows that complete the index of the one before.
    pub turn: Option<Vec<Row>>,
    /// The rows of the index that go with it.
    pub rows: Vec<Row>,
    /// Up to where the index is complete with them, if that is to be kept.
    pub floor: Option<u64>,
    /// The place in the log behind it.
    pub behind: Place,
}

impl Item {
    fn bytes(&self) -> usize {
        self.record.len() + self.rows.iter().map(|row| row.key.len() + row.value.len()).sum::<usize>()
    }
}

/// When what is young is carried over.
#[derive(Debug, Clone, Copy)]
pub struct Ripeness {
    /// As soon as there are so many bytes, and at most so many at once.
    pub bytes: usize,
    /// And after this time in any case.
    pub age: Duration,
    /// With more than this the writer waits.
    pub most: usize,
}

/// What is to be done for sled.
#[derive(Debug)]
pub enum Work {
    /// These groups are carried over to it.
    CarryOver(Vec<Item>),
    /// A reader found it damaged in the volume that begins there.
    LookInto(u64, ReadError),
}

/// The groups that are young, oldest first.
#[derive(Debug)]
pub struct Young {
    state: Mutex<State>,
    grew: Condvar,
    shrank: Condvar,
    ripeness: Ripeness,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    bytes: usize,
    closed: bool,
    /// Whether somebody carries over; else nobody needs to be waited for.
    carried: bool,
    /// What a reader found wrong with sled.
    doubt: Option<(u64, ReadError)>,
    /// Whether the oldest are let go instead of waited for: the write-ahead log has them.
    shedding: bool,
    /// Whether any were, since it began.
    shed: bool,
}

impl Young {
    /// None yet.
    pub fn new(ripeness: Ripeness) -> Self {
        Self { state: Mutex::default(), grew: Condvar::new(), shrank: Condvar::new(), ripeness }
    }

    /// Adds the youngest. While there is far too much, so that memory stays bounded: waits for sled to keep up; or, while
    /// sled is [out of use](Self::shed), lets the oldest go and returns them.
    pub fn push(&self, item: Item) -> Vec<Item> {
        let mut state = self.lock();
        while state.bytes > self.ripeness.most && state.carried && !state.shedding && !state.closed {
            state = self.shrank.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let shed = if state.shedding { state.shed(self.ripeness.most) } else { Vec::new() };
        let (was_empty, was_ripe) = (state.items.is_empty(), state.bytes >= self.ripeness.bytes);
        state.bytes += item.bytes();
        state.items.push_back(item);
        let wake = was_empty || (!was_ripe && state.bytes >= self.ripeness.bytes);
        drop(state);
        if wake {
            self.grew.notify_one();
        }
        shed
    }

    /// From now on the writer does not wait for sled, which is out of use: what is too much is let go.
    pub fn shed(&self) {
        let mut state = self.lock();
        state.shed &= state.shedding;
        state.shedding = true;
        drop(state);
        self.shrank.notify_all();
    }

    /// The sled of before is used again; false if groups that it does not have were let go.
    pub fn keep(&self) -> bool {
        let mut state = self.lock();
        state.shedding &= state.shed;
        !state.shed
    }

    /// Sled holds everything before `reached` and is in use again; false if younger groups than that were let go already.
    pub fn keep_from(&self, reached: u64) -> bool {
        let mut state = self.lock();
        let joins = state.items.front().is_none_or(|oldest| oldest.seq <= reached);
        state.shedding &= !joins;
        joins
    }

    /// The groups before this global sequence number are in sled.
    pub fn forget_before(&self, seq: u64) {
        let count = self.lock().items.partition_point(|item| item.end <= seq);
        self.carried_over(count);
    }

    /// Whether nothing more will come; waits for it at most so long.
    pub fn is_closed_within(&self, limit: Duration) -> bool {
        let waited = self.shrank.wait_timeout_while(self.lock(), limit, |state| !state.closed);
        waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// The record that begins at this global sequence number.
    pub fn get(&self, seq: u64) -> Option<Arc<[u8]>> {
        let state = self.lock();
        let place = state.items.binary_search_by_key(&seq, |item| item.seq).ok()?;
        state.items.get(place).map(|item| Arc::clone(&item.record))
    }

    /// The beginning of the group that holds this global sequence number, if it is young.
    pub fn group_at(&self, seq: u64) -> Option<u64> {
        let state = self.lock();
        let place = state.items.partition_point(|item| item.seq <= seq);
        let item = state.items.get(place.checked_sub(1)?)?;
        (seq < item.end).then_some(item.seq)
    }

    /// Waits until something is ripe; then the oldest groups, as many as are carried over at once. `None` once it is
    /// closed and empty. They stay until they are [`carried_over`](Self::carried_over).
    pub fn ripe(&self) -> Option<Work> {
        let mut state = self.lock();
        state.carried = true;
        while state.items.is_empty() && (state.doubt.is_none() || state.closed) {
            if state.closed {
                return None;
            }
            state = self.grew.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if !state.closed && state.bytes < self.ripeness.bytes {
            let waited = self.grew.wait_timeout_while(state, self.ripeness.age, |state| {
                !state.closed && state.bytes < self.ripeness.bytes && state.doubt.is_none()
            });
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        // Whoever opens the store next looks for himself; what is left is carried over first.
        if let Some((volume, doubt)) = state.doubt.take().filter(|_| !state.closed) {
            return Some(Work::LookInto(volume, doubt));
        }
        let mut bytes = 0;
        let mut first = true;
        let fits = |item: &&Item| {
            bytes += item.bytes();
            let joins = item.turn.is_none() || first;
            first = false;
            bytes <= self.ripeness.bytes && joins
        };
        let mut batch: Vec<Item> = state.items.iter().take_while(fits).cloned().collect();
        if batch.is_empty() {
            batch.extend(state.items.front().cloned());
        }
        Some(Work::CarryOver(batch))
    }

    /// A reader found something wrong with the sled of the volume that begins there.
    pub fn doubt(&self, volume: u64, why: &ReadError) {
        self.lock().doubt.get_or_insert_with(|| (volume, why.clone()));
        self.grew.notify_one();
    }

    /// The oldest groups, so many of them, are in sled now.
    pub fn carried_over(&self, count: usize) {
        let mut state = self.lock();
        let count = count.min(state.items.len());
        let bytes: usize = state.items.drain(..count).map(|item| item.bytes()).sum();
        state.bytes -= bytes.min(state.bytes);
        drop(state);
        self.shrank.notify_all();
    }

    /// No more will come: what is there is ripe.
    pub fn close(&self) {
        self.lock().closed = true;
        self.grew.notify_all();
        self.shrank.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn shed(&mut self, most: usize) -> Vec<Item> {
        let mut shed = Vec::new();
        while self.bytes > most {
            let Some(oldest) = self.items.pop_front() else { break };
            self.bytes -= oldest.bytes().min(self.bytes);
            shed.push(oldest);
        }
        self.shed |= !shed.is_empty();
        shed
    }
}
