//! Reading a recording as a journal.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use super::format::{self, Commit, Kind, START_BYTES, VERSION};
use super::header::Header;
use super::index::{self, Block, Index};
use super::keys::{self, Carried};
use super::walk::{Record, Tape};
use super::write::{Section, Totals};
use crate::chain;
use crate::erasable::{CallKeys, open};
use crate::error::ReadError;
use crate::frame::Frame;
use crate::journal::{CallIds, Commits, Cursor, JournalReader};
use crate::open_error::OpenError;
use crate::subscription::{Bell, Source, Subscription};
use crate::verify::{Damage, MAX_LISTED};

/// An open recording.
#[derive(Debug, Clone)]
pub struct Recording {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    path: PathBuf,
    pub tape: Tape,
    pub header: Header,
    pub index: Index,
    tail: Cursor,
    bell: Arc<Bell>,
    damages: Vec<Damage>,
    sections: Vec<u64>,
    keys: Arc<Carried>,
    totals: Totals,
    /// Where the last batch of a subscription ended: the next one usually begins there.
    hint: Mutex<(u64, u64)>,
}

impl Recording {
    /// Opens a recording and looks at every checksum in it. Damage is no error as long as the file is a recording: see
    /// [`Recording::damages`].
    ///
    /// # Errors
    /// [`OpenError`]: missing, no recording, newer than this build, or not readable.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let tape = open_tape(path)?;
        let mut survey = Survey::of(&tape, None).map_err(OpenError::io("reading", path))?;
        if !survey.damages.is_empty() {
            // The stored index can't be relied on; only then all calls are held in memory.
            survey = Survey::of(&tape, Some(BTreeMap::new())).map_err(OpenError::io("reading", path))?;
        }
        let keys = carried(&tape, &survey.sections).map_err(OpenError::io("reading", path))?;
        let bell = Arc::new(Bell::new(survey.tail));
        bell.close();
        let index = survey.last.map_or(Index::Stored(survey.blocks), Index::Rebuilt);
        let shared = Shared {
            path: path.to_owned(),
            tape,
            header: survey.header.unwrap_or_default(),
            index,
            tail: survey.tail,
            bell,
            damages: survey.damages,
            sections: survey.sections,
            keys: Arc::new(keys),
            totals: survey.found,
            hint: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// What it says about itself; empty if that record is damaged.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.shared.header
    }

    /// What is not as it was written, at most [`MAX_LISTED`] of it. Everything else can be read.
    #[must_use]
    pub fn damages(&self) -> &[Damage] {
        &self.shared.damages
    }

    /// What it holds, without what is damaged. Calls are those of which any commit is sound.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.shared.totals
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// The section with this name, if there is one.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn section(&self, name: &str) -> Result<Option<Section>, ReadError> {
        self.sections(name).next().transpose()
    }

    /// All sections with this name, in order, one in memory at a time.
    pub fn sections(&self, name: &str) -> impl Iterator<Item = Result<Section, ReadError>> + '_ {
        let name = name.to_owned();
        let read = |place: &u64| match self.shared.tape.at(*place) {
            Ok(record) => record.and_then(section_of).map(Ok),
            Err(error) => Some(Err(unavailable(error))),
        };
        let is_meant =
            move |section: &Result<Section, _>| section.as_ref().map_or(true, |section| section.name == name);
        self.shared.sections.iter().filter_map(read).filter(is_meant)
    }

    /// The commitments to the originals of a redacted call's commits, in order; empty for a recording that is not
    /// redacted.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn commitments(&self, call: CallId) -> Result<Vec<[u8; 32]>, ReadError> {
        let records = self.shared.records(call)?;
        Ok(records
            .iter()
            .filter_map(|record| Commit::read(record.head.flags, &record.body)?.commitment)
            .collect())
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

fn open_tape(path: &Path) -> Result<Tape, OpenError> {
    let dir = || path.to_owned();
    let mut file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::MissingRecording { file: dir() },
        _ => OpenError::io("opening", path)(error),
    })?;
    let mut start = [0; START_BYTES];
    let version = match file.read_exact(&mut start) {
        Ok(()) => format::version_of(&start),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(error) => return Err(OpenError::io("reading", path)(error)),
    };
    match version {
        None => Err(OpenError::NotARecording { file: dir() }),
        Some(found) if found > VERSION => Err(OpenError::Newer { dir: dir(), found, supported: VERSION }),
        Some(_) => Tape::new(file).map_err(OpenError::io("reading", path)),
    }
}

/// The keys that came along.
fn carried(tape: &Tape, sections: &[u64]) -> io::Result<Carried> {
    let mut carried = Carried::default();
    for place in sections {
        let section = tape.at(*place)?.and_then(section_of);
        section.filter(|section| section.name == keys::NAME).iter().for_each(|section| carried.add(section));
    }
    Ok(carried)
}

/// What one pass over the file finds.
#[derive(Debug, Default)]
struct Survey {
    header: Option<Header>,
    tail: Cursor,
    found: Totals,
    told: Option<Totals>,
    blocks: Vec<Block>,
    indexed: u64,
    last_indexed: Option<CallId>,
    /// The last commit of each call, if an index is to be made anew.
    last: Option<BTreeMap<CallId, u64>>,
    sections: Vec<u64>,
    damages: Vec<Damage>,
}

impl Survey {
    fn of(tape: &Tape, last: Option<BTreeMap<CallId, u64>>) -> io::Result<Self> {
        let mut survey = Self { last, ..Self::default() };
        for item in tape.walk(0) {
            match item? {
                Ok(record) => survey.record(&record),
                Err(damage) => survey.damage(damage),
            }
        }
        survey.conclude();
        Ok(survey)
    }

    fn damage(&mut self, damage: Damage) {
        if self.damages.len() < MAX_LISTED {
            self.damages.push(damage);
        }
    }

    fn record(&mut self, record: &Record) {
        let place = record.place;
        let understood = match record.head.kind {
            Some(Kind::Header) => {
                self.header = serde_json::from_slice(&record.body).ok();
                self.header.is_some()
            }
            Some(Kind::Commit) => self.commit(record).is_some(),
            Some(Kind::Section) => {
                self.sections.push(place);
                true
            }
            Some(Kind::Index) => self.block(record).is_some(),
            Some(Kind::End) => {
                self.told = totals_of(&record.body);
                self.told.is_some()
            }
            // Of a later version of the same format: not ours to judge.
            None => true,
        };
        if !understood {
            let what = "the record can't be read although its checksum fits".to_owned();
            self.damage(Damage { place: format!("byte {place}"), what });
        }
    }

    fn commit(&mut self, record: &Record) -> Option<()> {
        let commit = Commit::read(record.head.flags, &record.body)?;
        let (frame, rest) = Frame::split(commit.seq, commit.frame).ok()?;
        frame.check().ok().filter(|()| rest.is_empty() && commit.before < Some(record.place))?;
        self.found.commits += 1;
        self.found.events += u64::from(frame.facts.events);
        if let Some(last) = &mut self.last {
            last.insert(frame.facts.call, record.place);
        }
        self.tail = self.tail.max(Cursor::at(frame.end()));
        Some(())
    }

    fn block(&mut self, record: &Record) -> Option<()> {
        let entries = index::decode(&record.body)?;
        let (first, _) = entries.first()?;
        self.indexed += entries.len() as u64;
        let follows = self.last_indexed.is_none_or(|last| last < *first);
        self.last_indexed = entries.last().map(|(call, _)| *call);
        self.blocks.push(Block { first: *first, place: record.place, count: entries.len() });
        follows.then_some(())
    }

    fn conclude(&mut self) {
        self.found.calls = self.last.as_ref().map_or(self.indexed, |last| last.len() as u64);
        if self.header.is_none() && self.damages.is_empty() {
            self.damage(Damage { place: "the header".into(), what: "it is missing".into() });
        }
        match self.told {
            None if self.damages.is_empty() => {
                let what = "it is missing: the recording was not finished".into();
                self.damage(Damage { place: "the end".into(), what });
            }
            Some(told) if told != self.found => {
                let (found, told) = (self.found, told);
                let what = format!(
                    "{} of {} commits and {} of {} calls are here",
                    found.commits, told.commits, found.calls, told.calls
                );
                self.damage(Damage { place: "the whole".into(), what });
            }
            None | Some(_) => {}
        }
    }
}

fn totals_of(body: &[u8]) -> Option<Totals> {
    let (calls, rest) = body.split_first_chunk::<8>()?;
    let (commits, rest) = rest.split_first_chunk::<8>()?;
    let (events, digest) = rest.split_first_chunk::<8>()?;
    let [calls, commits, events] = [calls, commits, events].map(|bytes| u64::from_be_bytes(*bytes));
    (digest.len() == 32).then_some(Totals { calls, commits, events })
}

fn section_of(record: Record) -> Option<Section> {
    let (length, rest) = record.body.split_first_chunk::<2>()?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (version, bytes) = rest.split_first_chunk::<2>()?;
    let name = String::from_utf8(name.to_vec()).ok()?;
    Some(Section { name, version: u16::from_be_bytes(*version), bytes: bytes.to_vec() })
}

fn unavailable(error: io::Error) -> ReadError {
    ReadError::Unavailable { why: error.to_string() }
}

/// The commit in a record; none for a record of another kind.
pub(super) fn stored_in(record: &Record) -> Option<Result<StoredCommit, ReadError>> {
    if record.head.kind != Some(Kind::Commit) {
        return None;
    }
    let commit = Commit::read(record.head.flags, &record.body)?;
    let (frame, _) = Frame::split(commit.seq, commit.frame).ok()?;
    frame.check().ok()?;
    Some(frame.decode())
}

impl Shared {
    /// With what the keys open that came along.
    fn opened(&self, stored: Result<StoredCommit, ReadError>) -> Result<StoredCommit, ReadError> {
        open(&*self.keys, stored?)
    }

    /// The records of a call's commits in order, by following them back from the last one.
    fn records(&self, call: CallId) -> Result<Vec<Record>, ReadError> {
        let mut records = VecDeque::new();
        let mut next = self.index.find(&self.tape, call)?;
        while let Some(place) = next {
            let lost = || ReadError::in_call(call, format!("its commit at byte {place} is damaged"));
            let record = self.tape.at(place).map_err(unavailable)?.ok_or_else(lost)?;
            let commit = Commit::read(record.head.flags, &record.body).ok_or_else(lost)?;
            // Only ever backwards, so this ends.
            next = commit.before.filter(|before| *before < place);
            records.push_front(record);
        }
        Ok(records.into())
    }

    fn commits(
        &self,
        from: Cursor,
    ) -> impl Iterator<Item = (u64, Result<StoredCommit, ReadError>)> + Send + '_ {
        let mut hint = *self.hint.lock().unwrap_or_else(PoisonError::into_inner);
        if hint.0 > from.seq() {
            hint = (0, 0);
        }
        let mut walk = self.tape.walk(hint.1);
        std::iter::from_fn(move || {
            let item = walk.next()?;
            Some((walk.place(), item))
        })
        .filter_map(move |(behind, item)| match item {
            // Damage was told when the file was opened.
            Ok(Ok(record)) => stored_in(&record).map(|stored| (behind, self.opened(stored))),
            Ok(Err(_)) => None,
            Err(error) => Some((behind, Err(unavailable(error)))),
        })
        .filter(move |(_, stored)| stored.as_ref().map_or(true, |stored| Cursor::after(stored) > from))
    }

    fn check(&self, from: Cursor) -> Result<(), ReadError> {
        if from > self.tail {
            return Err(ReadError::Beyond { wanted: from.seq(), tail: self.tail.seq() });
        }
        Ok(())
    }
}

impl JournalReader for Recording {
    fn read(&self, call: CallId) -> Result<Vec<StoredCommit>, ReadError> {
        let mut commits: Vec<StoredCommit> = Vec::new();
        for record in self.shared.records(call)? {
            let lost = || ReadError::in_call(call, format!("its commit at byte {} is damaged", record.place));
            let stored = self.shared.opened(stored_in(&record).ok_or_else(lost)?)?;
            let before = commits.last();
            let version = before.map_or(stored.commit.version, |last| last.commit.next_version());
            if stored.commit.call != call || stored.commit.version != version {
                return Err(ReadError::in_call(call, "its commits do not follow one another"));
            }
            commits.push(stored);
        }
        check_chain(call, &commits)?;
        Ok(commits)
    }

    fn read_all(&self, from: Cursor) -> Result<Commits<'_>, ReadError> {
        self.shared.check(from)?;
        Ok(Box::new(self.shared.commits(from).map(|(_, stored)| stored)))
    }

    fn calls(&self) -> Result<CallIds<'_>, ReadError> {
        Ok(Box::new(self.shared.index.calls(&self.shared.tape)))
    }

    fn tail(&self) -> Result<Cursor, ReadError> {
        Ok(self.shared.tail)
    }

    fn subscribe(&self, from: Cursor) -> Result<Subscription, ReadError> {
        self.shared.check(from)?;
        let source: Arc<dyn Source> = Arc::<Shared>::clone(&self.shared);
        Ok(Subscription::new(source, Arc::clone(&self.shared.bell), from))
    }

    fn call_keys(&self) -> Option<Arc<dyn CallKeys>> {
        let keys: Arc<dyn CallKeys> = Arc::<Carried>::clone(&self.shared.keys);
        Some(keys)
    }

    fn latest(&self) -> Result<Option<CallId>, ReadError> {
        self.shared.index.calls(&self.shared.tape).next_back().transpose()
    }
}

/// Compares the chain of a call that is here from its first commit on.
fn check_chain(call: CallId, commits: &[StoredCommit]) -> Result<(), ReadError> {
    let mut link = chain::START;
    for stored in
        commits.iter().take_while(|_| commits.first().is_some_and(|first| first.commit.version == 0))
    {
        let payload = stored.payload().map_err(|error| ReadError::at_seq(stored.seq, error.to_string()))?;
        link = chain::link(&link, &payload);
        if link != stored.hash {
            return Err(ReadError::in_call(call, "its hash chain is broken"));
        }
    }
    Ok(())
}

impl Source for Shared {
    fn batch(&self, from: Cursor, limit: usize) -> Result<Vec<StoredCommit>, ReadError> {
        let mut batch = Vec::new();
        let mut behind = None;
        for (place, stored) in self.commits(from).take(limit) {
            let stored = stored?;
            behind = Some((Cursor::after(&stored).seq(), place));
            batch.push(stored);
        }
        if let Some(behind) = behind {
            *self.hint.lock().unwrap_or_else(PoisonError::into_inner) = behind;
        }
        Ok(batch)
    }
}
