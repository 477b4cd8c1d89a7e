//! A capture file (libpcap, microseconds, raw IP) with the recorded SIP messages, for Wireshark and the like.
//!
//! Each message becomes a UDP datagram, or the segments of a TCP connection that begins with a handshake: sequence
//! numbers and checksums are right, so that an analyser follows the streams. What is made up and what is not: messages,
//! order, the other end's address and port are as recorded, times those of the commits; our own end is the Contact of the
//! call, or 192.0.2.1 (2001:db8::1) where that is no numeric address; a connection may have begun before its first
//! message here. Retransmissions are counted in the journal and not kept, so they are not here. What travelled encrypted
//! was recorded in clear and is written as TCP.

mod packets;

use std::io::Write;

use callbox_events::Timestamp;
use callbox_events::schema::StoredCommit;

use self::packets::Streams;
use super::CommitSink;
use super::destination::Destination;
use super::endpoints::{Endpoints, ends, placeholder};
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Packets begin with their IP header (LINKTYPE_RAW).
const LINKTYPE_RAW: u32 = 101;

/// No packet is larger.
const SNAPLEN: u32 = 262_144;

/// Writes a capture.
pub struct Pcap {
    out: Destination,
    endpoints: Endpoints,
    streams: Streams,
}

impl Pcap {
    /// Writes the file's header.
    pub fn new(mut out: Destination) -> Result<Self, Failure> {
        let mut header = Vec::with_capacity(24);
        header.extend_from_slice(&0xa1b2_c3d4u32.to_le_bytes());
        for half in [2u16, 4] {
            header.extend_from_slice(&half.to_le_bytes());
        }
        for word in [0, 0, SNAPLEN, LINKTYPE_RAW] {
            header.extend_from_slice(&word.to_le_bytes());
        }
        out.write_all(&header)?;
        Ok(Self { out, endpoints: Endpoints::default(), streams: Streams::default() })
    }

    fn packet(&mut self, at: Timestamp, bytes: &[u8]) -> Result<(), Failure> {
        let too_late =
            || Failure::new(ExitCode::Failure, "time", format!("{at} is too late for a capture file"));
        let seconds = u32::try_from(at.micros() / 1_000_000).map_err(|_| too_late())?;
        let micros = u32::try_from(at.micros() % 1_000_000).map_err(|_| too_late())?;
        let length = u32::try_from(bytes.len()).unwrap_or(SNAPLEN);
        for word in [seconds, micros, length, length] {
            self.out.write_all(&word.to_le_bytes())?;
        }
        Ok(self.out.write_all(bytes)?)
    }
}

impl CommitSink for Pcap {
    fn commit(&mut self, stored: &StoredCommit, _: Option<[u8; 32]>) -> Result<(), Failure> {
        let local = self.endpoints.local(stored);
        for message in &stored.commit.wire {
            let peer = message.peer.addr;
            let local = local.filter(|local| local.is_ipv4() == peer.is_ipv4());
            let (from, to) = ends(local.unwrap_or_else(|| placeholder(peer)), message);
            for packet in self.streams.packets(from, to, message.peer.transport, &message.bytes)? {
                self.packet(stored.commit.at, &packet)?;
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        self.out.finish()
    }
}
