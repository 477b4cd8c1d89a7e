//! Identifiers as an input: branches, tags and Call-IDs.
//!
//! Nothing in this crate draws random numbers. The shell owns one [`Ids`]; a test or the simulator gives it a fixed
//! seed and gets the same messages, byte for byte, in every run.

use sha2::{Digest, Sha256};

/// A source of identifiers that are unique in space and time (RFC 3261 §8.1.1.4, §8.1.1.7, §19.3).
pub trait Ids {
    /// A Via branch with the magic cookie `z9hG4bK`.
    fn branch(&mut self) -> String;
    /// A From or To tag: at least 64 bits that nobody can guess.
    fn tag(&mut self) -> String;
    /// A Call-ID.
    fn call_id(&mut self) -> String;
}

/// What every branch of an RFC 3261 element begins with (§8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// Identifiers from a seed and a counter, through SHA-256: the same seed gives the same sequence, and one identifier
/// does not tell the next.
///
/// An engine must draw a new seed from the system at every start, or its identifiers would repeat.
#[derive(Debug, Clone)]
pub struct SeededIds {
    seed: [u8; 32],
    drawn: u64,
}

impl SeededIds {
    /// The sequence that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed: Sha256::digest(seed.to_be_bytes()).into(), drawn: 0 }
    }

    /// The sequence that belongs to 32 secret bytes: what an engine should use.
    #[must_use]
    pub fn from_secret(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Appends `prefix` and then `bytes` (at most 32) fresh bytes in hexadecimal.
    fn draw(&mut self, prefix: &str, bytes: usize) -> String {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(self.drawn.to_be_bytes());
        self.drawn = self.drawn.wrapping_add(1);
        let mut text = String::with_capacity(prefix.len() + 2 * bytes);
        text.push_str(prefix);
        for byte in hash.finalize().iter().take(bytes) {
            text.push(hex_digit(byte >> 4));
            text.push(hex_digit(byte & 15));
        }
        text
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

impl Ids for SeededIds {
    fn branch(&mut self) -> String {
        self.draw(MAGIC_COOKIE, 12)
    }

    fn tag(&mut self) -> String {
        self.draw("", 8)
    }

    fn call_id(&mut self) -> String {
        self.draw("", 16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_identifiers() {
        let (mut one, mut other) = (SeededIds::new(7), SeededIds::new(7));
        assert_eq!(one.branch(), other.branch());
        assert_eq!(one.tag(), other.tag());
        assert_ne!(one.tag(), SeededIds::new(8).tag());
    }

    #[test]
    fn identifiers_differ_and_have_the_length_that_the_rfc_asks_for() {
        let mut ids = SeededIds::new(1);
        let (first, second) = (ids.branch(), ids.branch());
        assert_ne!(first, second);
        assert!(first.starts_with(MAGIC_COOKIE), "{first}");
        assert_eq!(ids.tag().len(), 16, "64 bits in hexadecimal");
        assert_eq!(ids.call_id().len(), 32, "128 bits in hexadecimal");
    }
}
