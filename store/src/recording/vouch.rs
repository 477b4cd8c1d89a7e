//! Does a checkpoint vouch for the commits of a recording? The tree is built from them and from the roots of what was left
//! out, and must have the checkpoint's root; the checkpoint must be signed with a key of the auditor's.
//!
//! The tree is made of the originals, so none can be built from redacted commits: then the checkpoint's signature is all
//! that is looked at.

use super::proofs::{CHECKPOINT, PROOFS, VERSION, subtrees};
use super::read::Recording;
use super::write::Section;
use crate::error::ReadError;
use crate::proof::audit::{Reach, Seals, standing};
use crate::proof::entries::Entry;
use crate::proof::key::{PublicKey, Standing};
use crate::proof::leaf::Leaf;
use crate::proof::tree::{Frontier, Hash};
use crate::verify::{Damage, Report};

/// What is looked for in the sections, fed with every commit in order.
pub struct Vouching<'a> {
    sections: Box<dyn Iterator<Item = Result<Section, ReadError>> + 'a>,
    under: Option<Entry>,
    standing: Standing,
    redacted: bool,
    tree: Frontier,
    /// The rest of the section that is being read.
    bytes: Vec<u8>,
    at: usize,
    /// Commits that come next in the tree, and what was left out behind them.
    kept: u64,
    roots: Vec<(u32, Hash)>,
    covered: Reach,
    flaw: Option<String>,
}

impl<'a> Vouching<'a> {
    /// Reads the checkpoint. What is wrong with it is reported, and that there is none if keys were brought.
    pub fn new(recording: &'a Recording, keys: &[PublicKey], report: &mut Report) -> Result<Self, ReadError> {
        let section = recording.section(CHECKPOINT)?;
        let under = match section.map(|section| entry(&section)) {
            Some(Ok(entry)) => Some(entry),
            Some(Err(what)) => {
                report.add(at_checkpoint(what));
                None
            }
            None if keys.is_empty() => None,
            None => {
                report.add(at_checkpoint("there is none, so nothing in here is vouched for".into()));
                None
            }
        };
        let standing = under.as_ref().map_or(Standing::Unsigned, |entry| standing(entry, keys));
        match (standing, keys.first()) {
            (Standing::Forged, _) => {
                report.add(at_checkpoint(
                    "its signature does not fit: its text was changed, or it is forged".into(),
                ));
            }
            (Standing::Unsigned, Some(key)) if under.is_some() => {
                report.add(at_checkpoint(format!("it is not signed by {}", key.name())));
            }
            (Standing::Unsigned | Standing::Signed, _) => {}
        }
        let time = under.as_ref().and_then(|entry| entry.checkpoint.extension.time).unwrap_or_default();
        Ok(Self {
            sections: Box::new(recording.sections(PROOFS)),
            under,
            standing,
            redacted: recording.header().redacted.is_some(),
            tree: Frontier::new(),
            bytes: Vec::new(),
            at: 0,
            kept: 0,
            roots: Vec::new(),
            covered: Reach { commits: 0, events: 0, time },
            flaw: None,
        })
    }

    /// The number of commits that the checkpoint covers.
    fn size(&self) -> u64 {
        self.under.as_ref().map_or(0, |entry| entry.checkpoint.tree.size)
    }

    /// Takes the next commit.
    pub fn add(&mut self, leaf: &Leaf) {
        if self.flaw.is_none()
            && !self.redacted
            && let Err(flaw) = self.place(leaf)
        {
            self.flaw = Some(flaw);
        }
    }

    fn place(&mut self, leaf: &Leaf) -> Result<(), String> {
        while self.kept == 0 && self.tree.size() < self.size() {
            if !self.entry()? && self.tree.size() < self.size() {
                return Err("for some of the commits that the checkpoint covers there are none".into());
            }
        }
        // A commit behind what the checkpoint covers is nobody's to vouch for.
        if self.tree.size() < self.size() {
            self.kept -= 1;
            self.tree.push(leaf.hash());
            self.covered.commits += 1;
            self.covered.events += u64::from(leaf.events);
        }
        Ok(())
    }

    /// Puts into the tree what was left out, and reads the next entry; false if there is none.
    fn entry(&mut self) -> Result<bool, String> {
        for (level, root) in std::mem::take(&mut self.roots) {
            if !self.tree.push_subtree(level, root) {
                return Err("they do not fit into the tree".into());
            }
        }
        while self.at == self.bytes.len() {
            let Some(section) = self.sections.next() else { return Ok(false) };
            let section = section.map_err(|error| error.to_string())?;
            if section.version > VERSION {
                return Err(format!("they have version {}; this callbox reads {VERSION}", section.version));
            }
            (self.bytes, self.at) = (section.bytes, 0);
        }
        let cut = || "an entry of them is cut off".to_owned();
        let kept = u64::from_be_bytes(self.take().ok_or_else(cut)?);
        let left_out = u64::from_be_bytes(self.take().ok_or_else(cut)?);
        let start = self.tree.size().saturating_add(kept);
        let end = start.saturating_add(left_out);
        if end > self.size() {
            return Err("they reach beyond the checkpoint".into());
        }
        for level in subtrees(start..end) {
            let root = self.take().ok_or_else(cut)?;
            self.roots.push((level, root));
        }
        self.kept = kept;
        Ok(true)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk::<N>().copied();
        self.at += if taken.is_some() { N } else { 0 };
        taken
    }

    /// Compares the roots. Where something is damaged already, that they differ is a consequence.
    pub fn finish(mut self, report: &mut Report) {
        let Some(entry) = self.under.clone() else { return };
        let signed = self.standing == Standing::Signed;
        report.seals = Seals {
            checkpoints: 1,
            signed: u64::from(signed),
            unsigned: u64::from(entry.note.signatures().is_empty()),
            ..Seals::default()
        };
        if self.redacted {
            return;
        }
        match self.conclude(&entry) {
            Ok(()) => {
                report.seals.covered = Some(self.covered);
                report.seals.vouched = Some(self.covered).filter(|_| signed);
            }
            Err(what) if report.is_sound() => report.add(Damage { place: "the proofs".into(), what }),
            Err(_) => {}
        }
    }

    fn conclude(&mut self, entry: &Entry) -> Result<(), String> {
        if let Some(flaw) = self.flaw.take() {
            return Err(flaw);
        }
        while self.kept == 0 && self.entry()? {}
        let tree = entry.checkpoint.tree;
        if self.kept > 0 || (self.tree.size(), self.tree.root()) != (tree.size, tree.root) {
            return Err(
                "they do not lead to the checkpoint's root: a commit was changed, left out or put in".into(),
            );
        }
        Ok(())
    }
}

fn entry(section: &Section) -> Result<Entry, String> {
    if section.version > VERSION {
        return Err(format!("it has version {}; this callbox reads {VERSION}", section.version));
    }
    let text = std::str::from_utf8(&section.bytes).map_err(|_| "it is no text".to_owned())?;
    Entry::parse(text).map_err(|error| error.to_string())
}

fn at_checkpoint(what: String) -> Damage {
    Damage { place: "the checkpoint".into(), what }
}
