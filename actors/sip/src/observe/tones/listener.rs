//! One stream of samples: blocks, their time, and the tones that are told.

use std::time::Duration;

use callbox_events::Timestamp;

use super::cadence::{Cadence, Match};
use super::spectrum::{BLOCK, Spectrum};
use super::{SAMPLE_RATE, Tone};

/// Listens to one stream.
///
/// A tone is told as soon as it is recognised, again whenever it is surer, and once more when it is over or the stream
/// is: `kind` and `from` say that it is the same.
#[derive(Debug)]
pub struct Listener {
    spectrum: Spectrum,
    cadence: Cadence,
    block: [f32; BLOCK],
    filled: usize,
    /// When the stream began, and how many of its samples have been heard.
    start: Timestamp,
    heard: u64,
    /// What sounds now, and with which confidence it was told.
    now: Option<Match>,
}

impl Listener {
    /// A stream whose first sample sounds at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self {
            spectrum: Spectrum::default(),
            cadence: Cadence::default(),
            block: [0.0; BLOCK],
            filled: 0,
            start,
            heard: 0,
            now: None,
        }
    }

    /// Samples heard so far.
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.heard
    }

    /// Hears the next samples; `tell` is told the tones.
    pub fn push(&mut self, samples: impl IntoIterator<Item = i16>, tell: &mut impl FnMut(Tone)) {
        for sample in samples {
            if let Some(place) = self.block.get_mut(self.filled) {
                *place = f32::from(sample);
            }
            self.filled += 1;
            self.heard += 1;
            if self.filled == BLOCK {
                self.filled = 0;
                self.judge(tell);
            }
        }
    }

    /// Hears nothing for so many samples: packets were lost, or silence was not sent.
    pub fn pause(&mut self, samples: u64, tell: &mut impl FnMut(Tone)) {
        let samples = usize::try_from(samples).unwrap_or(usize::MAX);
        self.push(std::iter::repeat_n(0, samples), tell);
    }

    /// The stream is over.
    pub fn finish(&mut self, tell: &mut impl FnMut(Tone)) {
        if let Some(over) = self.now.take() {
            tell(self.tone(over));
        }
    }

    fn judge(&mut self, tell: &mut impl FnMut(Tone)) {
        let sound = self.spectrum.sound(&self.block);
        match (self.cadence.push(sound), self.now) {
            (Some(found), Some(now)) if now.kind == found.kind && found.from <= now.until => {
                let going_on = Match {
                    from: now.from.min(found.from),
                    confidence: now.confidence.max(found.confidence),
                    ..found
                };
                self.now = Some(going_on);
                if going_on.confidence > now.confidence {
                    tell(self.tone(going_on));
                }
            }
            (Some(found), now) => {
                if let Some(over) = now {
                    tell(self.tone(over));
                }
                self.now = Some(found);
                tell(self.tone(found));
            }
            (None, Some(now)) if self.cadence.is_over(now.kind) => self.finish(tell),
            (None, Some(_) | None) => {}
        }
    }

    fn tone(&self, found: Match) -> Tone {
        let at = |block: u64| {
            let micros = block * BLOCK as u64 * 1_000_000 / u64::from(SAMPLE_RATE);
            self.start + Duration::from_micros(micros)
        };
        Tone { kind: found.kind, from: at(found.from), until: at(found.until), confidence: found.confidence }
    }
}
