//! One direction of a TCP connection: segments in order, each byte once.
//!
//! A retransmission or an overlap gives the bytes that are new. Segments behind a hole wait for it to be filled. If it
//! never is (the capture missed the segment, or it was lost before a host that gave up), the stream goes on behind
//! the hole, and its content finds back in by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use callbox_events::Timestamp;

use super::Outlet;
use super::content::Content;

/// What may wait behind a hole.
const MAX_WAITING_BYTES: usize = 256 << 10;
const MAX_WAITING_PIECES: usize = 256;
/// Sequence numbers further off belong to another connection on the same ports whose beginning was not captured.
const MAX_DISTANCE: u32 = 16 << 20;
/// How long a hole stays open once the receiver has acknowledged what lies in it: captures can be a little out of order.
const ACKED_PATIENCE: Duration = Duration::from_millis(200);

/// A stream and what waits behind its hole.
#[derive(Debug)]
pub struct Stream {
    first: u32,
    /// The sequence number wanted next, and how far from the beginning that is.
    next: u32,
    position: u64,
    /// What came too early, by its distance from the beginning.
    waiting: BTreeMap<u64, Piece>,
    waiting_bytes: usize,
    /// Since when the receiver says that it has what we lack.
    acked: Option<Timestamp>,
    content: Content,
    last: Timestamp,
}

#[derive(Debug)]
struct Piece {
    at: Timestamp,
    bytes: Box<[u8]>,
}

impl Stream {
    /// A stream whose next byte has this sequence number.
    pub fn new(seq: u32, content: Content, at: Timestamp) -> Self {
        Self {
            first: seq,
            next: seq,
            position: 0,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            acked: None,
            content,
            last: at,
        }
    }

    /// Whether its first byte had this sequence number.
    pub fn began_with(&self, seq: u32) -> bool {
        self.first == seq
    }

    /// When it last had a segment.
    pub fn last(&self) -> Timestamp {
        self.last
    }

    /// Whether it turned out to carry no SIP.
    pub fn is_foreign(&self) -> bool {
        self.content.is_foreign()
    }

    /// Bytes that wait for others.
    pub fn held(&self) -> usize {
        self.waiting_bytes + self.content.held()
    }

    /// Takes the bytes of a segment.
    pub fn push(&mut self, seq: u32, bytes: &[u8], at: Timestamp, out: &mut Outlet<'_>) {
        self.last = at;
        if self.content.turns_to_sip(bytes) {
            *self = Self::new(seq, Content::default(), at);
        } else if self.is_foreign() {
            return;
        }
        let ahead = seq.wrapping_sub(self.next).cast_signed();
        if ahead.unsigned_abs() > MAX_DISTANCE {
            self.restart(seq, bytes, at, out);
        } else if ahead <= 0 {
            let known = ahead.unsigned_abs() as usize;
            if let Some(fresh) = bytes.get(known..).filter(|fresh| !fresh.is_empty()) {
                self.deliver(fresh, at, out);
                self.drain(at, out);
            }
        } else {
            self.hold(self.position + u64::from(ahead.unsigned_abs()), bytes, at);
            if self.waiting_bytes > MAX_WAITING_BYTES || self.waiting.len() > MAX_WAITING_PIECES {
                self.skip_hole(out);
            }
            self.skip_if_acknowledged(at, out);
        }
        if self.is_foreign() {
            self.waiting.clear();
            self.waiting_bytes = 0;
        }
    }

    /// The receiver has everything before this sequence number.
    pub fn acknowledged(&mut self, ack: u32, at: Timestamp, out: &mut Outlet<'_>) {
        if !self.waiting.is_empty() && ack.wrapping_sub(self.next).cast_signed() > 0 {
            self.acked.get_or_insert(at);
            self.skip_if_acknowledged(at, out);
        }
    }

    /// No more will come.
    pub fn finish(&mut self, out: &mut Outlet<'_>) {
        while !self.waiting.is_empty() {
            self.skip_hole(out);
        }
        self.content.finish(out);
    }

    fn hold(&mut self, from: u64, bytes: &[u8], at: Timestamp) {
        let longer = self.waiting.get(&from).is_none_or(|known| known.bytes.len() < bytes.len());
        if longer {
            self.waiting_bytes += bytes.len();
            let before = self.waiting.insert(from, Piece { at, bytes: bytes.into() });
            self.waiting_bytes -= before.map_or(0, |piece| piece.bytes.len());
        }
    }

    fn deliver(&mut self, bytes: &[u8], at: Timestamp, out: &mut Outlet<'_>) {
        self.position += bytes.len() as u64;
        // Sequence numbers wrap (RFC 9293 §3.4), and segments are far shorter than their range.
        self.next = self.next.wrapping_add(u32::try_from(bytes.len()).unwrap_or_default());
        self.content.feed(bytes, at, out);
    }

    /// Delivers what no longer waits. It could be read once the hole was filled, so that is its time.
    fn drain(&mut self, filled: Timestamp, out: &mut Outlet<'_>) {
        while let Some(piece) = self.waiting.first_entry().filter(|entry| *entry.key() <= self.position) {
            let (from, Piece { at, bytes }) = piece.remove_entry();
            self.waiting_bytes -= bytes.len();
            let known = usize::try_from(self.position - from).unwrap_or(usize::MAX);
            if let Some(fresh) = bytes.get(known..).filter(|fresh| !fresh.is_empty()) {
                self.deliver(fresh, at.max(filled), out);
            }
        }
        self.acked = None;
    }

    fn skip_if_acknowledged(&mut self, at: Timestamp, out: &mut Outlet<'_>) {
        if self.acked.is_some_and(|since| at.since(since) >= ACKED_PATIENCE) {
            self.skip_hole(out);
        }
    }

    /// Goes on behind the hole.
    fn skip_hole(&mut self, out: &mut Outlet<'_>) {
        if let Some((&from, _)) = self.waiting.first_key_value() {
            let hole = from.saturating_sub(self.position);
            self.next = self.next.wrapping_add(u32::try_from(hole).unwrap_or_default());
            self.position = from;
            out.losses().gaps += 1;
            self.content.lost();
        }
        self.drain(Timestamp::default(), out);
    }

    fn restart(&mut self, seq: u32, bytes: &[u8], at: Timestamp, out: &mut Outlet<'_>) {
        self.finish(out);
        *self = Self::new(seq, Content::midway(bytes).unwrap_or_default(), at);
        self.deliver(bytes, at, out);
    }
}
