//! Receipts of erasures: what was destroyed, when, and how far that reached; without saying whose it was.
//!
//! The file `erasures` of a store holds them as signed notes (C2SP `signed-note`), each followed by an empty line, as
//! `checkpoints` does. It only grows, and each names the one before.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
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

/// What is in a file of receipts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The receipts, in order.
    pub receipts: Vec<Kept>,
    /// What is none, in words.
    pub damages: Vec<String>,
    /// How many bytes of the file are whole entries. What follows was being written when the power went.
    whole: u64,
}

/// The receipts of a store.
///
/// # Errors
/// The system's.
pub fn kept(store: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    let file = match File::open(store.join(ERASURES)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    while let Some((entry, behind)) = split(rest) {
        found.take(entry);
        found.whole += (rest.len() - behind.len()) as u64;
        rest = behind;
    }
    if !rest.is_empty() {
        found.damages.push("the last receipt was not written to its end".into());
    }
    Ok(found)
}

impl Found {
    fn take(&mut self, entry: &[u8]) {
        let number = self.receipts.len() + self.damages.len() + 1;
        let note = std::str::from_utf8(entry).ok().and_then(|text| Note::parse(text).ok());
        match note.and_then(|note| Receipt::parse(note.text()).map(|receipt| Kept { note, receipt })) {
            Some(kept) => self.receipts.push(kept),
            None => self.damages.push(format!("receipt {number} can't be read")),
        }
    }
}

/// The first note and what follows: its text ends at the first empty line, it ends at the second one.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut at, mut empty) = (0, 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        empty += usize::from(line == b"\n");
        if empty == 2 {
            let (entry, behind) = bytes.split_at_checked(at)?;
            return entry.split_last().map(|(_, note)| (note, behind));
        }
    }
    None
}

/// Names the receipt before, signs, and appends it durably. What was torn before it is cut off.
///
/// # Errors
/// The system's; nothing else was changed then.
pub(super) fn append(store: &Path, mut receipt: Receipt, key: Option<&SigningKey>) -> io::Result<Kept> {
    let before = kept(store)?;
    receipt.previous = before.receipts.last().map(|kept| link(&kept.note));
    let mut note = Note::new(&receipt.to_text()).map_err(io::Error::other)?;
    if let Some(key) = key {
        key.sign(&mut note);
    }
    let file = File::options().write(true).create(true).truncate(false).open(store.join(ERASURES))?;
    file.set_len(before.whole)?;
    file.write_all_at(format!("{note}\n").as_bytes(), before.whole)?;
    file.sync_all()?;
    layout::sync_dir(store)?;
    Ok(Kept { note, receipt })
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
        let found = kept(dir.path()).unwrap();
        assert_eq!((found.receipts, found.damages), (vec![first.clone(), second.clone()], vec![]));
        let public = std::slice::from_ref(key.public());
        assert_eq!((first.standing(public), second.standing(public)), (Standing::Unsigned, Standing::Signed));
        let path = dir.path().join(ERASURES);
        let whole = std::fs::read(&path).unwrap();
        let first_length = format!("{}\n", first.note).len();
        for cut in 1..whole.len() - 1 {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(
                kept(dir.path()).unwrap().damages.len(),
                usize::from(cut != first_length),
                "cut at {cut}"
            );
            append(dir.path(), receipt(3), None).unwrap();
            let found = kept(dir.path()).unwrap();
            assert_eq!(found.receipts.last().unwrap().receipt.party, 3, "cut at {cut}");
            assert!(found.damages.is_empty(), "what was torn is cut off");
        }
        assert_eq!(Receipt::parse("callbox erasure 1\nparty x\n"), None);
    }
}
