//! The conformance suite against each backend.
#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::sync::Arc;

use callbox_store::Journal;
use callbox_store::memory::MemoryJournal;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::Place;

mod memory {
    use super::*;

    fn place() -> Place {
        let mut journal = MemoryJournal::new();
        Box::new(move || {
            journal = journal.crash(usize::MAX);
            Arc::new(journal.clone())
        })
    }

    callbox_store::conformance_suite!(place);
}

mod sled {
    use super::*;

    fn place() -> Place {
        let dir = tempfile::tempdir().unwrap();
        Box::new(move || -> Arc<dyn Journal> {
            Arc::new(SledJournal::open(dir.path(), Options::default()).unwrap())
        })
    }

    callbox_store::conformance_suite!(place);
}

mod sled_with_tiny_groups {
    use super::*;

    fn place() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let options =
            Options { group_commits: 3, group_delay: std::time::Duration::ZERO, ..Options::default() };
        Box::new(move || -> Arc<dyn Journal> {
            Arc::new(SledJournal::open(dir.path(), options.clone()).unwrap())
        })
    }

    callbox_store::conformance_suite!(place);
}

/// Every call goes on over several volumes.
mod sled_with_tiny_volumes {
    use super::*;

    fn place() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            group_commits: 3,
            group_delay: std::time::Duration::ZERO,
            sink_delay: std::time::Duration::from_millis(1),
            volume_bytes: 4_000,
            ..Options::default()
        };
        Box::new(move || -> Arc<dyn Journal> {
            Arc::new(SledJournal::open(dir.path(), options.clone()).unwrap())
        })
    }

    callbox_store::conformance_suite!(place);
}
