//! HEP version 3: a magic word, a length, and chunks of vendor, type, length and value.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use callbox_events::Timestamp;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::{Content, HepError, Packet, Sighting, is_sip, time, transport};
use crate::wire::Limits;

const MAGIC: &[u8] = b"HEP3";
/// The magic word and the length.
const HEADER: usize = 6;
/// Vendor, type and length of a chunk.
const CHUNK: usize = 6;

pub(super) fn is_version_3(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let length = usize::from(number(bytes.strip_prefix(MAGIC)?.get(..2)?)?);
    (length >= HEADER).then_some(length)
}

/// What the chunks said, each the first time it came.
#[derive(Default)]
struct Said<'a> {
    protocol: Option<u8>,
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    seconds: Option<u32>,
    micros: Option<u32>,
    kind: Option<u8>,
    key: Option<&'a [u8]>,
    payload: Option<&'a [u8]>,
    compressed: Option<&'a [u8]>,
}

pub(super) fn decode(bytes: &[u8], received: Timestamp) -> Result<Packet, HepError> {
    let length = length(bytes).ok_or(HepError::Truncated)?;
    let said = read(bytes.get(HEADER..length).ok_or(HepError::Truncated)?)?;
    let key = said.key.map(<[u8]>::to_vec);
    Ok(Packet { content: said.content(received)?, key })
}

fn read(mut rest: &[u8]) -> Result<Said<'_>, HepError> {
    let mut said = Said::default();
    while !rest.is_empty() {
        let (head, _) = rest.split_at_checked(CHUNK).ok_or(HepError::Truncated)?;
        let vendor = number(head.get(..2).unwrap_or_default()).unwrap_or_default();
        let kind = number(head.get(2..4).unwrap_or_default()).unwrap_or_default();
        let length = usize::from(number(head.get(4..).unwrap_or_default()).unwrap_or_default());
        if length < CHUNK {
            return Err(HepError::Length);
        }
        let (chunk, tail) = rest.split_at_checked(length).ok_or(HepError::Truncated)?;
        // Vendors (FreeSWITCH, Kamailio, ...) number their own chunks as they like; the generic ones are vendor 0.
        if vendor == 0 {
            said.take(kind, chunk.get(CHUNK..).unwrap_or_default())?;
        }
        rest = tail;
    }
    Ok(said)
}

impl<'a> Said<'a> {
    fn take(&mut self, kind: u16, value: &'a [u8]) -> Result<(), HepError> {
        match kind {
            0x0002 => first(&mut self.protocol, byte(value)?),
            0x0003 => first(&mut self.source, Ipv4Addr::from(fixed::<4>(value)?).into()),
            0x0004 => first(&mut self.destination, Ipv4Addr::from(fixed::<4>(value)?).into()),
            0x0005 => first(&mut self.source, Ipv6Addr::from(fixed::<16>(value)?).into()),
            0x0006 => first(&mut self.destination, Ipv6Addr::from(fixed::<16>(value)?).into()),
            0x0007 => first(&mut self.source_port, u16::from_be_bytes(fixed(value)?)),
            0x0008 => first(&mut self.destination_port, u16::from_be_bytes(fixed(value)?)),
            0x0009 => first(&mut self.seconds, u32::from_be_bytes(fixed(value)?)),
            0x000a => first(&mut self.micros, u32::from_be_bytes(fixed(value)?)),
            0x000b => first(&mut self.kind, byte(value)?),
            0x000e => first(&mut self.key, value),
            0x000f => first(&mut self.payload, value),
            0x0010 => first(&mut self.compressed, value),
            // Of no use here: the family, which the addresses show; agent, keep-alive, correlation, and what comes.
            _ => {}
        }
        Ok(())
    }

    fn content(self, received: Timestamp) -> Result<Content, HepError> {
        let payload = match (self.payload, self.compressed) {
            (Some(plain), _) => Bytes::copy_from_slice(plain),
            (None, Some(compressed)) => expand(compressed)?,
            // Agents send packets without a message to show that they live.
            (None, None) if self.kind != Some(SIP) => return Ok(Content::Other),
            (None, None) => return Err(HepError::NoPayload),
        };
        // Some senders call everything SIP, some nothing: the message itself decides.
        if !is_sip(&payload) {
            return Ok(Content::Other);
        }
        let address = |ip: Option<IpAddr>, port: Option<u16>| Some(SocketAddr::new(ip?, port?));
        Ok(Content::Sip(Sighting {
            at: self.seconds.and_then(|s| time(s, self.micros.unwrap_or(0))).unwrap_or(received),
            source: address(self.source, self.source_port).ok_or(HepError::NoAddress)?,
            destination: address(self.destination, self.destination_port).ok_or(HepError::NoAddress)?,
            transport: transport(self.protocol.unwrap_or(UDP)),
            bytes: payload,
        }))
    }
}

/// The protocol type of SIP.
const SIP: u8 = 1;
const UDP: u8 = 17;

fn expand(compressed: &[u8]) -> Result<Bytes, HepError> {
    let limit = Limits::default().max_message;
    let expanded = decompress_to_vec_zlib_with_limit(compressed, limit);
    expanded.map(Bytes::from).map_err(|_| HepError::Compression)
}

fn first<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}

fn fixed<const N: usize>(value: &[u8]) -> Result<[u8; N], HepError> {
    value.try_into().map_err(|_| HepError::Length)
}

fn byte(value: &[u8]) -> Result<u8, HepError> {
    fixed::<1>(value).map(|[byte]| byte)
}

fn number(bytes: &[u8]) -> Option<u16> {
    bytes.try_into().ok().map(u16::from_be_bytes)
}
