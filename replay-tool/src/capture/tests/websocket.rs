//! SIP over WebSocket.

use super::*;
use crate::packets::{ACK, Pcap, SYN, frame, segment};

const MASK: Option<[u8; 4]> = Some([0x12, 0x34, 0x56, 0x78]);
const GET: &[u8] = b"GET /sip HTTP/1.1\r\nHost: pbx\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n";

/// What one side says, in segments of `size` bytes.
fn stream(begun: bool, text: &[u8], size: usize) -> Seen {
    let mut capture = Pcap::new(101);
    if begun {
        capture = capture.add(0, &segment(ALICE, BOB, 99, 0, SYN, b""));
    }
    for (index, part) in text.chunks(size).enumerate() {
        let seq = u32::try_from(100 + index * size).unwrap();
        capture = capture.add(1 + index as u64, &segment(ALICE, BOB, seq, 1, ACK, part));
    }
    import(&capture.bytes)
}

/// Two messages, the second in three frames with a ping between them.
fn frames(mask: Option<[u8; 4]>) -> Vec<u8> {
    let second = message("b", 300);
    [
        frame(0x81, mask, &message("a", 10)),
        frame(0x01, mask, &second[..100]),
        frame(0x89, mask, b"still there?"),
        frame(0x00, mask, &second[100..101]),
        frame(0x80, mask, &second[101..]),
        frame(0x8a, mask, b""),
        frame(0x82, mask, &message("c", 0)),
    ]
    .concat()
}

#[test]
fn both_sides_of_a_websocket_are_read_whatever_the_segments() {
    for (opening, mask) in [(GET, MASK), (SWITCHING, None)] {
        let text = [opening, &frames(mask)].concat();
        for size in [1, 10, 333, text.len()] {
            let seen = stream(true, &text, size);
            assert_eq!(seen.calls(), ["a", "b", "c"], "{size}");
            assert_eq!(seen.sightings[1].bytes, message("b", 300));
        }
        assert_eq!(stream(false, &text, text.len()).calls(), ["a", "b", "c"], "without its SYN");
    }
}

#[test]
fn a_websocket_that_was_opened_before_the_capture_is_recognised() {
    for mask in [MASK, None] {
        assert_eq!(stream(false, &frames(mask), 2000).calls(), ["a", "b", "c"]);
    }
}

#[test]
fn compressed_and_endless_messages_are_counted_and_passed_over() {
    let large = frame(0x01, MASK, &[b'x'; 60_000]);
    let text = [
        GET,
        &frame(0xc1, MASK, b"\x8a\x01\x02compressed"),
        &large,
        &large[..]
            .iter()
            .enumerate()
            .map(|(at, byte)| if at == 0 { 0x80 } else { *byte })
            .collect::<Vec<u8>>(),
        &frame(0x81, MASK, &message("a", 0)),
    ]
    .concat();
    let seen = stream(true, &text, 1400);
    assert_eq!((seen.calls(), seen.skipped()), (vec!["a".into()], vec![("websocket", 2)]));
}

#[test]
fn other_http_is_left_alone() {
    for opening in
        [&b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"]
    {
        assert_eq!(stream(true, &[opening, &frames(MASK)].concat(), 50).calls(), [""; 0]);
    }
}

#[test]
fn a_lost_segment_costs_frames_until_one_begins_a_segment() {
    let (first, last) = (frame(0x81, MASK, &message("a", 500)), frame(0x81, MASK, &message("b", 0)));
    let mut capture = Pcap::new(101).add(0, &segment(ALICE, BOB, 99, 0, SYN, b""));
    capture = capture.add(1, &segment(ALICE, BOB, 100, 1, ACK, GET));
    let begin = 100 + u32::try_from(GET.len()).unwrap();
    capture = capture.add(2, &segment(ALICE, BOB, begin, 1, ACK, &first[..100]));
    let behind = begin + u32::try_from(first.len()).unwrap();
    capture = capture.add(3, &segment(ALICE, BOB, behind, 1, ACK, &last));
    let seen = import(&capture.bytes);
    assert_eq!((seen.calls(), seen.skipped()), (vec!["b".into()], vec![("tcp_gaps", 1)]));
}
