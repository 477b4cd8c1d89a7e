//! A text as it comes out: what was kept, what stands in the place of something else, and what that was.

use std::ops::Range;

use super::Whose;

/// A place where something was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Where the replacement stands in what came out.
    pub at: usize,
    /// How long it is.
    pub length: usize,
    /// Where the original stands in [`Out::originals`].
    pub original: Range<usize>,
    /// Whose it is.
    pub whose: Whose,
}

/// What came out so far.
#[derive(Debug, Default)]
pub struct Out {
    /// With replacements.
    pub bytes: Vec<u8>,
    /// In order; they don't overlap.
    pub holes: Vec<Hole>,
    /// What was replaced, one after another.
    pub originals: Vec<u8>,
}

/// A place to go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    bytes: usize,
    holes: usize,
    originals: usize,
}

impl Out {
    /// Goes back to the beginning, and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.holes.clear();
        self.originals.clear();
    }

    /// Takes a piece over as it is.
    pub fn keep(&mut self, piece: &str) {
        self.bytes.extend_from_slice(piece.as_bytes());
    }

    /// Writes `instead` for `original`, unless they are the same.
    pub fn put(&mut self, original: &str, instead: &str, whose: Whose) {
        if original == instead {
            self.keep(original);
        } else {
            self.replace(original.as_bytes(), instead.as_bytes(), whose);
        }
    }

    /// Writes `instead` for `original`, even if they are the same.
    pub fn replace(&mut self, original: &[u8], instead: &[u8], whose: Whose) {
        let from = self.originals.len();
        self.originals.extend_from_slice(original);
        let hole =
            Hole { at: self.bytes.len(), length: instead.len(), original: from..self.originals.len(), whose };
        self.holes.push(hole);
        self.bytes.extend_from_slice(instead);
    }

    /// Takes over what came out elsewhere.
    pub fn append(&mut self, other: &Self) {
        let (at, original) = (self.bytes.len(), self.originals.len());
        self.bytes.extend_from_slice(&other.bytes);
        self.originals.extend_from_slice(&other.originals);
        self.holes.extend(other.holes.iter().map(|hole| Hole {
            at: hole.at + at,
            original: hole.original.start + original..hole.original.end + original,
            ..hole.clone()
        }));
    }

    /// Here.
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), holes: self.holes.len(), originals: self.originals.len() }
    }

    /// Takes back what came since.
    pub fn rewind(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.holes.truncate(mark.holes);
        self.originals.truncate(mark.originals);
    }
}

#[cfg(test)]
impl Out {
    /// What went in.
    pub fn original(&self) -> Vec<u8> {
        let (mut text, mut at) = (Vec::new(), 0);
        for hole in &self.holes {
            text.extend_from_slice(&self.bytes[at..hole.at]);
            text.extend_from_slice(&self.originals[hole.original.clone()]);
            at = hole.at + hole.length;
        }
        text.extend_from_slice(&self.bytes[at..]);
        text
    }

    /// What came out, as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }
}
