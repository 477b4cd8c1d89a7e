//! Walking over the bytes of an encoded commit without decoding it: MessagePack, token by token.
//!
//! For what has to see every text of a commit whatever the schema's version is, and must put back each other byte as it
//! was: redaction, and the sealing of erasable journals.

use std::ops::Range;

use rmp::Marker;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A map with so many pairs follows.
    Map(usize),
    /// An array with so many elements follows.
    Array(usize),
    /// A text; where its bytes are.
    Text(Range<usize>),
    /// Bytes; where they are.
    Bytes(Range<usize>),
    /// A number, a truth value, nothing, or an extension.
    Other,
}

/// Reads tokens from the front.
#[derive(Debug, Clone)]
pub struct Tokens<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Tokens<'b> {
    /// From this place in `bytes` on.
    #[must_use]
    pub fn new(bytes: &'b [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Where the next token begins.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    fn number(&mut self, width: usize) -> Option<usize> {
        let digits = self.bytes.get(self.at..self.at + width)?;
        self.at += width;
        Some(digits.iter().fold(0, |number, digit| (number << 8) | usize::from(*digit)))
    }

    fn take(&mut self, length: usize) -> Option<Range<usize>> {
        let range = self.at..self.at.checked_add(length)?;
        self.bytes.get(range.clone())?;
        self.at = range.end;
        Some(range)
    }

    fn token(&mut self) -> Option<Token> {
        let marker = Marker::from_u8(*self.bytes.get(self.at)?);
        self.at += 1;
        Some(match marker {
            Marker::FixMap(pairs) => Token::Map(usize::from(pairs)),
            Marker::Map16 => Token::Map(self.number(2)?),
            Marker::Map32 => Token::Map(self.number(4)?),
            Marker::FixArray(elements) => Token::Array(usize::from(elements)),
            Marker::Array16 => Token::Array(self.number(2)?),
            Marker::Array32 => Token::Array(self.number(4)?),
            Marker::FixStr(length) => Token::Text(self.take(usize::from(length))?),
            Marker::Str8 => self.counted(1).map(Token::Text)?,
            Marker::Str16 => self.counted(2).map(Token::Text)?,
            Marker::Str32 => self.counted(4).map(Token::Text)?,
            Marker::Bin8 => self.counted(1).map(Token::Bytes)?,
            Marker::Bin16 => self.counted(2).map(Token::Bytes)?,
            Marker::Bin32 => self.counted(4).map(Token::Bytes)?,
            Marker::FixPos(_) | Marker::FixNeg(_) | Marker::Null | Marker::True | Marker::False => {
                Token::Other
            }
            Marker::U8 | Marker::I8 => self.other(1)?,
            Marker::U16 | Marker::I16 => self.other(2)?,
            Marker::U32 | Marker::I32 | Marker::F32 => self.other(4)?,
            Marker::U64 | Marker::I64 | Marker::F64 => self.other(8)?,
            Marker::FixExt1 => self.other(2)?,
            Marker::FixExt2 => self.other(3)?,
            Marker::FixExt4 => self.other(5)?,
            Marker::FixExt8 => self.other(9)?,
            Marker::FixExt16 => self.other(17)?,
            Marker::Ext8 => self.extension(1)?,
            Marker::Ext16 => self.extension(2)?,
            Marker::Ext32 => self.extension(4)?,
            Marker::Reserved => return None,
        })
    }

    fn counted(&mut self, width: usize) -> Option<Range<usize>> {
        let length = self.number(width)?;
        self.take(length)
    }

    fn other(&mut self, length: usize) -> Option<Token> {
        self.take(length).map(|_| Token::Other)
    }

    fn extension(&mut self, width: usize) -> Option<Token> {
        let length = self.number(width)?;
        self.other(length.checked_add(1)?)
    }
}

impl Iterator for Tokens<'_> {
    type Item = (Token, Range<usize>);

    /// The next token and where all of it is; `None` at the end, and where the bytes are no MessagePack, which
    /// [`Tokens::at`] tells apart: it stays in front of what can't be read.
    fn next(&mut self) -> Option<Self::Item> {
        let from = self.at;
        let token = self.token();
        if token.is_none() {
            self.at = from;
        }
        token.map(|token| (token, from..self.at))
    }
}

/// Appends a text of this length's header.
pub fn text_header(out: &mut Vec<u8>, length: usize) {
    header(out, length, [0xa0, 0xd9, 0xda, 0xdb], 32);
}

/// Appends the header of so many bytes.
pub fn bytes_header(out: &mut Vec<u8>, length: usize) {
    header(out, length, [0, 0xc4, 0xc5, 0xc6], 0);
}

/// The shortest form, as the encoder of commits writes it.
fn header(out: &mut Vec<u8>, length: usize, [fix, one, two, four]: [u8; 4], fixed: usize) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if length < fixed => out.push(fix | short),
        (Ok(short), _) => out.extend_from_slice(&[one, short]),
        (_, Ok(middle)) => {
            out.push(two);
            out.extend_from_slice(&middle.to_be_bytes());
        }
        (Err(_), Err(_)) => {
            out.push(four);
            out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_of_a_value_cover_it_and_headers_are_those_of_the_encoder() {
        for length in [0, 31, 32, 255, 256, 65_535, 65_536] {
            let text = "x".repeat(length);
            let value =
                (text.as_str(), serde_bytes::Bytes::new(text.as_bytes()), -1, 1u64 << 40, 0.5, None::<u8>);
            let bytes = rmp_serde::to_vec_named(&value).unwrap();
            let tokens: Vec<_> = Tokens::new(&bytes, 0).collect();
            assert_eq!(tokens.len(), 7);
            assert_eq!(tokens.last().unwrap().1.end, bytes.len());
            let mut written = bytes[..1].to_vec();
            text_header(&mut written, length);
            written.extend_from_slice(text.as_bytes());
            bytes_header(&mut written, length);
            written.extend_from_slice(text.as_bytes());
            assert!(bytes.starts_with(&written), "{length}");
            for cut in [1, 2, length / 2] {
                assert!(Tokens::new(&bytes[..cut.min(bytes.len())], 0).count() < 7);
            }
        }
        assert_eq!(Tokens::new(&[0xc1], 0).next(), None);
    }
}
