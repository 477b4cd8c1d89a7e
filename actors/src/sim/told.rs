//! What became of the simulated calls, read from the journals.

use callbox_events::CallId;
use callbox_events::call::{Notification, Phase};
use callbox_events::schema::{Commit, StoredCommit};
use callbox_events::verdict::{Verdict, judge};
use callbox_store::memory::MemoryJournal;
use callbox_store::{Cursor, JournalReader};

use super::world::Sim;
use crate::notification::{Notified, notified};

impl Sim {
    /// An engine's journal; it outlives its crashes.
    #[must_use]
    pub fn journal(&self, name: &str) -> Option<MemoryJournal> {
        self.get(name).map(|engine| engine.journal.clone())
    }

    /// Every call the engine had, in the order of their beginning.
    #[must_use]
    pub fn calls(&self, name: &str) -> Vec<CallId> {
        self.get(name).map(|engine| engine.known.clone()).unwrap_or_default()
    }

    /// The durable record of the engine's latest call.
    #[must_use]
    pub fn commits(&self, name: &str) -> Vec<StoredCommit> {
        self.latest(name).map(|call| self.commits_of(name, call)).unwrap_or_default()
    }

    /// The durable record of one of the engine's calls.
    #[must_use]
    pub fn commits_of(&self, name: &str, call: CallId) -> Vec<StoredCommit> {
        self.get(name).and_then(|engine| engine.journal.read(call).ok()).unwrap_or_default()
    }

    /// Where the engine's latest call stands, by its record.
    #[must_use]
    pub fn phase(&self, name: &str) -> Phase {
        let commits = self.commits(name);
        let last = commits.last().and_then(|stored| stored.commit.events.last());
        last.map_or(Phase::Idle, |happened| happened.phase)
    }

    /// What the application was told of the engine's latest call.
    #[must_use]
    pub fn notifications(&self, name: &str) -> Vec<Notification> {
        self.commits(name).iter().flat_map(notified).map(|notified| notified.notification).collect()
    }

    /// Everything the application was told by this engine, in order.
    #[must_use]
    pub fn all_notifications(&self, name: &str) -> Vec<Notified> {
        let Some(engine) = self.get(name) else { return Vec::new() };
        let Ok(all) = engine.journal.read_all(Cursor::START) else { return Vec::new() };
        let stored: Vec<StoredCommit> = all.filter_map(Result::ok).collect();
        stored.iter().flat_map(notified).collect()
    }

    /// Whether the application was told this of the engine's latest call.
    #[must_use]
    pub fn told(&self, name: &str, notification: Notification) -> bool {
        self.notifications(name).contains(&notification)
    }

    /// The verdict on the engine's latest call.
    #[must_use]
    pub fn verdict(&self, name: &str) -> Verdict {
        let commits: Vec<Commit> = self.commits(name).into_iter().map(|stored| stored.commit).collect();
        judge(&commits)
    }
}
