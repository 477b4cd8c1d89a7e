//! What a captured packet begins with, and where the IP packet in it is.
//!
//! Numbers are those of the registry of link types at tcpdump.org (`LINKTYPE_…`).

use std::fmt;

/// The packet within a link's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network<'a> {
    /// An IP packet of either version, as its first four bits say.
    Ip(&'a [u8]),
    /// Another protocol: ARP, LLDP and the like.
    Other,
    /// The frame is shorter than its header.
    Short,
    /// We do not read this link.
    Unsupported,
}

/// Looks for the IP packet in a frame.
pub fn network(link: u16, frame: &[u8]) -> Network<'_> {
    let behind = |header: usize| frame.get(header..).filter(|rest| !rest.is_empty());
    match link {
        0 | 108 => loopback(frame),
        1 => typed(frame, 12),
        9 => ppp(frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame)),
        12 | 14 | 101 | 228 | 229 => behind(0).map_or(Network::Short, versioned),
        113 => typed(frame, 14),
        // The type comes first; the packet behind the address.
        276 => match (frame.first_chunk(), behind(20)) {
            (Some(kind), Some(packet)) => by_type(u16::from_be_bytes(*kind), packet),
            (None, _) | (_, None) => Network::Short,
        },
        _ => Network::Unsupported,
    }
}

/// A frame whose protocol is named by the two bytes at `at`, just before it begins.
fn typed(frame: &[u8], at: usize) -> Network<'_> {
    match frame.get(at..).and_then(<[u8]>::split_first_chunk) {
        Some((kind, packet)) => by_type(u16::from_be_bytes(*kind), packet),
        None => Network::Short,
    }
}

/// By EtherType. Tags (802.1Q, 802.1ad and what vendors used before) and MPLS labels may be stacked.
fn by_type(mut kind: u16, mut packet: &[u8]) -> Network<'_> {
    while let 0x8100 | 0x88a8 | 0x9100 | 0x9200 = kind {
        let Some((tag, inner)) = packet.split_first_chunk::<4>() else { return Network::Short };
        kind = u16::from_be_bytes([tag[2], tag[3]]);
        packet = inner;
    }
    match kind {
        0x0800 | 0x86dd => versioned(packet),
        // PPPoE, a session: version, code, session and length before what PPP carries (RFC 2516).
        0x8864 => packet.get(6..).map_or(Network::Short, ppp),
        0x8847 | 0x8848 => mpls(packet),
        _ => Network::Other,
    }
}

fn versioned(packet: &[u8]) -> Network<'_> {
    match packet.first().map(|byte| byte >> 4) {
        Some(4 | 6) => Network::Ip(packet),
        Some(_) => Network::Other,
        None => Network::Short,
    }
}

/// The address family of the machine that captured, in its own byte order or in the network's.
fn loopback(frame: &[u8]) -> Network<'_> {
    let Some((family, packet)) = frame.split_first_chunk::<4>() else { return Network::Short };
    let is_ip = |family: u32| matches!(family, 2 | 10 | 23 | 24 | 28 | 30);
    if is_ip(u32::from_le_bytes(*family)) || is_ip(u32::from_be_bytes(*family)) {
        versioned(packet)
    } else {
        Network::Other
    }
}

/// RFC 1661 §2: a protocol number, of one byte if that is odd.
fn ppp(frame: &[u8]) -> Network<'_> {
    match frame {
        [0x00, 0x21 | 0x57, packet @ ..] | [0x21 | 0x57, packet @ ..] => versioned(packet),
        [] | [_] => Network::Short,
        _ => Network::Other,
    }
}

/// RFC 3032 §2.1: labels of four bytes; the last one is marked. What follows is known by its first bits alone.
fn mpls(mut packet: &[u8]) -> Network<'_> {
    while let Some((label, rest)) = packet.split_first_chunk::<4>() {
        packet = rest;
        if label[2] & 1 == 1 {
            return versioned(packet);
        }
    }
    Network::Short
}

/// A link type as people know it: number and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// Its name, if it is one that captures of telephony have been seen with.
    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "BSD loopback",
            1 => "Ethernet",
            6 => "Token Ring",
            8 => "SLIP",
            9 => "PPP",
            10 => "FDDI",
            12 | 14 | 101 => "raw IP",
            50 => "PPP in HDLC framing",
            51 => "PPPoE",
            105 => "IEEE 802.11",
            108 => "OpenBSD loopback",
            113 => "Linux cooked capture",
            119 => "IEEE 802.11 with Prism header",
            127 => "IEEE 802.11 with radiotap header",
            139 => "MTP2 with pseudo-header",
            140 => "MTP2",
            141 => "MTP3",
            142 => "SCCP",
            189 | 220 => "USB on Linux",
            192 => "PPI",
            195 => "IEEE 802.15.4",
            201 => "Bluetooth HCI",
            226 => "Solaris ipnet",
            228 => "raw IPv4",
            229 => "raw IPv6",
            239 => "netfilter log",
            248 => "SCTP",
            249 => "USBPcap",
            252 => "Wireshark exported PDU",
            276 => "Linux cooked capture v2",
            147..=162 => "reserved for private use",
            _ => return None,
        })
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "link type {} ({name})", self.0),
            None => write!(f, "link type {}", self.0),
        }
    }
}
