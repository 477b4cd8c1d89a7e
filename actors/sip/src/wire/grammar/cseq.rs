//! CSeq (RFC 3261 §20.16) and RAck (RFC 3262 §7.2).

use super::quote::trim;
use super::{SyntaxError, is_token};

/// `number method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2^31.
    pub number: u32,
    /// The method as written.
    pub method: &'a str,
}

impl<'a> CSeq<'a> {
    /// Reads the value.
    ///
    /// # Errors
    /// No number, one of 2^31 or more (RFC 3261 §8.1.1.5), or no method.
    pub fn parse(value: &'a str) -> Result<Self, SyntaxError> {
        let (number, method) = split(trim(value))?;
        let number = number_below_2_31(number)?;
        let method = trim(method);
        if is_token(method) { Ok(Self { number, method }) } else { Err(SyntaxError("no method")) }
    }
}

/// `rseq cseq method`: which provisional response a PRACK acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RAck<'a> {
    /// RSeq of the response.
    pub rseq: u32,
    /// CSeq of the response.
    pub cseq: CSeq<'a>,
}

impl<'a> RAck<'a> {
    /// Reads the value.
    ///
    /// # Errors
    /// As [`CSeq::parse`].
    pub fn parse(value: &'a str) -> Result<Self, SyntaxError> {
        let (rseq, rest) = split(trim(value))?;
        let digits = rseq.bytes().all(|b| b.is_ascii_digit());
        let rseq = rseq.parse().ok().filter(|_| digits).ok_or(SyntaxError("no number"))?;
        Ok(Self { rseq, cseq: CSeq::parse(rest)? })
    }
}

fn split(value: &str) -> Result<(&str, &str), SyntaxError> {
    value.split_once([' ', '\t']).ok_or(SyntaxError("one word where several were expected"))
}

fn number_below_2_31(text: &str) -> Result<u32, SyntaxError> {
    // `parse` alone would take a plus sign.
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(number) if digits && number < 1 << 31 => Ok(number),
        Ok(_) | Err(_) => Err(SyntaxError("no number below 2^31")),
    }
}
