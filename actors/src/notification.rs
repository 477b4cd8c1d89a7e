//! What the application is told: a projection of the journal, so that it can't come before the record.

use std::time::Duration;

use callbox_events::call::{Input, Notification};
use callbox_events::schema::StoredCommit;
use callbox_events::{CallId, Timestamp};
use callbox_store::{Next, ReadError, Subscription};
use serde::Serialize;

use crate::clock::Patience;

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notified {
    /// Global sequence number of the event behind it.
    pub seq: u64,
    /// Which call.
    pub call: CallId,
    /// What happened.
    pub notification: Notification,
    /// When it was recorded.
    #[serde(with = "callbox_events::time::rfc3339")]
    pub at: Timestamp,
    /// Whether the call is others', and was only watched.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub observed: bool,
    /// The data of the event, as in `callbox show --json`.
    pub data: serde_json::Value,
}

/// The notifications of one engine in the order of the journal: those that were, then those that come.
///
/// Reads at the pace of its owner: a slow one costs the engine nothing. Several may follow one engine.
#[derive(Debug)]
pub struct Notifications {
    commits: Subscription,
    node: String,
    from_seq: u64,
    /// Whether calls of others are told of, too.
    observed: bool,
    ready: std::collections::VecDeque<Notified>,
}

/// What came of waiting a bounded time for a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// The next one.
    Notified(Box<Notified>),
    /// Nothing came in time.
    Timeout,
    /// The journal was closed and everything in it has been told.
    Closed,
}

impl Notifications {
    pub(crate) fn new(commits: Subscription, node: String, from_seq: u64) -> Self {
        Self { commits, node, from_seq, observed: false, ready: std::collections::VecDeque::new() }
    }

    /// The same with the calls of others that an observer writes into the journal: a mirror beside the engine. They are
    /// told as the engine's own are, as far as an observer can know: `started`, `ringing`, `early_media`, `answered`,
    /// `connected`, `held`, `media`, `ending`, `ended`, `released`, never `incoming`.
    #[must_use]
    pub fn with_observed(self) -> Self {
        Self { observed: true, ..self }
    }

    /// The next notification; none once the journal is closed and everything has been told.
    ///
    /// # Errors
    /// As an item: [`ReadError`].
    pub async fn next(&mut self) -> Option<Result<Notified, ReadError>> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Some(Ok(next));
            }
            match self.commits.next().await? {
                Ok(stored) => self.take(&stored),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Waits for the next notification, at most `limit`. Blocks the thread; not for use inside a runtime.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Waited, ReadError> {
        let patience = Patience::of(limit);
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Ok(Waited::Notified(Box::new(next)));
            }
            match self.commits.next_timeout(patience.left())? {
                Next::Commit(stored) => self.take(&stored),
                Next::Timeout => return Ok(Waited::Timeout),
                Next::Closed => return Ok(Waited::Closed),
            }
        }
    }

    fn take(&mut self, stored: &StoredCommit) {
        if stored.commit.node == self.node || self.observed && is_observed(stored) {
            let from = self.from_seq;
            self.ready.extend(notified(stored).filter(|notified| notified.seq >= from));
        }
    }
}

fn is_observed(stored: &StoredCommit) -> bool {
    matches!(stored.commit.input, Input::Observed(_))
}

/// What the application is told of a commit.
pub fn notified(stored: &StoredCommit) -> impl Iterator<Item = Notified> + '_ {
    (stored.seq..).zip(&stored.commit.events).filter_map(|(seq, happened)| {
        happened.event.notification().map(|notification| Notified {
            seq,
            call: stored.commit.call,
            notification,
            at: stored.commit.at,
            observed: is_observed(stored),
            data: happened.event.data(),
        })
    })
}
