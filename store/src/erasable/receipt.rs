//! Receipts of erasures: what was destroyed, when, and how far that reached; without saying whose it was.
//!
//! The file `erasures` of a store holds them as signed notes (C2SP `signed-note`), each followed by an empty line, as
//! `checkpoints` does. It only grows, and each names the one before.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use callbox_events::Timestamp;
use sha2::{Digest, Sha256};

use crate::layout::{self, ERASURES};
use crate::proof::key::{PublicKey, SigningKey, Standing};
use crate::proof::note::Note;
use crate::proof::text::{base64, hash_from_base64};
use crate::proof::tree::Hash;

/// The first line.
const FORM: &str = "callbox erasure 1";

/// A larger file is not read: that would be half a million receipts.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// What one erasure did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The number of the party's key, which is in the party's pseudonyms: `user-7`, or the number 0000000007.
    pub party: u32,
    /// When.
    pub time: Timestamp,
    /// In how many calls the party took part.
    pub calls: u64,
    /// How many of their commits had data of the party in them.
    pub commits: u64,
    /// SHA-256 over the 64 bytes that stood in the file of keys. It tells nothing of the key, but whoever kept a copy of
    /// the file can show that it was this one.
    pub destroyed: Hash,
    /// The journal's end: the global sequence number behind its last event.
    pub events: u64,
    /// The newest checkpoint: so many commits under this root.
    pub checkpoint: Option<(u64, Hash)>,
    /// SHA-256 over the text of the receipt before.
    pub previous: Option<Hash>,
}

impl Receipt {
    /// The text that is signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_string()
    }

    /// Reads the text of a note; `None` if it is no receipt. Lines of other kinds are passed over.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next() != Some(FORM) {
            return None;
        }
        let (mut party, mut time, mut calls, mut commits) = (None, None, None, None);
        let (mut destroyed, mut events, mut checkpoint, mut previous) = (None, None, None, None);
        for line in lines {
            let (name, value) = line.split_once(' ')?;
            match name {
                "party" => party = Some(value.parse().ok()?),
                "time" => time = Some(value.parse().ok()?),
                "calls" => calls = Some(value.parse().ok()?),
                "commits" => commits = Some(value.parse().ok()?),
                "destroyed" => destroyed = Some(hash_from_base64(value)?),
                "events" => events = Some(value.parse().ok()?),
                "checkpoint" => {
                    let (size, root) = value.split_once(' ')?;
                    checkpoint = Some((size.parse().ok()?, hash_from_base64(root)?));
                }
                "previous" => previous = Some(hash_from_base64(value)?),
                _ => {}
            }
        }
        Some(Self {
            party: party?,
            time: time?,
            calls: calls?,
            commits: commits?,
            destroyed: destroyed?,
            events: events?,
            checkpoint,
            previous,
        })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { party, time, calls, commits, destroyed, events, checkpoint, previous } = self;
        writeln!(f, "{FORM}\nparty {party}\ntime {time}\ncalls {calls}\ncommits {commits}")?;
        writeln!(f, "destroyed {}\nevents {events}", base64(destroyed))?;
        if let Some((size, root)) = checkpoint {
            writeln!(f, "checkpoint {size} {}", base64(root))?;
        }
        match previous {
            Some(previous) => writeln!(f, "previous {}", base64(previous)),
            None => Ok(()),
        }
    }
}

/// A receipt as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The note, whose signatures are over its text.
    pub note: Note,
    /// What it says.
    pub receipt: Receipt,
}

impl Kept {
    /// What its signatures are worth: it must be signed with one of these keys.
    #[must_use]
    pub fn standing(&self, keys: &[PublicKey]) -> Standing {
        let standings = keys.iter().map(|key| key.standing(&self.note));
        standings.fold(Standing::Unsigned, |best, standing| match (best, standing) {
            (Standing::Signed, _) | (_, Standing::Signed) => Standing::Signed,
            (Standing::Forged, _) | (_, Standing::Forged) => Standing::Forged,
            (Standing::Unsigned, Standing::Unsigned) => Standing::Unsigned,
        })
    }
}

/// The receipts of a store, in order, and what in the file is none.
///
/// # Errors
/// The system's.
pub fn kept(store: &Path) -> io::Result<(Vec<Kept>, Vec<String>)> {
    let file = match File::open(store.join(ERASURES)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let (mut receipts, mut damages) = (Vec::new(), Vec::new());
    let mut rest = text.as_ref();
    while !rest.is_empty() {
        let (note, behind) = split(rest);
        let number = receipts.len() + damages.len() + 1;
        let read = Note::parse(note).ok().and_then(|note| {
            let receipt = Receipt::parse(note.text())?;
            Some(Kept { note, receipt })
        });
        match read {
            Some(kept) => receipts.push(kept),
            None => damages.push(format!("receipt {number} can't be read")),
        }
        rest = behind;
    }
    Ok((receipts, damages))
}

/// The first note and what follows: its text ends at the first empty line, it ends at the second one.
fn split(text: &str) -> (&str, &str) {
    let mut at = 0;
    let mut empty = 0;
    for line in text.split_inclusive('\n') {
        if line == "\n" {
            empty += 1;
            if empty == 2 {
                let (note, rest) = text.split_at_checked(at).unwrap_or((text, ""));
                return (note, rest.get(1..).unwrap_or_default());
            }
        }
        at += line.len();
    }
    (text, "")
}

/// Names the receipt before, signs, and appends it durably.
///
/// # Errors
/// The system's; nothing else was changed then.
pub(super) fn append(store: &Path, mut receipt: Receipt, key: Option<&SigningKey>) -> io::Result<Kept> {
    let (before, _) = kept(store)?;
    receipt.previous = before.last().map(|kept| link(&kept.note));
    let mut note = Note::new(&receipt.to_text()).map_err(io::Error::other)?;
    if let Some(key) = key {
        key.sign(&mut note);
    }
    let path = store.join(ERASURES);
    let mut file = File::options().append(true).read(true).create(true).open(&path)?;
    let text = format!("{note}\n");
    // What was being written when the power went is no receipt; the next one must not be read as its end.
    if !ends_well(&mut file)? {
        file.write_all(b"\n\n")?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    layout::sync_dir(store)?;
    Ok(Kept { note, receipt })
}

fn ends_well(file: &mut File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(true);
    }
    let mut end = [0; 2];
    file.seek(SeekFrom::Start(length.saturating_sub(2)))?;
    Ok(file.read_exact(&mut end).is_ok() && &end == b"\n\n")
}

/// How the next receipt names this one.
pub(super) fn link(note: &Note) -> Hash {
    Sha256::digest(note.text().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(party: u32) -> Receipt {
        Receipt {
            party,
            time: Timestamp::from_micros(1_795_415_880_000_000),
            calls: 3,
            commits: 9,
            destroyed: [7; 32],
            events: 44,
            checkpoint: (party > 1).then_some((20, [9; 32])),
            previous: None,
        }
    }

    #[test]
    fn receipts_read_back_one_after_another_and_behind_a_torn_one() {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::from_seed("callbox.example/x", &[1; 32]).unwrap();
        let first = append(dir.path(), receipt(1), None).unwrap();
        let second = append(dir.path(), receipt(2), Some(&key)).unwrap();
        assert_eq!(second.receipt.previous, Some(link(&first.note)));
        assert_eq!(kept(dir.path()).unwrap(), (vec![first.clone(), second.clone()], vec![]));
        let public = std::slice::from_ref(key.public());
        assert_eq!((first.standing(public), second.standing(public)), (Standing::Unsigned, Standing::Signed));
        let path = dir.path().join(ERASURES);
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..whole.len() - 1 {
            std::fs::write(&path, &whole[..cut]).unwrap();
            append(dir.path(), receipt(3), None).unwrap();
            let (receipts, _) = kept(dir.path()).unwrap();
            assert_eq!(receipts.last().unwrap().receipt.party, 3, "cut at {cut}");
        }
        assert_eq!(Receipt::parse("callbox erasure 1\nparty x\n"), None);
    }
}
