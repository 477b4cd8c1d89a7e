//! Views of header values: each borrows the text, checks it once and hands out its parts.
//!
//! They are lenient where a receiver may be (RFC 4475) and say what is wrong otherwise. None of them panics,
//! whatever the text.

mod addr;
mod cseq;
mod dialog;
mod info;
mod lists;
mod params;
mod quote;
mod reason;
mod session;
mod uri;
mod via;

pub use addr::NameAddr;
pub use cseq::{CSeq, RAck};
pub use dialog::{Join, ReferTo, Replaces};
pub use info::{Diversion, HistoryInfo, Warning};
pub use lists::{ContentType, RetryAfter, Timestamp, Tokens, delta_seconds};
pub use params::{Param, Params};
pub use quote::{quote, unquote};
pub use reason::{parse_reason, write_reason};
pub use session::{Refresher, SessionExpires};
pub use uri::{SipUri, Uri, unescape};
pub use via::Via;

pub(crate) use quote::{cut, find_top, trim};

/// A header value or URI that does not follow its grammar; says what was missing, never the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SyntaxError(pub &'static str);

/// A set of bytes as a table, because every name, host and URI is checked byte by byte.
pub(crate) struct ByteSet([bool; 256]);

impl ByteSet {
    /// Letters, digits and these.
    pub(crate) const fn alphanumeric_and(others: &[u8]) -> Self {
        let mut table = [false; 256];
        let mut byte: u8 = 0;
        while byte < 128 {
            table[byte as usize] = byte.is_ascii_alphanumeric();
            byte += 1;
        }
        let mut at = 0;
        while at < others.len() {
            table[others[at] as usize] = true;
            at += 1;
        }
        Self(table)
    }

    /// All above the blank, and above ASCII, but these.
    pub(crate) const fn printable_but(others: &[u8]) -> Self {
        let mut table = [true; 256];
        let mut byte = 0;
        while byte <= b' ' {
            table[byte as usize] = false;
            byte += 1;
        }
        let mut at = 0;
        while at < others.len() {
            table[others[at] as usize] = false;
            at += 1;
        }
        Self(table)
    }

    /// Whether all bytes of a text are in the set. Looks at all of them: most texts pass, and without a way out the loop
    /// takes half the instructions.
    pub(crate) fn holds(&self, text: &str) -> bool {
        text.bytes().fold(true, |all, byte| all & self.0.get(usize::from(byte)).is_some_and(|&is_in| is_in))
    }
}

/// What tokens are made of (RFC 3261 §25.1).
const TOKEN: ByteSet = ByteSet::alphanumeric_and(b"-.!%*_+`'~");

/// What URIs are made of: what would end them elsewhere is not in it.
const URI: ByteSet = ByteSet::printable_but(b"<>\"");

/// Whether a text is a token: not empty, token characters alone.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && TOKEN.holds(text)
}
