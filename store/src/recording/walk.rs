//! Reading the records of a file, one after another or at a known place. Steps over damage.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::format::{Head, MARKER, RECORD_BYTES, START_BYTES};
use crate::verify::Damage;

/// After so many damaged places the rest of a file is given up: each costs a search for the next sound record.
const MAX_DAMAGES: u32 = 10_000;

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

    /// The records from a place on; from the first one for a place before it.
    pub fn walk(&self, place: u64) -> Walk<'_> {
        let place = place.max(START_BYTES as u64);
        let reader = BufReader::with_capacity(WINDOW, At { tape: self, place });
        Walk { tape: self, reader, place, damages: 0 }
    }

    /// Where the next sound record stands, at or behind `from`; the end if there is none.
    fn resync(&self, from: u64) -> io::Result<u64> {
        let mut window = vec![0; WINDOW];
        let mut base = from;
        while base < self.bytes {
            let count = self.file.read_at(&mut window, base)?;
            let seen = window.get(..count).unwrap_or_default();
            for at in memchr_marker(seen) {
                let place = base + at as u64;
                if self.at(place)?.is_some() {
                    return Ok(place);
                }
            }
            if count < MARKER.len() {
                break;
            }
            // A marker may lie across the border of two windows.
            base += (count - (MARKER.len() - 1)) as u64;
        }
        Ok(self.bytes)
    }
}

fn memchr_marker(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
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
    damages: u32,
}

impl Walk<'_> {
    /// The place behind the last record given.
    pub fn place(&self) -> u64 {
        self.place
    }

    fn step_over(&mut self) -> io::Result<Damage> {
        let from = self.place;
        self.damages += 1;
        let given_up = self.damages >= MAX_DAMAGES;
        self.place = if given_up { self.tape.bytes } else { self.tape.resync(from + 1)? };
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
