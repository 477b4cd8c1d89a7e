//! SIP as text in a stream (RFC 3261 §18.3): messages cut by their Content-Length, and the way back after a loss.

use bytes::{Buf, BytesMut};
use callbox_events::Timestamp;
use callbox_sip::observe::{Start, start_of};
use callbox_sip::wire::{HeaderName, Limits, ParseErrorKind, measure};
use memchr::{memchr, memmem, memrchr_iter};

use super::Outlet;

/// After so many bytes without a message the stream is something else.
const MAX_STRANGE: usize = 256 << 10;

/// The part of a stream that is no message yet.
#[derive(Debug, Default)]
pub struct Text {
    buffer: BytesMut,
    /// Up to where the end of a header was looked for in vain, so that a slow stream costs no more than a fast one.
    seen: usize,
    /// It is not known where the next message begins.
    astray: bool,
    /// The buffer may begin in the middle of a line.
    torn: bool,
    /// Bytes passed over since the last message.
    strange: usize,
}

impl Text {
    /// A stream that is taken up somewhere.
    pub fn midway() -> Self {
        Self { astray: true, torn: true, ..Self::default() }
    }

    /// Whether there is no point in going on.
    pub fn is_foreign(&self) -> bool {
        self.strange > MAX_STRANGE
    }

    /// Bytes that are not yet a message.
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes are missing here.
    pub fn lost(&mut self) {
        *self = Self { strange: self.strange, ..Self::midway() };
    }

    /// Takes the next bytes; gives the messages that are whole now.
    pub fn feed(&mut self, bytes: &[u8], at: Timestamp, out: &mut Outlet<'_>) {
        self.buffer.extend_from_slice(bytes);
        while self.step(at, out) {}
    }

    /// The stream is over: a message that was begun is not to be had.
    pub fn finish(&mut self, out: &mut Outlet<'_>) {
        out.losses().unframed += u64::from(!self.astray && !self.buffer.is_empty());
        self.buffer.clear();
    }

    /// Takes one message or one strange line off the front; `false` if more bytes are needed.
    fn step(&mut self, at: Timestamp, out: &mut Outlet<'_>) -> bool {
        let blank = self.buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.buffer.advance(blank);
        self.torn &= blank == 0;
        match start_of(&self.buffer) {
            Start::Open => false,
            Start::Certain => self.message(at, out),
            Start::Likely if !self.torn => self.message(at, out),
            Start::Likely | Start::No => self.pass_line(out),
        }
    }

    fn message(&mut self, at: Timestamp, out: &mut Outlet<'_>) -> bool {
        if !self.may_be_complete() {
            return false;
        }
        let length = match measure(&self.buffer, &Limits::default()) {
            Ok(Some(length)) => length,
            Ok(None) => return false,
            // Some do without where there is no body, although streams need it (RFC 3261 §18.3).
            Err(ParseErrorKind::Missing(HeaderName::ContentLength)) => {
                memmem::find(&self.buffer, b"\r\n\r\n").map_or(0, |end| end + 4)
            }
            Err(_) => return self.pass_line(out),
        };
        if length == 0 || length > self.buffer.len() {
            return false;
        }
        let message = self.buffer.split_to(length).freeze();
        *self = Self { buffer: std::mem::take(&mut self.buffer), ..Self::default() };
        out.message(at, message);
        true
    }

    /// Whether the end of the header is there, or the header is too long anyway.
    fn may_be_complete(&mut self) -> bool {
        let from = self.seen.saturating_sub(3);
        let found = memmem::find(self.buffer.get(from..).unwrap_or_default(), b"\r\n\r\n").is_some();
        if !found {
            self.seen = self.buffer.len();
        }
        found || self.buffer.len() >= Limits::default().max_message
    }

    /// Passes over what is no start line, up to one that may stand at the line's end.
    fn pass_line(&mut self, out: &mut Outlet<'_>) -> bool {
        out.losses().unframed += u64::from(!self.astray);
        self.astray = true;
        self.seen = 0;
        // A line without an end is no start line either, whatever follows.
        let end = memchr(b'\n', &self.buffer);
        let line = self.buffer.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
        let hidden = hidden_start(line);
        let passed = hidden.or(end.map(|end| end + 1)).unwrap_or(self.buffer.len());
        self.strange += passed;
        self.torn = end.is_none() || hidden.is_some();
        self.buffer.advance(passed);
        end.is_some()
    }
}

/// Where a start line begins that follows a body without a line end. Known methods alone count.
fn hidden_start(line: &[u8]) -> Option<usize> {
    let status = memmem::rfind(line, b"SIP/2.0 ").filter(|at| *at > 0);
    let is_start = |at: &usize| matches!(start_of(line.get(*at..).unwrap_or_default()), Start::Certain);
    if let Some(at) = status.filter(is_start) {
        return Some(at);
    }
    // The method ends at the last blank but one; the longest that is known is meant.
    let mut blanks = memrchr_iter(b' ', line);
    let end = blanks.nth(1)?;
    (end.saturating_sub(LONGEST_METHOD).max(1)..end).find(is_start)
}

/// `SUBSCRIBE`.
const LONGEST_METHOD: usize = 9;
