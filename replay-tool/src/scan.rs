//! Walks over all calls of a store, each whole, in bounded memory.
//!
//! Commits come in global order and are gathered by call. A call is handed out when it is released; the live ones at
//! the end. What is gathered is bounded: beyond the bound, the oldest calls are let go and read again by their id when
//! their turn comes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;
use callbox_store::{Commits, Cursor, JournalReader, ReadError};

use crate::progress::Progress;

/// How many commits of unfinished calls are held at once: some 100 MiB of large ones.
const MAX_HELD: usize = 50_000;

/// All calls of a store, by the order of their release; live ones last, by the order of their start.
pub struct Scan<'a> {
    reader: &'a dyn JournalReader,
    commits: Commits<'a>,
    gathered: BTreeMap<CallId, Vec<StoredCommit>>,
    held: usize,
    let_go: BTreeSet<CallId>,
    rest: Option<VecDeque<CallId>>,
    max_held: usize,
    progress: Progress,
}

impl<'a> Scan<'a> {
    /// Starts at the beginning of the store.
    pub fn of(reader: &'a dyn JournalReader, progress: Progress) -> Result<Self, ReadError> {
        Ok(Self {
            reader,
            commits: reader.read_all(Cursor::START)?,
            gathered: BTreeMap::new(),
            held: 0,
            let_go: BTreeSet::new(),
            rest: None,
            max_held: MAX_HELD,
            progress,
        })
    }

    /// Takes a commit; gives its call if that is complete now.
    fn take(&mut self, stored: StoredCommit) -> Option<Result<Vec<StoredCommit>, ReadError>> {
        self.progress.advance(stored.commit.events.len() as u64);
        let call = stored.commit.call;
        let released = stored.commit.releases();
        if self.let_go.contains(&call) {
            return released.then(|| self.read_again(call));
        }
        if stored.commit.version > 0 && !self.gathered.contains_key(&call) {
            return None;
        }
        self.held += 1;
        let commits = self.gathered.entry(call).or_default();
        commits.push(stored);
        if released {
            return self.give(call).map(Ok);
        }
        if self.held > self.max_held {
            self.let_oldest_go();
        }
        None
    }

    fn give(&mut self, call: CallId) -> Option<Vec<StoredCommit>> {
        let commits = self.gathered.remove(&call)?;
        self.held -= commits.len();
        Some(commits)
    }

    fn let_oldest_go(&mut self) {
        if let Some((call, commits)) = self.gathered.pop_first() {
            self.held -= commits.len();
            self.let_go.insert(call);
        }
    }

    fn read_again(&mut self, call: CallId) -> Result<Vec<StoredCommit>, ReadError> {
        self.let_go.remove(&call);
        self.reader.read(call)
    }

    /// After the last commit: the calls that were not released.
    fn next_of_rest(&mut self) -> Option<Result<Vec<StoredCommit>, ReadError>> {
        let rest = self.rest.get_or_insert_with(|| {
            let mut all: Vec<CallId> = self.gathered.keys().chain(&self.let_go).copied().collect();
            all.sort_unstable();
            all.into()
        });
        let call = rest.pop_front()?;
        Some(match self.give(call) {
            Some(commits) => Ok(commits),
            None => self.read_again(call),
        })
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Vec<StoredCommit>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.rest.is_none() {
            match self.commits.next() {
                Some(Ok(stored)) => {
                    if let Some(call) = self.take(stored) {
                        return Some(call);
                    }
                }
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        self.next_of_rest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stories;
    use callbox_store::memory::MemoryJournal;
    use callbox_store::{Expect, Journal};

    /// A journal in which all told calls happen at once: their commits take turns.
    fn interleaved() -> MemoryJournal {
        let journal = MemoryJournal::new();
        let mut calls: Vec<_> = stories::all().into_iter().map(Vec::into_iter).collect();
        while !calls.is_empty() {
            calls.retain_mut(|commits| match commits.next() {
                Some(commit) => {
                    let expect = Expect::of(&commit);
                    drop(journal.append(commit, expect));
                    true
                }
                None => false,
            });
        }
        journal
    }

    fn scanned(journal: &MemoryJournal, max_held: usize) -> Vec<(CallId, usize)> {
        let mut scan = Scan::of(journal, Progress::events(0)).unwrap();
        scan.max_held = max_held;
        let mut calls = Vec::new();
        while let Some(call) = scan.next() {
            assert!(scan.held <= max_held, "{} commits held", scan.held);
            let commits = call.unwrap();
            calls.push((commits[0].commit.call, commits.len()));
        }
        calls
    }

    #[test]
    fn every_call_is_given_once_and_whole_whatever_may_be_held() {
        let journal = interleaved();
        let mut told: Vec<_> = stories::all().iter().map(|call| (call[0].call, call.len())).collect();
        told.sort_unstable();
        for max_held in [0, 1, 3, 7, 1000] {
            let mut found = scanned(&journal, max_held);
            found.sort_unstable();
            assert_eq!(found, told, "{max_held} held");
        }
    }

    #[test]
    fn calls_come_as_they_are_released_and_live_ones_last() {
        let found = scanned(&interleaved(), 1000);
        let live = stories::still_talking()[0].call;
        assert_eq!(found.last().map(|(call, _)| *call), Some(live));
    }
}
