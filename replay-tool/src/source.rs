//! Opens what a command reads. The one place that knows how an unusable store is told to people.

use std::path::Path;

use callbox_store::{JournalReader, OpenError, reader};

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// What a command reads from.
pub type Source = Box<dyn JournalReader>;

/// The directory that the command line names.
pub fn dir(common: &Common) -> Result<&Path, Failure> {
    common.store.as_deref().ok_or_else(|| {
        Failure::new(ExitCode::Usage, "no_store", "no store was named")
            .hint("give --store DIR, or set CALLBOX_STORE")
    })
}

/// The store that the command line names: through its engine if one runs, otherwise a copy. Changes nothing in it.
pub fn open(common: &Common) -> Result<Source, Failure> {
    Ok(reader::open(dir(common)?)?)
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let (exit, code) = match &error {
            OpenError::Missing { .. } => (ExitCode::NotFound, "store_not_found"),
            OpenError::NotAStore { .. } => (ExitCode::Store, "not_a_store"),
            OpenError::MissingRecording { .. } => (ExitCode::NotFound, "recording_not_found"),
            OpenError::NotARecording { .. } => (ExitCode::Store, "not_a_recording"),
            OpenError::Locked { .. } => (ExitCode::Store, "store_locked"),
            OpenError::Newer { .. } => (ExitCode::Store, "store_too_new"),
            OpenError::Corrupt { .. } => (ExitCode::Store, "store_corrupt"),
            OpenError::Io { .. } => (ExitCode::Store, "store_unusable"),
        };
        Self::new(exit, code, error.to_string()).hint(error.hint())
    }
}
