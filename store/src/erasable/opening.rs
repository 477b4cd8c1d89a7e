//! A reader that opens what another one reads.

use std::sync::Arc;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use super::keys::Keys;
use super::open::{CallKeys, open};
use crate::error::ReadError;
use crate::journal::{CallIds, Commits, Cursor, Head, JournalReader};
use crate::retention::pruned::Pruned;
use crate::subscription::{Source, Subscription};

/// Opens commits, if there are keys.
#[derive(Debug, Clone, Default)]
pub struct Opener(Option<Arc<Keys>>);

impl Opener {
    /// With the keys of a store; none if it is not erasable.
    #[must_use]
    pub fn new(keys: Option<Arc<Keys>>) -> Self {
        Self(keys)
    }

    /// The keys.
    #[must_use]
    pub fn call_keys(&self) -> Option<Arc<dyn CallKeys>> {
        self.0.clone().map(|keys| -> Arc<dyn CallKeys> { keys })
    }

    /// The commit with everything that the keys open.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn open(&self, stored: StoredCommit) -> Result<StoredCommit, ReadError> {
        match &self.0 {
            Some(keys) => open(&**keys, stored),
            None => Ok(stored),
        }
    }

    /// The same for all commits of a call.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn open_all(&self, commits: Vec<StoredCommit>) -> Result<Vec<StoredCommit>, ReadError> {
        if self.0.is_none() {
            return Ok(commits);
        }
        commits.into_iter().map(|stored| self.open(stored)).collect()
    }

    /// The same for commits as they come.
    #[must_use]
    pub fn open_each<'a>(&self, commits: Commits<'a>) -> Commits<'a> {
        if self.0.is_none() {
            return commits;
        }
        let opener = self.clone();
        Box::new(commits.map(move |stored| opener.open(stored?)))
    }

    /// The same for a whole journal.
    #[must_use]
    pub fn reader(self, inner: Box<dyn JournalReader>) -> Box<dyn JournalReader> {
        if self.0.is_none() { inner } else { Box::new(Opening { inner, opener: self }) }
    }

    /// The same for a subscription.
    #[must_use]
    pub fn follow(&self, subscription: Subscription) -> Subscription {
        if self.0.is_none() {
            return subscription;
        }
        let opener = self.clone();
        subscription.through(|inner| Arc::new(OpeningSource { inner, opener }))
    }
}

struct OpeningSource {
    inner: Arc<dyn Source>,
    opener: Opener,
}

impl Source for OpeningSource {
    fn batch(&self, from: Cursor, limit: usize) -> Result<Vec<StoredCommit>, ReadError> {
        self.opener.open_all(self.inner.batch(from, limit)?)
    }
}

/// Opens what `inner` reads.
struct Opening {
    inner: Box<dyn JournalReader>,
    opener: Opener,
}

impl JournalReader for Opening {
    fn read(&self, call: CallId) -> Result<Vec<StoredCommit>, ReadError> {
        self.opener.open_all(self.inner.read(call)?)
    }

    fn read_all(&self, from: Cursor) -> Result<Commits<'_>, ReadError> {
        self.inner.read_all(from).map(|commits| self.opener.open_each(commits))
    }

    fn calls(&self) -> Result<CallIds<'_>, ReadError> {
        self.inner.calls()
    }

    fn pruned(&self) -> Result<Option<Pruned>, ReadError> {
        self.inner.pruned()
    }

    fn tail(&self) -> Result<Cursor, ReadError> {
        self.inner.tail()
    }

    fn subscribe(&self, from: Cursor) -> Result<Subscription, ReadError> {
        self.inner.subscribe(from).map(|subscription| self.opener.follow(subscription))
    }

    fn call_keys(&self) -> Option<Arc<dyn CallKeys>> {
        self.opener.call_keys()
    }

    fn head(&self, call: CallId) -> Result<Option<Head>, ReadError> {
        self.inner.head(call)
    }

    fn latest(&self) -> Result<Option<CallId>, ReadError> {
        self.inner.latest()
    }
}
