//! What may go: decided from facts alone.

use std::time::Duration;

use callbox_events::Timestamp;

use crate::journal::Cursor;

/// How long a journal keeps what it has. Without any limit it keeps everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// A volume goes once its newest record is older than this.
    pub age: Option<Duration>,
    /// The oldest volumes go while all together take more bytes than this.
    pub bytes: Option<u64>,
    /// Whether volumes go as well that have a part of a call which is not over. Such a call is lost as a whole.
    pub unfinished: bool,
}

impl Retention {
    /// Whether anything is ever to go.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.age.is_some() || self.bytes.is_some()
    }
}

/// What is known of one volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Where it begins.
    pub begin: Cursor,
    /// Where it ends: the beginning of the next one, or of the active one where the journal ends now.
    pub end: Cursor,
    /// What it takes on the disk: its segments of the write-ahead log and the file of its sled.
    pub bytes: u64,
    /// When its first and its last commit were recorded; `None` in an empty one, or where that can't be read.
    pub times: Option<(Timestamp, Timestamp)>,
    /// Whether it is finished: only such a one can be removed.
    pub finished: bool,
}

/// How many of these volumes are due, the oldest first.
#[must_use]
pub fn due(retention: Retention, volumes: &[Volume], now: Timestamp) -> usize {
    let mut left: u64 = volumes.iter().map(|volume| volume.bytes).sum();
    let is_due = |volume: &&Volume| {
        let until = volume.times.map(|(_, until)| until);
        let old = until.zip(retention.age).is_some_and(|(until, age)| now.since(until) > age);
        let large = retention.bytes.is_some_and(|most| left > most);
        left -= volume.bytes;
        volume.finished && (old || large)
    };
    volumes.iter().take_while(is_due).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volumes() -> Vec<Volume> {
        let volume = |number: u64| Volume {
            begin: Cursor::at(number * 10),
            end: Cursor::at(number * 10 + 10),
            bytes: 100,
            times: Some((Timestamp::default(), Timestamp::from_micros(number * 1_000_000))),
            finished: number < 5,
        };
        (1..=5).map(volume).collect()
    }

    #[test]
    fn age_and_size_take_the_oldest_and_never_the_one_being_written() {
        let day = |seconds: u64| Timestamp::from_micros(seconds * 1_000_000);
        let age = |seconds| Retention { age: Some(Duration::from_secs(seconds)), ..Retention::default() };
        let bytes = |bytes| Retention { bytes: Some(bytes), ..Retention::default() };
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
            (Retention { bytes: Some(450), ..age(10) }, 14, 3),
            (Retention { bytes: Some(100), ..age(10) }, 12, 4),
        ] {
            assert_eq!(due(retention, &volumes(), day(now)), expected, "{retention:?} at {now} s");
        }
        let mut unknown = volumes();
        unknown[0].times = None;
        assert_eq!(due(age(0), &unknown, day(1_000)), 0, "what can't be read has no age");
        assert_eq!(due(age(0), &volumes()[4..], day(1_000)), 0);
        assert_eq!(due(age(0), &[], day(1_000)), 0);
    }
}
