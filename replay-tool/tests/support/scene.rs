//! Captures in which Alice calls a server, told message by message.

use crate::packets::{Pcap, datagram, ether};

pub const ALICE: &str = "192.0.2.1";
pub const SERVER: &str = "192.0.2.9";
/// A time within the capture, in milliseconds.
pub type Millis = u64;

/// A capture in the making: packets with their times, in any order.
#[derive(Default, Clone)]
pub struct Scene(Vec<(Millis, Vec<u8>)>);

impl Scene {
    /// A message of Alice's call `id`, in which she wants audio at port 4000 and the server at port 7000.
    pub fn sip(self, at: Millis, id: &str, start: &str, cseq: &str, sdp: bool) -> Self {
        let from_alice = !start.starts_with("SIP");
        let (source, destination, port) =
            if from_alice { (ALICE, SERVER, 4000) } else { (SERVER, ALICE, 7000) };
        let body = if sdp {
            format!(
                "v=0\r\no=- 1 1 IN IP4 {source}\r\ns=-\r\nc=IN IP4 {source}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"
            )
        } else {
            String::new()
        };
        let tag = if start.starts_with("INVITE") || start.starts_with("CANCEL") { "" } else { ";tag=s" };
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP {ALICE};branch=z9hG4bK{id}{}\r\nFrom: <sip:alice@{ALICE}>;tag=a{id}\r\n\
             To: <sip:bob@{SERVER}>{tag}\r\nCall-ID: {id}\r\nCSeq: {cseq}\r\nMax-Forwards: 70\r\n\
             Contact: <sip:{source}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            &cseq[..1],
            body.len()
        );
        self.datagram(at, &format!("{source}:5060"), &format!("{destination}:5060"), text.as_bytes())
    }

    /// Any other datagram.
    pub fn datagram(mut self, at: Millis, source: &str, destination: &str, payload: &[u8]) -> Self {
        self.0.push((at, ether(&datagram(source, destination, payload))));
        self
    }

    /// From the INVITE to the ACK.
    pub fn answered(self, id: &str, at: Millis) -> Self {
        self.sip(at, id, "INVITE sip:bob@192.0.2.9 SIP/2.0", "1 INVITE", true)
            .sip(at + 100, id, "SIP/2.0 180 Ringing", "1 INVITE", false)
            .sip(at + 2_000, id, "SIP/2.0 200 OK", "1 INVITE", true)
            .sip(at + 2_010, id, "ACK sip:bob@192.0.2.9 SIP/2.0", "1 ACK", false)
    }

    /// Alice's BYE and the answer to it.
    pub fn hung_up(self, id: &str, at: Millis) -> Self {
        self.sip(at, id, "BYE sip:bob@192.0.2.9 SIP/2.0", "2 BYE", false).sip(
            at + 10,
            id,
            "SIP/2.0 200 OK",
            "2 BYE",
            false,
        )
    }

    /// Early media from `ringing` on, and Alice's CANCEL at `cancel`.
    pub fn cancelled(self, id: &str, from: Millis, ringing: Millis, cancel: Millis) -> Self {
        self.sip(from, id, "INVITE sip:bob@192.0.2.9 SIP/2.0", "1 INVITE", true)
            .sip(ringing, id, "SIP/2.0 183 Session Progress", "1 INVITE", true)
            .sip(cancel, id, "CANCEL sip:bob@192.0.2.9 SIP/2.0", "1 CANCEL", false)
            .sip(cancel + 5, id, "SIP/2.0 200 OK", "1 CANCEL", false)
            .sip(cancel + 6, id, "SIP/2.0 487 Request Terminated", "1 INVITE", false)
    }

    /// The file.
    pub fn capture(&self) -> Pcap {
        let mut packets = self.0.clone();
        packets.sort_by_key(|(at, _)| *at);
        packets.iter().fold(Pcap::new(1), |file, (at, packet)| file.add(at * 1000, packet))
    }
}
