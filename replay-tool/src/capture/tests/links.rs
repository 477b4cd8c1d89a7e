//! Every link type, with the same datagram in it.

use super::*;
use crate::packets::{Ip, Pcap, datagram, ether, ethertype, tagged};

const SIX: (&str, &str) = ("[2001:db8::1]:5062", "[2001:db8::2]:6000");

/// Frames as each link makes them, by link type.
fn rows(packet: &[u8]) -> Vec<(&'static str, u16, Vec<u8>)> {
    let kind = ethertype(packet);
    let is_six = packet[0] >> 4 == 6;
    let family: u32 = if is_six { 30 } else { 2 };
    let ppp: [u8; 2] = if is_six { [0x00, 0x57] } else { [0x00, 0x21] };
    let join = |parts: &[&[u8]]| [parts, &[packet]].concat().concat();
    let mut rows = vec![
        ("Ethernet", 1, ether(packet)),
        ("Ethernet with a trailer", 1, [ether(packet), vec![0; 6]].concat()),
        ("VLAN", 1, tagged(&[0x81, 0x00, 0x00, 0x07], packet)),
        ("QinQ", 1, tagged(&[0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x00, 0x08], packet)),
        ("old QinQ", 1, tagged(&[0x91, 0x00, 0x00, 0x07, 0x81, 0x00, 0x00, 0x08], packet)),
        ("MPLS", 1, join(&[&[2; 12], &[0x88, 0x47], &[0, 1, 0, 64], &[0, 2, 1, 64]])),
        ("PPPoE", 1, join(&[&[2; 12], &[0x88, 0x64], &[0x11, 0, 0, 1, 0, 0], &ppp])),
        ("PPP", 9, join(&[&[0xff, 0x03], &ppp])),
        ("PPP, bare and compressed", 9, join(&[&ppp[1..]])),
        ("cooked", 113, join(&[&[0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0], &kind])),
        ("cooked, VLAN", 113, join(&[&[0; 14], &[0x81, 0x00, 0x00, 0x07], &kind])),
        ("cooked v2", 276, join(&[&kind, &[0; 18]])),
        ("loopback, little", 0, join(&[&family.to_le_bytes()])),
        ("loopback, big", 0, join(&[&family.to_be_bytes()])),
        ("OpenBSD loopback", 108, join(&[&family.to_be_bytes()])),
        ("raw", 101, packet.to_vec()),
        ("raw of BSD", 12, packet.to_vec()),
        ("raw of OpenBSD", 14, packet.to_vec()),
        ("raw of one version", if is_six { 229 } else { 228 }, packet.to_vec()),
    ];
    let outer =
        |protocol| Ip { protocol, ..Ip::udp("10.0.0.1:0".parse().unwrap(), "10.0.0.2:0".parse().unwrap()) };
    rows.push(("IP in IP", 1, ether(&outer(if is_six { 41 } else { 4 }).packet(packet))));
    let (from, to) = ("[fd00::1]:0".parse().unwrap(), "[fd00::2]:0".parse().unwrap());
    let outer = Ip { protocol: if is_six { 41 } else { 4 }, ..Ip::udp(from, to) };
    rows.push(("IP in IPv6", 1, ether(&outer.packet(packet))));
    rows
}

#[test]
fn the_datagram_is_found_behind_every_link() {
    for (source, destination) in [(ALICE, BOB), SIX] {
        let body = message("a", 40);
        for (name, link, frame) in rows(&datagram(source, destination, &body)) {
            let seen = import(&Pcap::new(link).add(0, &frame).bytes);
            let [sighting] = &seen.sightings[..] else { panic!("{name}: {:?}", seen.outcome) };
            assert_eq!(sighting.source, source.parse().unwrap(), "{name}");
            assert_eq!(sighting.destination, destination.parse().unwrap(), "{name}");
            assert_eq!(sighting.bytes, body, "{name}");
            assert_eq!(seen.skipped(), [], "{name}");
        }
    }
}

#[test]
fn a_frame_that_ends_anywhere_is_never_taken_for_something_else() {
    for (name, link, frame) in rows(&datagram(ALICE, BOB, &message("a", 0))) {
        for kept in 0..frame.len() {
            let seen = import(&Pcap::new(link).cut(0, &frame, kept).bytes);
            // All that may be missing is a trailer of the link.
            let whole = name == "Ethernet with a trailer" && kept >= frame.len() - 6;
            assert_eq!(seen.sightings.len(), usize::from(whole), "{name} at {kept}");
        }
    }
}

#[test]
fn a_cut_message_is_counted() {
    let frame = ether(&datagram(ALICE, BOB, &message("a", 40)));
    let seen = import(&Pcap::new(1).cut(0, &frame, 96).bytes);
    assert_eq!(seen.skipped(), [("cut_off", 1)]);
}

#[test]
fn links_that_are_not_read_are_named() {
    let seen = import(&Pcap::new(127).add(0, &[0; 60]).add(1, &[0; 60]).bytes);
    assert!(seen.outcome.tally.is_foreign());
    let [skipped] = &seen.outcome.tally.skipped()[..] else { panic!("{:?}", seen.outcome) };
    assert_eq!(skipped.count, 2);
    assert_eq!(skipped.what, "packets of link type 127 (IEEE 802.11 with radiotap header)");
}

#[test]
fn tunnels_in_tunnels_end_somewhere() {
    let mut packet = datagram(ALICE, BOB, &message("a", 0));
    for _ in 0..1000 {
        packet = Ip { protocol: 4, ..Ip::udp(ALICE.parse().unwrap(), BOB.parse().unwrap()) }.packet(&packet);
    }
    assert_eq!(import(&Pcap::new(101).add(0, &packet).bytes).sightings, []);
}
