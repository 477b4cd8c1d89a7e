//! What may go: decided from facts alone.

use std::fmt;
use std::time::Duration;

use callbox_events::{CallId, Timestamp};

/// How long a journal keeps what it has. Without any limit it keeps everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// A volume goes once its newest record is older than this.
    pub age: Option<Duration>,
    /// The oldest volumes go while all together take more bytes than this.
    pub bytes: Option<u64>,
}

impl Retention {
    /// Whether anything is ever to go.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.age.is_some() || self.bytes.is_some()
    }
}

/// A volume, as far as its end is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The global sequence number of its first event.
    pub first: u64,
    /// The one behind its last.
    pub end: u64,
    /// When its newest record was made.
    pub until: Timestamp,
    /// What it takes on the disk, in bytes.
    pub bytes: u64,
}

/// Why a volume that is due stays, and with it all that are younger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A call that it has a part of is not over.
    Alive(CallId),
    /// Somebody holds a call that it has a part of.
    Held(CallId),
}

/// In words that follow "it stays because".
impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alive(call) => write!(f, "call {call} is not over"),
            Self::Held(call) => write!(f, "call {call} is held"),
        }
    }
}

/// How many of these volumes are due, the oldest first. The last one is being written to, and is never due.
#[must_use]
pub fn due(retention: Retention, volumes: &[Volume], now: Timestamp) -> usize {
    let mut left: u64 = volumes.iter().map(|volume| volume.bytes).sum();
    let closed = volumes.len().saturating_sub(1);
    let is_due = |volume: &&Volume| {
        let old = retention.age.is_some_and(|age| now.since(volume.until) > age);
        let large = retention.bytes.is_some_and(|most| left > most);
        left -= volume.bytes;
        old || large
    };
    volumes.iter().take(closed).take_while(is_due).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volumes() -> Vec<Volume> {
        let volume = |number: u64| Volume {
            first: number * 10,
            end: number * 10 + 10,
            until: Timestamp::from_micros(number * 1_000_000),
            bytes: 100,
        };
        (1..=5).map(volume).collect()
    }

    #[test]
    fn age_and_size_take_the_oldest_and_never_the_one_being_written() {
        let day = |seconds: u64| Timestamp::from_micros(seconds * 1_000_000);
        let age = |seconds| Retention { age: Some(Duration::from_secs(seconds)), bytes: None };
        let bytes = |bytes| Retention { age: None, bytes: Some(bytes) };
        for (retention, now, expected) in [
            (Retention::default(), 1_000, 0),
            (age(10), 11, 0),
            (age(10), 12, 1),
            (age(10), 14, 3),
            (age(10), 1_000, 4),
            (bytes(500), 0, 0),
            (bytes(499), 0, 1),
            (bytes(250), 0, 3),
            (bytes(0), 0, 4),
            (Retention { age: Some(Duration::from_secs(10)), bytes: Some(450) }, 14, 3),
            (Retention { age: Some(Duration::from_secs(10)), bytes: Some(100) }, 12, 4),
        ] {
            assert_eq!(due(retention, &volumes(), day(now)), expected, "{retention:?} at {now} s");
        }
        assert_eq!(due(age(0), &volumes()[..1], day(1_000)), 0);
        assert_eq!(due(age(0), &[], day(1_000)), 0);
    }
}
