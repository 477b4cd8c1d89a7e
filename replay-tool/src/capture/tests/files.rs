//! The formats of files, whole and broken.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::capture::input::Input;
use crate::capture::{Format, NotACapture};
use crate::packets::{BIG, LITTLE, Pcap, PcapNg, START, datagram, ether};

fn bye(id: &str) -> Vec<u8> {
    ether(&datagram(ALICE, BOB, &message(id, 0)))
}

#[test]
fn every_kind_of_pcap_is_read() {
    for magic in [0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34] {
        for big in [LITTLE, BIG] {
            let capture = Pcap::with(big, magic, 1).add(123_456, &bye("a")).add(2_000_001, &bye("b"));
            let seen = import(&capture.bytes);
            assert_eq!(seen.calls(), ["a", "b"], "{magic:x} {big}");
            let at: Vec<u64> = seen.sightings.iter().map(|sighting| sighting.at.micros() - START).collect();
            assert_eq!(at, [123_456, 2_000_001], "{magic:x} {big}");
            assert_eq!(seen.outcome.format, Format::Pcap);
            assert_eq!(seen.outcome.broken, None);
        }
    }
}

#[test]
fn a_pcapng_has_sections_interfaces_and_packets_of_three_kinds() {
    let file = |big| {
        let file = PcapNg::default().section(big).interface(1, 0, &[]);
        let nanos = [file.option(2, b"eth0"), file.option(9, &[9]), file.option(0, &[])].concat();
        let offset = if big { 1_700_000_000_i64.to_be_bytes() } else { 1_700_000_000_i64.to_le_bytes() };
        let halves = [file.option(9, &[0x81]), file.option(14, &offset), file.option(0, &[])].concat();
        file.interface(101, 0, &nanos)
            .interface(1, 0, &halves)
            .block(5, &[0; 12])
            .enhanced(0, START + 10, &bye("micros"))
            .block(0x0bad, b"who knows")
            .enhanced(1, (START + 20) * 1000 + 999, &datagram(ALICE, BOB, &message("nanos", 0)))
            .simple(&bye("timeless"))
            .enhanced(2, 1, &bye("halves"))
            .obsolete(0, START + 600_000, &bye("obsolete"))
    };
    for big in [LITTLE, BIG] {
        let seen = import(&file(big).bytes);
        let found: Vec<_> =
            seen.calls().into_iter().zip(seen.sightings.iter().map(|s| s.at.micros() - START)).collect();
        let expected =
            [("micros", 10), ("nanos", 20), ("timeless", 20), ("halves", 500_000), ("obsolete", 600_000)];
        assert_eq!(found, expected.map(|(id, at)| (id.to_owned(), at)));
        assert_eq!(seen.outcome.broken, None);
    }
    let both = [file(LITTLE).bytes, file(BIG).bytes].concat();
    assert_eq!(import(&both).calls().len(), 10, "each section has a byte order and interfaces of its own");
}

#[test]
fn a_malformed_option_costs_nothing_but_itself() {
    let file = PcapNg::default().section(LITTLE);
    let options = [file.option(2, b"eth0"), vec![9, 0, 255, 255, 1]].concat();
    let file = file.interface(1, 0, &options).enhanced(0, START, &bye("a"));
    assert_eq!(import(&file.bytes).calls(), ["a"]);
}

#[test]
fn packets_of_undeclared_interfaces_are_counted() {
    let file = PcapNg::default().section(LITTLE).simple(&bye("a")).interface(1, 0, &[]);
    let seen = import(&file.enhanced(7, START, &bye("b")).enhanced(0, START, &bye("c")).bytes);
    assert_eq!((seen.calls(), seen.skipped()), (vec!["c".into()], vec![("undeclared_interface", 2)]));
}

#[test]
fn a_block_that_nobody_needs_may_be_larger_than_memory_should_be() {
    let mut file = PcapNg::default().section(LITTLE).interface(1, 0, &[]);
    file = file.block(0x0bad, &vec![0; 20 << 20]).enhanced(0, START, &bye("a"));
    assert_eq!(import(&file.bytes).calls(), ["a"]);
}

#[test]
fn where_a_file_breaks_is_said_and_what_comes_before_is_kept() {
    let pcap = Pcap::new(1).add(0, &bye("a"));
    let (start, record) = (24, pcap.bytes.len() - 24);
    let section = PcapNg::default().section(LITTLE).interface(1, 0, &[]).enhanced(0, START, &bye("a"));
    let length = section.bytes.len();
    let mut torn = section.clone().enhanced(0, START, &bye("b")).bytes;
    torn[length + 4] ^= 8;
    for (file, offset, what) in [
        ([&pcap.bytes[..], &[1, 2, 3]].concat(), start + record, "within the head"),
        (
            pcap.clone().add(1, &bye("b")).bytes[..start + 2 * record - 1].to_vec(),
            start + record,
            "within a packet",
        ),
        ([&pcap.bytes[..], &[0xff; 16]].concat(), start + record, "4294967295 bytes"),
        (
            section.clone().enhanced(0, START, &bye("b")).bytes[..length + 50].to_vec(),
            length,
            "within a block",
        ),
        ([&section.bytes[..], &[6, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0]].concat(), length, "13 bytes"),
        (torn, length, "at its end"),
    ] {
        let seen = import(&file);
        let broken = seen.outcome.broken.as_ref().unwrap();
        assert_eq!((broken.offset, broken.packets), (offset as u64, 1), "{broken}");
        assert!(broken.what.contains(what), "{broken}");
        assert_eq!(seen.calls(), ["a"]);
    }
}

#[test]
fn what_is_no_capture_is_told_apart_from_a_broken_one() {
    let open = |bytes: &[u8]| Capture::open(bytes).err().unwrap();
    assert!(matches!(open(b""), NotACapture::Empty));
    for bytes in
        [&b"BYE sip:bob@192.0.2.2 SIP/2.0\r\n\r\n"[..], &[0xd4, 0xc3, 0xb2], b"\x0a\x0d\x0d\x0a junk"]
    {
        assert!(matches!(open(bytes), NotACapture::Unknown));
    }
}

#[test]
fn packed_files_are_unpacked_and_progress_is_that_of_the_file() {
    let capture = Pcap::new(1).add(0, &bye("a")).bytes;
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&capture).unwrap();
    let packed = packed.finish().unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&packed).unwrap();

    let input = Input::open(file.path()).unwrap();
    let reach = input.reach();
    let outcome = Capture::open(input).unwrap().read(&mut Witness::default(), &mut || {});
    assert_eq!((outcome.tally.messages, outcome.broken), (1, None));
    assert_eq!((reach.done(), reach.total), (packed.len() as u64, Some(packed.len() as u64)));
}

#[test]
fn a_packed_file_that_is_torn_or_damaged_is_read_up_to_there() {
    let capture = (0..500_u64).fold(Pcap::new(1), |file, at| file.add(at, &bye(&format!("{at}")))).bytes;
    let record = (capture.len() - 24) / 500;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&capture).unwrap();
    let packed = packed.finish().unwrap();
    let mut damaged = packed.clone();
    // Deflate has no checksum on the way: what comes out first may be nonsense, which the file's format shows.
    let middle = packed.len() / 2;
    damaged[middle..middle + 64].fill(0xff);
    for (bytes, what) in [(&packed[..packed.len() * 2 / 3], "ends too early"), (&damaged, "")] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let input = Input::open(file.path()).unwrap();
        let outcome = Capture::open(input).unwrap().read(&mut Witness::default(), &mut || {});
        let broken = outcome.broken.unwrap();
        assert!(broken.what.contains(what), "{broken}");
        assert_eq!(broken.packets, outcome.tally.messages, "{broken}");
        // Call-IDs have one to three digits, so records differ by two bytes.
        let about = broken.packets * record as u64;
        assert!(broken.packets > 20 && broken.offset.abs_diff(about) < 3 * broken.packets, "{broken}");
    }
}

#[test]
fn a_file_of_hep_packets_is_read() {
    let chunk = |kind: u16, value: &[u8]| {
        let length = u16::try_from(value.len() + 6).unwrap();
        [&[0, 0][..], &kind.to_be_bytes(), &length.to_be_bytes(), value].concat()
    };
    let packet = |id: &str, seconds: u32| {
        let chunks = [
            chunk(3, &[192, 0, 2, 1]),
            chunk(4, &[192, 0, 2, 2]),
            chunk(7, &[0x13, 0xc4]),
            chunk(8, &[0x13, 0xc5]),
            chunk(9, &seconds.to_be_bytes()),
            chunk(15, &message(id, 0)),
        ]
        .concat();
        [b"HEP3", &u16::try_from(chunks.len() + 6).unwrap().to_be_bytes()[..], &chunks].concat()
    };
    let file =
        [packet("b", 1_700_000_001), packet("a", 1_700_000_000), b"HEP3\x00\x0c\0\0\0\x03\0\x01".to_vec()];
    let seen = import(&file.concat());
    assert_eq!(seen.calls(), ["a", "b"], "by the time they passed");
    assert_eq!(seen.sightings[0].at, Timestamp::from_micros(START));
    assert_eq!(seen.sightings[0].destination, "192.0.2.2:5061".parse().unwrap());
    assert_eq!((seen.outcome.format, seen.skipped()), (Format::Hep, vec![("malformed_hep", 1)]));

    let seen = import(&[&file.concat()[..], b"HEP?"].concat());
    assert_eq!(seen.outcome.broken.unwrap().offset, file.concat().len() as u64);

    let capture = Pcap::new(1).add(0, &ether(&datagram("10.0.0.1:40000", "10.0.0.2:9060", &file[0])));
    let seen = import(&capture.bytes);
    assert_eq!(
        seen.sightings[0].source,
        "192.0.2.1:5060".parse().unwrap(),
        "HEP in a capture is unwrapped too"
    );
}
