//! redb: a table of commits by sequence number, a table by call; one transaction with `Durability::Immediate` a group.

use std::path::{Path, PathBuf};

use callbox_events::CallId;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};

use super::{Read, events};
use crate::group::{Engine, Entry};

const COMMITS: TableDefinition<u64, &[u8]> = TableDefinition::new("commits");
const BY_CALL: TableDefinition<[u8; 20], u64> = TableDefinition::new("by_call");

fn path(dir: &Path) -> PathBuf {
    dir.join("redb")
}

/// The database.
pub struct Table(Database);

impl Table {
    /// Begins a database.
    pub fn create(dir: &Path) -> Self {
        Self(Database::create(path(dir)).expect("a database"))
    }

    /// Opens it.
    pub fn open(dir: &Path) -> Self {
        Self(Database::open(path(dir)).expect("a database"))
    }
}

impl Engine for Table {
    fn commit(&mut self, group: &[Entry]) {
        let mut transaction = self.0.begin_write().expect("a transaction");
        transaction.set_durability(Durability::Immediate).expect("it is the default");
        {
            let mut commits = transaction.open_table(COMMITS).expect("a table");
            let mut by_call = transaction.open_table(BY_CALL).expect("a table");
            for entry in group {
                commits.insert(entry.seq, entry.payload.as_slice()).expect("room");
                by_call.insert(entry.by_call(), entry.seq).expect("room");
            }
        }
        transaction.commit().expect("it is durable");
    }
}

impl Read for Table {
    fn call(&self, call: CallId) -> u64 {
        let transaction = self.0.begin_read().expect("a transaction");
        let commits = transaction.open_table(COMMITS).expect("a table");
        let by_call = transaction.open_table(BY_CALL).expect("a table");
        let (mut first, mut last) = ([0; 20], [0xFF; 20]);
        first[..16].copy_from_slice(call.as_bytes());
        last[..16].copy_from_slice(call.as_bytes());
        let places = by_call.range(first..=last).expect("a range");
        let found = places.map(|place| {
            let place = place.expect("it is whole").1.value();
            let payload = commits.get(place).expect("it is whole").expect("it is there");
            u64::from(events(payload.value()) > 0)
        });
        found.sum()
    }

    fn scan(&self) -> u64 {
        let transaction = self.0.begin_read().expect("a transaction");
        let commits = transaction.open_table(COMMITS).expect("a table");
        commits.iter().expect("a range").map(|item| events(item.expect("it is whole").1.value())).sum()
    }
}
