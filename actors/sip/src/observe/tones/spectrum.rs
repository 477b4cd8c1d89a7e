//! What a block of samples sounds like: Goertzel filters at the frequencies that matter.
//!
//! All filters run side by side over the samples, which a compiler turns into vector instructions: a block costs some
//! microseconds.

/// Samples of a block: 50 ms, so filters are 20 Hz wide.
pub const BLOCK: usize = 400;

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sound {
    /// Nothing, or next to nothing.
    Silence,
    /// A tone, or two at once, of those that tell callers how their call goes.
    Progress,
    /// A special information tone: the first, second or third.
    Special(u8),
    /// Anything else: voice, music, noise.
    Other,
}

/// Frequencies in hertz. The first seven are call-progress tones, alone or in pairs; then three for each special
/// information tone, whose nominal frequencies are 950, 1400 and 1800 with 50 Hz to spare, and in North America
/// 913.8 or 985.2, 1370.6 or 1428.5, and 1776.7.
const FREQUENCIES: [f32; 16] = [
    400.0, 425.0, 440.0, 450.0, 480.0, 500.0, 620.0, 913.8, 950.0, 985.2, 1370.6, 1400.0, 1428.5, 1776.7,
    1800.0, 1820.0,
];
const PROGRESS: std::ops::Range<usize> = 0..7;
/// Pairs that are sounded together.
const PAIRS: [(usize, usize); 4] = [(2, 4), (4, 6), (0, 3), (0, 4)];
const SPECIAL: [std::ops::Range<usize>; 3] = [7..10, 10..13, 13..16];

/// The share of a block's energy that its tone must have.
const PURE: f32 = 0.6;
/// Mean square below which a block is silence: some 50 dB below full scale.
const SILENT: f32 = 10_000.0;

/// The filters' coefficients.
#[derive(Debug, Clone)]
pub struct Spectrum {
    coefficients: [f32; 16],
}

impl Default for Spectrum {
    fn default() -> Self {
        let rate = super::SAMPLE_RATE as f32;
        Self { coefficients: FREQUENCIES.map(|f| 2.0 * (std::f32::consts::TAU * f / rate).cos()) }
    }
}

impl Spectrum {
    /// What a block is.
    pub fn sound(&self, block: &[f32; BLOCK]) -> Sound {
        let energy: f32 = block.iter().map(|sample| sample * sample).sum();
        if energy < SILENT * BLOCK as f32 {
            return Sound::Silence;
        }
        let shares = self.shares(block, energy);
        let loudest = |range: std::ops::Range<usize>| {
            shares.get(range).unwrap_or_default().iter().copied().fold(0.0, f32::max)
        };
        let share = |index: usize| shares.get(index).copied().unwrap_or_default();
        let pair = PAIRS.iter().map(|(one, other)| share(*one) + share(*other)).fold(0.0, f32::max);
        if loudest(PROGRESS).max(pair) >= PURE {
            return Sound::Progress;
        }
        let special = (0..3_u8).zip(SPECIAL).find(|(_, range)| loudest(range.clone()) >= PURE);
        special.map_or(Sound::Other, |(which, _)| Sound::Special(which))
    }

    /// Which share of the energy each filter has; 1 for a pure tone on its frequency.
    fn shares(&self, block: &[f32; BLOCK], energy: f32) -> [f32; 16] {
        let (mut last, mut before) = ([0.0_f32; 16], [0.0_f32; 16]);
        for sample in block {
            for ((last, before), coefficient) in last.iter_mut().zip(&mut before).zip(&self.coefficients) {
                let next = sample + coefficient * *last - *before;
                *before = *last;
                *last = next;
            }
        }
        let mut shares = [0.0; 16];
        for (index, share) in shares.iter_mut().enumerate() {
            let at = |values: &[f32; 16]| values.get(index).copied().unwrap_or_default();
            let (last, before) = (at(&last), at(&before));
            let power = last * last + before * before - at(&self.coefficients) * last * before;
            *share = 2.0 * power / (energy * BLOCK as f32);
        }
        shares
    }
}
