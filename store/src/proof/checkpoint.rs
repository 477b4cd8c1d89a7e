//! Checkpoints (C2SP `tlog-checkpoint`): how large the tree is and what its root is, as the text of a signed note.
//!
//! ```text
//! callbox.example.com/node1                              origin: the key's name
//! 48213                                                  commits
//! uFvfaGIZaCdOMCvWLfhSNZOoVT9fFF2oEsVPmHHvIBM=           root
//! time 2026-11-25T10:02:31.123456Z                       our extension lines from here on
//! events 61544
//! previous CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! pruned commits=12000 events=15211 until=2026-10-26T10:02:30.000000Z
//! beat node=callbox since=2026-11-25T10:01:31.120001Z received=120 sent=118 on=udp:127.0.0.1:5060
//! ```
//!
//! `previous` is the hash of the checkpoint before: none can be taken out, changed or put in unseen, except at the end.
//! Lines of other kinds are kept and ignored.

use std::fmt;

use callbox_events::Timestamp;
use sha2::{Digest, Sha256};

use super::beat::Beat;
use super::cut::Cut;
use super::note::{Note, is_key_name};
use super::path::Sized;
use super::text::{base64, hash_from_base64};
use super::tree::Hash;

/// The origin of a checkpoint that nobody signs.
pub const UNSIGNED_ORIGIN: &str = "callbox/unsigned";

/// The tree at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Who speaks: the name of the key, or [`UNSIGNED_ORIGIN`].
    pub origin: String,
    /// The number of commits, and the root over them.
    pub tree: Sized,
    /// What we add to the C2SP form.
    pub extension: Extension,
}

/// What a checkpoint says beyond the tree. Checkpoints of other logs have nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extension {
    /// When it was made; never earlier than the one before.
    pub time: Option<Timestamp>,
    /// The number of events in the commits: the global sequence number behind the last.
    pub events: Option<u64>,
    /// The hash of the text of the checkpoint before; none in a store's first.
    pub previous: Option<Hash>,
    /// The oldest commits of the tree, if they were removed from the journal on purpose.
    pub pruned: Option<Cut>,
    /// Who was listening since the one before.
    pub beats: Vec<Beat>,
}

/// Why a note is no checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Fewer than three lines.
    #[error("it has fewer than three lines")]
    Short,
    /// An empty line, or an origin with a space or a plus sign.
    #[error("its origin is no name")]
    Origin,
    /// The second line is no number.
    #[error("its second line is no number of commits")]
    Size,
    /// The third line is no hash.
    #[error("its third line is no hash")]
    Root,
    /// One of our extension lines can't be read.
    #[error("the line {0:?} can't be read")]
    Extension(String),
}

/// The hash that the next checkpoint names as its `previous`.
#[must_use]
pub fn text_hash(note: &Note) -> Hash {
    Sha256::digest(note.text()).into()
}

impl Checkpoint {
    /// Reads the text of a note.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn of(note: &Note) -> Result<Self, CheckpointError> {
        let mut lines = note.text().lines();
        let mut line = || lines.next().ok_or(CheckpointError::Short);
        let (origin, size, root) = (line()?, line()?, line()?);
        if !is_key_name(origin) {
            return Err(CheckpointError::Origin);
        }
        let size = decimal(size).ok_or(CheckpointError::Size)?;
        let root = hash_from_base64(root).ok_or(CheckpointError::Root)?;
        let mut extension = Extension::default();
        for line in lines {
            extension.take(line).ok_or_else(|| CheckpointError::Extension(line.to_owned()))?;
        }
        Ok(Self { origin: origin.to_owned(), tree: Sized { size, root }, extension })
    }
}

/// A number in its one form: no sign, no leading zeros.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl Extension {
    /// Takes a line; `None` if it is one of ours and can't be read.
    fn take(&mut self, line: &str) -> Option<()> {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "time" => self.time = Some(rest.parse().ok()?),
            "events" => self.events = Some(decimal(rest)?),
            "previous" => self.previous = Some(hash_from_base64(rest)?),
            "pruned" => self.pruned = Some(rest.parse().ok()?),
            "beat" => self.beats.push(rest.parse().ok()?),
            // An empty line would end the text for readers that look for the first one.
            _ => return (!line.is_empty()).then_some(()),
        }
        Some(())
    }
}

/// The text of its note.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Extension { time, events, previous, pruned, beats } = &self.extension;
        writeln!(f, "{}\n{}\n{}", self.origin, self.tree.size, base64(&self.tree.root))?;
        if let Some(time) = time {
            writeln!(f, "time {time}")?;
        }
        if let Some(events) = events {
            writeln!(f, "events {events}")?;
        }
        if let Some(previous) = previous {
            writeln!(f, "previous {}", base64(previous))?;
        }
        if let Some(pruned) = pruned {
            writeln!(f, "pruned {pruned}")?;
        }
        beats.iter().try_for_each(|beat| writeln!(f, "beat {beat}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_specification_is_read() {
        let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
            — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
        let note = Note::parse(note).unwrap();
        let checkpoint = Checkpoint::of(&note).unwrap();
        assert_eq!(
            (checkpoint.origin.as_str(), checkpoint.tree.size),
            ("example.com/behind-the-sofa", 20_852_163)
        );
        assert_eq!(checkpoint.extension, Extension::default());
        assert_eq!(checkpoint.to_string(), note.text());
    }

    fn example() -> Checkpoint {
        let beat = Beat {
            node: "a node = 1%".into(),
            since: Timestamp::from_micros(1),
            received: 2,
            sent: 3,
            listening: vec!["udp:127.0.0.1:5060".into(), "tcp:[::1]:5060".into()],
        };
        let extension = Extension {
            time: Some(Timestamp::from_micros(1_700_000_000_000_000)),
            events: Some(9),
            previous: Some([7; 32]),
            pruned: Some(Cut { commits: 3, events: 4, until: Timestamp::from_micros(5) }),
            beats: vec![beat],
        };
        Checkpoint { origin: "o".into(), tree: Sized { size: 8, root: [1; 32] }, extension }
    }

    #[test]
    fn ours_reads_back_and_unknown_lines_are_no_harm() {
        let text = example().to_string();
        assert_eq!(Checkpoint::of(&Note::new(&text).unwrap()), Ok(example()));
        let later = format!("{text}colour blue\n");
        assert_eq!(Checkpoint::of(&Note::new(&later).unwrap()), Ok(example()));
    }

    #[test]
    fn what_is_no_checkpoint_is_refused_with_the_reason() {
        let root = base64(&[1; 32]);
        for (text, error) in [
            ("o\n1".to_owned(), CheckpointError::Short),
            (format!("a b\n1\n{root}"), CheckpointError::Origin),
            (format!("o\n01\n{root}"), CheckpointError::Size),
            (format!("o\n+1\n{root}"), CheckpointError::Size),
            (format!("o\n1\n{}", base64(&[1; 31])), CheckpointError::Root),
            (format!("o\n1\n{root}\ntime soon"), CheckpointError::Extension("time soon".into())),
            (format!("o\n1\n{root}\nbeat node=x"), CheckpointError::Extension("beat node=x".into())),
            (format!("o\n1\n{root}\n\nx"), CheckpointError::Extension(String::new())),
        ] {
            assert_eq!(Checkpoint::of(&Note::new(&text).unwrap()), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_mutilated_checkpoint_is_refused_or_another_one(at in 0..500usize, byte in " -~\n") {
            let mut text = example().to_string();
            let at = at % text.len();
            text.replace_range(at..=at, &byte);
            if let Ok(read) = Note::new(&text).map_err(drop).and_then(|note| Checkpoint::of(&note).map_err(drop)) {
                prop_assert!(read != example() || Note::new(&text).unwrap().text() == example().to_string());
            }
        }
    }
}
