//! Tones as networks of several countries play them, and what must not be taken for one.

use std::f32::consts::TAU;

use super::g711::Law;
use super::*;

const START: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// Audio that is put together piece by piece.
#[derive(Default)]
struct Audio(Vec<i16>);

impl Audio {
    /// Adds frequencies for so many milliseconds; none is silence.
    fn play(mut self, millis: usize, frequencies: &[f32]) -> Self {
        let from = self.0.len();
        let level = 8_000.0 / frequencies.len().max(1) as f32;
        self.0.extend((0..millis * 8).map(|sample| {
            let time = (from + sample) as f32 / 8_000.0;
            frequencies.iter().map(|f| level * (TAU * f * time).sin()).sum::<f32>() as i16
        }));
        self
    }

    /// Adds it again and again.
    fn times(mut self, times: usize) -> Self {
        self.0 = self.0.repeat(times);
        self
    }

    fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// What is told of it if it comes in packets of 20 ms.
    fn told(&self) -> Vec<Tone> {
        let mut told = Vec::new();
        let mut listener = Listener::new(START);
        for packet in self.0.chunks(160) {
            listener.push(packet.iter().copied(), &mut |tone| told.push(tone));
        }
        listener.finish(&mut |tone| told.push(tone));
        told
    }

    /// The kinds that are told, each once.
    fn kinds(&self) -> Vec<ToneKind> {
        let mut kinds: Vec<ToneKind> = self.told().iter().map(|tone| tone.kind).collect();
        kinds.dedup();
        kinds
    }
}

fn on_off(on: usize, off: usize, frequencies: &[f32]) -> Audio {
    Audio::default().play(on, frequencies).play(off, &[])
}

fn special(frequencies: [f32; 3]) -> Audio {
    frequencies.iter().fold(Audio::default().play(70, &[]), |audio, f| audio.play(330, &[*f])).play(1000, &[])
}

#[test]
fn tones_of_many_countries_mean_the_same() {
    use ToneKind::{Busy, Congestion, Ringback, SpecialInformation};
    for (country, audio, kind) in [
        ("busy, North America", on_off(500, 500, &[480.0, 620.0]).times(5), Busy),
        ("busy, Germany", on_off(480, 480, &[425.0]).times(5), Busy),
        ("busy, China", on_off(350, 350, &[450.0]).times(6), Busy),
        ("busy, United Kingdom", on_off(375, 375, &[400.0]).times(6), Busy),
        ("busy, Japan", on_off(500, 500, &[400.0]).times(5), Busy),
        ("reorder, North America", on_off(250, 250, &[480.0, 620.0]).times(8), Congestion),
        ("congestion, Germany", on_off(240, 240, &[425.0]).times(8), Congestion),
        ("ringback, North America", on_off(2000, 4000, &[440.0, 480.0]).times(2), Ringback),
        ("ringback, Germany", on_off(1000, 4000, &[425.0]).times(2), Ringback),
        ("ringback, France", on_off(1500, 3500, &[440.0]).times(2), Ringback),
        (
            "ringback, United Kingdom",
            on_off(400, 200, &[400.0, 450.0]).then(on_off(400, 2000, &[400.0, 450.0])).times(3),
            Ringback,
        ),
        ("special information", special([950.0, 1400.0, 1800.0]), SpecialInformation),
        ("vacant code, North America", special([985.2, 1370.6, 1776.7]), SpecialInformation),
        ("intercept, North America", special([913.8, 1370.6, 1776.7]), SpecialInformation),
    ] {
        // Wherever the tone begins in a block.
        for shift in [0, 7, 13, 31, 44] {
            let shifted = Audio::default().play(shift, &[]).then(Audio(audio.0.clone()));
            assert_eq!(shifted.kinds(), [kind], "{country}, {shift} ms later: {:?}", shifted.told());
        }
    }
}

#[test]
fn the_time_of_a_tone_is_that_of_its_sound() {
    let audio = Audio::default().play(1000, &[]).then(on_off(500, 500, &[425.0]).times(6)).play(8000, &[]);
    let told = audio.told();
    let last = told.last().unwrap();
    let seconds = |at: Timestamp| at.since(START).as_secs_f32();
    assert!((seconds(last.from) - 1.0).abs() < 0.1, "{told:?}");
    assert!((seconds(last.until) - 7.0).abs() < 0.6, "{told:?}");
    assert!(seconds(told[0].until) < 4.1, "three beats are enough to tell it");
}

#[test]
fn one_ring_is_weak_and_two_are_strong() {
    let ring = on_off(1000, 4000, &[425.0]);
    assert!(ring.told().iter().all(|tone| tone.confidence == Confidence::Weak));
    let rings = on_off(1000, 4000, &[425.0]).times(3);
    assert_eq!(rings.told().last().unwrap().confidence, Confidence::Strong);
}

#[test]
fn ringing_that_ends_in_busy_is_told_as_both() {
    let audio = on_off(1000, 4000, &[425.0]).times(2).then(on_off(480, 480, &[425.0]).times(5));
    assert_eq!(audio.kinds(), [ToneKind::Ringback, ToneKind::Busy]);
}

#[test]
fn what_is_no_tone_is_not_told() {
    let mut seed = 1_u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) as u16 as i16 / 4
    };
    // Syllables: harmonics of a gliding voice, at the rhythm of a busy tone.
    let voice = |syllable: usize| {
        (0..4000).map(move |sample| {
            let time = sample as f32 / 8_000.0;
            let pitch = 110.0 + 60.0 * time + syllable as f32 * 7.0;
            (1..12).map(|harmonic| 1500.0 * (TAU * pitch * harmonic as f32 * time).sin()).sum::<f32>() as i16
        })
    };
    let speech = (0..10).flat_map(|syllable| voice(syllable).chain(std::iter::repeat_n(0, 4000))).collect();
    for (what, audio) in [
        ("silence", Audio::default().play(20_000, &[])),
        ("noise", Audio((0..200_000).map(|_| noise()).collect())),
        ("speech", Audio(speech)),
        ("a dial tone", Audio::default().play(20_000, &[425.0])),
        ("digits", on_off(500, 500, &[697.0, 1209.0]).times(6)),
        ("a fax", on_off(500, 3000, &[1100.0]).times(4)),
        ("two beats", on_off(500, 500, &[425.0]).times(2).play(1000, &[1000.0])),
        ("special tones in the wrong order", special([1800.0, 1400.0, 950.0])),
    ] {
        assert_eq!(audio.told(), [], "{what}");
    }
}

#[test]
fn a_stream_that_pauses_goes_on_in_its_time() {
    let mut told = Vec::new();
    let mut listener = Listener::new(START);
    let tone = on_off(500, 0, &[425.0]);
    for _ in 0..5 {
        listener.push(tone.0.iter().copied(), &mut |tone| told.push(tone));
        listener.pause(4_000, &mut |tone| told.push(tone));
    }
    assert_eq!(told[0].kind, ToneKind::Busy, "silence that is not sent is silence");
}

#[test]
fn packed_samples_keep_their_tones() {
    // 16 bits to a byte and back, by the nearest sample of the law.
    for law in [Law::Mu, Law::A] {
        let pack = |sample: i16| (0..=255).min_by_key(|byte| law.sample(*byte).abs_diff(sample)).unwrap();
        let audio = on_off(500, 500, &[480.0, 620.0]).times(4);
        let unpacked = Audio(audio.0.iter().map(|sample| law.sample(pack(*sample))).collect());
        assert_eq!(unpacked.kinds(), [ToneKind::Busy], "{law:?}");
    }
}
