//! The thread that writes: groups what waits, writes it to the write-ahead log with one sync, then answers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use super::group::{Finished, Group, Placed};
use super::queue::{Growth, Queue, Request};
use super::quiet::guarded;
use super::room::{Side, with_room};
use super::store::Store;
use super::table::Row;
use super::tree::Fault;
use super::young::Item;
use crate::erasable::Keys;
use crate::error::AppendError;
use crate::seal::Seals;
use crate::wal::pack::Packer;
use crate::wal::record;
use crate::wal::writer::Writer as Wal;
use crate::wal::{Kind, Place};
use crate::watermark::Watermark;

/// What it writes to.
pub struct Files {
    /// The log.
    pub wal: Wal,
    /// How far that was acknowledged.
    pub watermark: Watermark,
    /// The keys that sealed commits need, of an erasable store.
    pub keys: Option<Arc<Keys>>,
}

/// The writer.
pub struct Writer {
    store: Arc<Store>,
    queue: Arc<Queue>,
    files: Files,
    seals: Option<Arc<Seals>>,
    pace: Pace,
    tail: u64,
    volume: Growing,
    /// The rows that complete the index of the volume before, until the first group of the new one takes them along.
    turn: Option<Vec<Row>>,
    packer: Packer,
    /// Buffers that are used again for every group.
    frames: Vec<u8>,
    record: Vec<u8>,
}

impl Writer {
    /// A writer for an open store; nothing happens before [`run`](Self::run).
    pub fn new(
        store: Arc<Store>,
        queue: Arc<Queue>,
        files: Files,
        seals: Option<Arc<Seals>>,
        (growth, volume): (Growth, Growing),
    ) -> Self {
        let tail = store.durable();
        let (pace, packer) = (Pace::new(growth), Packer::default());
        let (frames, record) = (Vec::new(), Vec::new());
        Self { store, queue, files, seals, pace, tail, volume, turn: None, packer, frames, record }
    }

    /// Writes until the queue is closed and empty. The first failure poisons the queue: what is on disk is not known
    /// any more, and no later append may pretend otherwise.
    pub fn run(mut self) {
        let queue = Arc::clone(&self.queue);
        let store = Arc::clone(&self.store);
        let outcome = guarded(move || {
            self.write_all();
            if let Err(error) = self.files.wal.finish() {
                tracing::warn!(%error, "the room that the write-ahead log did not need could not be given back");
            }
        });
        if let Err(panic) = outcome {
            queue.poison(&AppendError::Unavailable { why: format!("the writer failed: {panic}") });
        }
        store.log.young.close();
        store.bell.close();
    }

    fn write_all(&mut self) {
        let mut requests = VecDeque::new();
        while self.queue.take(&mut requests) {
            while !requests.is_empty() {
                if let Err(fault) = self.write_group(&mut requests) {
                    self.fail(&fault, requests);
                    return;
                }
            }
            if let Some(growth) = self.pace.growth() {
                let worth = self.queue.linger(growth);
                self.pace.lingered(worth);
            }
        }
    }

    /// Writes as many of the requests as make one group.
    fn write_group(&mut self, requests: &mut VecDeque<Request>) -> Result<(), Fault> {
        if self.volume.is_over(self.tail, SystemTime::now()) {
            self.turn()?;
        }
        let finished = self.build(requests);
        if finished.acks.is_empty() {
            return Ok(());
        }
        let behind = match self.write(&finished) {
            Ok(behind) => behind,
            Err(fault) => {
                let answer = if fault == Fault::Full { AppendError::Full } else { AppendError::Unknown };
                finished.acks.into_iter().for_each(|(ack, _)| ack.resolve(Err(answer.clone())));
                return Err(fault);
            }
        };
        self.count(&finished);
        self.tail = finished.end;
        let Finished { first: seq, end, floor, rows, .. } = finished;
        let record = Arc::from(self.record.as_slice());
        self.volume.bytes += self.record.len() as u64;
        let turn = self.turn.take();
        let shed = self.store.log.young.push(Item { seq, end, record, turn, rows, floor, behind });
        if self.store.log.volumes.active().is_some_and(|active| active.is_without()) {
            // Nobody will settle them. Calls that go on stay in the table, as their heads are nowhere else at hand.
            let rows = shed.iter().flat_map(|item| &item.rows);
            self.store.table().settle(rows.filter(|row| row.ended));
        }
        self.store.publish(finished.end);
        finished.acks.into_iter().for_each(|(ack, position)| ack.resolve(Ok(position)));
        if let Some(seals) = &self.seals {
            seals.add(&finished.leaves);
        }
        self.frames = finished.frames;
        Ok(())
    }

    /// Begins a new volume where the log ends now. The calls that go on are in the index of the old one up to here.
    fn turn(&mut self) -> Result<(), Fault> {
        let (wal, tail) = (&mut self.files.wal, self.tail);
        with_room(&self.queue, Side::Log, || Ok(wal.go_on_in(tail, Kind::Volume)?))?;
        let rows = self.store.table().flush();
        self.turn.get_or_insert_default().extend(rows);
        self.volume = Growing { first: tail, bytes: 0, began: SystemTime::now(), ..self.volume };
        Ok(())
    }

    /// Makes a group durable; returns the place in the log behind it.
    fn write(&mut self, group: &Finished) -> Result<Place, Fault> {
        let &Finished { first: seq, end, .. } = group;
        let events = u32::try_from(end - seq).unwrap_or(u32::MAX);
        record::write(&mut self.packer, seq, events, &group.frames, &mut self.record);
        if let Some(keys) = &self.files.keys {
            keys.sync()?;
        }
        let (wal, record) = (&mut self.files.wal, &self.record);
        let behind = with_room(&self.queue, Side::Log, || Ok(wal.append(seq, record)?))?;
        self.files.wal.sync()?;
        self.raise(end)?;
        Ok(behind)
    }

    /// The watermark may lag: a disk without room for it is no reason to doubt what is durable.
    fn raise(&self, end: u64) -> Result<(), Fault> {
        match self.files.watermark.write(end).map_err(Fault::from) {
            Err(Fault::Full) => Ok(()),
            outcome => outcome,
        }
    }

    fn count(&mut self, finished: &Finished) {
        self.pace.wrote(finished.acks.len());
        let counted = &self.store.counted;
        counted.groups.fetch_add(1, Ordering::Relaxed);
        counted.commits.fetch_add(finished.acks.len() as u64, Ordering::Relaxed);
        counted.bytes.fetch_add(self.record.len() as u64, Ordering::Relaxed);
    }

    fn build(&mut self, requests: &mut VecDeque<Request>) -> Finished {
        let mut table = self.store.table();
        let mut group = Group::new(self.tail, std::mem::take(&mut self.frames));
        while let Some(request) = requests.pop_front() {
            if let Placed::Later(request) = group.place(request, &mut table, &self.store.log) {
                requests.push_front(request);
                break;
            }
        }
        group.finish(&mut table)
    }

    fn fail(&self, fault: &Fault, unwritten: VecDeque<Request>) {
        tracing::error!(%fault, "the journal can't be written any more");
        let error = AppendError::from(fault);
        self.queue.poison(&error);
        unwritten.into_iter().for_each(|request| request.ack.resolve(Err(error.clone())));
    }
}

/// The volume that grows, and how far it may.
#[derive(Debug, Clone, Copy)]
pub struct Growing {
    /// Where it begins.
    pub first: u64,
    /// Bytes of its records.
    pub bytes: u64,
    /// When it was begun.
    pub began: SystemTime,
    /// The most bytes.
    pub most_bytes: u64,
    /// The highest age.
    pub most_age: Duration,
}

impl Growing {
    /// Whether the next group belongs to a new one.
    fn is_over(&self, tail: u64, now: SystemTime) -> bool {
        // A clock that was set back says nothing of age.
        let age = now.duration_since(self.began).unwrap_or_default();
        tail > self.first && (self.bytes >= self.most_bytes || age >= self.most_age)
    }
}

/// How long to let a group grow. A sync costs the same for one commit as for a hundred; so under load it pays to wait a
/// little, while a lone commit on an idle engine must not wait at all. Load is a running mean of the groups' sizes.
///
/// Where callers come in a crowd and then all wait for their acks, nothing more comes however long the group may grow. So
/// a time that ends in silence is halved for the next group, and doubled again once it is worth it.
#[derive(Debug)]
struct Pace {
    growth: Growth,
    /// Sixteenths of a commit.
    mean: usize,
    /// How often the time was halved.
    halved: u32,
}

const ONE: usize = 16;

/// A quarter of a millisecond of the default remains: about what a sync takes.
const MOST_HALVED: u32 = 5;

impl Pace {
    fn new(growth: Growth) -> Self {
        Self { growth, mean: ONE, halved: 0 }
    }

    fn wrote(&mut self, commits: usize) {
        let sample = commits.min(64) * ONE;
        self.mean = (self.mean * 7 + sample) / 8;
    }

    fn lingered(&mut self, worth: bool) {
        self.halved = if worth { self.halved.saturating_sub(1) } else { (self.halved + 1).min(MOST_HALVED) };
    }

    fn growth(&self) -> Option<Growth> {
        let Growth { any, relaxed } = self.growth;
        let part = 1 << self.halved;
        let growth = Growth { any: any / part, relaxed: relaxed / part };
        (self.mean * 2 >= ONE * 3 && !any.is_zero()).then_some(growth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_commits_are_not_delayed_and_crowds_are() {
        let mut pace = Pace::new(Growth { any: Duration::from_millis(1), relaxed: Duration::ZERO });
        (0..100).for_each(|_| pace.wrote(1));
        assert_eq!(pace.growth(), None);
        (0..10).for_each(|_| pace.wrote(4));
        assert!(pace.growth().is_some());
        (0..30).for_each(|_| pace.wrote(1));
        assert_eq!(pace.growth(), None);
    }
    #[test]
    fn a_crowd_that_waits_for_its_acks_is_not_kept_waiting_long() {
        let growth = Growth { any: Duration::from_millis(8), relaxed: Duration::from_millis(12) };
        let mut pace = Pace::new(growth);
        (0..10).for_each(|_| pace.wrote(64));
        assert_eq!(pace.growth(), Some(growth));
        (0..20).for_each(|_| pace.lingered(false));
        let shortest = pace.growth().unwrap();
        assert_eq!(shortest.any, Duration::from_micros(250));
        pace.lingered(true);
        assert_eq!(pace.growth().unwrap().any, shortest.any * 2);
        (0..20).for_each(|_| pace.lingered(true));
        assert_eq!(pace.growth(), Some(growth));
    }
}
