//! Where each call of a recording that is being written has its last commit. Calls that go on are held in memory; those
//! that are over are put aside in a file, in sorted runs, and merged at the end. So memory does not grow with the calls.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::FileExt;

use callbox_events::CallId;

use super::index::{BLOCK, ENTRY_BYTES, encode, entry};

/// Once so many calls go on, they are put aside as well.
const MOST_OPEN: usize = 1 << 18;

/// Bytes of each run that are read at a time.
const MERGE_BYTES: usize = 1 << 14;

/// The places.
#[derive(Debug, Default)]
pub struct Places {
    open: HashMap<CallId, u64>,
    /// Of calls that are over, not written yet.
    over: Vec<(CallId, u64)>,
    aside: Option<Aside>,
}

#[derive(Debug)]
struct Aside {
    file: File,
    /// How many entries each run has.
    runs: Vec<usize>,
}

impl Places {
    /// Takes the place of a call's next commit; returns that of the commit before. `first` says that there can be none,
    /// `last` that hardly another one comes.
    pub fn put(&mut self, call: CallId, place: u64, first: bool, last: bool) -> io::Result<Option<u64>> {
        let before = match self.open.remove(&call) {
            None if !first => self.find(call)?,
            before => before,
        };
        if last {
            self.over.push((call, place));
        } else {
            self.open.insert(call, place);
        }
        if self.open.len() >= MOST_OPEN {
            self.over.extend(self.open.drain());
        }
        if self.over.len() >= BLOCK {
            self.put_aside()?;
        }
        Ok(before)
    }

    /// The latest place of a call that was taken for over.
    fn find(&self, call: CallId) -> io::Result<Option<u64>> {
        let waiting = self.over.iter().rev().find(|(over, _)| *over == call).map(|(_, place)| *place);
        let Some(aside) = self.aside.as_ref().filter(|_| waiting.is_none()) else { return Ok(waiting) };
        let mut end = aside.runs.iter().sum::<usize>();
        for run in aside.runs.iter().rev() {
            let found = aside.search(end - run..end, call)?;
            if found.is_some() {
                return Ok(found);
            }
            end -= run;
        }
        Ok(None)
    }

    fn put_aside(&mut self) -> io::Result<()> {
        let aside = match &mut self.aside {
            Some(aside) => aside,
            None => self.aside.insert(Aside { file: tempfile::tempfile()?, runs: Vec::new() }),
        };
        sort(&mut self.over);
        aside.file.write_all(&encode(&self.over))?;
        aside.runs.push(self.over.len());
        self.over.clear();
        Ok(())
    }

    /// Every call once, in order, with the place of its last commit.
    pub fn merge(mut self) -> io::Result<impl Iterator<Item = io::Result<(CallId, u64)>>> {
        self.over.extend(self.open.drain());
        sort(&mut self.over);
        let mut runs: Vec<Run> = vec![Box::new(std::mem::take(&mut self.over).into_iter().map(Ok))];
        if let Some(aside) = self.aside.take() {
            runs.extend(aside.into_runs()?);
        }
        Merge::of(runs)
    }
}

/// Sorts by call; of each call the latest place remains.
fn sort(entries: &mut Vec<(CallId, u64)>) {
    entries.sort_unstable_by_key(|(call, place)| (*call, Reverse(*place)));
    entries.dedup_by_key(|(call, _)| *call);
}

impl Aside {
    /// The place of a call in a sorted run.
    fn search(&self, within: std::ops::Range<usize>, call: CallId) -> io::Result<Option<u64>> {
        let (mut low, mut high) = (within.start, within.end);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut bytes = [0; ENTRY_BYTES];
            self.file.read_exact_at(&mut bytes, (middle * ENTRY_BYTES) as u64)?;
            let (found, place) = entry(&bytes).ok_or(io::ErrorKind::InvalidData)?;
            match found.cmp(&call) {
                std::cmp::Ordering::Equal => return Ok(Some(place)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    fn into_runs(self) -> io::Result<Vec<Run>> {
        let mut start = 0;
        let mut runs: Vec<Run> = Vec::new();
        for run in self.runs {
            let bytes = (run * ENTRY_BYTES) as u64;
            let part = Part { file: self.file.try_clone()?, at: start, end: start + bytes };
            let mut reader = BufReader::with_capacity(MERGE_BYTES, part);
            start += bytes;
            runs.push(Box::new((0..run).map(move |_| {
                let mut bytes = [0; ENTRY_BYTES];
                reader.read_exact(&mut bytes)?;
                entry(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
            })));
        }
        Ok(runs)
    }
}

type Run = Box<dyn Iterator<Item = io::Result<(CallId, u64)>>>;

/// A part of a file, read without the cursor that all parts share.
struct Part {
    file: File,
    at: u64,
    end: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(buffer.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// Sorted runs as one, each call with its latest place.
struct Merge {
    runs: Vec<Run>,
    /// The next of each run; of equal calls the latest place first.
    next: BinaryHeap<Reverse<(CallId, Reverse<u64>, usize)>>,
    given: Option<CallId>,
}

impl Merge {
    fn of(runs: Vec<Run>) -> io::Result<Self> {
        let mut merge = Self { runs, next: BinaryHeap::new(), given: None };
        for run in 0..merge.runs.len() {
            merge.pull(run)?;
        }
        Ok(merge)
    }

    fn pull(&mut self, run: usize) -> io::Result<()> {
        if let Some(item) = self.runs.get_mut(run).and_then(Iterator::next) {
            let (call, place) = item?;
            self.next.push(Reverse((call, Reverse(place), run)));
        }
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = io::Result<(CallId, u64)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Reverse((call, Reverse(place), run)) = self.next.pop()?;
            if let Err(error) = self.pull(run) {
                return Some(Err(error));
            }
            if self.given != Some(call) {
                self.given = Some(call);
                return Some(Ok((call, place)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn call(number: u32) -> CallId {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.wrapping_mul(0x9E37_79B9).to_be_bytes());
        CallId::from_bytes(bytes)
    }

    #[test]
    fn every_call_comes_out_once_with_its_latest_place_however_many_were_put_aside() {
        let (mut places, mut expected) = (Places::default(), BTreeMap::new());
        let mut place = 0;
        let mut put = |places: &mut Places, number: u32, first: bool, last: bool| {
            place += 1;
            let before = expected.insert(call(number), place);
            assert_eq!(places.put(call(number), place, first, last).unwrap(), before, "call {number}");
        };
        let count = 3 * BLOCK as u32;
        for number in 0..count {
            put(&mut places, number, true, false);
            put(&mut places, number, false, number % 50 != 0);
            // Something comes after the end of a call that was put aside, was just ended, goes on.
            if number % 1_000 == 999 {
                put(&mut places, number / 2, false, true);
                put(&mut places, number, false, true);
                put(&mut places, number / 50 * 50, false, false);
            }
        }
        assert!(places.aside.as_ref().is_some_and(|aside| aside.runs.len() >= 2));
        let merged: Vec<(CallId, u64)> = places.merge().unwrap().map(Result::unwrap).collect();
        assert_eq!(merged, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn calls_that_never_end_are_put_aside_as_well() {
        let mut places = Places::default();
        for number in 0..MOST_OPEN as u32 + 10 {
            assert_eq!(places.put(call(number), u64::from(number) + 1, true, false).unwrap(), None);
        }
        assert_eq!((places.open.len(), places.over.len()), (10, 0));
        assert_eq!(places.put(call(3), 900_000, false, false).unwrap(), Some(4));
        assert_eq!(places.merge().unwrap().count(), MOST_OPEN + 10);
    }
}
