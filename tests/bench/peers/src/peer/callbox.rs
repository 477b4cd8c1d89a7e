//! The journal of callbox. It does more than the others: a chain of hashes per call, a Merkle tree, packing, and every
//! commit twice, in its log and in sled.

use std::path::Path;

use callbox_events::CallId;
use callbox_events::schema::Commit;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::{Append, Cursor, Expect, Journal, JournalReader, reader};

use super::{Read, Written};

/// Begins a journal.
pub fn create(dir: &Path, options: Options) -> Box<dyn Written> {
    Box::new(Open(SledJournal::open(dir, options).expect("a journal")))
}

/// Opens it as tools do.
pub fn open(dir: &Path) -> Box<dyn Read> {
    Box::new(Copied(reader::open(dir).expect("a journal")))
}

struct Open(SledJournal);

impl Written for Open {
    fn append(&self, commit: Commit) -> Append {
        let expect = Expect::of(&commit);
        self.0.append(commit, expect)
    }

    fn close(self: Box<Self>) {
        self.0.close().expect("everything is written");
    }
}

struct Copied(Box<dyn JournalReader>);

impl Read for Copied {
    fn call(&self, call: CallId) -> u64 {
        self.0.read(call).expect("it is whole").len() as u64
    }

    fn scan(&self) -> u64 {
        let all = self.0.read_all(Cursor::START).expect("it can be read");
        all.map(|stored| stored.expect("it is whole").commit.events.len() as u64).sum()
    }
}
