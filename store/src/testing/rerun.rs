//! Every journal that a test leaves behind is proof: each call in it must be decided again as it is recorded.

use std::ops::Deref;
use std::path::Path;

use callbox_events::view::rerun;

use crate::journal::JournalReader;
use crate::memory::MemoryJournal;
use crate::{layout, reader};

/// Decides every call of a journal again.
///
/// # Panics
/// With the call and the place, if the machine parts from the record anywhere.
pub fn assert_decided_again(journal: &dyn JournalReader) {
    for call in journal.calls().unwrap() {
        let call = call.unwrap();
        let commits = journal.read(call).unwrap();
        if let Some(divergence) = rerun(&commits).divergence {
            panic!(
                "call {call} is decided otherwise at event {} ({}): {}",
                divergence.event, divergence.input, divergence.what
            );
        }
    }
}

/// The same for a directory, if a journal is there; quiet while a test fails for another reason. For `Drop`.
///
/// # Panics
/// If the machine parts from the record anywhere, or the journal can't be read.
pub fn check_left_behind(dir: &Path) {
    if !std::thread::panicking() && dir.join(layout::FORMAT).exists() {
        assert_decided_again(reader::open(dir).unwrap().as_ref());
    }
}

/// A journal in memory that is checked when its test lets go of it.
#[derive(Debug, Default)]
pub struct CheckedJournal(MemoryJournal);

impl Deref for CheckedJournal {
    type Target = MemoryJournal;

    fn deref(&self) -> &MemoryJournal {
        &self.0
    }
}

impl Drop for CheckedJournal {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_decided_again(&self.0);
        }
    }
}
