//! SIP in WebSocket frames (RFC 6455 §5, RFC 7118): one message of SIP in each message of the WebSocket.

use bytes::{Buf, BytesMut};
use callbox_events::Timestamp;
use callbox_sip::observe::{Start, is_sip, start_of};
use callbox_sip::wire::Limits;

use super::Outlet;

/// How much of a payload is looked at to tell whether it is SIP.
const GLANCE: usize = 1024;

/// The part of a stream of frames that is no message yet.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: BytesMut,
    /// The payloads of the frames before, if a message came in several.
    message: BytesMut,
    /// Bytes of a payload that nobody wants.
    skip: u64,
    /// The message can't be read: it is compressed, or too large.
    spoilt: bool,
    /// It is not known where the next frame begins.
    astray: bool,
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    is_last: bool,
    /// Bits that extensions use; the only one in use compresses (RFC 7692).
    extended: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    /// Bytes of the head itself.
    size: usize,
    /// Bytes of the payload.
    length: u64,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let &[first, second] = bytes.first_chunk()?;
        let rest = bytes.get(2..)?;
        let (length, more) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2),
            127 => (u64::from_be_bytes(*rest.first_chunk()?), 8),
            short => (u64::from(short), 0),
        };
        let masked = second & 0x80 != 0;
        let mask = if masked { Some(*rest.get(more..)?.first_chunk()?) } else { None };
        let size = 2 + more + if masked { 4 } else { 0 };
        let opcode = first & 0x0f;
        Some(Self { is_last: first & 0x80 != 0, extended: first & 0x70 != 0, opcode, mask, size, length })
    }

    /// Whether it belongs to a message: text, binary or a further part of one.
    fn is_data(self) -> bool {
        self.opcode <= 2
    }
}

fn unmasked(payload: &[u8], mask: Option<[u8; 4]>) -> impl Iterator<Item = u8> {
    let mask = mask.unwrap_or_default();
    payload.iter().zip(mask.into_iter().cycle()).map(|(byte, mask)| byte ^ mask)
}

/// Whether a segment begins with a frame whose payload begins with SIP.
pub fn begins_with_sip(segment: &[u8]) -> bool {
    // The first frame of a message, nothing extended.
    if !matches!(segment.first(), Some(0x01 | 0x02 | 0x81 | 0x82)) {
        return false;
    }
    let Some(head) = Head::read(segment) else { return false };
    let kept = segment.get(head.size..).unwrap_or_default();
    let glance = kept.get(..kept.len().min(GLANCE)).unwrap_or_default();
    let text: Vec<u8> = unmasked(glance, head.mask).collect();
    matches!(start_of(&text), Start::Certain)
}

impl Frames {
    /// Bytes that are not yet a message.
    pub fn held(&self) -> usize {
        self.buffer.len() + self.message.len()
    }

    /// Bytes are missing here.
    pub fn lost(&mut self) {
        *self = Self { astray: true, ..Self::default() };
    }

    /// Takes the next bytes; gives the messages that are whole now.
    pub fn feed(&mut self, bytes: &[u8], at: Timestamp, out: &mut Outlet<'_>) {
        if self.astray && !begins_with_sip(bytes) {
            return;
        }
        self.astray = false;
        self.buffer.extend_from_slice(bytes);
        while self.step(at, out) {}
    }

    fn step(&mut self, at: Timestamp, out: &mut Outlet<'_>) -> bool {
        let passed = usize::try_from(self.skip).unwrap_or(usize::MAX).min(self.buffer.len());
        self.buffer.advance(passed);
        self.skip -= passed as u64;
        if self.skip > 0 {
            return false;
        }
        let Some(head) = Head::read(&self.buffer) else { return false };
        if head.is_data() { self.data(head, at, out) } else { self.pass(head) }
    }

    /// Passes over the payload of a frame, as much of it as has come and as is still to come.
    fn pass(&mut self, head: Head) -> bool {
        self.buffer.advance(head.size);
        self.skip = head.length;
        true
    }

    fn data(&mut self, head: Head, at: Timestamp, out: &mut Outlet<'_>) -> bool {
        let room = Limits::default().max_message - self.message.len();
        let length = usize::try_from(head.length).ok().filter(|length| *length <= room);
        let Some(length) = length.filter(|_| !head.extended && !self.spoilt) else {
            self.spoilt = true;
            self.message.clear();
            if head.is_last {
                self.spoilt = false;
                out.losses().websocket += 1;
            }
            return self.pass(head);
        };
        let Some(payload) = self.buffer.get(head.size..head.size + length) else { return false };
        self.message.extend(unmasked(payload, head.mask));
        self.buffer.advance(head.size + length);
        if head.is_last {
            let message = self.message.split().freeze();
            if is_sip(&message) {
                out.message(at, message);
            }
        }
        true
    }
}
