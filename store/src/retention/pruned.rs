//! The file `PRUNED`: where the journal begins after its oldest volumes were removed, and the tree over what was.
//!
//! It is written, synced and put in its place before anything is removed, so it is what decides: whatever lies before it
//! and is still there after a crash is removed at the next opening. The tree's right edge in it is all that later
//! checkpoints and proofs need of the commits that are gone.

use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::str::FromStr;

use crate::error::ReadError;
use crate::journal::Cursor;
use crate::layout;
use crate::proof::cut::Cut;
use crate::proof::text::{base64, hash_from_base64};
use crate::proof::tree::Frontier;

/// The first line.
const FORM: &str = "callbox pruned 1";

/// What was removed from the beginning of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// How much.
    pub cut: Cut,
    /// The tree over it.
    pub frontier: Frontier,
}

/// It can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not say what was removed, or was changed")]
pub struct NotPruned;

impl Pruned {
    /// Where the journal begins.
    #[must_use]
    pub fn begins(&self) -> Cursor {
        Cursor::at(self.cut.events)
    }

    /// What the store says of itself; `None` if nothing was ever removed.
    ///
    /// # Errors
    /// The system's; `InvalidData` if the file is damaged.
    pub fn read(store: &Path) -> io::Result<Option<Self>> {
        match fs::read_to_string(store.join(layout::PRUNED)) {
            Ok(text) => {
                text.parse().map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same for readers.
    ///
    /// # Errors
    /// [`ReadError::Corrupt`] if the file is damaged, [`ReadError::Unavailable`] if the system refuses it.
    pub(crate) fn of(store: &Path) -> Result<Option<Self>, ReadError> {
        Self::read(store).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => Self::damaged(&error),
            _ => ReadError::Unavailable { why: format!("{} can't be read: {error}", layout::PRUNED) },
        })
    }

    pub(crate) fn damaged(error: &dyn std::error::Error) -> ReadError {
        ReadError::Corrupt { place: layout::PRUNED.into(), what: error.to_string() }
    }

    /// Makes it true for good. What it names may be removed then.
    ///
    /// # Errors
    /// The system's; then the one before holds.
    pub fn write(&self, store: &Path) -> io::Result<()> {
        let path = store.join(layout::PRUNED);
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(self.to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        layout::sync_dir(store)
    }
}

/// The file's text: a checksum in the last line, the roots of perfect subtrees from left to right before it.
impl fmt::Display for Pruned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{FORM}\n{}\n", self.cut);
        for peak in self.frontier.peaks() {
            writeln!(text, "{}", base64(peak))?;
        }
        writeln!(f, "{text}crc32c {:08x}", crc32c::crc32c(text.as_bytes()))
    }
}

impl FromStr for Pruned {
    type Err = NotPruned;

    fn from_str(text: &str) -> Result<Self, NotPruned> {
        let (body, sum) = text.rsplit_once("crc32c ").ok_or(NotPruned)?;
        if sum != format!("{:08x}\n", crc32c::crc32c(body.as_bytes())) {
            return Err(NotPruned);
        }
        let mut lines = body.lines();
        lines.next().filter(|form| *form == FORM).ok_or(NotPruned)?;
        let cut: Cut = lines.next().ok_or(NotPruned)?.parse().map_err(|_| NotPruned)?;
        let peaks = lines.map(hash_from_base64).collect::<Option<Vec<_>>>().ok_or(NotPruned)?;
        let frontier = Frontier::from_peaks(cut.commits, peaks).ok_or(NotPruned)?;
        Ok(Self { cut, frontier })
    }
}

#[cfg(test)]
mod tests {
    use callbox_events::Timestamp;

    use super::*;

    fn example() -> Pruned {
        let mut frontier = Frontier::new();
        (0..11).for_each(|number| frontier.push([number; 32]));
        let cut = Cut { commits: 11, events: 30, until: Timestamp::from_micros(1_700_000_000_000_000) };
        Pruned { cut, frontier }
    }

    #[test]
    fn it_survives_and_any_change_of_it_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Pruned::read(dir.path()).unwrap(), None);
        example().write(dir.path()).unwrap();
        assert_eq!(Pruned::read(dir.path()).unwrap(), Some(example()));
        let path = dir.path().join(layout::PRUNED);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, &changed).unwrap();
            assert!(Pruned::read(dir.path()).is_err(), "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(Pruned::read(dir.path()).is_err(), "cut at {at}");
        }
    }
}
