//! Writing a recording.

use std::io::{self, Write};
use std::sync::Arc;

use callbox_events::schema::StoredCommit;
use sha2::{Digest, Sha256};

use super::format::{self, COMMITTED, Kind, MAX_BODY};
use super::header::Header;
use super::index;
use super::keys::Gathering;
use super::places::Places;
use crate::erasable::CallKeys;
use crate::frame::{self, Facts};

/// Something that travels with the calls and is explained by its name alone, such as inclusion proofs or a signed
/// checkpoint. A reader that doesn't know the name skips it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it is: `checkpoint`, `proofs`, ...; at most 255 bytes.
    pub name: String,
    /// Version of its content.
    pub version: u16,
    /// Its content; at most 4 MiB less 300 bytes.
    pub bytes: Vec<u8>,
}

/// What a recording holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Calls.
    pub calls: u64,
    /// Commits.
    pub commits: u64,
    /// Events.
    pub events: u64,
}

/// Writes a recording to anything that takes bytes. Nothing is sound before [`Writer::finish`].
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    place: u64,
    digest: Sha256,
    places: Places,
    totals: Totals,
    body: Vec<u8>,
    keys: Option<Gathering>,
}

impl<W: Write> Writer<W> {
    /// Begins a recording.
    ///
    /// # Errors
    /// The system's.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let (places, totals) = (Places::default(), Totals::default());
        let mut writer =
            Self { out, place: 0, digest: Sha256::new(), places, totals, body: Vec::new(), keys: None };
        writer.put(&format::start())?;
        writer.record(Kind::Header, 0, &serde_json::to_vec(header)?)?;
        Ok(writer)
    }

    /// Takes along what opens sealed commits, call by call. Without it they can be read as pseudonyms only.
    #[must_use]
    pub fn with_keys(mut self, keys: Option<Arc<dyn CallKeys>>) -> Self {
        self.keys = keys.map(Gathering::new);
        self
    }

    /// Adds a commit, with a commitment to the original if it is a redacted one. They must come in the order of the
    /// journal.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::InvalidData`] if it can't be encoded, which no commit of a journal is.
    pub fn commit(&mut self, stored: &StoredCommit, commitment: Option<[u8; 32]>) -> io::Result<()> {
        let payload = stored.payload().map_err(io::Error::other)?;
        let facts = Facts::of(&stored.commit).ok_or_else(|| too_large("commit"))?;
        let before = self.places.put(facts.call, self.place, facts.version == 0, facts.last)?;
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        body.extend_from_slice(&before.unwrap_or(0).to_be_bytes());
        body.extend_from_slice(&stored.seq.to_be_bytes());
        body.extend(commitment.into_iter().flatten());
        frame::write(&mut body, stored.seq, &facts, &stored.hash, &payload);
        self.record(Kind::Commit, if commitment.is_some() { COMMITTED } else { 0 }, &body)?;
        self.body = body;
        let full = self.keys.as_mut().map(|keys| keys.take(stored, facts.last)).transpose()?;
        full.flatten().map_or(Ok(()), |section| self.section(&section))?;
        self.totals.commits += 1;
        self.totals.events += u64::from(facts.events);
        Ok(())
    }

    /// Adds a section. Sections may stand between commits.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::InvalidInput`] if it is too large.
    pub fn section(&mut self, section: &Section) -> io::Result<()> {
        let name = u8::try_from(section.name.len()).map_err(|_| too_large("section's name"))?;
        let mut body = Vec::with_capacity(section.bytes.len() + 300);
        body.extend_from_slice(&u16::from(name).to_be_bytes());
        body.extend_from_slice(section.name.as_bytes());
        body.extend_from_slice(&section.version.to_be_bytes());
        body.extend_from_slice(&section.bytes);
        self.record(Kind::Section, 0, &body)
    }

    /// Writes index and end, and flushes.
    ///
    /// # Errors
    /// The system's.
    pub fn finish(mut self) -> io::Result<(W, Totals)> {
        let keys = self.keys.as_mut().and_then(Gathering::rest);
        keys.map_or(Ok(()), |section| self.section(&section))?;
        let mut block = Vec::with_capacity(index::BLOCK);
        let mut calls = std::mem::take(&mut self.places).merge()?;
        loop {
            for entry in calls.by_ref().take(index::BLOCK) {
                block.push(entry?);
            }
            if block.is_empty() {
                break;
            }
            self.totals.calls += block.len() as u64;
            self.record(Kind::Index, 0, &index::encode(&block))?;
            block.clear();
        }
        let Totals { calls, commits, events } = self.totals;
        let mut body: Vec<u8> = [calls, commits, events].into_iter().flat_map(u64::to_be_bytes).collect();
        body.extend_from_slice(&self.digest.clone().finalize());
        self.record(Kind::End, 0, &body)?;
        self.out.flush()?;
        Ok((self.out, self.totals))
    }

    fn record(&mut self, kind: Kind, flags: u8, body: &[u8]) -> io::Result<()> {
        if body.len() > MAX_BODY {
            return Err(too_large("record"));
        }
        self.put(&format::head(self.place, kind, flags, body))?;
        self.put(body)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.digest.update(bytes);
        self.place += bytes.len() as u64;
        Ok(())
    }
}

fn too_large(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("a {what} of a recording is too large"))
}
