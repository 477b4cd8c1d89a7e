//! The file `checkpoints` of a store: one note after another, each followed by an empty line.
//!
//! A note's text has no empty line in it here, so the first empty line of an entry ends the text and the second one the
//! entry. The file only grows. What was being written when the power went is an entry without its end: it is no
//! checkpoint, and the next writer cuts it off.

use std::io::{self, BufRead, Read};

use super::checkpoint::{Checkpoint, CheckpointError};
use super::note::{DASH, MAX_NOTE_BYTES, Note, NoteError};

/// A checkpoint as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The note, whose signatures are over its text.
    pub note: Note,
    /// What it says.
    pub checkpoint: Checkpoint,
}

/// Why an entry can't be read.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// The file ends in the middle of it.
    #[error("the file ends in the middle of it")]
    Cut,
    /// It is no note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// It is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The system's.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Entry {
    /// Reads one note.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn parse(note: &str) -> Result<Self, EntryError> {
        let note = Note::parse(note)?;
        Ok(Self { checkpoint: Checkpoint::of(&note)?, note })
    }

    /// Whether anybody signed it.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        !self.note.signatures().is_empty()
    }

    /// As it stands in the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n", self.note)
    }
}

/// The entries of such a file, in order. Goes on behind an entry that is none; ends after an error of the system.
#[derive(Debug)]
pub struct Entries<R> {
    input: R,
    whole: u64,
    done: bool,
    /// The last entry was none: where the next begins has to be found.
    lost: bool,
}

impl<R: BufRead> Entries<R> {
    /// Those that `input` holds.
    pub fn of(input: R) -> Self {
        Self { input, whole: 0, done: false, lost: false }
    }

    /// Those that `input` holds, which begins in the midst of one.
    pub fn somewhere(input: R) -> Self {
        Self { lost: true, ..Self::of(input) }
    }

    /// How many bytes the entries have that were given so far.
    pub fn whole(&self) -> u64 {
        self.whole
    }

    /// The bytes of the next entry with the empty line behind it; `None` at the end.
    fn bytes(&mut self) -> Result<Option<Vec<u8>>, EntryError> {
        let mut bytes = Vec::new();
        let mut empty_lines = 0;
        while empty_lines < 2 {
            let start = bytes.len();
            let limit = (MAX_NOTE_BYTES + 1).saturating_sub(start);
            let read = self.input.by_ref().take(limit as u64).read_until(b'\n', &mut bytes)?;
            let line = bytes.get(start..).unwrap_or_default();
            if line.last() != Some(&b'\n') {
                self.done = true;
                return match start + read {
                    0 => Ok(None),
                    length if length > MAX_NOTE_BYTES => Err(NoteError::TooLong.into()),
                    _ => Err(EntryError::Cut),
                };
            }
            let is_empty = line.len() == 1;
            if start == 0 && self.lost && (is_empty || line.starts_with(DASH.as_bytes())) {
                bytes.clear();
                continue;
            }
            empty_lines += usize::from(is_empty);
        }
        Ok(Some(bytes))
    }

    fn entry(bytes: &[u8]) -> Result<Entry, EntryError> {
        let note = bytes.split_last().map_or(bytes, |(_, note)| note);
        Entry::parse(std::str::from_utf8(note).map_err(|_| NoteError::Encoding)?)
    }
}

impl<R: BufRead> Iterator for Entries<R> {
    type Item = Result<Entry, EntryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let entry = match self.bytes() {
            Ok(None) => return None,
            Ok(Some(bytes)) => {
                self.whole += bytes.len() as u64;
                Self::entry(&bytes)
            }
            Err(error) => {
                self.done = true;
                Err(error)
            }
        };
        self.lost = entry.is_err();
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOT: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    fn file() -> String {
        let signed = format!("o\n1\n{ROOT}\n\n— o AAAAAAA=\n— p AAAAAAA=\n\n");
        format!("{signed}o\n2\n{ROOT}\n\n\n{signed}{signed}")
    }

    fn sizes(bytes: &[u8]) -> Vec<Result<u64, String>> {
        let size = |entry: Result<Entry, EntryError>| entry.map(|entry| entry.checkpoint.tree.size);
        Entries::of(bytes).map(|entry| size(entry).map_err(|error| error.to_string())).collect()
    }

    #[test]
    fn signed_and_unsigned_entries_follow_each_other() {
        assert_eq!(sizes(file().as_bytes()), [Ok(1), Ok(2), Ok(1), Ok(1)]);
        let written: String = Entries::of(file().as_bytes()).map(|entry| entry.unwrap().to_text()).collect();
        assert_eq!(written, file());
        assert!(sizes(b"").is_empty());
    }

    #[test]
    fn a_cut_is_told_wherever_it_is_and_a_damaged_entry_hides_its_neighbour_at_most() {
        let file = file();
        let ends: Vec<usize> = [0; 4]
            .iter()
            .scan(0, |at, _| {
                *at += Entries::of(&file.as_bytes()[*at..]).next()?.ok()?.to_text().len();
                Some(*at)
            })
            .collect();
        for cut in 0..file.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count();
            let clean = cut == 0 || ends.contains(&cut);
            let read = sizes(&file.as_bytes()[..cut]);
            assert_eq!(read.len(), whole + usize::from(!clean), "cut at {cut}");
            assert_eq!(read.iter().filter(|entry| entry.is_err()).count(), usize::from(!clean));
        }
        for (sound, damaged) in
            [("o\n2", "o\nx"), ("E=\n\n\n", "E=\n.\n\n"), ("E=\n\n\n", "E=.\n\n\n"), ("o\n2", "o 2")]
        {
            let read = sizes(file.replacen(sound, damaged, 1).as_bytes());
            assert!(read[1..read.len() - 1].iter().any(Result::is_err), "{read:?}");
            assert_eq!((&read[0], &read[read.len() - 1]), (&Ok(1), &Ok(1)), "{damaged:?}");
        }
    }

    #[test]
    fn what_never_ends_takes_no_memory() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        let read: Vec<_> = Entries::of(endless).collect();
        assert!(matches!(read.as_slice(), [Err(EntryError::Note(NoteError::TooLong))]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_entries_or_refused(bytes in prop::collection::vec(prop::sample::select(b"o1\n \xffA".to_vec()), 0..80)) {
            let _ = sizes(&bytes);
        }
    }
}
