//! A stream of bytes of which a part can be looked at.

use std::io::{self, Read};

/// Bytes read at once.
const CHUNK: usize = 1 << 18;

/// The most bytes a record may have: libpcap's own bound for the largest packets (USB) is 128 MiB, for networks 256 KiB.
pub const MAX_RECORD: usize = 16 << 20;

/// A stream and the part of it that is looked at.
pub struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where the part begins in the buffer, and where what was read ends.
    start: usize,
    end: usize,
    /// Where the part begins in the stream.
    offset: u64,
    /// Bytes that have been lent and go away with the next [`Window::settle`].
    lent: usize,
}

impl<R: Read> Window<R> {
    /// A stream at its beginning.
    pub fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; 2 * CHUNK], start: 0, end: 0, offset: 0, lent: 0 }
    }

    /// How much of the stream lies behind.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// All that is at hand, and at least `wanted` bytes unless the stream ends before; at most [`MAX_RECORD`] are given.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn at_least(&mut self, wanted: usize) -> io::Result<&[u8]> {
        let wanted = wanted.min(MAX_RECORD);
        if self.end - self.start < wanted {
            self.fill(wanted)?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < wanted + CHUNK {
            self.buffer.resize(wanted + CHUNK, 0);
        }
        while self.end < wanted {
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.reader.read(free) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Leaves bytes behind that were looked at.
    pub fn pass(&mut self, bytes: usize) {
        let bytes = bytes.min(self.end - self.start);
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Leaves bytes behind without looking at them; `false` if the stream ends before.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn skip(&mut self, mut bytes: u64) -> io::Result<bool> {
        while bytes > 0 {
            let part = usize::try_from(bytes).unwrap_or(CHUNK).min(CHUNK);
            let at_hand = self.at_least(part)?.len().min(part);
            if at_hand == 0 {
                return Ok(false);
            }
            self.pass(at_hand);
            bytes -= at_hand as u64;
        }
        Ok(true)
    }

    /// Lends the first `bytes` bytes, which are at hand; they are left behind by the next [`Window::settle`].
    pub fn lend(&mut self, bytes: usize) -> &[u8] {
        self.lent = bytes;
        self.buffer.get(self.start..self.end.min(self.start + bytes)).unwrap_or_default()
    }

    /// Leaves behind what was lent.
    pub fn settle(&mut self) {
        self.pass(self.lent);
        self.lent = 0;
    }
}
