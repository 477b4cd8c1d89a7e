//! Tones of the telephone network in audio: busy, congestion, ringback, special information tones.
//!
//! Whoever plays them says in sound what no message says. Frequencies differ from country to country (ITU-T E.180, with
//! the list of national tones in its Supplement 2), the rhythm hardly does: so any call-progress tone is one class, and
//! its rhythm decides what it means. Special information tones (ITU-T E.180 §7, ITU-T Q.35) are three tones of their own.
//!
//! 1. [`g711`] turns what RTP carries into samples.
//! 2. [`Listener`] cuts them into blocks of 50 ms, asks the `spectrum` what each block is, and gives runs of blocks to
//!    the `cadence`, which knows the rhythms.
//!
//! Pure: samples and their time come in. Memory is fixed for each stream.

mod cadence;
pub mod g711;
mod listener;
mod spectrum;

use callbox_events::Timestamp;
use callbox_events::verdict::Confidence;

pub use listener::Listener;

/// Samples in a second: telephone audio has no other rate.
pub const SAMPLE_RATE: u32 = 8_000;

/// What a tone means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToneKind {
    /// The called party is busy: half a second on, half a second off, more or less.
    Busy,
    /// The network is busy (reorder, fast busy): twice that fast.
    Congestion,
    /// The called party is alerted: one to two seconds on, several off; or two short ones and a pause.
    Ringback,
    /// An announcement of a failure follows: three rising tones.
    SpecialInformation,
}

impl ToneKind {
    /// Its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Congestion => "congestion",
            Self::Ringback => "ringback",
            Self::SpecialInformation => "special_information",
        }
    }
}

impl From<ToneKind> for callbox_events::call::Tone {
    fn from(kind: ToneKind) -> Self {
        match kind {
            ToneKind::Busy => Self::Busy,
            ToneKind::Congestion => Self::Congestion,
            ToneKind::Ringback => Self::Ringback,
            ToneKind::SpecialInformation => Self::Sit,
        }
    }
}

/// A tone that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tone {
    /// What it means.
    pub kind: ToneKind,
    /// When it began.
    pub from: Timestamp,
    /// Until when it was heard so far.
    pub until: Timestamp,
    /// How sure that is: weak if the rhythm was not repeated yet.
    pub confidence: Confidence,
}

#[cfg(test)]
mod tests;
