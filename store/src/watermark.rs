//! The watermark: how far the journal was acknowledged, kept outside of sled.
//!
//! It is written after each sync and never synced itself. After the death of the process it is exact; after a loss of
//! power it may lag, which is harmless: it is a lower bound. A store or a copy that ends before its watermark has lost
//! acknowledged commits.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::layout::WATERMARK;

/// `seq` (20 digits), a space, CRC-32C of those digits (8 hexadecimal digits), a newline.
const BYTES: usize = 30;

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Everything before this global sequence number was acknowledged.
    At(u64),
    /// There is none, or it is empty, as after a loss of power right after creation.
    Absent,
    /// The file is damaged.
    Damaged,
}

/// The open file.
#[derive(Debug)]
pub struct Watermark {
    file: File,
}

impl Watermark {
    /// Opens or creates the file for writing.
    ///
    /// # Errors
    /// The system's.
    pub fn open(store: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        Ok(Self { file: options.open(store.join(WATERMARK))? })
    }

    /// Raises it.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, seq: u64) -> io::Result<()> {
        self.file.write_all_at(&encode(seq), 0)
    }
}

/// Reads the watermark of a store.
///
/// # Errors
/// The system's, except that a missing file is [`Level::Absent`].
pub fn read(store: &Path) -> io::Result<Level> {
    match std::fs::read(store.join(WATERMARK)) {
        Ok(bytes) if bytes.iter().all(|byte| *byte == 0) => Ok(Level::Absent),
        Ok(bytes) => Ok(decode(&bytes).map_or(Level::Damaged, Level::At)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Level::Absent),
        Err(error) => Err(error),
    }
}

fn encode(seq: u64) -> [u8; BYTES] {
    let mut bytes = [b'0'; BYTES];
    let mut rest = seq;
    for digit in bytes.iter_mut().take(20).rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    let sum = crc32c::crc32c(&bytes[..20]);
    bytes[20] = b' ';
    for (digit, shift) in bytes.iter_mut().skip(21).zip((0..8).rev().map(|nibble| nibble * 4)) {
        *digit = b"0123456789abcdef"[(sum >> shift) as usize & 15];
    }
    bytes[BYTES - 1] = b'\n';
    bytes
}

fn decode(bytes: &[u8]) -> Option<u64> {
    let seq = std::str::from_utf8(bytes.get(..20)?).ok()?.parse().ok()?;
    (bytes == encode(seq)).then_some(seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_and_tells_damage_from_absence() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap(), Level::Absent);
        let mark = Watermark::open(dir.path()).unwrap();
        assert_eq!(read(dir.path()).unwrap(), Level::Absent);
        for seq in [0, 17, u64::MAX] {
            mark.write(seq).unwrap();
            assert_eq!(read(dir.path()).unwrap(), Level::At(seq));
        }
        std::fs::write(dir.path().join(WATERMARK), "00000000000000000017 00000000\n").unwrap();
        assert_eq!(read(dir.path()).unwrap(), Level::Damaged);
    }
}
