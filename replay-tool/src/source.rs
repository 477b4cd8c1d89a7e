//! Opens what a command reads. The one place that knows how an unusable store is told to people.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use callbox_sip::redact::Concealer;
use callbox_store::proof::audit::Kept;
use callbox_store::recording::Recording;
use callbox_store::sled::Options;
use callbox_store::{JournalReader, OpenError, layout, reader, seal};

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::remote;

/// So many damages are told by commands that go on in spite of them.
const MAX_TOLD: usize = 5;

/// What a command reads from.
pub type Source = Box<dyn JournalReader>;

/// What the command line names.
#[derive(Debug, Clone, Copy)]
pub enum Named<'a> {
    /// The directory of a store.
    Store(&'a Path),
    /// The file of a recording.
    Recording(&'a Path),
    /// A running engine.
    Url(&'a str),
}

/// The one source that the command line names.
pub fn named(common: &Common) -> Result<Named<'_>, Failure> {
    match (&common.store, &common.recording, &common.url) {
        (Some(dir), None, None) => Ok(Named::Store(dir)),
        (None, Some(file), None) => Ok(Named::Recording(file)),
        (None, None, Some(url)) => Ok(Named::Url(url)),
        (None, None, None) => Err(Failure::new(ExitCode::Usage, "no_store", "no store was named")
            .hint("give --store DIR, --url URL or --recording FILE, or set CALLBOX_STORE")),
        _ => {
            let message = "--store, --url and --recording name the same thing in three ways";
            Err(Failure::new(ExitCode::Usage, "several_sources", message).hint("give one of them"))
        }
    }
}

/// The directory that the command line names, for what needs a store's own files.
pub fn dir(common: &Common) -> Result<&Path, Failure> {
    let other = match named(common)? {
        Named::Store(dir) => return Ok(dir),
        Named::Recording(_) => "a recording",
        Named::Url(_) => "an engine that is read over --url",
    };
    let message = format!("this needs the directory of a store; {other} can only be read");
    Err(Failure::new(ExitCode::Usage, "needs_store", message).hint("give --store DIR"))
}

/// What the command line names: a recording, an engine elsewhere, or a store, through its engine if one runs, otherwise a
/// copy. Changes nothing in it.
pub fn open(common: &Common) -> Result<Source, Failure> {
    match named(common)? {
        Named::Recording(path) => Ok(Box::new(recording(path)?)),
        Named::Url(url) => Ok(Box::new(remote::open(url, common)?)),
        Named::Store(dir) => Ok(reader::open(dir)?),
    }
}

/// The checkpoints that the store keeps now, in the order they were written.
pub fn checkpoints(common: &Common) -> Result<Kept<'static>, Failure> {
    match named(common)? {
        Named::Url(url) => Ok(remote::open(url, common)?.kept()?),
        Named::Store(_) | Named::Recording(_) => {
            let dir = dir(common)?;
            layout::check(dir)?;
            let path = dir.join(layout::CHECKPOINTS);
            Ok(seal::kept(dir).map_err(|source| OpenError::Io { what: "reading", path, source })?)
        }
    }
}

/// The store at `path`, or the engine if it is a URL, as [`open`] opens the one that the command line names.
pub fn open_at(path: &Path, common: &Common) -> Result<Source, Failure> {
    match path.to_str().filter(|text| text.contains("://")) {
        Some(url) => Ok(Box::new(remote::open(url, common)?)),
        None => Ok(reader::open(path)?),
    }
}

/// How the tool writes to a store: one that is erasable stays so.
pub fn writing() -> Options {
    Options { conceal: Some(Arc::new(Concealer)), ..Options::default() }
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
