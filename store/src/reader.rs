//! Opening a store for reading, whether or not somebody writes to it.
//!
//! - Somebody holds its lock: the answers come through that process's socket.
//! - Nobody does: sled's part of the newest volume is copied into a temporary directory, under the lock, and the copy is
//!   opened together with the write-ahead log; older volumes are copied when somebody asks for what is in them. sled
//!   changes what it opens, so the original is never opened for reading. The copy is only trusted if it reaches the
//!   watermark.
//!
//! A reader never changes the store.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::erasable::Keys;
use crate::erasable::opening::Opener;
use crate::journal::JournalReader;
use crate::layout;
use crate::live::{Beside, LiveReader};
use crate::lock::Lock;
use crate::open_error::OpenError;
use crate::retention::held;
use crate::sled;

/// How often a writer that holds the lock but doesn't answer yet is asked again, and how long in between: five seconds
/// in all. It may be opening the store, or about to close it.
const PATIENCE: (u32, Duration) = (250, Duration::from_millis(20));

/// Opens a store for reading.
///
/// # Errors
/// [`OpenError`]: missing, not a store, newer, damaged; locked if its writer doesn't answer.
pub fn open(dir: impl AsRef<Path>) -> Result<Box<dyn JournalReader>, OpenError> {
    let dir = dir.as_ref();
    let journal: Box<dyn JournalReader> = match attach(dir)? {
        Attached::Live(reader) => Box::new(reader),
        Attached::Free(copy) => Box::new(sled::open_copy(copy, dir)?),
    };
    let opener = Opener::new(Keys::open(dir)?.map(Arc::new));
    Ok(opener.reader(held::beside(dir, journal)?))
}

/// A store that can be read.
pub(crate) enum Attached {
    /// Through its writer.
    Live(LiveReader),
    /// As a copy, not opened yet.
    Free(TempDir),
}

/// Finds out whether somebody writes; if not, copies.
pub(crate) fn attach(dir: &Path) -> Result<Attached, OpenError> {
    layout::check(dir)?;
    let mut pid = None;
    for _ in 0..PATIENCE.0 {
        match Lock::shared(dir)? {
            Ok(lock) => return copy(dir, &lock).map(Attached::Free),
            Err(holder) => pid = holder,
        }
        if let Ok(reader) = LiveReader::open(Beside(dir.to_owned())) {
            return Ok(Attached::Live(reader));
        }
        thread::sleep(PATIENCE.1);
    }
    Err(OpenError::Locked { dir: dir.to_owned(), pid })
}

/// A copy of what has to be copied, to be opened in its place.
pub(crate) fn copy(dir: &Path, _held: &Lock) -> Result<TempDir, OpenError> {
    let copy = tempfile::Builder::new().prefix("callbox-read-").tempdir();
    let copy = copy.map_err(OpenError::io("making a temporary directory in", &std::env::temp_dir()))?;
    let log = dir.join(layout::LOG);
    if log.exists() {
        sled::copy_what_is_needed(dir, copy.path()).map_err(OpenError::io("copying", &log))?;
    }
    let wal = dir.join(layout::WAL);
    if wal.exists() {
        // Nothing is ever written to it through the copy, so the original serves.
        let original = fs::canonicalize(&wal).map_err(OpenError::io("resolving", &wal))?;
        let linked = std::os::unix::fs::symlink(original, copy.path().join(layout::WAL));
        linked.map_err(OpenError::io("linking", &wal))?;
    }
    for name in [layout::WATERMARK, layout::PRUNED] {
        let file = dir.join(name);
        if file.exists() {
            fs::copy(&file, copy.path().join(name)).map_err(OpenError::io("copying", &file))?;
        }
    }
    Ok(copy)
}
