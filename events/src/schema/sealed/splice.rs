//! Putting values back: a walk over the MessagePack of the commit with pseudonyms, in which only the lengths of texts
//! and bytes have to be written anew.

use super::{Place, SEALED, Sealed, Values};
use crate::schema::packed::{self, Token, Tokens};

/// The payload with the values put back that are there.
pub(super) fn splice(sealed: &Sealed<'_>, boxes: &[Values<'_>]) -> Option<Vec<u8>> {
    let template = sealed.template;
    let mut out = Vec::with_capacity(template.len() + 64);
    out.extend_from_slice(&(sealed.version & !SEALED).to_be_bytes());
    let mut holes = Holes { sealed, boxes, rest: &sealed.holes };
    let mut tokens = Tokens::new(template, 0);
    while tokens.at() < template.len() {
        if let Some(end) = holes.whole(tokens.at(), &mut out)? {
            tokens = Tokens::new(template, end);
            continue;
        }
        let (token, whole) = tokens.next()?;
        let inside = match &token {
            Token::Text(range) | Token::Bytes(range) => holes.inside(range.start, range.end),
            Token::Map(_) | Token::Array(_) | Token::Other => &[],
        };
        match token {
            Token::Text(range) if !inside.is_empty() => {
                let text = holes.filled(inside, range.start, range.end)?;
                packed::text_header(&mut out, text.len());
                out.extend_from_slice(&text);
            }
            Token::Bytes(range) if !inside.is_empty() => {
                let message = holes.message(inside, range.start, range.end)?;
                packed::bytes_header(&mut out, message.len());
                out.extend_from_slice(&message);
            }
            Token::Text(_) | Token::Bytes(_) | Token::Map(_) | Token::Array(_) | Token::Other => {
                out.extend_from_slice(template.get(whole)?);
            }
        }
    }
    holes.rest.is_empty().then_some(out)
}

struct Holes<'s, 'b> {
    sealed: &'s Sealed<'b>,
    boxes: &'s [Values<'s>],
    /// Those that were not met yet.
    rest: &'s [Place],
}

impl<'s> Holes<'s, '_> {
    /// The value of a hole; `Some(None)` if its box stayed closed.
    fn value(&self, hole: &Place) -> Option<Option<&'s [u8]>> {
        match self.boxes.get(hole.boxed)? {
            Some(values) => values.get(hole.value).map(|value| Some(*value)),
            None => Some(None),
        }
    }

    fn is_length(&self, hole: &Place) -> bool {
        self.sealed.boxes.get(hole.boxed).is_some_and(|boxed| boxed.whose == 0)
    }

    /// Writes the value of a hole that whole tokens from `at` on stand in; returns where they end.
    fn whole(&mut self, at: usize, out: &mut Vec<u8>) -> Option<Option<usize>> {
        let Some((hole, rest)) = self.rest.split_first().filter(|(hole, _)| hole.at == at && hole.length > 0)
        else {
            return Some(None);
        };
        let end = hole.at + hole.length;
        let pseudonym = self.sealed.template.get(hole.at..end)?;
        out.extend_from_slice(self.value(hole)?.unwrap_or(pseudonym));
        self.rest = rest;
        Some(Some(end))
    }

    /// Takes the holes inside a text or bytes.
    fn inside(&mut self, start: usize, end: usize) -> &'s [Place] {
        let is_inside = |hole: &&Place| {
            hole.at >= start && hole.at + hole.length <= end && (hole.at < end || hole.length == 0)
        };
        let count = self.rest.iter().take_while(is_inside).count();
        let (inside, rest) = self.rest.split_at_checked(count).unwrap_or_default();
        self.rest = rest;
        inside
    }

    /// A text with its values.
    fn filled(&self, holes: &[Place], start: usize, end: usize) -> Option<Vec<u8>> {
        let mut text = Vec::with_capacity(end - start + 64);
        let mut at = start;
        for hole in holes {
            text.extend_from_slice(self.sealed.template.get(at..hole.at)?);
            at = hole.at + hole.length;
            let pseudonym = self.sealed.template.get(hole.at..at)?;
            text.extend_from_slice(self.value(hole)?.unwrap_or(pseudonym));
        }
        text.extend_from_slice(self.sealed.template.get(at..end)?);
        Some(text)
    }

    /// A message with its values. If not all of them are there, its length is another one than it was.
    fn message(&self, holes: &[Place], start: usize, end: usize) -> Option<Vec<u8>> {
        let message = self.filled(holes, start, end)?;
        let mut closed = false;
        for hole in holes {
            closed |= self.value(hole)?.is_none();
        }
        let Some(length) = holes.iter().find(|hole| closed && self.is_length(hole)) else {
            return Some(message);
        };
        // Where the digits stand: behind what came out of the holes before them.
        let before =
            self.filled(holes.get(..holes.iter().position(|hole| hole == length)?)?, start, length.at)?;
        let digits = self.value(length)??;
        let (head, rest) = message.split_at_checked(before.len())?;
        let behind = rest.get(digits.len()..)?;
        let body = body_length(&message);
        Some([head, body.to_string().as_bytes(), behind].concat())
    }
}

/// How many bytes follow the first empty line.
fn body_length(message: &[u8]) -> usize {
    let behind = |line: &[u8]| {
        let at = message.windows(line.len()).position(|window| window == line)?;
        Some(message.len() - at - line.len())
    };
    behind(b"\r\n\r\n").or_else(|| behind(b"\n\n")).unwrap_or(0)
}
