//! Erasing a party: the key is overwritten where it stands, and a receipt says so.
//!
//! 1. [`Erasure::begin`] takes the store: its lock, or the process that writes to it.
//! 2. [`Erasure::survey`] reads the whole journal for what the party has to do with. A party with a call that goes on is
//!    not erased: more would be recorded of it at once.
//! 3. [`Erasure::destroy`] overwrites the key, syncs, and writes the receipt. Where an engine holds the store, the engine
//!    does it, and looks at its own calls once more.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use callbox_events::call::EventKind;
use callbox_events::schema::StoredCommit;
use callbox_events::schema::sealed::Sealed;
use callbox_events::{CallId, Timestamp};
use sha2::{Digest, Sha256};

use super::keys::{Keys, Place};
use super::receipt::{self, Kept, Receipt};
use crate::error::ReadError;
use crate::frame::Facts;
use crate::journal::{Cursor, JournalReader};
use crate::live::{Beside, LiveReader};
use crate::lock::Lock;
use crate::open_error::OpenError;
use crate::proof::key::SigningKey;
use crate::sled;
use crate::verify::Progress;
use crate::{layout, reader, seal};

/// Why a party was not erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The store can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Nothing in it can be erased.
    #[error("the store at {} is not erasable", .0.display())]
    NotErasable(PathBuf),
    /// The key is not there: it was erased before.
    #[error("the key of party {0} is not there any more")]
    Gone(u32),
    /// Somebody's call goes on.
    #[error("a call of party {0} goes on")]
    Alive(u32),
    /// The key could not be overwritten, or the receipt not be written.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

/// What the party has to do with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The number of the party's key.
    pub party: u32,
    /// In how many calls it took part.
    pub calls: u64,
    /// How many commits have data of it.
    pub commits: u64,
    /// Its calls that go on.
    pub alive: Vec<CallId>,
}

/// More calls that go on are not named.
const MAX_ALIVE: usize = 20;

/// An erasure being prepared.
pub struct Erasure {
    dir: PathBuf,
    held: Held,
}

enum Held {
    Live(LiveReader),
    Free { store: Arc<sled::Store>, keys: Keys, _lock: Lock },
}

impl Erasure {
    /// Takes the store at `dir`. Nobody else can open it for writing until this is dropped.
    ///
    /// # Errors
    /// [`EraseError`]: not erasable, or held by a process that doesn't answer.
    pub fn begin(dir: &Path) -> Result<Self, EraseError> {
        layout::check(dir)?;
        if Keys::open(dir)?.is_none() {
            return Err(EraseError::NotErasable(dir.to_owned()));
        }
        let held = match Lock::exclusive(dir) {
            Ok(lock) => Self::free(dir, lock)?,
            Err(locked) => match LiveReader::open(Beside(dir.to_owned())) {
                Ok(reader) => Held::Live(reader),
                Err(_) => return Err(locked.into()),
            },
        };
        Ok(Self { dir: dir.to_owned(), held })
    }

    fn free(dir: &Path, lock: Lock) -> Result<Held, EraseError> {
        let copy = reader::copy(dir, &lock)?;
        let store = sled::open_copy(copy, dir)?;
        let keys = Keys::writable(dir, false)?.ok_or_else(|| EraseError::NotErasable(dir.to_owned()))?;
        Ok(Held::Free { store, keys, _lock: lock })
    }

    /// Whether a running engine does the work.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.held, Held::Live(_))
    }

    /// The party with this identity, if the store knows it.
    ///
    /// # Errors
    /// [`EraseError`].
    pub fn find(&self, identity: &str) -> Result<Option<u32>, EraseError> {
        let unreadable = |source| EraseError::Io { what: "the keys can't be read", source };
        match &self.held {
            Held::Free { keys, .. } => keys.find(identity).map_err(unreadable),
            Held::Live(_) => match Keys::open(&self.dir)? {
                Some(keys) => keys.find(identity).map_err(unreadable),
                None => Err(EraseError::NotErasable(self.dir.clone())),
            },
        }
    }

    fn reader(&self) -> &dyn JournalReader {
        match &self.held {
            Held::Live(reader) => reader,
            Held::Free { store, .. } => store,
        }
    }

    /// What a party has to do with: reads the whole journal.
    ///
    /// # Errors
    /// [`EraseError::Read`].
    pub fn survey(&self, party: u32, progress: &mut dyn FnMut(Progress)) -> Result<Survey, EraseError> {
        let of = self.reader().tail()?.seq();
        let mut count = Count { survey: Survey { party, ..Survey::default() }, open: HashSet::new() };
        for (number, stored) in (1u64..).zip(self.reader().read_all(Cursor::START)?) {
            let stored = stored?;
            count.look(&stored);
            if number.is_multiple_of(4_096) {
                progress(Progress { events: Cursor::after(&stored).seq(), of });
            }
        }
        progress(Progress { events: of, of });
        let mut survey = count.survey;
        for call in count.open {
            if survey.alive.len() < MAX_ALIVE && self.goes_on(call)? {
                survey.alive.push(call);
            }
        }
        survey.alive.sort_unstable();
        Ok(survey)
    }

    /// Whether more may be recorded of a call. Commits may come after its end; and a call that was only watched is over
    /// when nobody watches any more.
    fn goes_on(&self, call: CallId) -> Result<bool, EraseError> {
        let commits = self.reader().read(call)?;
        let first = commits.first().and_then(|stored| stored.commit.events.first());
        let watched = first.is_some_and(|one| one.event.kind() == EventKind::Observed) && !self.is_live();
        Ok(!watched && !commits.iter().any(|stored| stored.commit.releases()))
    }

    /// Destroys the key of a party that was surveyed. `key` signs the receipt, unless a running engine signs with its own.
    ///
    /// # Errors
    /// [`EraseError`]: the party's calls go on, or the system refused.
    pub fn destroy(self, survey: &Survey, key: Option<&SigningKey>) -> Result<Kept, EraseError> {
        if !survey.alive.is_empty() {
            return Err(EraseError::Alive(survey.party));
        }
        match &self.held {
            Held::Live(reader) => Ok(reader.erase(survey.party, survey.calls, survey.commits)?),
            Held::Free { store, keys, .. } => {
                let events = store.tail()?.seq();
                destroy(&self.dir, keys, Order::of(survey, events), key)
            }
        }
    }
}

/// What is to be destroyed, and what the receipt is to say of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub party: u32,
    pub calls: u64,
    pub commits: u64,
    pub events: u64,
}

impl Order {
    fn of(survey: &Survey, events: u64) -> Self {
        Self { party: survey.party, calls: survey.calls, commits: survey.commits, events }
    }
}

/// Overwrites the key, then writes the receipt. In this order: a receipt must not say what did not happen; a key that is
/// gone without one is told by `verify`.
pub(crate) fn destroy(
    dir: &Path,
    keys: &Keys,
    order: Order,
    key: Option<&SigningKey>,
) -> Result<Kept, EraseError> {
    let failed = |what| move |source| EraseError::Io { what, source };
    match keys.place(order.party).map_err(failed("the keys can't be read"))? {
        Place::Key(_) | Place::Damaged => {}
        Place::Erased | Place::Absent => return Err(EraseError::Gone(order.party)),
    }
    let checkpoint = newest(dir).map_err(failed("the checkpoints can't be read"))?;
    let place = keys.erase(order.party).map_err(failed("the key could not be overwritten"))?;
    let receipt = Receipt {
        party: order.party,
        time: Timestamp::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        calls: order.calls,
        commits: order.commits,
        destroyed: Sha256::digest(place).into(),
        events: order.events,
        checkpoint,
        previous: None,
    };
    receipt::append(dir, receipt, key)
        .map_err(failed("the key is destroyed, but the receipt could not be written"))
}

fn newest(dir: &Path) -> io::Result<Option<(u64, [u8; 32])>> {
    let last = seal::kept(dir)?.filter_map(Result::ok).last();
    Ok(last.map(|entry| (entry.checkpoint.tree.size, entry.checkpoint.tree.root)))
}

struct Count {
    survey: Survey,
    open: HashSet<CallId>,
}

impl Count {
    fn look(&mut self, stored: &StoredCommit) {
        let call = stored.commit.call;
        // What can't be read concerns nobody any more.
        let Some(sealed) = stored.sealed.as_ref().and_then(|bytes| Sealed::read(bytes).ok()) else { return };
        if !sealed.people.contains(&self.survey.party) {
            return;
        }
        if self.open.insert(call) {
            self.survey.calls += 1;
        }
        if sealed.concerned().any(|party| party == self.survey.party) {
            self.survey.commits += 1;
        }
        if Facts::of(&stored.commit).is_some_and(|facts| facts.last) {
            self.open.remove(&call);
        }
    }
}
