//! Answering, without state, a request that cannot be used.

use std::net::SocketAddr;

use bytes::Bytes;

use super::grammar::{Via, trim};
use super::scan::push;
use super::text::has_control;
use super::{Header, HeaderName, NameAddr, ParseErrorKind, Str, WriteError, Writer, phrase_of};

/// The answer to an unusable request: its status and those headers of the request that could still be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// 400, 413, 414, 501, 505 or 513.
    pub status: u16,
    /// All Vias, and the first From, To, Call-ID and CSeq there are, in that order, as written.
    pub headers: Vec<Header>,
}

/// Longest header that is echoed; whoever sends longer ones gets no amplifier.
const MAX_ECHO: usize = 4_096;
/// Most Vias echoed.
const MAX_VIAS: usize = 70;

impl Reject {
    /// Reads what an answer needs; `None` for a response, an ACK, and a request whose Via is missing or useless.
    pub(super) fn of(raw: &[u8], kind: &ParseErrorKind) -> Option<Self> {
        let text = raw.trim_ascii_start();
        let first = text.split(|&b| b == b'\n').next()?;
        let method = first.split(|&b| b == b' ' || b == b'\t').next()?;
        if method == b"ACK" || first.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
            return None;
        }
        let fields = readable_fields(text);
        let mut headers = Vec::new();
        for field in fields.iter().filter(|field| field.name == HeaderName::Via) {
            push(HeaderName::Via, &field.value, &field.value, &mut headers);
        }
        if headers.is_empty() || headers.len() > MAX_VIAS {
            return None;
        }
        // What does not look like SIP on its first line must do so on its Via.
        let unsure = matches!(kind, ParseErrorKind::Empty | ParseErrorKind::NotSip);
        if unsure && headers.first().is_none_or(|via| Via::parse(&via.value).is_err()) {
            return None;
        }
        for name in [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq] {
            headers.extend(fields.iter().find(|field| field.name == name).cloned());
        }
        Some(Self { status: kind.status(), headers })
    }

    /// The reason phrase of the status.
    #[must_use]
    pub fn phrase(&self) -> &'static str {
        phrase_of(self.status)
    }

    /// The Call-ID, if it could be read.
    #[must_use]
    pub fn call_id(&self) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name == HeaderName::CallId)?;
        Some(&header.value)
    }

    /// The answer as bytes, to be sent to `source`, where the request came from. `to_tag` goes into a To that has
    /// none; a To beyond reading is echoed as it is.
    ///
    /// # Errors
    /// `to_tag` is no token.
    pub fn to_bytes(&self, to_tag: &str, source: SocketAddr) -> Result<Bytes, WriteError> {
        let mut writer = Writer::response(self.status);
        let mut top = true;
        for header in &self.headers {
            match header.name {
                HeaderName::Via if std::mem::take(&mut top) => {
                    writer.top_via(header, Via::parse(&header.value).ok(), source);
                }
                HeaderName::To => writer.tagged(header, Some(to_tag).filter(|_| lacks_tag(header))),
                _ => writer.copied(header),
            }
        }
        writer.finish()
    }
}

/// Whether a tag can be added: the address can be read and has none.
fn lacks_tag(header: &Header) -> bool {
    NameAddr::parse(&header.value).is_ok_and(|address| !address.params.has("tag"))
}

/// The five headers, wherever they can be made out; lines with stray control characters are passed over.
fn readable_fields(text: &[u8]) -> Vec<Header> {
    let mut fields: Vec<Header> = Vec::new();
    for line in text.split(|&b| b == b'\n').skip(1).take(1_024) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if line.len() > MAX_ECHO || has_control(line) {
            continue;
        }
        let line = Str::decode(line);
        if line.starts_with([' ', '\t']) {
            if let Some(last) = fields.last_mut().filter(|last| last.value.len() + line.len() < MAX_ECHO) {
                last.value = last.value.rewritten([last.value.as_str(), trim(&line)].join(" "));
            }
            continue;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        // Others are kept as well, so that their folded lines do not end up with a neighbour.
        let name = HeaderName::known(trim(name)).unwrap_or(HeaderName::Subject);
        fields.push(Header { name, value: line.part(trim(value)) });
    }
    fields.retain(|field| !trim(&field.value).is_empty());
    fields
}
