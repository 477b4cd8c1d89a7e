//! Captures made byte by byte: files, frames, packets, segments.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// When the captures of the tests begin, in microseconds.
pub const START: u64 = 1_700_000_000_000_000;

pub const LITTLE: bool = false;
pub const BIG: bool = true;

fn number(big: bool, value: u32) -> [u8; 4] {
    if big { value.to_be_bytes() } else { value.to_le_bytes() }
}

fn short(big: bool, value: u16) -> [u8; 2] {
    if big { value.to_be_bytes() } else { value.to_le_bytes() }
}

fn len(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

/// A file of the classic format.
#[derive(Clone)]
pub struct Pcap {
    pub bytes: Vec<u8>,
    big: bool,
    magic: u32,
}

impl Pcap {
    pub fn new(link: u16) -> Self {
        Self::with(LITTLE, 0xa1b2_c3d4, link)
    }

    pub fn with(big: bool, magic: u32, link: u16) -> Self {
        let versions = [short(big, 2), short(big, 4)].concat();
        let rest = [number(big, 0), number(big, 0), number(big, 262_144), number(big, link.into())].concat();
        Self { bytes: [&number(big, magic)[..], &versions, &rest].concat(), big, magic }
    }

    /// Adds a packet, so many microseconds after the start.
    pub fn add(self, after: u64, data: &[u8]) -> Self {
        self.cut(after, data, data.len())
    }

    /// Adds a packet of which only the first `kept` bytes are kept.
    pub fn cut(mut self, after: u64, data: &[u8], kept: usize) -> Self {
        let at = START + after;
        let fraction =
            u32::try_from(at % 1_000_000).unwrap() * if self.magic == 0xa1b2_3c4d { 1000 } else { 1 };
        let seconds = u32::try_from(at / 1_000_000).unwrap();
        for value in [seconds, fraction, u32::try_from(kept).unwrap(), len(data)] {
            self.bytes.extend(number(self.big, value));
        }
        if self.magic == 0xa1b2_cd34 {
            self.bytes.extend([0; 8]);
        }
        self.bytes.extend(&data[..kept]);
        self
    }
}

/// A file of blocks.
#[derive(Clone, Default)]
pub struct PcapNg {
    pub bytes: Vec<u8>,
    big: bool,
}

impl PcapNg {
    pub fn section(mut self, big: bool) -> Self {
        self.big = big;
        let body = [&number(big, 0x1a2b_3c4d)[..], &short(big, 1), &short(big, 0), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    pub fn block(mut self, kind: u32, body: &[u8]) -> Self {
        let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
        let length = number(self.big, len(body) + len(&padding) + 12);
        let block = [&number(self.big, kind)[..], &length, body, &padding, &length].concat();
        self.bytes.extend(block);
        self
    }

    pub fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
        let length = u16::try_from(value.len()).unwrap();
        [&short(self.big, code)[..], &short(self.big, length), value, &padding].concat()
    }

    pub fn interface(self, link: u16, snap: u32, options: &[u8]) -> Self {
        let body = [&short(self.big, link)[..], &[0, 0], &number(self.big, snap), options].concat();
        self.block(1, &body)
    }

    fn stamped(&self, ticks: u64, data: &[u8]) -> Vec<u8> {
        let (high, low) = (u32::try_from(ticks >> 32).unwrap(), u32::try_from(ticks & 0xffff_ffff).unwrap());
        let numbers = [high, low, len(data), len(data)].map(|value| number(self.big, value)).concat();
        [&numbers, data].concat()
    }

    pub fn enhanced(self, interface: u32, ticks: u64, data: &[u8]) -> Self {
        let body = [&number(self.big, interface)[..], &self.stamped(ticks, data)].concat();
        self.block(6, &body)
    }

    pub fn obsolete(self, interface: u16, ticks: u64, data: &[u8]) -> Self {
        let body = [&short(self.big, interface)[..], &[0, 0], &self.stamped(ticks, data)].concat();
        self.block(2, &body)
    }

    pub fn simple(self, data: &[u8]) -> Self {
        let body = [&number(self.big, len(data))[..], data].concat();
        self.block(3, &body)
    }
}

pub fn ether(packet: &[u8]) -> Vec<u8> {
    tagged(&[], packet)
}

/// An Ethernet frame with tags or other types before the IP packet.
pub fn tagged(tags: &[u8], packet: &[u8]) -> Vec<u8> {
    [&[2; 12][..], tags, &ethertype(packet), packet].concat()
}

pub fn ethertype(packet: &[u8]) -> [u8; 2] {
    if packet[0] >> 4 == 4 { [0x08, 0x00] } else { [0x86, 0xdd] }
}

/// What may differ from one IP packet to the next.
#[derive(Clone, Copy)]
pub struct Ip {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    pub id: u16,
    /// Offset in bytes, and whether more follows.
    pub fragment: Option<(u16, bool)>,
}

impl Ip {
    pub fn udp(source: SocketAddr, destination: SocketAddr) -> Self {
        Self { source: source.ip(), destination: destination.ip(), protocol: 17, id: 0, fragment: None }
    }

    pub fn packet(self, payload: &[u8]) -> Vec<u8> {
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => self.ipv4(source, destination, payload),
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let mut next = self.protocol;
                let mut extension = Vec::new();
                if let Some((offset, more)) = self.fragment {
                    let place = (offset | u16::from(more)).to_be_bytes();
                    extension = [&[next, 0][..], &place, &u32::from(self.id).to_be_bytes()].concat();
                    next = 44;
                }
                ipv6(source.octets(), destination.octets(), next, &[&extension, payload].concat())
            }
            _ => panic!("two versions of IP"),
        }
    }

    fn ipv4(self, source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
        let total = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
        let (offset, more) = self.fragment.unwrap_or_default();
        let place = ((offset / 8) | if more { 0x2000 } else { 0 }).to_be_bytes();
        let head =
            [&[0x45, 0][..], &total, &self.id.to_be_bytes(), &place, &[64, self.protocol, 0, 0]].concat();
        [&head, &source.octets()[..], &destination.octets(), payload].concat()
    }
}

pub fn ipv6(source: [u8; 16], destination: [u8; 16], next: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[0x60, 0, 0, 0][..], &length, &[next, 64], &source, &destination, payload].concat()
}

pub fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap().to_be_bytes();
    [&source.to_be_bytes()[..], &destination.to_be_bytes(), &length, &[0, 0], payload].concat()
}

/// An IP packet with a datagram.
pub fn datagram(source: &str, destination: &str, payload: &[u8]) -> Vec<u8> {
    let (source, destination): (SocketAddr, SocketAddr) =
        (source.parse().unwrap(), destination.parse().unwrap());
    Ip::udp(source, destination).packet(&udp(source.port(), destination.port(), payload))
}

pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

/// An IP packet with a segment.
pub fn segment(source: &str, destination: &str, seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let (source, destination): (SocketAddr, SocketAddr) =
        (source.parse().unwrap(), destination.parse().unwrap());
    let ports = [source.port().to_be_bytes(), destination.port().to_be_bytes()].concat();
    let numbers = [seq.to_be_bytes(), ack.to_be_bytes()].concat();
    let tcp = [&ports, &numbers, &[0x50, flags, 0xff, 0xff, 0, 0, 0, 0][..], payload].concat();
    Ip { protocol: 6, ..Ip::udp(source, destination) }.packet(&tcp)
}

/// A WebSocket frame; clients mask.
pub fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        length @ ..126 => frame.push(masked | u8::try_from(length).unwrap()),
        length => {
            frame.push(masked | 126);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    frame.extend(mask.unwrap_or_default().iter().take(if mask.is_some() { 4 } else { 0 }));
    let mask = mask.unwrap_or_default();
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}
