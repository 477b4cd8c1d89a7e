//! What the writer keeps in memory: for each call with chunks that are not in the index yet, which ones, and its head.
//!
//! An entry lives exactly as long as its call has such chunks. They go to the index, as one row, when the call ends,
//! when there are a dozen, or when the oldest has become old; so the table is bounded, and after a restart it is
//! rebuilt from the young end of the log alone. A call without an entry is looked up in the index.

use std::collections::{HashMap, VecDeque};

use callbox_events::CallId;

use crate::chain::Link;
use crate::frame::Facts;
use crate::keys;

/// After so many chunks a row is written.
const ROW_CHUNKS: usize = 12;

/// After so many further events a chunk that is not in the index is old.
const OLD_AFTER: u64 = 65_536;

/// At most so many old calls are put into the index with one group.
const SWEEP: usize = 256;

/// The floor is written when it has risen by so much.
const FLOOR_STEP: u64 = 8_192;

/// The state of one call with chunks outside the index.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The version of its next commit.
    pub version: u64,
    /// Its chain.
    pub hash: Link,
    /// The global sequence number of its last commit.
    pub last_seq: u64,
    /// The chunks that are not in the index, and of these how many the batch in flight puts there.
    pending: Vec<Held>,
    rowed: usize,
}

/// A chunk and the version of the call's first commit in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    chunk: u64,
    version: u32,
}

/// An index row to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its key.
    pub key: [u8; 21],
    /// Its value.
    pub value: Vec<u8>,
    /// Whose it is.
    pub call: CallId,
    /// Whether the call has ended with it.
    pub ended: bool,
    /// The last chunk it names.
    last: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Table {
    entries: HashMap<CallId, Entry>,
    /// The chunk with which a call began to be outside the index, oldest first. May name calls that no longer are.
    aging: VecDeque<(u64, CallId)>,
    /// The highest id seen: ids are chronological, so a higher one is new without a look at the disk.
    newest: Option<CallId>,
    floor: u64,
}

impl Table {
    /// A table for a store whose index is complete up to `floor` and whose highest call there is `newest`.
    pub fn new(floor: u64, newest: Option<CallId>) -> Self {
        Self { floor, newest, ..Self::default() }
    }

    /// The entry of a call.
    pub fn get(&self, call: CallId) -> Option<&Entry> {
        self.entries.get(&call)
    }

    /// True if the call can't be in the index: its id is higher than any seen.
    pub fn is_surely_new(&self, call: CallId) -> bool {
        self.newest.is_none_or(|newest| call > newest)
    }

    /// The calls that have an entry; the first chunk that each has in it, and the version of its first commit there.
    pub fn calls(&self) -> impl Iterator<Item = (CallId, u64, u64)> {
        let first = |entry: &Entry| entry.pending.first().copied();
        self.entries.iter().filter_map(move |(call, entry)| {
            first(entry).map(|held| (*call, held.chunk, u64::from(held.version)))
        })
    }

    /// The chunks of a call that are not in the index.
    pub fn pending(&self, call: CallId) -> Vec<u64> {
        let entry = self.entries.get(&call);
        entry.map(|entry| entry.pending.iter().map(|held| held.chunk).collect()).unwrap_or_default()
    }

    /// Takes note of a commit in a chunk; returns the row to write along with it, if it is time for one.
    pub fn note(&mut self, facts: &Facts, hash: Link, seq: u64, chunk: u64) -> Option<Row> {
        let call = facts.call;
        self.newest = self.newest.max(Some(call));
        let entry = self.entries.entry(call).or_insert_with(|| Entry {
            version: 0,
            hash,
            last_seq: seq,
            pending: Vec::with_capacity(4),
            rowed: 0,
        });
        entry.version = facts.version + u64::from(facts.events);
        entry.hash = hash;
        entry.last_seq = seq;
        if entry.pending.last().map(|held| held.chunk) != Some(chunk) {
            if entry.pending.len() == entry.rowed {
                self.aging.push_back((chunk, call));
            }
            let version = u32::try_from(facts.version).unwrap_or(u32::MAX);
            entry.pending.push(Held { chunk, version });
        }
        let due = facts.last || entry.pending.len() - entry.rowed >= ROW_CHUNKS;
        if due { entry.row(call, facts.last) } else { None }
    }

    /// Rows for the calls whose oldest chunk has become old.
    pub fn sweep(&mut self, tail: u64) -> Vec<Row> {
        let mut rows = Vec::new();
        self.forget_stale();
        while let Some((chunk, call)) = self.aging.front().copied() {
            if chunk.saturating_add(OLD_AFTER) > tail || rows.len() >= SWEEP {
                break;
            }
            rows.extend(self.entries.get_mut(&call).and_then(|entry| entry.row(call, false)));
            self.aging.pop_front();
            self.forget_stale();
        }
        rows
    }

    fn forget_stale(&mut self) {
        while let Some((chunk, call)) = self.aging.front() {
            let entry = self.entries.get(call);
            if entry.is_some_and(|entry| entry.oldest() == Some(*chunk)) {
                break;
            }
            self.aging.pop_front();
        }
    }

    /// Up to where the index is complete once the batch in flight is written, if that should be recorded with it.
    pub fn rise(&mut self, tail: u64) -> Option<u64> {
        self.forget_stale();
        let floor = self.aging.front().map_or(tail, |(chunk, _)| *chunk);
        if floor < self.floor.saturating_add(FLOOR_STEP) {
            return None;
        }
        self.floor = floor;
        Some(floor)
    }

    /// These rows are in the index now. Later ones of the same calls may still be on their way.
    pub fn settle<'a>(&mut self, rows: impl IntoIterator<Item = &'a Row>) {
        for row in rows {
            self.indexed(row.call, Some(row.last));
        }
    }

    /// The index names the chunks of this call up to `indexed`.
    pub fn indexed(&mut self, call: CallId, indexed: Option<u64>) {
        let Some(entry) = self.entries.get_mut(&call) else { return };
        let settled = entry.pending.partition_point(|held| Some(held.chunk) <= indexed);
        entry.pending.drain(..settled);
        entry.rowed = entry.rowed.saturating_sub(settled);
        if entry.pending.is_empty() {
            self.entries.remove(&call);
        }
    }

    /// Rows for every call: with them the index is complete up to where the log ends now.
    pub fn flush(&mut self) -> Vec<Row> {
        self.aging.clear();
        self.entries.iter_mut().filter_map(|(call, entry)| entry.row(*call, false)).collect()
    }

    /// The index names everything before this global sequence number.
    pub fn indexed_before(&mut self, seq: u64) {
        let Some(last) = seq.checked_sub(1) else { return };
        self.known().into_iter().for_each(|call| self.indexed(call, Some(last)));
        self.sort_by_age();
    }

    /// At open: once every entry is right, puts them in the order of their age.
    pub fn sort_by_age(&mut self) {
        let mut aging: Vec<_> =
            self.entries.iter().filter_map(|(call, entry)| Some((entry.oldest()?, *call))).collect();
        aging.sort_unstable();
        self.aging = aging.into();
    }

    /// The calls that have an entry.
    pub fn known(&self) -> Vec<CallId> {
        self.entries.keys().copied().collect()
    }

    /// At open: the call has ended, so its row was written along with its last commit.
    pub fn forget(&mut self, call: CallId) {
        self.entries.remove(&call);
    }
}

impl Entry {
    /// The oldest chunk that is neither in the index nor on its way there.
    fn oldest(&self) -> Option<u64> {
        self.pending.get(self.rowed).map(|held| held.chunk)
    }

    fn row(&mut self, call: CallId, ended: bool) -> Option<Row> {
        let held = self.pending.get(self.rowed..)?;
        let key = keys::row(call, held.first()?.version);
        let chunks: Vec<u64> = held.iter().map(|held| held.chunk).collect();
        let last = *chunks.last()?;
        self.rowed = self.pending.len();
        Some(Row { key, value: keys::write_list(&chunks), call, ended, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(n: u8) -> CallId {
        CallId::from_bytes([n; 16])
    }

    fn facts(n: u8, version: u64, last: bool) -> Facts {
        Facts { call: call(n), version, events: 1, last }
    }

    #[test]
    fn a_call_goes_to_the_index_when_it_ends() {
        let mut table = Table::new(0, None);
        assert_eq!(table.note(&facts(1, 0, false), [1; 32], 0, 0), None);
        assert_eq!(table.note(&facts(1, 1, false), [2; 32], 1, 0), None, "still the same chunk");
        let row = table.note(&facts(1, 2, true), [3; 32], 5, 4).unwrap();
        assert_eq!(row.key, keys::row(call(1), 0));
        assert_eq!(keys::read_list(&row.value), Some(vec![0, 4]));
        assert_eq!(table.pending(call(1)), [0, 4], "until the row is applied");
        table.settle([&row]);
        assert!(table.get(call(1)).is_none());
        assert!(!table.is_surely_new(call(1)) && table.is_surely_new(call(2)));
    }

    #[test]
    fn a_long_call_gets_a_row_every_dozen_chunks_that_names_its_first_version() {
        let mut table = Table::new(0, None);
        let rows: Vec<Row> = (0..30)
            .filter_map(|n| {
                let row = table.note(&facts(1, n, false), [0; 32], n * 3, n * 3);
                table.settle(&row);
                row
            })
            .collect();
        let keys: Vec<_> = rows.iter().map(|row| row.key).collect();
        assert_eq!(keys, [keys::row(call(1), 0), keys::row(call(1), 12)]);
        assert_eq!(table.pending(call(1)).len(), 6);
    }

    #[test]
    fn a_row_that_is_applied_leaves_a_later_one_on_its_way_alone() {
        let mut table = Table::new(0, None);
        let rows: Vec<Row> =
            (0..24).filter_map(|n| table.note(&facts(1, n, n == 23), [0; 32], n, n)).collect();
        assert_eq!(rows.len(), 2);
        table.settle([&rows[0]]);
        assert_eq!(table.pending(call(1)), (12..24).collect::<Vec<_>>());
        table.settle([&rows[1]]);
        assert!(table.get(call(1)).is_none());
    }

    #[test]
    fn an_idle_call_leaves_the_table_and_the_floor_rises() {
        let mut table = Table::new(0, None);
        table.note(&facts(1, 0, false), [0; 32], 0, 0);
        table.note(&facts(2, 0, false), [0; 32], 70_000, 70_000);
        assert_eq!(table.rise(70_001), None);
        let rows = table.sweep(70_001);
        assert_eq!(rows.len(), 1);
        assert_eq!(table.rise(70_001), Some(70_000));
        table.settle(&rows);
        assert_eq!(table.known(), [call(2)]);
    }

    #[test]
    fn a_rebuilt_table_doesnt_reuse_the_key_of_a_row_that_is_written() {
        let mut table = Table::new(0, None);
        table.note(&facts(1, 0, false), [0; 32], 0, 0);
        table.note(&facts(1, 1, false), [0; 32], 9, 9);
        table.indexed(call(1), Some(0));
        table.sort_by_age();
        assert_eq!(table.rise(100_000), None, "chunk 9 isn't in the index");
        let row = table.note(&facts(1, 2, true), [0; 32], 20, 20).unwrap();
        assert_eq!(row.key, keys::row(call(1), 1));
        assert_eq!(keys::read_list(&row.value), Some(vec![9, 20]));
    }
}
