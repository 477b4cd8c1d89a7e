//! IP packets around messages.

use std::collections::HashMap;
use std::net::SocketAddr;

use callbox_events::sip::Transport;
use etherparse::{IpHeaders, Ipv4Header, Ipv6Header, PacketBuilder, PacketBuilderStep, TcpHeader};

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The most bytes that a datagram carries (RFC 768 over IPv4); what is longer came in a stream.
const MAX_DATAGRAM: usize = 65_507;

/// Bytes in one segment, as on Ethernet.
const SEGMENT: usize = 1_440;

/// More connections are not followed at once; beyond that, all begin anew.
const MAX_STREAMS: usize = 65_536;

const TTL: u8 = 64;
const WINDOW: u16 = 65_535;

/// The sequence number of the first byte in each direction.
const INITIAL: u32 = 1_000_000;

/// The TCP connections so far.
#[derive(Debug, Default)]
pub struct Streams {
    next: HashMap<(SocketAddr, SocketAddr), u32>,
}

impl Streams {
    /// The packets that carry a message.
    pub fn packets(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        transport: Transport,
        message: &[u8],
    ) -> Result<Vec<Vec<u8>>, Failure> {
        if !transport.is_reliable() && message.len() <= MAX_DATAGRAM {
            let builder = ip(from, to)?.udp(from.port(), to.port());
            let mut packet = Vec::with_capacity(builder.size(message.len()));
            builder.write(&mut packet, message).map_err(failed)?;
            return Ok(vec![packet]);
        }
        let mut packets = Vec::new();
        if !self.next.contains_key(&(from, to)) {
            self.handshake(from, to, &mut packets)?;
        }
        for segment in message.chunks(SEGMENT) {
            let (seq, ack) = (self.seq(from, to), self.seq(to, from));
            packets.push(tcp(from, to, seq, |segment| segment.psh().ack(ack), segment)?);
            let sent = u32::try_from(segment.len()).unwrap_or(0);
            self.next.insert((from, to), seq.wrapping_add(sent));
        }
        Ok(packets)
    }

    fn seq(&self, from: SocketAddr, to: SocketAddr) -> u32 {
        self.next.get(&(from, to)).copied().unwrap_or(INITIAL)
    }

    fn handshake(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        packets: &mut Vec<Vec<u8>>,
    ) -> Result<(), Failure> {
        if self.next.len() >= MAX_STREAMS {
            self.next.clear();
        }
        packets.push(tcp(from, to, INITIAL, PacketBuilderStep::syn, &[])?);
        packets.push(tcp(to, from, INITIAL, |segment| segment.syn().ack(INITIAL + 1), &[])?);
        packets.push(tcp(from, to, INITIAL + 1, |segment| segment.ack(INITIAL + 1), &[])?);
        self.next.insert((from, to), INITIAL + 1);
        self.next.insert((to, from), INITIAL + 1);
        Ok(())
    }
}

fn tcp(
    from: SocketAddr,
    to: SocketAddr,
    seq: u32,
    flags: impl FnOnce(PacketBuilderStep<TcpHeader>) -> PacketBuilderStep<TcpHeader>,
    payload: &[u8],
) -> Result<Vec<u8>, Failure> {
    let builder = flags(ip(from, to)?.tcp(from.port(), to.port(), seq, WINDOW));
    let mut packet = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut packet, payload).map_err(failed)?;
    Ok(packet)
}

fn ip(from: SocketAddr, to: SocketAddr) -> Result<PacketBuilderStep<IpHeaders>, Failure> {
    let headers = match (from, to) {
        (SocketAddr::V4(from), SocketAddr::V4(to)) => {
            // Length, protocol and checksum are filled in when the packet is written.
            let header =
                Ipv4Header::new(0, TTL, etherparse::ip_number::UDP, from.ip().octets(), to.ip().octets());
            IpHeaders::Ipv4(header.map_err(failed)?, etherparse::Ipv4Extensions::default())
        }
        (SocketAddr::V6(from), SocketAddr::V6(to)) => {
            let header = Ipv6Header {
                hop_limit: TTL,
                source: from.ip().octets(),
                destination: to.ip().octets(),
                ..Ipv6Header::default()
            };
            IpHeaders::Ipv6(header, etherparse::Ipv6Extensions::default())
        }
        (SocketAddr::V4(_), SocketAddr::V6(_)) | (SocketAddr::V6(_), SocketAddr::V4(_)) => {
            return Err(failed("two ends of different IP versions"));
        }
    };
    Ok(PacketBuilder::ip(headers))
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(ExitCode::Failure, "output", format!("a packet could not be made: {error}"))
}
