//! What a stream carries: SIP as text, SIP in WebSocket frames (RFC 7118), or something else.

use callbox_events::Timestamp;
use callbox_sip::observe::{Start, start_of};
use memchr::memmem;

use super::Outlet;
use super::frames::{self, Frames};
use super::text::Text;

/// The most bytes of the HTTP message that opens a WebSocket.
const MAX_UPGRADE: usize = 16 << 10;

/// What a stream carries, as far as is known.
#[derive(Debug)]
pub enum Content {
    /// It has not said enough yet.
    Undecided(Vec<u8>),
    /// Messages one after the other.
    Text(Text),
    /// The HTTP message that may open a WebSocket.
    Upgrade(Vec<u8>),
    /// WebSocket frames.
    Frames(Frames),
    /// Nothing of ours.
    Foreign,
}

impl Default for Content {
    fn default() -> Self {
        Self::Undecided(Vec::new())
    }
}

impl Content {
    /// What a stream carries whose beginning is unknown, if this segment of it shows SIP.
    pub fn midway(segment: &[u8]) -> Option<Self> {
        if frames::begins_with_sip(segment) {
            Some(Self::Frames(Frames::default()))
        } else if is_upgrade(segment) {
            Some(Self::Upgrade(Vec::new()))
        } else if is_http(segment) {
            None
        } else {
            memmem::find(segment, b"SIP/2.0").map(|_| Self::Text(Text::midway()))
        }
    }

    /// Whether a stream that carried something else goes on as SIP with this segment.
    pub fn turns_to_sip(&self, segment: &[u8]) -> bool {
        self.is_foreign() && matches!(start_of(segment), Start::Certain)
    }

    /// Whether it is known to carry no SIP.
    pub fn is_foreign(&self) -> bool {
        matches!(self, Self::Foreign)
    }

    /// Bytes that are not yet a message.
    pub fn held(&self) -> usize {
        match self {
            Self::Undecided(begun) | Self::Upgrade(begun) => begun.len(),
            Self::Text(text) => text.held(),
            Self::Frames(frames) => frames.held(),
            Self::Foreign => 0,
        }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8], at: Timestamp, out: &mut Outlet<'_>) {
        match self {
            Self::Undecided(begun) => {
                begun.extend_from_slice(bytes);
                let begun = std::mem::take(begun);
                self.decide(begun, at, out);
            }
            Self::Upgrade(begun) => {
                begun.extend_from_slice(bytes);
                let begun = std::mem::take(begun);
                self.upgrade(begun, at, out);
            }
            Self::Text(text) => {
                text.feed(bytes, at, out);
                if text.is_foreign() {
                    *self = Self::Foreign;
                }
            }
            Self::Frames(frames) => frames.feed(bytes, at, out),
            Self::Foreign => {}
        }
    }

    /// Bytes are missing here.
    pub fn lost(&mut self) {
        match self {
            Self::Undecided(_) | Self::Upgrade(_) => *self = Self::Text(Text::midway()),
            Self::Text(text) => text.lost(),
            Self::Frames(frames) => frames.lost(),
            Self::Foreign => {}
        }
    }

    /// The stream is over.
    pub fn finish(&mut self, out: &mut Outlet<'_>) {
        if let Self::Text(text) = self {
            text.finish(out);
        }
    }

    fn decide(&mut self, begun: Vec<u8>, at: Timestamp, out: &mut Outlet<'_>) {
        let blank = begun.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        *self = match start_of(begun.get(blank..).unwrap_or_default()) {
            Start::Open => Self::Undecided(begun),
            Start::Certain | Start::Likely => Self::Text(Text::default()).fed(&begun, at, out),
            Start::No if is_upgrade(&begun) => Self::Upgrade(Vec::new()).fed(&begun, at, out),
            Start::No if frames::begins_with_sip(&begun) => {
                Self::Frames(Frames::default()).fed(&begun, at, out)
            }
            Start::No => Self::Foreign,
        };
    }

    fn upgrade(&mut self, begun: Vec<u8>, at: Timestamp, out: &mut Outlet<'_>) {
        *self = match memmem::find(&begun, b"\r\n\r\n") {
            Some(end) if asks_for_websocket(begun.get(..end).unwrap_or_default()) => {
                let rest = begun.get(end + 4..).unwrap_or_default();
                if rest.is_empty() {
                    Self::Frames(Frames::default())
                } else {
                    Self::Frames(Frames::default()).fed(rest, at, out)
                }
            }
            Some(_) => Self::Foreign,
            None if begun.len() > MAX_UPGRADE => Self::Foreign,
            None => Self::Upgrade(begun),
        };
    }

    fn fed(mut self, bytes: &[u8], at: Timestamp, out: &mut Outlet<'_>) -> Self {
        self.feed(bytes, at, out);
        self
    }
}

/// The first line of either side's message (RFC 6455 §1.3).
fn is_upgrade(bytes: &[u8]) -> bool {
    bytes.starts_with(b"GET /") || bytes.starts_with(b"HTTP/1.1 101")
}

/// A page or a request may well speak of SIP.
fn is_http(segment: &[u8]) -> bool {
    [&b"HTTP/1."[..], b"GET /", b"POST /", b"PUT /"].iter().any(|start| segment.starts_with(start))
}

fn asks_for_websocket(head: &[u8]) -> bool {
    head.to_ascii_lowercase()
        .split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(b"upgrade:") && memmem::find(line, b"websocket").is_some())
}
