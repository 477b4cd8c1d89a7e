//! Sealed commits: the form in which an erasable journal keeps them.
//!
//! A sealed payload holds the commit with pseudonyms in the place of everything personal, and in *boxes* what stood
//! there, each box encrypted so that only the keys of certain people open it. Whoever has all keys gets the commit back
//! byte for byte; without somebody's key, that person stays a pseudonym. Reading it without any key is
//! [`decode`](super::decode), as with any payload.
//!
//! | bytes | content |
//! |---|---|
//! | 2 | 0x8000 and the schema version of the commit in it |
//! | 1 | 1, the form |
//! | ... | the people of the call as far as they are known: how many, then the numbers of their keys |
//! | ... | the boxes: how many, then of each: for whom (a bit for each of the people; 0: it is not encrypted), its length, its bytes |
//! | ... | the holes: how many, then of each: how far behind the end of the one before, how long what stands there is, and *value · boxes + box* |
//! | ... | the commit with pseudonyms, in MessagePack |
//!
//! Numbers without a size are varints: 7 bits a byte, lowest first. A box holds values, each a length and its bytes. A
//! hole whose box is not encrypted is the Content-Length of a message: it follows from what else came back.
//!
//! - [`Conceal`] is what makes pseudonyms; [`Sealed`] is the form; `splice` puts values back.

mod conceal;
mod splice;
mod varint;

pub use conceal::{Conceal, ConcealCall, Concealed, Extent, Hole, Party, Ring};

use std::collections::HashMap;

use super::codec::CodecError;

/// Set in the schema version of a sealed payload, so that a callbox that can't open it says that it is too old.
pub const SEALED: u16 = 0x8000;

/// The form of the bytes behind the version.
const FORM: u8 = 1;

/// No call tells more people apart.
const MAX_PEOPLE: u64 = 16;

/// More than any commit needs; limits what damaged bytes can ask for.
const MAX_BOXES: u64 = 256;

/// Whether these bytes are sealed.
#[must_use]
pub fn is_sealed(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| first & 0x80 != 0)
}

/// A sealed payload taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed<'b> {
    /// The schema version of the commit.
    pub version: u16,
    /// The numbers of the keys of the people of the call.
    pub people: Vec<u32>,
    boxes: Vec<Boxed<'b>>,
    holes: Vec<Place>,
    template: &'b [u8],
}

/// A box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boxed<'b> {
    /// Whose keys open it: a bit for each of the people. 0: it is open.
    pub whose: u16,
    /// The values, encrypted or not.
    pub bytes: &'b [u8],
}

/// Where a value belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    at: usize,
    length: usize,
    boxed: usize,
    value: usize,
}

/// What was in a box.
type Values<'v> = Option<Vec<&'v [u8]>>;

fn malformed(what: &str) -> CodecError {
    CodecError::Malformed(format!("the sealed commit can't be read: {what}"))
}

impl<'b> Sealed<'b> {
    /// Takes a sealed payload apart.
    ///
    /// # Errors
    /// [`CodecError`]: made by a newer callbox, or damaged.
    pub fn read(payload: &'b [u8]) -> Result<Self, CodecError> {
        let (version, rest) = payload.split_first_chunk::<2>().ok_or_else(|| malformed("it is too short"))?;
        let version = u16::from_be_bytes(*version);
        let (form, rest) = rest.split_first().ok_or_else(|| malformed("it is too short"))?;
        if *form != FORM {
            return Err(CodecError::TooNew { found: version });
        }
        let version = version & !SEALED;
        Self::parts(version, rest).ok_or_else(|| malformed("its parts do not fit together"))
    }

    fn parts(version: u16, mut rest: &'b [u8]) -> Option<Self> {
        let count = varint::read(&mut rest).filter(|count| *count <= MAX_PEOPLE)?;
        let people =
            (0..count).map(|_| u32::try_from(varint::read(&mut rest)?).ok()).collect::<Option<_>>()?;
        let count = varint::read(&mut rest).filter(|count| *count <= MAX_BOXES)?;
        let mut boxes = Vec::new();
        for _ in 0..count {
            let whose = u16::try_from(varint::read(&mut rest)?).ok()?;
            boxes.push(Boxed { whose, bytes: varint::bytes(&mut rest)? });
        }
        let count = usize::try_from(varint::read(&mut rest)?).ok().filter(|count| *count <= rest.len())?;
        let mut holes = Vec::with_capacity(count);
        let mut end = 0usize;
        for _ in 0..count {
            let at = end.checked_add(usize::try_from(varint::read(&mut rest)?).ok()?)?;
            let length = usize::try_from(varint::read(&mut rest)?).ok()?;
            let value = usize::try_from(varint::read(&mut rest)?).ok()?;
            end = at.checked_add(length)?;
            let (boxed, value) = (value.checked_rem(boxes.len())?, value.checked_div(boxes.len())?);
            holes.push(Place { at, length, boxed, value });
        }
        (end <= rest.len()).then_some(Self { version, people, boxes, holes, template: rest })
    }

    /// The boxes.
    #[must_use]
    pub fn boxes(&self) -> &[Boxed<'b>] {
        &self.boxes
    }

    /// The commit with pseudonyms: MessagePack without a version.
    #[must_use]
    pub fn template(&self) -> &'b [u8] {
        self.template
    }

    /// Whose data is in here: the numbers of the keys that some box needs.
    pub fn concerned(&self) -> impl Iterator<Item = u32> {
        let bits = self.boxes.iter().fold(0, |bits, boxed| bits | boxed.whose);
        self.people.iter().enumerate().filter(move |(bit, _)| bits & (1 << bit) != 0).map(|(_, party)| *party)
    }

    /// The commit's payload with what was in those boxes that could be opened; `contents` has one for each box.
    ///
    /// # Errors
    /// [`CodecError::Malformed`] if the parts don't fit together.
    pub fn opened(&self, contents: &[Option<Vec<u8>>]) -> Result<Vec<u8>, CodecError> {
        let lists = contents.iter().map(|content| match content {
            Some(content) => values(content).map(Some),
            None => Some(None),
        });
        let lists: Option<Vec<Values<'_>>> = lists.collect();
        let spliced = lists.and_then(|lists| splice::splice(self, &lists));
        spliced.ok_or_else(|| malformed("what was in it does not fit"))
    }
}

/// The values of a box.
fn values(mut content: &[u8]) -> Option<Vec<&[u8]>> {
    let mut values = Vec::new();
    while !content.is_empty() {
        values.push(varint::bytes(&mut content)?);
    }
    Some(values)
}

/// Writes the sealed payload of a commit. `lock` encrypts the content of a box for these people (a bit for each), the
/// second argument numbers the boxes.
///
/// # Errors
/// Those of `lock`; [`CodecError::Malformed`] if the parts don't fit together.
pub fn seal<E: From<CodecError>>(
    concealed: &Concealed,
    mut lock: impl FnMut(u16, u32, Vec<u8>) -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    let (version, template) =
        concealed.bytes.split_first_chunk::<2>().ok_or_else(|| malformed("it is too short"))?;
    let packed = Packed::of(concealed).ok_or_else(|| malformed("a hole lies outside"))?;
    let mut out = Vec::with_capacity(template.len() + concealed.originals.len() + 256);
    out.extend_from_slice(&(u16::from_be_bytes(*version) | SEALED).to_be_bytes());
    out.push(FORM);
    varint::write(&mut out, concealed.people.len());
    concealed.people.iter().for_each(|party| varint::write(&mut out, *party as usize));
    varint::write(&mut out, packed.boxes.len());
    for (number, (whose, content)) in (0..).zip(packed.boxes) {
        let bytes = if whose == 0 { content } else { lock(whose, number, content)? };
        varint::write(&mut out, usize::from(whose));
        varint::write(&mut out, bytes.len());
        out.extend_from_slice(&bytes);
    }
    varint::write(&mut out, concealed.holes.len());
    out.extend_from_slice(&packed.holes);
    out.extend_from_slice(template);
    Ok(out)
}

/// Holes and boxes as bytes.
struct Packed {
    boxes: Vec<(u16, Vec<u8>)>,
    holes: Vec<u8>,
}

impl Packed {
    fn of(concealed: &Concealed) -> Option<Self> {
        let mut boxes: Vec<(u16, Vec<u8>)> = Vec::new();
        for hole in &concealed.holes {
            if boxes.iter().all(|(whose, _)| *whose != hole.whose) {
                boxes.push((hole.whose, Vec::new()));
            }
        }
        // The same value is written once.
        let mut seen: HashMap<(u16, &[u8]), usize> = HashMap::new();
        let mut counts = vec![0usize; boxes.len()];
        let (mut holes, mut end) = (Vec::with_capacity(4 * concealed.holes.len()), 2);
        for hole in &concealed.holes {
            let number = boxes.iter().position(|(whose, _)| *whose == hole.whose)?;
            let original = concealed.originals.get(hole.original.clone())?;
            let (count, (_, content)) = (counts.get_mut(number)?, boxes.get_mut(number)?);
            let value = *seen.entry((hole.whose, original)).or_insert_with(|| {
                varint::write(content, original.len());
                content.extend_from_slice(original);
                *count += 1;
                *count - 1
            });
            varint::write(&mut holes, hole.at.checked_sub(end)?);
            varint::write(&mut holes, hole.length);
            varint::write(&mut holes, value * counts.len() + number);
            end = hole.at + hole.length;
        }
        Some(Self { boxes, holes })
    }
}
