//! HEP versions 1 and 2: a fixed header in front of the message.
//!
//! Version, length, address family, protocol, two ports; two addresses; in version 2 the time and the id of the agent,
//! which senders copy from a C structure: in their own byte order, with padding or without. So the header's length is
//! not to be trusted, and where the message begins is seen by the message.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use callbox_events::Timestamp;

use super::{Content, HepError, Packet, Sighting, is_sip, time, transport};

/// Version to ports.
const HEADER: usize = 8;
/// `AF_INET` everywhere; `AF_INET6` on Linux, the BSDs and macOS.
const IPV4: u8 = 2;
const IPV6: [u8; 4] = [10, 24, 28, 30];

pub(super) fn is_version_1_or_2(bytes: &[u8]) -> bool {
    let Some(&[version, length, family, protocol]) = bytes.first_chunk::<4>() else { return false };
    let addresses = match family {
        IPV4 => 8,
        family if IPV6.contains(&family) => 32,
        _ => return false,
    };
    let plain = HEADER + addresses;
    let lengths: &[usize] = match version {
        1 => &[plain],
        2 => &[plain, plain + 10, plain + 12],
        _ => return false,
    };
    lengths.contains(&usize::from(length)) && matches!(protocol, 6 | 17 | 22 | 132)
}

pub(super) fn decode(bytes: &[u8], received: Timestamp) -> Result<Packet, HepError> {
    let &[version, _, family, protocol, s0, s1, d0, d1] =
        bytes.first_chunk::<HEADER>().ok_or(HepError::Truncated)?;
    let rest = bytes.get(HEADER..).unwrap_or_default();
    let (source, destination, rest) = if family == IPV4 { addresses_4(rest) } else { addresses_6(rest) }?;
    let (at, payload) = if version == 1 { (None, rest) } else { with_time(rest)? };
    if payload.is_empty() {
        return Err(HepError::NoPayload);
    }
    if !is_sip(payload) {
        return Ok(Packet { content: Content::Other, key: None });
    }
    let sighting = Sighting {
        at: at.unwrap_or(received),
        source: SocketAddr::new(source, u16::from_be_bytes([s0, s1])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([d0, d1])),
        transport: transport(protocol),
        bytes: Bytes::copy_from_slice(payload),
    };
    Ok(Packet { content: Content::Sip(sighting), key: None })
}

type Addresses<'a> = (IpAddr, IpAddr, &'a [u8]);

fn addresses_4(bytes: &[u8]) -> Result<Addresses<'_>, HepError> {
    let (source, rest) = bytes.split_first_chunk::<4>().ok_or(HepError::Truncated)?;
    let (destination, rest) = rest.split_first_chunk::<4>().ok_or(HepError::Truncated)?;
    Ok((Ipv4Addr::from(*source).into(), Ipv4Addr::from(*destination).into(), rest))
}

fn addresses_6(bytes: &[u8]) -> Result<Addresses<'_>, HepError> {
    let (source, rest) = bytes.split_first_chunk::<16>().ok_or(HepError::Truncated)?;
    let (destination, rest) = rest.split_first_chunk::<16>().ok_or(HepError::Truncated)?;
    Ok((Ipv6Addr::from(*source).into(), Ipv6Addr::from(*destination).into(), rest))
}

/// The time of version 2, and the message behind it: 12 bytes with the padding of the structure, 10 without.
fn with_time(bytes: &[u8]) -> Result<(Option<Timestamp>, &[u8]), HepError> {
    let (seconds, rest) = bytes.split_first_chunk::<4>().ok_or(HepError::Truncated)?;
    let (micros, rest) = rest.split_first_chunk::<4>().ok_or(HepError::Truncated)?;
    let behind = |skipped: usize| rest.get(skipped..).unwrap_or_default();
    let payload = if is_sip(behind(2)) { behind(2) } else { behind(4) };
    // A microsecond beyond a million gives the wrong byte order away; both fit about once in 4,000.
    let little = time(u32::from_le_bytes(*seconds), u32::from_le_bytes(*micros));
    let big = || time(u32::from_be_bytes(*seconds), u32::from_be_bytes(*micros));
    Ok((little.filter(|at| *at < YEAR_2100).or_else(big), payload))
}

const YEAR_2100: Timestamp = Timestamp::from_micros(4_102_444_800_000_000);
