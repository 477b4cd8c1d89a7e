//! Reading the records of a file, one after another or at a known place. Steps over damage.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::format::{Head, MARKER, RECORD_BYTES, START_BYTES};
use crate::verify::Damage;

/// So many bytes, and the file's length, are looked at in vain before the rest of a damaged file is given up: what looks
/// like a record and is none costs its length, and somebody may have made a file of nothing else.
const SEARCH_BYTES: u64 = 1 << 30;

/// A search costs this much even if it finds the next record at once.
const SEARCH_COST: u64 = 1 << 14;

/// How much is searched at a time.
const WINDOW: usize = 1 << 16;

/// A record that is as it was written.
#[derive(Debug)]
pub struct Record {
    /// Where it stands.
    pub place: u64,
    /// What it is.
    pub head: Head,
    /// Its body.
    pub body: Vec<u8>,
}

/// An open file.
#[derive(Debug, Clone)]
pub struct Tape {
    file: Arc<File>,
    bytes: u64,
}

impl Tape {
    /// The file as long as it is now.
    pub fn new(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), bytes })
    }

    /// The record at a place; none if no sound one stands there.
    pub fn at(&self, place: u64) -> io::Result<Option<Record>> {
        record(&mut At { tape: self, place }, place, self.bytes)
    }

    /// Some bytes at a place.
    pub fn bytes<const N: usize>(&self, place: u64) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact_at(&mut bytes, place)?;
        Ok(bytes)
    }

    /// The records from a place on; from the first one for a place before it.
    pub fn walk(&self, place: u64) -> Walk<'_> {
        let place = place.max(START_BYTES as u64);
        let reader = BufReader::with_capacity(WINDOW, At { tape: self, place });
        Walk { tape: self, reader, place, budget: SEARCH_BYTES + self.bytes }
    }

    /// Where the next sound record stands, at or behind `from`; the end if there is none, nothing if the budget is
    /// spent.
    fn resync(&self, from: u64, budget: &mut u64) -> io::Result<Option<u64>> {
        let mut window = vec![0; WINDOW];
        let mut base = from;
        while base < self.bytes {
            let count = self.file.read_at(&mut window, base)?;
            let seen = window.get(..count).unwrap_or_default();
            for at in markers(seen) {
                let place = base + at as u64;
                let Some(left) = budget.checked_sub(self.claimed(place)?) else { return Ok(None) };
                *budget = left;
                if self.at(place)?.is_some() {
                    return Ok(Some(place));
                }
            }
            if count < MARKER.len() {
                break;
            }
            // A marker may lie across the border of two windows.
            base += (count - (MARKER.len() - 1)) as u64;
        }
        Ok(Some(self.bytes))
    }

    /// How many bytes must be read to find out whether a record stands here.
    fn claimed(&self, place: u64) -> io::Result<u64> {
        if place.saturating_add(RECORD_BYTES as u64) > self.bytes {
            return Ok(RECORD_BYTES as u64);
        }
        let head = Head::read(self.bytes(place)?);
        Ok((RECORD_BYTES + head.map_or(0, |head| head.length)) as u64)
    }
}

fn markers(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    bytes.windows(MARKER.len()).enumerate().filter(|(_, window)| **window == MARKER).map(|(at, _)| at)
}

/// Reads a file from a place on without moving a cursor that others share.
#[derive(Debug)]
struct At<'a> {
    tape: &'a Tape,
    place: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.tape.file.read_at(buffer, self.place)?;
        self.place += count as u64;
        Ok(count)
    }
}

fn record(reader: &mut impl Read, place: u64, end: u64) -> io::Result<Option<Record>> {
    let mut head = [0; RECORD_BYTES];
    if place.saturating_add(RECORD_BYTES as u64) > end {
        return Ok(None);
    }
    reader.read_exact(&mut head)?;
    let Some(head) = Head::read(head) else { return Ok(None) };
    if place + (RECORD_BYTES + head.length) as u64 > end {
        return Ok(None);
    }
    let mut body = vec![0; head.length];
    reader.read_exact(&mut body)?;
    let record = Record { place, head, body };
    Ok(head.fits(place, &record.body).then_some(record))
}

/// The records of a file in order, and the damages between them.
#[derive(Debug)]
pub struct Walk<'a> {
    tape: &'a Tape,
    reader: BufReader<At<'a>>,
    place: u64,
    budget: u64,
}

impl Walk<'_> {
    /// The place behind the last record given.
    pub fn place(&self) -> u64 {
        self.place
    }

    fn step_over(&mut self) -> io::Result<Damage> {
        let from = self.place;
        self.budget = self.budget.saturating_sub(SEARCH_COST);
        let next = self.tape.resync(from + 1, &mut self.budget)?;
        let given_up = next.is_none() || self.budget == 0;
        self.place = next.filter(|_| !given_up).unwrap_or(self.tape.bytes);
        self.reader = BufReader::with_capacity(WINDOW, At { tape: self.tape, place: self.place });
        let (lost, end) = (self.place - from, self.place == self.tape.bytes);
        let what = match (given_up, end) {
            (true, _) => "too much is damaged; the rest was not looked at".to_owned(),
            (false, true) => {
                format!("no sound record from here to the end, {lost} bytes; was the file cut off?")
            }
            (false, false) => format!("{lost} bytes are not as they were written"),
        };
        Ok(Damage { place: format!("byte {from}"), what })
    }
}

impl Iterator for Walk<'_> {
    type Item = io::Result<Result<Record, Damage>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.place >= self.tape.bytes {
            return None;
        }
        Some(match record(&mut self.reader, self.place, self.tape.bytes) {
            Ok(Some(record)) => {
                self.place += (RECORD_BYTES + record.body.len()) as u64;
                Ok(Ok(record))
            }
            Ok(None) => self.step_over().map(Err),
            Err(error) => {
                self.place = self.tape.bytes;
                Err(error)
            }
        })
    }
}
