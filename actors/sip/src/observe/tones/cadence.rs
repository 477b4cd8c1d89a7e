//! The rhythm of tones: runs of blocks that sound alike.

use std::collections::VecDeque;

use callbox_events::verdict::Confidence;

use super::ToneKind;
use super::spectrum::Sound;

/// How many runs are remembered: enough for every rhythm and its repetitions.
const MAX_RUNS: usize = 16;
/// Ringback, in blocks: a ring is no longer than 2.7 s, a pause no longer than 6.5 s.
const LONGEST_RING: u64 = 54;
const LONGEST_PAUSE: u64 = 130;

/// Blocks of 50 ms in a row that sound alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    sound: Sound,
    /// Number of its first block.
    from: u64,
    blocks: u64,
}

/// A rhythm that was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// What it means.
    pub kind: ToneKind,
    /// Its first block, and the one behind its last.
    pub from: u64,
    pub until: u64,
    /// Weak if it was not repeated yet.
    pub confidence: Confidence,
}

/// The last runs of a stream.
#[derive(Debug, Default)]
pub struct Cadence {
    runs: VecDeque<Run>,
    blocks: u64,
    /// A block that is neither one nor the other, and may just be where a tone begins or ends.
    between: bool,
}

impl Cadence {
    /// Takes the next block; gives the rhythm that it completes or carries on.
    pub fn push(&mut self, sound: Sound) -> Option<Match> {
        // A block in which a tone begins or ends is not pure. It counts as what follows.
        let waited = std::mem::replace(&mut self.between, false);
        if sound == Sound::Other && !waited && self.runs.back().is_some_and(|run| run.sound != Sound::Other) {
            self.between = true;
            return None;
        }
        self.add(sound, 1 + u64::from(waited));
        self.special().or_else(|| self.beat()).or_else(|| self.ringback())
    }

    fn add(&mut self, sound: Sound, blocks: u64) {
        let from = self.blocks;
        self.blocks += blocks;
        match self.runs.back_mut() {
            Some(run) if run.sound == sound => run.blocks += blocks,
            Some(_) | None => {
                if self.runs.len() == MAX_RUNS {
                    self.runs.pop_front();
                }
                self.runs.push_back(Run { sound, from, blocks });
            }
        }
    }

    /// Whether a rhythm that went on until now is over, since it is no longer found.
    pub fn is_over(&self, kind: ToneKind) -> bool {
        match kind {
            ToneKind::Busy | ToneKind::Congestion | ToneKind::SpecialInformation => !self.between,
            // While it rings again nothing is found.
            ToneKind::Ringback => self.runs.back().is_some_and(|run| match run.sound {
                Sound::Silence => run.blocks > LONGEST_PAUSE,
                Sound::Progress => run.blocks > LONGEST_RING,
                Sound::Special(_) | Sound::Other => run.blocks > 4,
            }),
        }
    }

    /// The runs from the newest, the unfinished one first.
    fn newest(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().rev()
    }

    /// Three tones of a third of a second one after the other; the gaps between them hardly last a block.
    fn special(&self) -> Option<Match> {
        let mut runs = self.newest().filter(|run| !(run.sound != Sound::Special(2) && run.blocks <= 1));
        let mut from = 0;
        for which in [2, 1, 0] {
            let run = runs
                .next()
                .filter(|run| run.sound == Sound::Special(which) && (3..=10).contains(&run.blocks))?;
            from = run.from;
        }
        Some(Match {
            kind: ToneKind::SpecialInformation,
            from,
            until: self.blocks,
            confidence: Confidence::Strong,
        })
    }

    /// Busy and congestion: tone and silence in turn, all of about the same length, three times at least.
    fn beat(&self) -> Option<Match> {
        // The run of now has no length yet.
        let now = self.newest().next()?;
        let mut ended: Vec<&Run> = self.newest().skip(1).collect();
        if now.sound == Sound::Progress && ended.len() > 1 {
            ended.remove(0);
        }
        let first = ended.first().filter(|run| run.sound == Sound::Progress)?;
        let (on, off) = (first.blocks, ended.get(1)?.blocks);
        let goes_on = match now.sound {
            Sound::Progress => now.blocks <= on + 2,
            Sound::Silence => now.blocks <= off + 2,
            Sound::Special(_) | Sound::Other => false,
        };
        let alike = |blocks: u64, other: u64| blocks.abs_diff(other) <= 2;
        let part = ended.iter().enumerate().take_while(|(index, run)| {
            let (sound, length) = if index % 2 == 0 { (Sound::Progress, on) } else { (Sound::Silence, off) };
            run.sound == sound && alike(run.blocks, length)
        });
        let part: Vec<&Run> = part.map(|(_, run)| *run).collect();
        let tones = part.len().div_ceil(2);
        // Where blocks begin moves time between on and off, but not the sum of both.
        let kind = match on + off {
            _ if on > 3 * off || off > 3 * on => return None,
            7..=11 => ToneKind::Congestion,
            12..=30 => ToneKind::Busy,
            _ => return None,
        };
        let from = part.iter().rfind(|run| run.sound == Sound::Progress)?.from;
        let found = Match { kind, from, until: self.blocks, confidence: Confidence::Strong };
        (tones >= 3 && goes_on).then_some(found)
    }

    /// Ringback: a long tone, or two short ones, and a long silence.
    fn ringback(&self) -> Option<Match> {
        let mut from = None;
        let mut times = 0;
        let mut runs = self.newest();
        // The silence of now need not be over; one that is shorter is no pause.
        while runs
            .next()
            .is_some_and(|run| run.sound == Sound::Silence && (34..=LONGEST_PAUSE).contains(&run.blocks))
        {
            let Some(begin) = ring(&mut runs) else { break };
            times += 1;
            from = Some(begin);
        }
        let confidence = if times > 1 { Confidence::Strong } else { Confidence::Weak };
        from.map(|from| Match { kind: ToneKind::Ringback, from, until: self.blocks, confidence })
    }
}

/// Takes one ring off the runs, from the newest: a long tone, or two short ones. Gives its first block.
fn ring<'a>(runs: &mut impl Iterator<Item = &'a Run>) -> Option<u64> {
    let mut tone = |blocks: std::ops::RangeInclusive<u64>, sound: Sound| {
        runs.next().filter(|run| run.sound == sound && blocks.contains(&run.blocks))
    };
    let last = tone(6..=LONGEST_RING, Sound::Progress)?;
    match last.blocks {
        14.. => Some(last.from),
        11..14 => None,
        _ => {
            tone(1..=8, Sound::Silence)?;
            tone(6..=10, Sound::Progress).map(|first| first.from)
        }
    }
}
