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

/// Whether a byte may stand in a token (RFC 3261 §25.1).
fn is_token_byte(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).is_some_and(|&is_token| is_token)
}

/// A table, because every header name and parameter is checked by it.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"-.!%*_+`'~";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

/// Whether a text is a token: not empty, token characters alone.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}
