//! Tones of the telephone network as G.711 (ITU-T G.711) in RTP packets of 20 ms.

use std::f32::consts::TAU;

use callbox_sip::observe::tones::g711::Law;

/// Some frequencies in hertz, for so many milliseconds; none is silence.
pub type Sound<'a> = (&'a [f32], u32);

pub const BUSY: [Sound<'_>; 2] = [(&[425.0], 500), (&[], 500)];

/// Samples of 16 bits, 8000 in a second.
pub fn samples(sounds: &[Sound<'_>]) -> Vec<i16> {
    let sample = |frequencies: &[f32], index: u32| {
        let time = index as f32 / 8_000.0;
        frequencies.iter().map(|frequency| 8_000.0 * (TAU * frequency * time).sin()).sum::<f32>() as i16
    };
    sounds
        .iter()
        .flat_map(|(frequencies, millis)| (0..millis * 8).map(|index| sample(frequencies, index)))
        .collect()
}

/// The code that sounds most like a sample.
pub fn pack(law: Law, sample: i16) -> u8 {
    (0..=255).min_by_key(|byte| law.sample(*byte).abs_diff(sample)).unwrap()
}

/// What the packets carry: 160 codes each.
pub fn payloads(law: Law, sounds: &[Sound<'_>]) -> Vec<Vec<u8>> {
    let mut known = std::collections::HashMap::new();
    let mut pack = |sample: i16| *known.entry(sample).or_insert_with(|| self::pack(law, sample));
    samples(sounds).chunks(160).map(|chunk| chunk.iter().map(|sample| pack(*sample)).collect()).collect()
}

/// A packet (RFC 3550 §5.1) whose header begins with `first`; `behind` stands between its twelve bytes and the audio.
pub fn rtp(first: u8, law: Law, number: usize, behind: &[u8], audio: &[u8]) -> Vec<u8> {
    let payload_type = if law == Law::Mu { 0 } else { 8 };
    let number = u16::try_from(number).unwrap();
    let time = (u32::from(number) * 160).to_be_bytes();
    [&[first, payload_type][..], &number.to_be_bytes(), &time, &[1, 2, 3, 4], behind, audio].concat()
}
