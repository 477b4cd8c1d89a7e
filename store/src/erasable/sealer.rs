//! Sealing what is appended.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callbox_events::CallId;
use callbox_events::schema::sealed::{self, Conceal, ConcealCall, Concealed, Extent};
use callbox_events::schema::{self, CodecError, Commit, StoredCommit};

use super::boxes::{self, Which, call_key, together};
use super::keys::{Key, Keys};
use crate::error::{AppendError, ReadError};
use crate::frame::Facts;
use crate::sled::MAX_COMMIT_BYTES;

/// Seals the commits of one journal.
pub struct Sealer {
    keys: Arc<Keys>,
    conceal: Arc<dyn Conceal>,
    /// What is known of the calls that go on. Whoever appends to a call takes it out meanwhile.
    calls: Mutex<HashMap<CallId, Box<dyn ConcealCall>>>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// Why a commit was not sealed.
enum Fault {
    Io(io::Error),
    Codec(CodecError),
}

impl From<CodecError> for Fault {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fault> for AppendError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Io(error) if error.kind() == io::ErrorKind::StorageFull => Self::Full,
            Fault::Io(error) => Self::Unavailable { why: format!("it could not be sealed: {error}") },
            Fault::Codec(error) => Self::Malformed { why: error.to_string() },
        }
    }
}

impl Sealer {
    /// With the keys of a store.
    pub fn new(keys: Arc<Keys>, conceal: Arc<dyn Conceal>) -> Self {
        Self { keys, conceal, calls: Mutex::default() }
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<CallId, Box<dyn ConcealCall>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call that goes on has to do with the party at this place.
    pub fn is_alive(&self, party: u32) -> bool {
        self.calls().values().any(|call| call.people().contains(&party))
    }

    /// The sealed payload of a commit. `before` reads what its call did before, opened, if that is not known any more.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was appended then.
    pub fn seal(
        &self,
        commit: &Commit,
        facts: &Facts,
        encoded: &[u8],
        before: impl FnOnce() -> Result<Vec<StoredCommit>, ReadError>,
    ) -> Result<Vec<u8>, AppendError> {
        let known = self.calls().remove(&commit.call);
        let mut call = match known {
            Some(call) => call,
            None if commit.version == 0 => self.conceal.call(),
            None => self.caught_up(before, commit.version)?,
        };
        let sealed = self.fitting(commit, encoded, &mut *call);
        if !facts.last {
            self.calls().insert(commit.call, call);
        }
        Ok(sealed?)
    }

    /// Sealed, and no longer than a commit may be, if that can be.
    fn fitting(&self, commit: &Commit, encoded: &[u8], call: &mut dyn ConcealCall) -> Result<Vec<u8>, Fault> {
        let sealed = self.locked(commit, &call.commit(commit, encoded, Extent::Personal, &*self.keys)?)?;
        if sealed.len() <= MAX_COMMIT_BYTES {
            return Ok(sealed);
        }
        self.locked(commit, &call.commit(commit, encoded, Extent::Messages, &*self.keys)?)
    }

    /// What is to be known of a call whose beginning was appended by another process.
    fn caught_up(
        &self,
        before: impl FnOnce() -> Result<Vec<StoredCommit>, ReadError>,
        version: u64,
    ) -> Result<Box<dyn ConcealCall>, AppendError> {
        let mut call = self.conceal.call();
        let before = before().map_err(|error| AppendError::Unavailable { why: error.to_string() })?;
        for stored in before.iter().filter(|stored| stored.commit.version < version) {
            let encoded = schema::encode(&stored.commit).map_err(Fault::Codec)?;
            call.commit(&stored.commit, &encoded, Extent::Personal, &*self.keys).map_err(Fault::Io)?;
        }
        Ok(call)
    }

    fn locked(&self, commit: &Commit, concealed: &Concealed) -> Result<Vec<u8>, Fault> {
        let people = concealed.people.iter().map(|party| {
            let key = self.keys.key(*party)?;
            let key = key.ok_or_else(|| io::Error::other("a party of the call was erased meanwhile"))?;
            Ok(call_key(&key, commit.call))
        });
        let people: Vec<Key> = people.collect::<io::Result<_>>()?;
        sealed::seal(concealed, |whose, number, content| {
            let keys: Vec<Key> =
                (0..).zip(&people).filter(|(bit, _)| whose & (1 << bit) != 0).map(|(_, key)| *key).collect();
            let key = together(&keys).ok_or_else(|| io::Error::other("a box belongs to nobody"))?;
            let which = Which { call: commit.call, version: commit.version, number, whose };
            Ok(boxes::lock(&key, which, &content)?)
        })
    }
}
