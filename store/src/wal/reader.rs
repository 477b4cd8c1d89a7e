//! Walking through the segments: whole records in order, and what stands between them.
//!
//! A record that can't be read is *torn* if nothing readable follows it in the last segment (its write never ended, so
//! it was never acknowledged), otherwise it is damage, and the walk goes on at the next record that can be read.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::vec;

use memchr::memmem;

use super::record::{self, MAGIC, Record, RecordError};
use super::{HEADER_BYTES, Kind, Place, header, path, segments};

/// What the walk meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A whole record.
    Record {
        /// Where it begins.
        at: Place,
        /// Its bytes; [`Record::read`] is sure to read them.
        bytes: Vec<u8>,
    },
    /// Bytes that are not what was written.
    Damage {
        /// Where they begin.
        at: Place,
        /// What is wrong, in words.
        what: String,
    },
}

/// Where the log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Behind the last whole record.
    pub place: Place,
    /// Whether something stands there that was being written when the engine died.
    pub torn: bool,
}

/// A walk through the segments. After an error it ends.
#[derive(Debug)]
pub struct Walk {
    store: PathBuf,
    segments: vec::IntoIter<u64>,
    /// The last segment of the whole log.
    last: Option<u64>,
    current: Option<Segment>,
    end: Option<End>,
}

#[derive(Debug)]
struct Segment {
    first: u64,
    /// Where in the file `bytes` begins.
    base: u64,
    bytes: Vec<u8>,
    at: usize,
    is_last: bool,
}

impl Walk {
    /// From the beginning of the log.
    ///
    /// # Errors
    /// The system's.
    pub fn all(store: &Path) -> io::Result<Self> {
        Self::within(store, &(0..u64::MAX))
    }

    /// Through the segments whose first global sequence number lies in here.
    ///
    /// # Errors
    /// The system's.
    pub fn within(store: &Path, span: &Range<u64>) -> io::Result<Self> {
        let mut segments = segments(store)?;
        let last = segments.last().copied();
        segments.retain(|first| span.contains(first));
        Ok(Self { store: store.to_owned(), segments: segments.into_iter(), last, current: None, end: None })
    }

    /// From a place on, where a record begins or the log ends, to the end of the last segment that begins before `until`.
    /// A place that isn't there is the end.
    ///
    /// # Errors
    /// The system's.
    pub fn from(store: &Path, place: Place, until: u64) -> io::Result<Self> {
        let mut walk = Self::within(store, &(place.segment..until))?;
        if walk.segments.as_slice().first() == Some(&place.segment) {
            walk.segments.next();
            if fs::metadata(path(store, place.segment))?.len() >= place.offset {
                walk.open(place.segment, place.offset)?;
            }
        }
        Ok(walk)
    }

    /// Where the log ends, once the walk has come there; `None` for a log without segments.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Opens a segment at an offset; damage to its header is told by the first step.
    fn open(&mut self, first: u64, offset: u64) -> io::Result<()> {
        let is_last = self.last == Some(first);
        let mut file = File::open(path(&self.store, first))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        self.current = Some(Segment { first, base: offset, bytes, at: 0, is_last });
        Ok(())
    }

    fn step(&mut self) -> io::Result<Option<Step>> {
        loop {
            if let Some(segment) = &mut self.current {
                let (step, torn) = segment.step();
                self.end = Some(End { place: segment.place(), torn });
                if step.is_some() {
                    return Ok(step);
                }
                self.current = None;
            }
            let Some(first) = self.segments.next() else { return Ok(None) };
            self.open(first, 0)?;
        }
    }
}

impl Iterator for Walk {
    type Item = io::Result<Step>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step().transpose();
        if matches!(step, Some(Err(_))) {
            (self.current, self.segments) = (None, Vec::new().into_iter());
        }
        step
    }
}

impl Segment {
    fn place(&self) -> Place {
        Place { segment: self.first, offset: self.base + self.at as u64 }
    }

    /// The next step and whether the end is torn; `None` at the end.
    fn step(&mut self) -> (Option<Step>, bool) {
        if self.base == 0 && self.at == 0 {
            let begins = |kind| self.bytes.starts_with(&header(self.first, kind));
            let begins_well = begins(Kind::Further) || begins(Kind::Volume);
            if !begins_well && self.is_torn_header() {
                return (None, true);
            }
            self.at = HEADER_BYTES as usize;
            if !begins_well {
                let at = Place { segment: self.first, offset: 0 };
                return (
                    Some(Step::Damage { at, what: "the segment does not begin as it should".into() }),
                    false,
                );
            }
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match Record::read(rest) {
            Ok(_) => {
                let length = record::length(rest).unwrap_or(rest.len());
                let bytes = rest.get(..length).unwrap_or(rest).to_vec();
                let at = self.place();
                self.at += length;
                (Some(Step::Record { at, bytes }), false)
            }
            Err(_) if rest.iter().all(|byte| *byte == 0) => (None, false),
            Err(error) => self.skip(error),
        }
    }

    /// Whether the segment was being begun when the engine died: no record in it.
    fn is_torn_header(&self) -> bool {
        self.is_last && find(&self.bytes).is_none()
    }

    /// Steps over what can't be read.
    fn skip(&mut self, error: RecordError) -> (Option<Step>, bool) {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let found = find(rest);
        if found.is_none() && self.is_last {
            return (None, true);
        }
        let at = self.place();
        let what = match found {
            Some(next) => format!("{error}; the next readable record stands {} bytes on", next + 1),
            None => format!("{error}; nothing readable follows in this segment"),
        };
        self.at = found.map_or(self.bytes.len(), |next| self.at + 1 + next);
        (Some(Step::Damage { at, what }), false)
    }
}

/// The first whole record in these bytes.
fn find(bytes: &[u8]) -> Option<usize> {
    memmem::find_iter(bytes, &MAGIC)
        .find(|at| bytes.get(*at..).is_some_and(|rest| Record::read(rest).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wal::pack::Packer;
    use crate::wal::writer::Writer;

    /// Writes records of ten events each; returns where each begins.
    fn fill(store: &Path, segment_bytes: u64, count: u64) -> Vec<Place> {
        let mut writer = Writer::begin(store, 0, Kind::Volume, segment_bytes).unwrap();
        let (mut places, mut bytes) = (Vec::new(), Vec::new());
        for number in 0..count {
            record::write(&mut Packer::default(), number * 10, 10, &[number as u8; 600], &mut bytes);
            let behind = writer.append(number * 10, &bytes).unwrap();
            places.push(Place { offset: behind.offset - bytes.len() as u64, ..behind });
        }
        writer.sync().unwrap();
        places
    }

    fn seqs(walk: &mut Walk) -> Vec<Result<u64, Place>> {
        walk.map(|step| match step.unwrap() {
            Step::Record { bytes, .. } => Ok(Record::read(&bytes).unwrap().seq),
            Step::Damage { at, .. } => Err(at),
        })
        .collect()
    }

    #[test]
    fn records_come_back_in_order_over_several_segments_and_from_any_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let places = fill(dir.path(), 300, 20);
        assert!(segments(dir.path()).unwrap().len() > 2);
        let mut walk = Walk::all(dir.path()).unwrap();
        assert_eq!(seqs(&mut walk), (0..20).map(|n| Ok(n * 10)).collect::<Vec<_>>());
        assert!(walk.end().is_some_and(|end| !end.torn && end.place > places[19]));
        for (number, place) in places.iter().enumerate() {
            let mut walk = Walk::from(dir.path(), *place, u64::MAX).unwrap();
            assert_eq!(seqs(&mut walk).first(), Some(&Ok(number as u64 * 10)));
        }
    }

    #[test]
    fn a_torn_end_is_no_damage_and_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let places = fill(dir.path(), 1 << 20, 3);
        let file = path(dir.path(), 0);
        let whole = std::fs::read(&file).unwrap();
        for cut in places[2].offset..whole.iter().rposition(|byte| *byte != 0).unwrap() as u64 {
            let mut torn = whole.clone();
            torn[cut as usize..].fill(0);
            std::fs::write(&file, torn).unwrap();
            let mut walk = Walk::all(dir.path()).unwrap();
            assert_eq!(seqs(&mut walk), [Ok(0), Ok(10)], "cut at {cut}");
            let end = walk.end().unwrap();
            assert_eq!((end.place, end.torn), (places[2], cut > places[2].offset));
        }
        let mut writer = Writer::resume(dir.path(), places[2], 1 << 20).unwrap();
        let mut bytes = Vec::new();
        record::write(&mut Packer::default(), 20, 1, b"again", &mut bytes);
        writer.append(20, &bytes).unwrap();
        assert_eq!(seqs(&mut Walk::all(dir.path()).unwrap()), [Ok(0), Ok(10), Ok(20)]);
    }

    #[test]
    fn damage_is_told_with_its_place_and_what_follows_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let places = fill(dir.path(), 300, 12);
        for (number, place) in places.iter().enumerate().take(11) {
            let file = path(dir.path(), place.segment);
            let whole = std::fs::read(&file).unwrap();
            let mut flipped = whole.clone();
            flipped[place.offset as usize + 9] ^= 1;
            std::fs::write(&file, flipped).unwrap();
            let mut expected: Vec<Result<u64, Place>> = (0..12).map(|n| Ok(n * 10)).collect();
            expected[number] = Err(*place);
            assert_eq!(seqs(&mut Walk::all(dir.path()).unwrap()), expected);
            std::fs::write(&file, whole).unwrap();
        }
    }

    #[test]
    fn a_segment_that_was_only_begun_is_the_end() {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), 1 << 20, 2);
        for left in [&b""[..], b"cbx", &[0; 16]] {
            std::fs::write(path(dir.path(), 20), left).unwrap();
            let mut walk = Walk::all(dir.path()).unwrap();
            assert_eq!(seqs(&mut walk), [Ok(0), Ok(10)]);
            assert_eq!(walk.end().unwrap().place, Place { segment: 20, offset: 0 });
        }
    }
}
