//! SQLite: WAL, `synchronous=FULL`; a table by sequence number with an index by call; one transaction a group.

use std::path::Path;

use callbox_events::CallId;
use rusqlite::{Connection, params};

use super::{Read, events};
use crate::group::{Engine, Entry};

const INSERT: &str = "INSERT INTO commits VALUES (?1, ?2, ?3, ?4)";

/// The database.
pub struct Table(Connection);

impl Table {
    /// Opens the database.
    pub fn open(dir: &Path) -> Self {
        let connection = Connection::open(dir.join("sqlite")).expect("a database");
        let mode: String =
            connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0)).expect("an answer");
        assert_eq!(mode, "wal");
        connection.execute_batch("PRAGMA synchronous=FULL").expect("it is known");
        Self(connection)
    }

    /// Begins a database.
    pub fn create(dir: &Path) -> Self {
        let table = Self::open(dir);
        let schema =
            "CREATE TABLE commits (seq INTEGER PRIMARY KEY, call BLOB, version INTEGER, payload BLOB);
                      CREATE UNIQUE INDEX by_call ON commits (call, version)";
        table.0.execute_batch(schema).expect("tables");
        table
    }

    fn payloads<P: rusqlite::Params>(&self, query: &str, params: P, mut each: impl FnMut(&[u8])) {
        let mut query = self.0.prepare_cached(query).expect("it is well-formed");
        let mut rows = query.query(params).expect("rows");
        while let Some(row) = rows.next().expect("it is whole") {
            each(row.get_ref(0).and_then(|value| Ok(value.as_blob()?)).expect("bytes"));
        }
    }
}

impl Engine for Table {
    fn commit(&mut self, group: &[Entry]) {
        let transaction = self.0.transaction().expect("a transaction");
        {
            let mut insert = transaction.prepare_cached(INSERT).expect("it is well-formed");
            for entry in group {
                let (seq, version) = (entry.seq as i64, entry.version);
                insert.execute(params![seq, entry.call.as_bytes(), version, entry.payload]).expect("room");
            }
        }
        transaction.commit().expect("it is durable");
    }
}

impl Read for Table {
    fn call(&self, call: CallId) -> u64 {
        let mut found = 0;
        let query = "SELECT payload FROM commits WHERE call = ?1 ORDER BY version";
        self.payloads(query, [call.as_bytes()], |payload| found += u64::from(events(payload) > 0));
        found
    }

    fn scan(&self) -> u64 {
        let mut found = 0;
        self.payloads("SELECT payload FROM commits ORDER BY seq", [], |payload| found += events(payload));
        found
    }
}
