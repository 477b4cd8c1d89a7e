//! IP packets of both versions, reduced to what matters here.

use std::net::IpAddr;

use etherparse::{Ipv6ExtensionSlice, LaxIpSlice};

/// An IP packet, or a fragment of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpPacket<'a> {
    /// Who sent it.
    pub source: IpAddr,
    /// Who it is for.
    pub destination: IpAddr,
    /// What its sender numbered it with; 0 where there is no number (IPv6 without fragments).
    pub id: u32,
    /// What is in it: a number of the registry of IP protocols.
    pub protocol: u8,
    /// Which part of the whole it is.
    pub fragment: Option<Part>,
    /// What is in it.
    pub payload: &'a [u8],
    /// Whether the capture kept less of it than was sent.
    pub cut: bool,
}

/// Which part of a packet a fragment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Bytes of the whole before it.
    pub offset: usize,
    /// Whether more follows.
    pub more: bool,
}

/// Reads the headers, extensions of IPv6 included. `None` if they make no sense.
pub fn read(bytes: &[u8]) -> Option<IpPacket<'_>> {
    let (slice, _) = LaxIpSlice::from_slice(bytes).ok()?;
    let (id, part) = identity(&slice);
    let payload = slice.payload();
    Some(IpPacket {
        source: slice.source_addr(),
        destination: slice.destination_addr(),
        id,
        protocol: payload.ip_number.0,
        fragment: part.filter(|_| payload.fragmented),
        payload: payload.payload,
        cut: payload.incomplete,
    })
}

fn identity(slice: &LaxIpSlice<'_>) -> (u32, Option<Part>) {
    match slice {
        LaxIpSlice::Ipv4(ipv4) => {
            let header = ipv4.header();
            let offset = usize::from(header.fragments_offset().value()) * 8;
            (header.identification().into(), Some(Part { offset, more: header.more_fragments() }))
        }
        LaxIpSlice::Ipv6(ipv6) => {
            let fragment = ipv6.extensions().clone().into_iter().find_map(|extension| match extension {
                Ipv6ExtensionSlice::Fragment(fragment) => Some(fragment),
                Ipv6ExtensionSlice::HopByHop(_)
                | Ipv6ExtensionSlice::Routing(_)
                | Ipv6ExtensionSlice::DestinationOptions(_)
                | Ipv6ExtensionSlice::Authentication(_) => None,
            });
            fragment.map_or((0, None), |fragment| {
                let offset = usize::from(fragment.fragment_offset().value()) * 8;
                (fragment.identification(), Some(Part { offset, more: fragment.more_fragments() }))
            })
        }
    }
}
