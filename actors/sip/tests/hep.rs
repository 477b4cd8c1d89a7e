//! HEP as its senders write it, and as a stranger might.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]

use std::net::SocketAddr;

use callbox_events::Timestamp;
use callbox_events::sip::Transport;
use callbox_sip::observe::Sighting;
use callbox_sip::observe::hep::{self, Content, HepError, Packet};
use proptest::prelude::*;

const BYE: &[u8] = b"BYE sip:bob@192.0.2.2 SIP/2.0\r\nCall-ID: a\r\nContent-Length: 0\r\n\r\n";
const RECEIVED: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn chunk(vendor: u16, kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 6).unwrap();
    [&vendor.to_be_bytes()[..], &kind.to_be_bytes(), &length.to_be_bytes(), value].concat()
}

fn hep3(chunks: &[Vec<u8>]) -> Vec<u8> {
    let chunks = chunks.concat();
    [b"HEP3".as_slice(), &u16::try_from(chunks.len() + 6).unwrap().to_be_bytes(), &chunks].concat()
}

fn addresses() -> Vec<Vec<u8>> {
    vec![
        chunk(0, 1, &[2]),
        chunk(0, 2, &[17]),
        chunk(0, 3, &[192, 0, 2, 1]),
        chunk(0, 4, &[192, 0, 2, 2]),
        chunk(0, 7, &5060_u16.to_be_bytes()),
        chunk(0, 8, &5080_u16.to_be_bytes()),
        chunk(0, 9, &1_700_000_000_u32.to_be_bytes()),
        chunk(0, 10, &123_456_u32.to_be_bytes()),
        chunk(0, 11, &[1]),
        chunk(0, 12, &7_u32.to_be_bytes()),
    ]
}

fn with(more: &[Vec<u8>]) -> Vec<u8> {
    hep3(&[addresses(), more.to_vec()].concat())
}

/// What everything here describes: a BYE from .1 to .2.
fn seen() -> Sighting {
    Sighting {
        at: Timestamp::from_micros(1_700_000_000_123_456),
        source: "192.0.2.1:5060".parse().unwrap(),
        destination: "192.0.2.2:5080".parse().unwrap(),
        transport: Transport::Udp,
        bytes: BYE.into(),
    }
}

fn sighting(bytes: &[u8]) -> Sighting {
    match hep::decode(bytes, RECEIVED).unwrap().content {
        Content::Sip(sighting) => sighting,
        Content::Other => panic!("no SIP in it"),
    }
}

/// The header of version 1 or 2 with its time as given.
fn fixed(version: u8, length: u8, time: &[u8]) -> Vec<u8> {
    let ports = [5060_u16.to_be_bytes(), 5080_u16.to_be_bytes()].concat();
    [&[version, length, 2, 17], &ports[..], &[192, 0, 2, 1, 192, 0, 2, 2], time, BYE].concat()
}

#[test]
fn version_3_says_who_sent_what_to_whom_and_when() {
    assert_eq!(sighting(&with(&[chunk(0, 15, BYE)])), seen());
}

#[test]
fn version_3_over_ipv6_and_tcp() {
    let (source, destination): (SocketAddr, SocketAddr) =
        ("[2001:db8::1]:5060".parse().unwrap(), "[2001:db8::2]:40000".parse().unwrap());
    let ip = |address: SocketAddr| match address {
        SocketAddr::V6(address) => address.ip().octets(),
        SocketAddr::V4(_) => panic!("{address}"),
    };
    let packet = hep3(&[
        chunk(0, 2, &[6]),
        chunk(0, 5, &ip(source)),
        chunk(0, 6, &ip(destination)),
        chunk(0, 7, &source.port().to_be_bytes()),
        chunk(0, 8, &destination.port().to_be_bytes()),
        chunk(0, 15, BYE),
    ]);
    let expected =
        Sighting { at: RECEIVED, source, destination, transport: Transport::Tcp, bytes: BYE.into() };
    assert_eq!(sighting(&packet), expected, "and a sender without a clock gets the time of receipt");
}

#[test]
fn a_compressed_payload_is_expanded() {
    let compressed = miniz_oxide::deflate::compress_to_vec_zlib(BYE, 6);
    assert_eq!(sighting(&with(&[chunk(0, 16, &compressed)])), seen());
}

#[test]
fn a_small_packet_can_not_expand_into_a_large_one() {
    let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![b'A'; 40_000_000], 9);
    assert!(bomb.len() < 60_000);
    assert_eq!(hep::decode(&with(&[chunk(0, 16, &bomb)]), RECEIVED), Err(HepError::Compression));
}

#[test]
fn chunks_of_vendors_and_of_the_future_are_passed_over() {
    let packet = with(&[chunk(3, 15, b"not a payload"), chunk(0, 0x7777, b"?"), chunk(0, 15, BYE)]);
    assert_eq!(sighting(&packet), seen());
}

#[test]
fn the_authentication_key_is_told() {
    let packet = with(&[chunk(0, 14, b"secret"), chunk(0, 15, BYE)]);
    let Packet { key, .. } = hep::decode(&packet, RECEIVED).unwrap();
    assert_eq!(key.as_deref(), Some(&b"secret"[..]));
}

#[test]
fn reports_and_signs_of_life_are_no_sip_and_no_error() {
    for more in [vec![chunk(0, 15, b"\x81\xc8\x00\x06rtcp")], vec![chunk(0, 15, b"{\"log\":1}")]] {
        assert_eq!(hep::decode(&with(&more), RECEIVED).unwrap().content, Content::Other);
    }
    let alive = hep3(&[chunk(0, 12, &7_u32.to_be_bytes())]);
    assert_eq!(hep::decode(&alive, RECEIVED).unwrap().content, Content::Other);
}

#[test]
fn versions_1_and_2_are_read_in_every_byte_order_and_padding() {
    let (seconds, micros) = (1_700_000_000_u32, 123_456_u32);
    let little = [seconds.to_le_bytes(), micros.to_le_bytes()].concat();
    let big = [seconds.to_be_bytes(), micros.to_be_bytes()].concat();
    for (what, packet) in [
        ("as a C compiler on a PC lays it out", fixed(2, 16, &[&little[..], &[7, 0, 0, 0]].concat())),
        ("without padding", fixed(2, 26, &[&little[..], &[7, 0]].concat())),
        ("in network order", fixed(2, 28, &[&big[..], &[0, 7, 0, 0]].concat())),
    ] {
        assert_eq!(sighting(&packet), seen(), "{what}");
    }
    assert_eq!(sighting(&fixed(1, 16, &[])), Sighting { at: RECEIVED, ..seen() });
}

#[test]
fn what_is_wrong_with_a_packet_is_said() {
    let whole = with(&[chunk(0, 15, BYE)]);
    for (bytes, error) in [
        (b"INVITE".to_vec(), HepError::NotHep),
        (b"HEP3".to_vec(), HepError::Truncated),
        (b"HEP3\x00\x02".to_vec(), HepError::Truncated),
        (whole[..whole.len() - 1].to_vec(), HepError::Truncated),
        (with(&[chunk(0, 15, BYE), vec![0, 0, 0]]), HepError::Truncated),
        (with(&[vec![0, 0, 0, 15, 0, 5]]), HepError::Length),
        (with(&[chunk(0, 3, &[1, 2, 3])]), HepError::Length),
        (with(&[]), HepError::NoPayload),
        (with(&[chunk(0, 16, b"not zlib")]), HepError::Compression),
        (hep3(&[chunk(0, 15, BYE)]), HepError::NoAddress),
        (fixed(2, 16, &[])[..20].to_vec(), HepError::Truncated),
    ] {
        assert_eq!(hep::decode(&bytes, RECEIVED), Err(error), "{}", bytes.escape_ascii());
    }
}

#[test]
fn packets_in_a_row_can_be_cut() {
    let one = with(&[chunk(0, 15, BYE)]);
    let row = [&one[..], &one].concat();
    assert_eq!(hep::length(&row), Some(one.len()));
    assert_eq!(hep::length(b"HEP3\x00\x05"), None);
    assert_eq!(hep::length(&fixed(2, 16, &[0; 12])), None);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), version in 0..4_usize) {
        let start: &[u8] = [&b"HEP3"[..], &[2, 16, 2, 17], &[1, 40, 10, 6], &[]][version];
        let _ = hep::decode(&[start, &bytes].concat(), RECEIVED);
    }

    #[test]
    fn a_changed_packet_is_read_or_refused(at in 0_usize..300, byte in any::<u8>(), cut in 0_usize..300) {
        let mut packet = with(&[chunk(0, 14, b"key"), chunk(0, 15, BYE)]);
        let at = at % packet.len();
        packet[at] = byte;
        packet.truncate(packet.len() - cut % packet.len());
        let _ = hep::decode(&packet, RECEIVED);
    }
}
