//! Opens what a command reads. The one place that knows how an unusable store is told to people.

use callbox_store::sled::{Options, SledJournal};
use callbox_store::{JournalReader, OpenError};

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// What a command reads from.
pub type Source = Box<dyn JournalReader>;

/// The store that the command line names. Creates nothing.
pub fn open(common: &Common) -> Result<Source, Failure> {
    let dir = common.store.as_ref().ok_or_else(|| {
        Failure::new(ExitCode::Usage, "no_store", "no store was named")
            .hint("give --store DIR, or set CALLBOX_STORE")
    })?;
    if !dir.is_dir() {
        return Err(OpenError::Missing { dir: dir.clone() }.into());
    }
    Ok(Box::new(SledJournal::open(dir, Options::default())?))
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let (exit, code) = match &error {
            OpenError::Missing { .. } => (ExitCode::NotFound, "store_not_found"),
            OpenError::NotAStore { .. } => (ExitCode::Store, "not_a_store"),
            OpenError::Locked { .. } => (ExitCode::Store, "store_locked"),
            OpenError::Newer { .. } => (ExitCode::Store, "store_too_new"),
            OpenError::Corrupt { .. } => (ExitCode::Store, "store_corrupt"),
            OpenError::Io { .. } => (ExitCode::Store, "store_unusable"),
        };
        Self::new(exit, code, error.to_string()).hint(error.hint())
    }
}
