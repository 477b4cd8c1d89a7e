//! Tones in the audio of a capture.

use callbox_sip::observe::tones::ToneKind;
use callbox_sip::observe::tones::g711::Law;

use super::*;
use crate::packets::{Pcap, datagram};
use crate::tones::{self, BUSY};

const MEDIA: &str = "192.0.2.1:4000";
const SERVER: &str = "192.0.2.9:7000";

/// A message whose session description wants audio at [`MEDIA`].
fn offer() -> Vec<u8> {
    let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0\r\n";
    let head = "INVITE sip:bob@192.0.2.2 SIP/2.0\r\nCall-ID: a\r\nContent-Type: application/sdp\r\n";
    format!("{head}Content-Length: {}\r\n\r\n{sdp}", sdp.len()).into_bytes()
}

/// Which packets are there, and how they look.
#[derive(Clone, Copy)]
struct Style {
    law: Law,
    destination: &'static str,
    /// Every how many packets one is lost.
    lost: usize,
    /// What the header begins with, and what follows its twelve bytes.
    first: u8,
    behind: &'static [u8],
    padding: &'static [u8],
}

const PLAIN: Style =
    Style { law: Law::A, destination: MEDIA, lost: usize::MAX, first: 0x80, behind: &[], padding: &[] };

/// Five seconds of busy tone from the server.
fn busy(mut capture: Pcap, style: Style) -> Pcap {
    let sounds = BUSY.repeat(5);
    for (number, audio) in tones::payloads(style.law, &sounds).iter().enumerate() {
        if (number + 1).is_multiple_of(style.lost) {
            continue;
        }
        let packet =
            tones::rtp(style.first, style.law, number, style.behind, &[audio, style.padding].concat());
        let at = 1_000_000 + number as u64 * 20_000;
        capture = capture.add(at, &datagram(SERVER, style.destination, &packet));
    }
    capture
}

fn kinds(seen: &Seen) -> Vec<ToneKind> {
    let mut kinds: Vec<_> = seen.tones.iter().map(|(_, tone)| tone.kind).collect();
    kinds.dedup();
    kinds
}

#[test]
fn a_busy_tone_is_heard_where_a_session_description_wants_audio() {
    for (what, style) in [
        ("A-law", PLAIN),
        ("µ-law", Style { law: Law::Mu, ..PLAIN }),
        ("some lost", Style { lost: 40, ..PLAIN }),
        (
            "sources, extension, padding",
            Style {
                first: 0xb1,
                behind: &[9, 9, 9, 9, 0xbe, 0xde, 0, 1, 7, 7, 7, 7],
                padding: &[0, 0, 3],
                ..PLAIN
            },
        ),
    ] {
        let seen = import(&busy(Pcap::new(101).add(0, &datagram(ALICE, BOB, &offer())), style).bytes);
        assert_eq!(kinds(&seen), [ToneKind::Busy], "{what}: {:?}", seen.tones);
        let (media, tone) = seen.tones[0];
        assert_eq!(media, MEDIA.parse().unwrap());
        let from = tone.from.micros() - crate::packets::START;
        assert!((950_000..1_100_000).contains(&from), "{what}: from {from}");
    }
}

#[test]
fn audio_that_nobody_wants_is_not_listened_to() {
    let elsewhere = Style { destination: "192.0.2.1:4002", ..PLAIN };
    assert!(
        import(&busy(Pcap::new(101).add(0, &datagram(ALICE, BOB, &offer())), elsewhere).bytes)
            .tones
            .is_empty()
    );
    assert!(import(&busy(Pcap::new(101), PLAIN).bytes).tones.is_empty());
}

#[test]
fn addresses_without_end_are_bounded() {
    let mut capture = Pcap::new(101);
    for port in 1024..20_000_u16 {
        let text = String::from_utf8(offer()).unwrap().replace("m=audio 4000", &format!("m=audio {port:05}"));
        let text = text.replace("Content-Length: 8", "Content-Length:  8");
        capture = capture.add(u64::from(port), &datagram(ALICE, BOB, text.as_bytes()));
    }
    let capture = capture.add(30_000, &datagram(ALICE, BOB, &offer()));
    assert_eq!(kinds(&import(&busy(capture, PLAIN).bytes)), [ToneKind::Busy], "the newest are remembered");
}
