//! One packet after the other, taken apart down to SIP messages.

use std::net::SocketAddr;

use bytes::Bytes;
use callbox_events::Timestamp;
use callbox_events::sip::Transport;
use callbox_sip::observe::{Sighting, hep, is_sip};
use etherparse::{TcpSlice, UdpSlice};

use super::audio::Audio;
use super::echo::Echoes;
use super::file::Packet;
use super::net::fragments::Fragments;
use super::net::ip::{self, IpPacket};
use super::net::link::{self, LinkType, Network};
use super::order::Order;
use super::tcp::{Flow, Streams};
use super::{Sink, Tally};

/// How deep packets may be wrapped in packets.
const MAX_TUNNELS: u8 = 4;

/// What has to be remembered from one packet to the next.
#[derive(Debug, Default)]
pub struct Dissector {
    tally: Tally,
    fragments: Fragments,
    streams: Streams,
    echoes: Echoes,
    audio: Audio,
    order: Order,
    /// The latest time so far.
    now: Timestamp,
}

impl Dissector {
    /// Before the first packet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was seen so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Takes a packet apart and hands on what is due.
    pub fn packet(&mut self, packet: &Packet<'_>, sink: &mut impl Sink) {
        self.tally.packets += 1;
        match link::network(packet.link, packet.data) {
            Network::Ip(bytes) => self.ip(bytes, packet.at, 0),
            Network::Other => self.tally.other += 1,
            Network::Short => self.tally.malformed += 1,
            Network::Unsupported => *self.tally.links.entry(LinkType(packet.link)).or_default() += 1,
        }
        self.pass_on(packet.at, sink);
    }

    /// Takes a HEP packet of a file. `at` is when it came, if it does not say itself when its message passed.
    pub fn hep(&mut self, bytes: &[u8], at: Timestamp, sink: &mut impl Sink) {
        self.tally.packets += 1;
        let at = self.unwrap(bytes, at);
        self.pass_on(at, sink);
    }

    /// Hands on what is left.
    pub fn finish(mut self, sink: &mut impl Sink) -> Tally {
        self.streams.finish();
        self.collect();
        self.audio.finish();
        self.collect_tones();
        self.order.rest(sink);
        let losses = self.streams.losses();
        Tally {
            fragments: self.fragments.incomplete(),
            gaps: losses.gaps,
            unframed: losses.unframed,
            websocket: losses.websocket,
            ..self.tally
        }
    }

    fn pass_on(&mut self, at: Timestamp, sink: &mut impl Sink) {
        self.now = self.now.max(at);
        self.order.due(self.now, sink);
    }

    fn ip(&mut self, bytes: &[u8], at: Timestamp, depth: u8) {
        let Some(packet) = ip::read(bytes) else {
            self.tally.malformed += 1;
            return;
        };
        match packet.fragment {
            None => self.payload(&packet, at, depth),
            Some(_) if packet.cut => self.tally.fragments += 1,
            Some(part) => {
                if let Some(whole) = self.fragments.add(&packet, part, at) {
                    self.payload(&IpPacket { fragment: None, payload: &whole, ..packet }, at, depth);
                }
            }
        }
    }

    fn payload(&mut self, packet: &IpPacket<'_>, at: Timestamp, depth: u8) {
        match packet.protocol {
            6 => self.tcp(packet, at),
            17 => self.udp(packet, at),
            // IPv4 and IPv6 within IP (RFC 2003, RFC 4213).
            4 | 41 if depth < MAX_TUNNELS => self.ip(packet.payload, at, depth + 1),
            _ => self.tally.other += 1,
        }
    }

    fn udp(&mut self, packet: &IpPacket<'_>, at: Timestamp) {
        let Ok(udp) = UdpSlice::from_slice_lax(packet.payload) else {
            self.tally.malformed += 1;
            return;
        };
        let (payload, flow) = (udp.payload(), Flow::of(packet, udp.source_port(), udp.destination_port()));
        let is_message = is_sip(payload);
        if !is_message && !hep::is_hep(payload) {
            self.tally.not_sip += 1;
            self.audio.datagram(at, flow.source, flow.destination, payload);
            self.collect_tones();
        } else if packet.cut || usize::from(udp.length()) > packet.payload.len() {
            self.tally.count_cut();
        } else if self.echoes.is_echo(at, &(flow, packet.id, payload)) {
            self.tally.echoes += 1;
        } else if is_message {
            let Flow { source, destination } = flow;
            self.see(Sighting {
                at,
                source,
                destination,
                transport: Transport::Udp,
                bytes: message(payload),
            });
        } else {
            self.unwrap(payload, at);
        }
    }

    fn tcp(&mut self, packet: &IpPacket<'_>, at: Timestamp) {
        let Ok(tcp) = TcpSlice::from_slice(packet.payload) else {
            self.tally.malformed += 1;
            return;
        };
        // The bytes that are missing show as a gap once the next segment comes.
        if packet.cut && is_sip(tcp.payload()) {
            self.tally.count_cut();
        }
        self.streams.segment(Flow::of(packet, tcp.source_port(), tcp.destination_port()), &tcp, at);
        self.collect();
    }

    /// The message in a HEP packet; gives when it passed.
    fn unwrap(&mut self, bytes: &[u8], received: Timestamp) -> Timestamp {
        match hep::decode(bytes, received).map(|packet| packet.content) {
            Ok(hep::Content::Sip(sighting)) => {
                let at = sighting.at;
                self.see(sighting);
                return at;
            }
            Ok(hep::Content::Other) => self.tally.not_sip += 1,
            Err(_) => self.tally.hep += 1,
        }
        received
    }

    fn collect(&mut self) {
        while let Some(sighting) = self.streams.next_message() {
            self.see(sighting);
        }
    }

    fn collect_tones(&mut self) {
        for (at, media, tone) in self.audio.heard() {
            self.order.tone(at, media, tone);
        }
    }

    fn see(&mut self, sighting: Sighting) {
        self.tally.messages += 1;
        self.audio.learn(&sighting.bytes, sighting.at);
        self.order.message(sighting);
    }
}

impl Flow {
    fn of(packet: &IpPacket<'_>, source: u16, destination: u16) -> Self {
        Self {
            source: SocketAddr::new(packet.source, source),
            destination: SocketAddr::new(packet.destination, destination),
        }
    }
}

/// A datagram without the line ends before its message.
fn message(datagram: &[u8]) -> Bytes {
    let start = datagram.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    Bytes::copy_from_slice(datagram.get(start..).unwrap_or_default())
}
