//! Every call once, in the order of ids: the rows of all volumes and what is in the table, merged.
//!
//! A volume is opened when the list comes to the lowest id in it, and read a page at a time; so the list needs little
//! memory and few open volumes, however many there are.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use callbox_events::CallId;

use super::log::Log;
use super::salvage;
use super::volumes::Volume;
use crate::error::ReadError;
use crate::keys;

/// So many calls of a volume are read at once.
const PAGE: usize = 512;

/// A call, and the version of its first commit in a volume.
type Found = (CallId, u64);

/// Every call, once, in order.
pub struct Calls {
    log: Arc<Log>,
    durable: u64,
    sources: Vec<Source>,
    /// The next call of each source, or the least it can be.
    next: BinaryHeap<Reverse<(CallId, usize)>>,
    failed: Option<ReadError>,
}

struct Source {
    volume: Option<(Arc<Volume>, Range<u64>)>,
    page: VecDeque<Found>,
    /// From where the next page is read; `None` once there is none.
    from: Option<Vec<u8>>,
}

impl Calls {
    /// Those of a log, and those in `table`, which are in order.
    pub fn new(log: &Arc<Log>, durable: u64, table: Vec<Found>) -> Self {
        let mut calls = Self {
            log: Arc::clone(log),
            durable,
            sources: Vec::new(),
            next: BinaryHeap::new(),
            failed: None,
        };
        calls.add(Source { volume: None, page: table.into(), from: None }, None);
        for (volume, span) in log.volumes.spans() {
            let least = volume.facts().map(|facts| facts.calls.lowest());
            let source =
                Source { volume: Some((volume, span)), page: VecDeque::new(), from: Some(vec![keys::ROW]) };
            calls.add(source, Some(least.unwrap_or(CallId::from_bytes([0; 16]))));
        }
        calls
    }

    fn add(&mut self, source: Source, least: Option<CallId>) {
        let least = least.or(source.page.front().map(|(call, _)| *call));
        self.next.extend(least.map(|least| Reverse((least, self.sources.len()))));
        self.sources.push(source);
    }

    /// The next call and the least version of it that was found, which is 0 unless it began before the journal does.
    fn advance(&mut self) -> Result<Option<Found>, ReadError> {
        let mut least: Option<Found> = None;
        while let Some(Reverse((call, number))) = self.next.peek().copied() {
            if least.is_some_and(|(found, _)| found < call) {
                break;
            }
            self.next.pop();
            let Some(source) = self.sources.get_mut(number) else { continue };
            if source.page.is_empty() {
                source.load(&self.log, self.durable)?;
            } else if let Some((found, version)) = source.page.pop_front() {
                let before = least.map_or(version, |(_, before)| before);
                least = Some((found, version.min(before)));
                if source.page.is_empty() {
                    source.load(&self.log, self.durable)?;
                }
            }
            let next = source.page.front().map(|(next, _)| Reverse((*next, number)));
            self.next.extend(next);
        }
        Ok(least)
    }
}

impl Source {
    /// Reads the next page.
    fn load(&mut self, log: &Log, durable: u64) -> Result<(), ReadError> {
        let (Some((volume, span)), Some(from)) = (&self.volume, self.from.take()) else { return Ok(()) };
        match page(log, volume, &from, durable) {
            Ok((page, next)) => (self.page, self.from) = (page, next),
            Err(damage @ ReadError::Corrupt { .. }) => {
                let damage = log.doubt(volume.first, damage);
                let found = salvage::calls(&log.store, &(span.start..span.end.min(durable)), &damage)?;
                let after = |call: &CallId| keys::rows(*call).as_slice() >= from.as_slice();
                self.page = found.into_iter().filter(|(call, _)| after(call)).collect();
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// The calls of a volume from a key on, and the key to go on from.
fn page(
    log: &Log,
    volume: &Volume,
    from: &[u8],
    durable: u64,
) -> Result<(VecDeque<Found>, Option<Vec<u8>>), ReadError> {
    let mut page: VecDeque<Found> = VecDeque::new();
    for pair in log.volumes.index(volume)?.scan(&[keys::ROW], from)? {
        let (key, value) = pair?;
        let unreadable =
            || ReadError::Corrupt { place: "the index".into(), what: "a key that is none".into() };
        let (call, version) = keys::parse_row(&key).ok_or_else(unreadable)?;
        if page.back().is_some_and(|(last, _)| *last == call) || !is_before(&value, durable) {
            continue;
        }
        if page.len() == PAGE {
            return Ok((page, Some(keys::rows(call).to_vec())));
        }
        page.push_back((call, u64::from(version)));
    }
    Ok((page, None))
}

/// Whether a row names anything that is durable.
pub fn is_before(row: &[u8], durable: u64) -> bool {
    keys::read_list(row).and_then(|chunks| chunks.first().copied()).is_some_and(|chunk| chunk < durable)
}

impl Iterator for Calls {
    type Item = Result<CallId, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed.is_some() {
            return None;
        }
        loop {
            match self.advance() {
                // The others began before the journal does.
                Ok(Some((_, version))) if version != 0 && self.log.volumes.begin() > 0 => {}
                Ok(Some((call, _))) => return Some(Ok(call)),
                Ok(None) => return None,
                Err(error) => {
                    self.failed = Some(error.clone());
                    return Some(Err(error));
                }
            }
        }
    }
}
