//! Datagrams: what is SIP, fragments, duplicates.

use std::net::SocketAddr;

use super::*;
use crate::packets::{Ip, Pcap, datagram, ipv6, udp};

/// A datagram in fragments of `size` bytes: for each its packet.
fn fragments(source: &str, destination: &str, id: u16, payload: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (source, destination): (SocketAddr, SocketAddr) =
        (source.parse().unwrap(), destination.parse().unwrap());
    let whole = udp(source.port(), destination.port(), payload);
    let count = whole.chunks(size).count();
    let part = |(index, chunk): (usize, &[u8])| {
        let offset = u16::try_from(index * size).unwrap();
        Ip { id, fragment: Some((offset, index + 1 < count)), ..Ip::udp(source, destination) }.packet(chunk)
    };
    whole.chunks(size).enumerate().map(part).collect()
}

/// A capture of raw IP packets, a millisecond apart.
fn raw(packets: &[Vec<u8>]) -> Vec<u8> {
    let add = |capture: Pcap, (index, packet): (usize, &Vec<u8>)| capture.add(index as u64 * 1000, packet);
    packets.iter().enumerate().fold(Pcap::new(101), add).bytes
}

#[test]
fn sip_is_recognised_by_its_content_on_any_port() {
    for (payload, messages) in [
        (message("a", 0), 1),
        ([b"\r\n\r\n".to_vec(), message("a", 0)].concat(), 1),
        (b"\r\n\r\n".to_vec(), 0),
        (b"\x80\x08\x00\x01voice".to_vec(), 0),
        (b"\x00\x01\x00\x00\x21\x12\xa4\x42".to_vec(), 0),
        (Vec::new(), 0),
        (b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n".to_vec(), 0),
    ] {
        let seen = import(&raw(&[datagram("192.0.2.1:9", "192.0.2.2:53", &payload)]));
        assert_eq!(seen.sightings.len(), messages, "{}", payload.escape_ascii());
        assert!(seen.sightings.iter().all(|sighting| sighting.bytes.starts_with(b"BYE")));
    }
}

#[test]
fn fragments_become_one_message_in_any_order() {
    let body = message("a", 3000);
    for (source, destination) in [(ALICE, BOB), ("[2001:db8::1]:5062", "[2001:db8::2]:6000")] {
        let parts = fragments(source, destination, 7, &body, 1000);
        assert_eq!(parts.len(), 4);
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut shuffled = order.map(|index| parts[index].clone()).to_vec();
            shuffled.insert(2, shuffled[1].clone());
            let seen = import(&raw(&shuffled));
            assert_eq!(seen.sightings.len(), 1, "{order:?}: {:?}", seen.outcome);
            assert_eq!(seen.sightings[0].bytes, body);
            assert_eq!(seen.skipped(), []);
        }
    }
}

#[test]
fn two_datagrams_in_fragments_at_once_are_kept_apart() {
    let (one, other) = (
        fragments(ALICE, BOB, 1, &message("a", 2000), 1024),
        fragments(ALICE, BOB, 2, &message("b", 2000), 1024),
    );
    let mixed: Vec<_> = one.into_iter().zip(other).flat_map(|(one, other)| [one, other]).collect();
    assert_eq!(import(&raw(&mixed)).calls(), ["a", "b"]);
}

#[test]
fn overlapping_fragments_spoil_their_packet() {
    let parts = fragments(ALICE, BOB, 7, &message("a", 3000), 1000);
    let evil =
        Ip { id: 7, fragment: Some((992, true)), ..Ip::udp(ALICE.parse().unwrap(), BOB.parse().unwrap()) };
    let seen = import(&raw(&[
        parts[0].clone(),
        evil.packet(&[b'x'; 16]),
        parts[1].clone(),
        parts[2].clone(),
        parts[3].clone(),
    ]));
    assert_eq!((seen.calls(), seen.skipped()), (vec![], vec![("fragments", 1)]));
}

#[test]
fn a_fragment_that_never_comes_is_counted_and_its_number_may_be_used_again() {
    let parts = fragments(ALICE, BOB, 7, &message("a", 2000), 1000);
    let capture = Pcap::new(101).add(0, &parts[0]).add(1, &parts[1]);
    assert_eq!(import(&capture.clone().bytes).skipped(), [("fragments", 1)]);
    let minute = 60_000_000;
    let again = parts.iter().fold(capture, |capture, part| capture.add(minute, part));
    let seen = import(&again.bytes);
    assert_eq!((seen.calls(), seen.skipped()), (vec!["a".into()], vec![("fragments", 1)]));
}

#[test]
fn fragments_without_end_take_bounded_memory() {
    let mut capture = Pcap::new(101);
    for id in 0..5000 {
        capture = capture.add(id.into(), &fragments(ALICE, BOB, id, &message("a", 2000), 1000)[0]);
    }
    assert_eq!(import(&capture.bytes).skipped(), [("fragments", 5000)]);
}

#[test]
fn extension_headers_of_ipv6_are_passed() {
    let payload = udp(5062, 6000, &message("a", 0));
    let hop_by_hop = [60, 0, 1, 4, 0, 0, 0, 0];
    let options = [17, 0, 1, 4, 0, 0, 0, 0];
    let packet = ipv6([1; 16], [2; 16], 0, &[&hop_by_hop[..], &options, &payload].concat());
    assert_eq!(import(&raw(&[packet])).calls(), ["a"]);
}

#[test]
fn a_packet_captured_twice_is_one_message_and_a_retransmission_is_two() {
    let from = |id| {
        let ip = Ip { id, ..Ip::udp(ALICE.parse().unwrap(), BOB.parse().unwrap()) };
        ip.packet(&udp(5062, 6000, &message("a", 0)))
    };
    let mut other_hop = from(1);
    other_hop[8] -= 1;
    for (what, after, packet, messages) in [
        ("the same", 30, from(1), 1),
        ("the same, routed", 30, other_hop, 1),
        ("sent again at once", 30, from(2), 2),
        ("sent again", 500_000, from(1), 2),
        ("to somebody else", 30, datagram(ALICE, "192.0.2.3:6000", &message("a", 0)), 2),
    ] {
        let seen = import(&Pcap::new(101).add(0, &from(1)).add(after, &packet).bytes);
        assert_eq!(seen.sightings.len(), messages, "{what}");
        assert_eq!(seen.outcome.tally.echoes, 2 - messages as u64, "{what}");
    }
}

#[test]
fn interfaces_captured_a_little_out_of_order_give_messages_in_order() {
    let at = |id: &str| datagram(ALICE, BOB, &message(id, 0));
    let capture = Pcap::new(101)
        .add(900_000, &at("c"))
        .add(100_000, &at("a"))
        .add(400_000, &at("b"))
        .add(5_000_000, &at("d"));
    assert_eq!(import(&capture.bytes).calls(), ["a", "b", "c", "d"]);
}
