//! Opens what a command reads. The one place that knows how an unusable store is told to people.

use std::io::Write;
use std::path::Path;

use callbox_store::recording::Recording;
use callbox_store::{JournalReader, OpenError, reader};

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// So many damages are told by commands that go on in spite of them.
const MAX_TOLD: usize = 5;

/// What a command reads from.
pub type Source = Box<dyn JournalReader>;

/// The directory that the command line names.
pub fn dir(common: &Common) -> Result<&Path, Failure> {
    common.store.as_deref().ok_or_else(|| {
        Failure::new(ExitCode::Usage, "no_store", "no store was named")
            .hint("give --store DIR or --recording FILE, or set CALLBOX_STORE")
    })
}

/// What the command line names: a recording, or a store, through its engine if one runs, otherwise a copy. Changes nothing in it.
pub fn open(common: &Common) -> Result<Source, Failure> {
    match &common.recording {
        Some(path) => Ok(Box::new(recording(path)?)),
        None => open_at(dir(common)?),
    }
}

/// The store at `path`, as [`open`] opens the one that the command line names.
pub fn open_at(path: &Path) -> Result<Source, Failure> {
    Ok(reader::open(path)?)
}

/// A recording. Damage is told and does not keep anybody from reading the rest.
pub fn recording(path: &Path) -> Result<Recording, Failure> {
    let recording = Recording::open(path)?;
    let damages = recording.damages();
    let mut err = anstream::stderr().lock();
    for damage in damages.iter().take(MAX_TOLD) {
        writeln!(err, "warning: {} is damaged at {}: {}", path.display(), damage.place, damage.what)?;
    }
    if damages.len() > MAX_TOLD {
        writeln!(err, "warning: and {} more places; `callbox verify` lists them", damages.len() - MAX_TOLD)?;
    }
    Ok(recording)
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
