//! Whatever the bytes: no panic, no memory without bound, nothing invented.

use proptest::prelude::*;

use super::*;
use crate::packets::{ACK, BIG, LITTLE, Pcap, PcapNg, START, SYN, datagram, ether, frame, segment};

/// A good capture with something of everything.
fn sample(which: usize) -> Vec<u8> {
    let packets = [
        ether(&datagram(ALICE, BOB, &message("a", 30))),
        ether(&datagram("[2001:db8::1]:5060", "[2001:db8::2]:5060", &message("b", 30))),
        ether(&segment(ALICE, BOB, 99, 0, SYN, b"")),
        ether(&segment(ALICE, BOB, 100, 1, ACK, &message("c", 30))),
        ether(&segment(
            "192.0.2.7:80",
            BOB,
            100,
            1,
            ACK,
            &frame(0x81, Some([1, 2, 3, 4]), &message("d", 30)),
        )),
        ether(&datagram(ALICE, BOB, b"HEP3\x00\x0c\0\0\0\x03\0\x01")),
    ];
    let every = |at: usize| at as u64 * 1000;
    match which {
        0 => {
            packets
                .iter()
                .enumerate()
                .fold(Pcap::new(1), |file, (at, packet)| file.add(every(at), packet))
                .bytes
        }
        1 | 2 => {
            let file = PcapNg::default().section(if which == 1 { LITTLE } else { BIG }).interface(1, 0, &[]);
            let add =
                |file: PcapNg, (at, packet): (usize, &Vec<u8>)| file.enhanced(0, START + every(at), packet);
            packets.iter().enumerate().fold(file, add).bytes
        }
        _ => [&b"HEP3\x00\x0c\0\0\0\x0c\0\x06"[..], b"HEP3\x00\x07\0"].concat(),
    }
}

/// Reads it; a file that is refused is fine.
fn survive(bytes: &[u8]) -> usize {
    let mut witness = Witness::default();
    if let Ok(capture) = Capture::open(bytes) {
        capture.read(&mut witness, &mut || {});
    }
    witness.sightings.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_behind_any_magic_are_survived(which in 0_usize..4, bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let head = &sample(which)[..24.min(sample(which).len())];
        survive(&[head, &bytes].concat());
    }

    #[test]
    fn random_packets_on_any_link_are_survived(link in prop::sample::select(vec![0_u16, 1, 9, 12, 101, 108, 113, 228, 229, 276, 127]), packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8)) {
        survive(&packets.iter().fold(Pcap::new(link), |file, packet| file.add(0, packet)).bytes);
    }

    #[test]
    fn changed_captures_are_read_as_far_as_they_go(which in 0_usize..4, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>()) {
        let mut bytes = sample(which);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        prop_assert!(survive(&bytes) <= 12);
        bytes.truncate(cut.index(bytes.len()));
        survive(&bytes);
    }

    #[test]
    fn a_stream_gives_the_same_messages_in_whatever_order_its_segments_come(
        sizes in prop::collection::vec(1_usize..200, 1..60),
        shuffle in Just((0..60_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let text: Vec<u8> = (0..12).flat_map(|call| message(&call.to_string(), 37 * call)).collect();
        let mut segments = Vec::new();
        let mut from = 0;
        for size in sizes.into_iter().cycle() {
            if from >= text.len() || segments.len() == 59 {
                break;
            }
            let to = (from + size).min(text.len());
            segments.push((from, to));
            from = to;
        }
        segments.push((from, text.len()));
        let mut capture = Pcap::new(101).add(0, &segment(ALICE, BOB, 99, 0, SYN, b""));
        for index in shuffle {
            if let Some(&(from, to)) = segments.get(index) {
                let seq = 100 + u32::try_from(from).unwrap();
                capture = capture.add(1, &segment(ALICE, BOB, seq, 1, ACK, &text[from..to]));
            }
        }
        let expected: Vec<String> = (0..12).map(|call: usize| call.to_string()).collect();
        prop_assert_eq!(import(&capture.bytes).calls(), expected);
    }
}
