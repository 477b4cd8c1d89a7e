//! Erasable stores: what is sealed reads back as it was, and what is erased is nowhere any more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(dead_code, reason = "the tests of the other commands use more of what they share")]

mod support;

use std::sync::Arc;

use callbox_events::schema::Commit;
use callbox_sip::redact::Concealer;
use callbox_store::sled::Options;
use callbox_store::{Cursor, Journal, JournalReader, reader};
use support::{Store, personal, stories};

fn erasable() -> Options {
    Options { erasable: true, conceal: Some(Arc::new(Concealer)), ..Options::default() }
}

fn calls() -> Vec<Vec<Commit>> {
    // It is one of the others, retold with other people.
    let told = personal::call(&personal::somebody());
    let mut calls = stories::all();
    calls.retain(|call| call[0].call != told[0].call);
    calls.push(told);
    calls
}

#[test]
fn what_is_sealed_reads_back_as_it_was_written() {
    let written: Vec<Commit> = calls().into_iter().flatten().collect();
    let (store, journal) = Store::with(erasable(), calls());
    let read = |reader: &dyn JournalReader| -> Vec<Commit> {
        reader.read_all(Cursor::START).unwrap().map(|stored| stored.unwrap().commit).collect()
    };
    assert_eq!(read(&journal), written);
    assert_eq!(read(&*reader::open(store.path()).unwrap()), written, "through the writer's socket");
    journal.close().unwrap();
    drop(journal);
    assert_eq!(read(&*reader::open(store.path()).unwrap()), written, "from a copy");
}
