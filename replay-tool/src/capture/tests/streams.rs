//! TCP: order, holes, beginnings that were not captured.

use super::*;
use crate::packets::{ACK, Pcap, RST, SYN, segment};

/// One direction of a connection that is captured, a millisecond a segment.
struct Talk {
    capture: Pcap,
    at: u64,
}

const FIRST: u32 = u32::MAX - 700;

impl Talk {
    fn new() -> Self {
        Self { capture: Pcap::new(101), at: 0 }
    }

    fn begun() -> Self {
        let mut talk = Self::new();
        talk.push(segment(ALICE, BOB, FIRST.wrapping_sub(1), 0, SYN, b""));
        talk.push(segment(BOB, ALICE, 9_999, FIRST, SYN | ACK, b""));
        talk
    }

    fn push(&mut self, packet: Vec<u8>) {
        self.at += 1000;
        self.capture = self.capture.clone().add(self.at, &packet);
    }

    /// Bytes `from..to` of what Alice says.
    fn say(mut self, text: &[u8], from: usize, to: usize) -> Self {
        let seq = FIRST.wrapping_add(u32::try_from(from).unwrap());
        self.push(segment(ALICE, BOB, seq, 1, ACK, &text[from..to]));
        self
    }

    fn acknowledged(mut self, bytes: u32) -> Self {
        self.push(segment(BOB, ALICE, 10_000, FIRST.wrapping_add(bytes), ACK, b""));
        self
    }

    fn wait(mut self, millis: u64) -> Self {
        self.at += millis * 1000;
        self
    }

    fn seen(self) -> Seen {
        import(&self.capture.bytes)
    }
}

/// Three messages in a row, 1,200 bytes or so: sequence numbers wrap in the second.
fn three() -> Vec<u8> {
    [message("a", 350), message("b", 340), message("c", 330)].concat()
}

const ALL: [&str; 3] = ["a", "b", "c"];

#[test]
fn messages_are_cut_out_whatever_the_segments() {
    let text = three();
    for size in [1, 7, 100, 500, text.len()] {
        let mut talk = Talk::begun();
        for from in (0..text.len()).step_by(size) {
            talk = talk.say(&text, from, (from + size).min(text.len()));
        }
        let seen = talk.seen();
        assert_eq!(seen.calls(), ALL, "{size}");
        assert_eq!(seen.skipped(), [], "{size}");
        assert_eq!(seen.sightings.iter().map(|s| s.bytes.len()).sum::<usize>(), text.len());
    }
}

#[test]
fn the_time_of_a_message_is_that_of_the_segment_that_completes_it() {
    let text = message("a", 100);
    let seen = Talk::begun().say(&text, 0, 50).wait(300).say(&text, 50, text.len()).seen();
    assert_eq!(seen.sightings[0].at.micros() - crate::packets::START, 304_000);
}

#[test]
fn segments_out_of_order_again_and_overlapping_give_each_byte_once() {
    let text = three();
    let end = text.len();
    for (what, talk) in [
        ("out of order", Talk::begun().say(&text, 600, end).say(&text, 300, 600).say(&text, 0, 300)),
        (
            "again",
            Talk::begun().say(&text, 0, 600).say(&text, 0, 600).say(&text, 600, end).say(&text, 600, end),
        ),
        ("overlapping", Talk::begun().say(&text, 0, 500).say(&text, 200, 900).say(&text, 100, end)),
        ("overlapping early", Talk::begun().say(&text, 500, 900).say(&text, 400, end).say(&text, 0, 600)),
        (
            "a hole filled late",
            Talk::begun().say(&text, 0, 100).say(&text, 600, end).wait(9000).say(&text, 100, 600),
        ),
    ] {
        let seen = talk.seen();
        assert_eq!(seen.calls(), ALL, "{what}");
        assert_eq!(seen.skipped(), [], "{what}");
    }
}

#[test]
fn a_lost_segment_costs_the_messages_it_held_and_no_more() {
    let text = three();
    let end = text.len();
    for (what, talk) in [
        ("at the end of the capture", Talk::begun().say(&text, 0, 500).say(&text, 600, end)),
        (
            "acknowledged",
            Talk::begun()
                .say(&text, 0, 500)
                .say(&text, 600, end)
                .acknowledged(1200)
                .wait(300)
                .acknowledged(1200),
        ),
        ("by a reset", {
            let mut talk = Talk::begun().say(&text, 0, 500).say(&text, 600, end);
            talk.push(segment(BOB, ALICE, 10_000, 0, RST, b""));
            talk
        }),
    ] {
        let seen = talk.seen();
        assert_eq!(seen.calls(), ["a", "c"], "{what}");
        assert_eq!(seen.outcome.tally.gaps, 1, "{what}");
    }
}

#[test]
fn what_the_receiver_acknowledged_a_moment_ago_may_still_come() {
    let text = three();
    let talk = Talk::begun().say(&text, 600, text.len()).acknowledged(1200).wait(50).say(&text, 0, 600);
    let seen = talk.seen();
    assert_eq!((seen.calls(), seen.skipped()), (ALL.map(str::to_owned).to_vec(), vec![]));
}

#[test]
fn a_stream_whose_beginning_is_missing_is_taken_up_at_the_next_message() {
    let text = three();
    let boundary = message("a", 350).len();
    for from in [0, 20, 200, boundary, boundary + 3] {
        let seen = Talk::new().say(&text, from, 900).say(&text, 900, text.len()).seen();
        let expected = if from == 0 {
            &ALL[..]
        } else if from <= boundary {
            &ALL[1..]
        } else {
            &ALL[2..]
        };
        assert_eq!(seen.calls(), expected, "from {from}");
    }
}

#[test]
fn the_torn_tail_of_a_request_line_is_no_request() {
    let text = three();
    let seen = Talk::new().say(&text, 1, text.len()).seen();
    assert_eq!(seen.calls(), ["b", "c"], "YE sip:bob@192.0.2.2 SIP/2.0 is no request of method YE");
}

#[test]
fn strange_bytes_between_messages_are_passed_over() {
    let text = [
        message("a", 0),
        b"HELLO there\r\nJUNK\r\n\x00\xff\r\n".to_vec(),
        message("b", 0),
        b"\r\n\r\n".to_vec(),
        message("c", 0),
    ]
    .concat();
    let seen = Talk::begun().say(&text, 0, 40).say(&text, 40, text.len()).seen();
    assert_eq!((seen.calls(), seen.skipped()), (ALL.map(str::to_owned).to_vec(), vec![("tcp_unframed", 1)]));
}

#[test]
fn a_message_without_a_length_ends_with_its_header() {
    let text = [b"OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nCall-ID: a\r\n\r\n".to_vec(), message("b", 9)].concat();
    assert_eq!(Talk::begun().say(&text, 0, 30).say(&text, 30, text.len()).seen().calls(), ["a", "b"]);
}

#[test]
fn a_new_connection_on_the_same_ports_begins_anew() {
    let text = three();
    let mut talk = Talk::begun().say(&text, 0, 100);
    talk.push(segment(ALICE, BOB, 77, 0, SYN, b""));
    talk.push(segment(ALICE, BOB, 78, 1, ACK, &message("d", 0)));
    talk.push(segment(ALICE, BOB, 1_000_000_000, 1, ACK, &message("e", 0)));
    assert_eq!(talk.seen().calls(), ["d", "e"]);
}

#[test]
fn other_streams_are_forgotten_and_all_bounded() {
    let mut capture = Pcap::new(101);
    for port in 1..20_000_u32 {
        let source = format!("192.0.2.1:{}", 1024 + port);
        capture = capture.add(port.into(), &segment(&source, BOB, 99, 0, SYN, b""));
        if port % 2 == 0 {
            capture =
                capture.add(port.into(), &segment(&source, BOB, 100, 1, ACK, b"\x16\x03\x01\x00\x05hello"));
        }
    }
    capture = capture.add(99_999, &segment("192.0.2.9:9", BOB, 1, 1, ACK, &message("a", 0)));
    assert_eq!(import(&capture.bytes).calls(), ["a"]);
}

#[test]
fn what_waits_behind_a_hole_is_bounded() {
    let text = message("a", 1000).repeat(400);
    let mut talk = Talk::begun().say(&text, 0, 10);
    for from in (1000..text.len() - 1000).step_by(1000) {
        talk = talk.say(&text, from, from + 1000);
    }
    let seen = talk.seen();
    assert_eq!(seen.outcome.tally.gaps, 1);
    assert!(seen.sightings.len() > 390, "{} of 399", seen.sightings.len());
}

#[test]
fn what_waits_in_all_streams_together_is_bounded() {
    let text = message("a", 60_000);
    let mut capture = Pcap::new(101);
    for port in 1..3000_u32 {
        let source = format!("192.0.2.1:{}", 1024 + port);
        capture = capture.add(port.into(), &segment(&source, BOB, 99, 0, SYN, b""));
        capture = capture.add(port.into(), &segment(&source, BOB, 100, 1, ACK, &text[..50_000]));
    }
    let last = segment("192.0.2.1:4023", BOB, 50_100, 1, ACK, &text[50_000..]);
    let seen = import(&capture.add(9999, &last).bytes);
    assert_eq!(seen.calls(), ["a"], "the newest streams are kept");
    assert!(seen.outcome.tally.unframed > 1000, "the oldest were given up: {:?}", seen.outcome.tally);
}
