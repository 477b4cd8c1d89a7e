//! What becomes of the acts that were not synced when the power was cut.

use std::path::Path;

use super::disk::{Change, Pending, SECTOR, apply};

/// A small generator of random numbers (SplitMix64), so that a failure can be repeated from its seed.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Less than `limit`, which is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// What becomes of the contents of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contents {
    /// Nothing that was not synced is there.
    Lost,
    /// Everything is.
    Kept,
    /// In order, up to some point; the last write is torn between two sectors.
    Torn,
    /// Every sector has one of the contents that it had since it was synced, whichever; so has the length.
    Shuffled,
    /// Only the last act on each file.
    Latest,
    /// sled's files lost everything, the others nothing.
    OnlyLog,
    /// The other way round.
    OnlySled,
}

/// What becomes of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Names {
    /// As they were at the directory's last sync.
    Lost,
    /// As they are.
    Kept,
    /// Each directory's changes in order, up to some point.
    Some,
}

pub const CONTENTS: [Contents; 7] = [
    Contents::Lost,
    Contents::Kept,
    Contents::Torn,
    Contents::Shuffled,
    Contents::Latest,
    Contents::OnlyLog,
    Contents::OnlySled,
];

pub const NAMES: [Names; 3] = [Names::Lost, Names::Kept, Names::Some];

/// The fate of everything at one cut.
#[derive(Debug, Clone)]
pub struct Fate {
    pub contents: Contents,
    pub names: Names,
    pub random: Random,
}

impl Fate {
    /// How many of a directory's un-synced changes are there.
    pub fn names(&mut self, pending: usize) -> usize {
        match self.names {
            Names::Lost => 0,
            Names::Kept => pending,
            Names::Some => self.random.below(pending + 1),
        }
    }

    /// Brings what is durable of a file to what is there.
    pub fn content(&mut self, path: &Path, bytes: &mut Vec<u8>, pending: &[Pending<Change>]) {
        let of_sled = path.components().any(|component| component.as_os_str() == "log");
        let count = pending.len();
        match self.contents {
            Contents::Lost => keep(bytes, pending, |_| false),
            Contents::Kept => keep(bytes, pending, |_| true),
            Contents::Latest => keep(bytes, pending, |place| place + 1 == count),
            Contents::OnlyLog => keep(bytes, pending, |_| !of_sled),
            Contents::OnlySled => keep(bytes, pending, |_| of_sled),
            Contents::Torn => self.tear(bytes, pending),
            Contents::Shuffled => self.shuffle(bytes, pending),
        }
    }

    fn tear(&mut self, bytes: &mut Vec<u8>, pending: &[Pending<Change>]) {
        let last = self.random.below(pending.len() + 1);
        let salt = self.random.next();
        for (place, Pending { act, durable, .. }) in pending.iter().enumerate() {
            if *durable || place < last {
                apply(bytes, act, &|_| true);
            } else if let (true, Change::Write { offset, data }) = (place == last, act) {
                let sectors = data.len() as u64 / SECTOR + 1;
                let until = offset / SECTOR + salt % (sectors + 1);
                let length = bytes.len();
                apply(bytes, act, &|sector| sector < until);
                bytes.truncate(length.max((until * SECTOR) as usize).min(bytes.len()));
            }
        }
    }

    fn shuffle(&mut self, bytes: &mut Vec<u8>, pending: &[Pending<Change>]) {
        let (salt, versions) = (self.random.next(), pending.len() as u64 + 1);
        let mut length = bytes.len();
        let length_at = (self.random.next() % versions) as usize;
        for (place, Pending { act, durable, .. }) in pending.iter().enumerate() {
            // Each sector stopped being written at an act of its own.
            let kept = |sector: u64| *durable || place < (Random(salt ^ sector).next() % versions) as usize;
            match act {
                Change::Resize(_) if !*durable && place >= length_at => {}
                Change::Resize(_) | Change::Allot(_) | Change::Write { .. } => apply(bytes, act, &kept),
            }
            if *durable || place < length_at {
                length = match act {
                    Change::Resize(length) => *length as usize,
                    Change::Allot(allotted) => length.max(*allotted as usize),
                    Change::Write { offset, data } => length.max(*offset as usize + data.len()),
                };
            }
        }
        bytes.resize(length, 0);
    }
}

fn keep(bytes: &mut Vec<u8>, pending: &[Pending<Change>], which: impl Fn(usize) -> bool) {
    for (place, Pending { act, durable, .. }) in pending.iter().enumerate() {
        if *durable || which(place) {
            apply(bytes, act, &|_| true);
        }
    }
}
