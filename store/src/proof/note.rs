//! Signed notes (C2SP `signed-note`): a text, a blank line, and lines with signatures.
//!
//! ```text
//! This is an example message.
//!
//! — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
//! ```
//!
//! A note of ours may have no signature at all: that is what a store writes without a key. Everything else is as
//! specified there.

use std::fmt;

use super::text::{base64, from_base64};

/// What a signature line begins with: an em dash and a space.
pub(super) const DASH: &str = "— ";

/// No note is longer.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;

/// No note has more signatures.
pub const MAX_SIGNATURES: usize = 100;

/// A text and who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature line. What it is worth, a [`PublicKey`](super::key::PublicKey) tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The key's name.
    pub name: String,
    /// The key's id: the first bytes of a hash of its name and itself.
    pub id: u32,
    /// The signature.
    pub bytes: Vec<u8>,
}

/// Why bytes are no note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`MAX_NOTE_BYTES`].
    #[error("it is longer than {MAX_NOTE_BYTES} bytes")]
    TooLong,
    /// Not text.
    #[error("it is not UTF-8")]
    Encoding,
    /// Something below space that is no newline, or a delete character.
    #[error("it holds a control character")]
    Control,
    /// The blank line that ends the text is missing, or the text is empty.
    #[error("no blank line ends its text")]
    Unfinished,
    /// A line behind the text that is no signature.
    #[error("line {0} behind its text is no signature")]
    Signature(usize),
    /// More than [`MAX_SIGNATURES`].
    #[error("it has more than {MAX_SIGNATURES} signatures")]
    TooMany,
}

/// Whether a key may be called so: not empty, no plus sign, no white space.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|char| char == '+' || char.is_whitespace() || char.is_control())
}

impl Note {
    /// A note nobody has signed yet. The text ends with a newline, which is added if it is missing.
    ///
    /// # Errors
    /// [`NoteError`] if no note can have this text.
    pub fn new(text: &str) -> Result<Self, NoteError> {
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        Self::parse(&format!("{text}{newline}\n"))
    }

    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        if note.chars().any(|char| char != '\n' && char.is_ascii_control()) {
            return Err(NoteError::Control);
        }
        let end = note.rfind("\n\n").ok_or(NoteError::Unfinished)?;
        let (text, behind) = note.split_at(end + 1);
        if text == "\n" {
            return Err(NoteError::Unfinished);
        }
        let lines: Vec<&str> = behind.trim_start_matches('\n').lines().collect();
        if lines.len() > MAX_SIGNATURES {
            return Err(NoteError::TooMany);
        }
        let signatures =
            (1..).zip(lines).map(|(number, line)| Signature::parse(line).ok_or(NoteError::Signature(number)));
        let signatures = signatures.collect::<Result<_, _>>()?;
        // The closing newline belongs to the form: without it a last line might be cut off.
        if !note.ends_with('\n') {
            return Err(NoteError::Unfinished);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text, which ends with a newline: what is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who claims to have signed it.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature.
    pub fn add(&mut self, signature: Signature) {
        self.signatures.push(signature);
    }
}

/// The note as it is written: [`Note::parse`] reads it back.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(f, "{DASH}{} {}", self.name, base64(&bytes))
    }
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
        let decoded = from_base64(encoded)?;
        let (id, bytes) = decoded.split_first_chunk::<4>()?;
        let sound = is_key_name(name) && !bytes.is_empty();
        sound.then(|| Self { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_note_is_refused_with_the_reason() {
        for (note, error) in [
            ("", NoteError::Unfinished),
            ("text\n", NoteError::Unfinished),
            ("\n\n", NoteError::Unfinished),
            ("text\r\n\n", NoteError::Control),
            ("text\n\n— name", NoteError::Signature(1)),
            ("text\n\n— name AAAA\n", NoteError::Signature(1)),
            ("text\n\n- name AAAAAAA=\n", NoteError::Signature(1)),
            ("text\n\n— a+b AAAAAAA=\n", NoteError::Signature(1)),
            ("text\n\n— name AAAAAAA=", NoteError::Unfinished),
            ("text\n\n— name AAAAAAB=\n", NoteError::Signature(1)),
        ] {
            assert_eq!(Note::parse(note), Err(error), "{note:?}");
        }
        assert_eq!(Note::parse(&"x".repeat(MAX_NOTE_BYTES + 1)), Err(NoteError::TooLong));
        let crowd = format!("text\n\n{}", "— name AAAAAAA=\n".repeat(MAX_SIGNATURES + 1));
        assert_eq!(Note::parse(&crowd), Err(NoteError::TooMany));
    }

    #[test]
    fn a_text_may_hold_blank_lines_and_need_no_signature() {
        let note = Note::parse("a\n\nb\n\n— name AAAAAAA=\n").unwrap();
        assert_eq!((note.text(), note.signatures().len()), ("a\n\nb\n", 1));
        let note = Note::new("a").unwrap();
        assert_eq!((note.to_string().as_str(), note.signatures()), ("a\n\n", &[][..]));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_reads_back(text in "[a \n—A=+/]{0,80}") {
            if let Ok(note) = Note::parse(&text) {
                prop_assert_eq!(Note::parse(&note.to_string()), Ok(note));
            }
        }
    }
}
