//! How much two clocks differ, from messages that both ends recorded.
//!
//! A message is recorded no later than it leaves and no earlier than it arrives. So a message of the caller that the
//! callee received `d` later by the two clocks says that the callee's clock is at most `d` ahead, and one the other way
//! says that it is at least `-d` ahead. The least of each direction bounds the difference from both sides; the middle is
//! the estimate, as in NTP (RFC 5905 §8), and half the distance its uncertainty. Nothing is assumed of the network but
//! that messages take time.

use serde::Serialize;

use super::passage::Passage;
use crate::party::Role;
use crate::time::Timestamp;

/// What is known of the difference: how far the callee's clock is ahead of the caller's, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Clocks {
    /// At least so far; none if no message of the callee tells.
    pub at_least_us: Option<i64>,
    /// At most so far; none if no message of the caller tells.
    pub at_most_us: Option<i64>,
}

/// The difference of two clocks in one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// How far the callee's clock is ahead of the caller's, in microseconds.
    pub offset_us: i64,
    /// It is not further off than this; none if messages of one direction alone tell, which leave the other side open.
    pub uncertainty_us: Option<u64>,
    /// False if the bounds exclude each other: a clock was set, or ran away, while the messages travelled.
    pub steady: bool,
}

impl Clocks {
    /// What the messages of a call tell.
    #[must_use]
    pub fn of(passages: &[Passage]) -> Self {
        let mut clocks = Self::default();
        for passage in passages.iter().filter(|passage| passage.is_end_to_end()) {
            if let (Some((_, sent)), Some((_, received))) = (passage.sent, passage.received) {
                clocks.take(passage.from, sent, received);
            }
        }
        clocks
    }

    /// Takes one message: who sent it, when it was sent by the sender's clock, when it came by the receiver's.
    pub fn take(&mut self, from: Role, sent: Timestamp, received: Timestamp) {
        let took = difference(received, sent);
        match from {
            Role::Caller => self.at_most_us = Some(self.at_most_us.map_or(took, |known| known.min(took))),
            Role::Callee => {
                let least = took.saturating_neg();
                self.at_least_us = Some(self.at_least_us.map_or(least, |known| known.max(least)));
            }
        }
    }

    /// What both tell, of the same two clocks.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let both = |one: Option<i64>, two: Option<i64>, choose: fn(i64, i64) -> i64| match (one, two) {
            (Some(one), Some(two)) => Some(choose(one, two)),
            (one, two) => one.or(two),
        };
        Self {
            at_least_us: both(self.at_least_us, other.at_least_us, i64::max),
            at_most_us: both(self.at_most_us, other.at_most_us, i64::min),
        }
    }

    /// The same seen from the other end.
    #[must_use]
    pub fn turned(self) -> Self {
        Self {
            at_least_us: self.at_most_us.map(i64::saturating_neg),
            at_most_us: self.at_least_us.map(i64::saturating_neg),
        }
    }

    /// Whether a message of the caller's end, sent no earlier than `sent`, can have come to the callee's at `received`:
    /// nothing comes before it was sent, however the clocks differ within what is known.
    pub(super) fn can_have_come(self, sent: Timestamp, received: Timestamp) -> bool {
        self.at_least_us.is_none_or(|least| difference(received, sent) >= least)
    }

    /// The difference in one number; none if no message tells.
    #[must_use]
    pub fn estimate(self) -> Option<Estimate> {
        let (offset_us, uncertainty_us, steady) = match (self.at_least_us, self.at_most_us) {
            (Some(least), Some(most)) => {
                let apart = most.saturating_sub(least);
                // Rounded up, so that the bounds are inside.
                (least.saturating_add(apart / 2), Some(apart.unsigned_abs().div_ceil(2)), apart >= 0)
            }
            (Some(only), None) | (None, Some(only)) => (only, None, true),
            (None, None) => return None,
        };
        Some(Estimate { offset_us, uncertainty_us, steady })
    }
}

/// `later - earlier` in microseconds, negative if it is the other way round.
fn difference(later: Timestamp, earlier: Timestamp) -> i64 {
    let micros = |time: Timestamp| i64::try_from(time.micros()).unwrap_or(i64::MAX);
    micros(later).saturating_sub(micros(earlier))
}
