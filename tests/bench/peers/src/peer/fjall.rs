//! fjall: a keyspace by sequence number and one by call, its default settings (LZ4); one batch and `persist(SyncAll)` a
//! group.

use std::path::Path;

use callbox_events::CallId;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{Read, events};
use crate::group::{Engine, Entry};

/// The database.
pub struct Tree {
    database: Database,
    commits: Keyspace,
    by_call: Keyspace,
}

impl Tree {
    /// Opens a database, or begins one.
    pub fn open(dir: &Path) -> Self {
        let database = Database::builder(dir.join("fjall")).open().expect("a database");
        let keyspace =
            |name: &str| database.keyspace(name, KeyspaceCreateOptions::default).expect("a keyspace");
        let (commits, by_call) = (keyspace("commits"), keyspace("by_call"));
        Self { database, commits, by_call }
    }

    /// Begins a database.
    pub fn create(dir: &Path) -> Self {
        Self::open(dir)
    }
}

impl Engine for Tree {
    fn commit(&mut self, group: &[Entry]) {
        let mut batch = self.database.batch();
        for entry in group {
            batch.insert(&self.commits, entry.seq.to_be_bytes(), entry.payload.as_slice());
            batch.insert(&self.by_call, entry.by_call(), entry.seq.to_be_bytes());
        }
        batch.commit().expect("room");
        self.database.persist(PersistMode::SyncAll).expect("it is durable");
    }
}

impl Read for Tree {
    fn call(&self, call: CallId) -> u64 {
        let found = self.by_call.prefix(call.as_bytes()).map(|item| {
            let (_, place) = item.into_inner().expect("it is whole");
            let payload = self.commits.get(place).expect("it is whole").expect("it is there");
            u64::from(events(&payload) > 0)
        });
        found.sum()
    }

    fn scan(&self) -> u64 {
        self.commits.iter().map(|item| events(&item.into_inner().expect("it is whole").1)).sum()
    }
}
