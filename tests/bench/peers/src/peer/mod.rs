//! Who is compared. Each keeps what the journal keeps: every commit in the order of all, and an index by call.

mod callbox;
mod fjall;
mod plain;
mod redb;
mod sqlite;

use std::path::Path;
use std::time::Duration;

use callbox_events::CallId;
use callbox_events::schema::{self, Commit};
use callbox_store::Append;
use callbox_store::sled::Options;
use clap::ValueEnum;

use crate::group::Grouped;

/// A store that is written.
pub trait Written {
    /// Hands a commit over; resolves when it is durable.
    fn append(&self, commit: Commit) -> Append;

    /// Writes what waits, and ends.
    fn close(self: Box<Self>);
}

/// A store that is read.
pub trait Read {
    /// Reads and decodes a call; returns how many commits it has.
    fn call(&self, call: CallId) -> u64;

    /// Reads and decodes everything in order; returns how many events there are.
    fn scan(&self) -> u64;
}

/// A peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum PeerName {
    /// Nothing is kept: what the workload itself costs.
    Nothing,
    /// An append-only file, one fdatasync a group; its index is in memory only.
    Plain,
    /// The journal as it is by default: under load, a group may grow for some milliseconds.
    Callbox,
    /// The journal without that: a group is whatever waits, as it is with the others.
    CallboxAtOnce,
    /// redb, Durability::Immediate.
    Redb,
    /// SQLite, WAL, synchronous=FULL.
    Sqlite,
    /// fjall, persist(SyncAll) a group.
    Fjall,
}

impl PeerName {
    /// Begins a store in an empty directory.
    pub fn create(self, dir: &Path) -> Box<dyn Written> {
        match self {
            Self::Nothing => Box::new(Nothing),
            Self::Plain => Grouped::over(dir, plain::File::create),
            Self::Callbox => callbox::create(dir, Options::default()),
            Self::CallboxAtOnce => {
                callbox::create(dir, Options { group_delay: Duration::ZERO, ..Options::default() })
            }
            Self::Redb => Grouped::over(dir, redb::Table::create),
            Self::Sqlite => Grouped::over(dir, sqlite::Table::create),
            Self::Fjall => Grouped::over(dir, fjall::Tree::create),
        }
    }

    /// Opens what was written.
    pub fn read(self, dir: &Path) -> Option<Box<dyn Read>> {
        Some(match self {
            Self::Nothing => return None,
            Self::Plain => Box::new(plain::Reader::open(dir)),
            Self::Callbox | Self::CallboxAtOnce => callbox::open(dir),
            Self::Redb => Box::new(redb::Table::open(dir)),
            Self::Sqlite => Box::new(sqlite::Table::open(dir)),
            Self::Fjall => Box::new(fjall::Tree::open(dir)),
        })
    }
}

/// Acknowledges at once what it does not keep.
struct Nothing;

impl Written for Nothing {
    fn append(&self, commit: Commit) -> Append {
        schema::encode(&commit).expect("a commit can be encoded");
        Append::known(Ok(callbox_store::Position { seq: 0 }))
    }

    fn close(self: Box<Self>) {}
}

/// The events of an encoded commit.
fn events(payload: &[u8]) -> u64 {
    schema::decode(payload).expect("it is whole").events.len() as u64
}
