//! A callee played by hand: full control over when, and whether, it says what.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::probe::header;
use crate::wait;

/// A UDP socket that is called by an engine and does exactly what the test says.
#[derive(Debug)]
pub struct Hand {
    socket: UdpSocket,
}

/// A message that came.
#[derive(Debug, Clone)]
pub struct Received {
    /// All of it.
    pub text: String,
    /// From where.
    pub from: SocketAddr,
}

impl Received {
    /// The value of its first header of that name; empty if it has none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        header(&self.text, name).unwrap_or_default()
    }

    /// The URI of its Contact.
    #[must_use]
    pub fn contact(&self) -> &str {
        let value = self.header("Contact");
        let inner = value.split_once('<').map_or(value, |(_, rest)| rest);
        inner.split('>').next().unwrap_or(inner)
    }
}

impl Default for Hand {
    fn default() -> Self {
        Self::new()
    }
}

impl Hand {
    /// A callee on a free port.
    #[must_use]
    pub fn new() -> Self {
        Self { socket: UdpSocket::bind("127.0.0.1:0").expect("loopback has free ports") }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket has an address")
    }

    /// A URI that leads to it.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("sip:bob@{}", self.address())
    }

    /// The next message that begins with `start` (a method, or `SIP/2.0 200`); others are passed over.
    ///
    /// # Panics
    /// If none comes soon.
    #[must_use]
    pub fn expect(&self, start: &str) -> Received {
        self.within(start, wait::SOON).unwrap_or_else(|| panic!("waited in vain for {start}"))
    }

    /// As [`Hand::expect`]; none if it does not come within `bound`.
    #[must_use]
    pub fn within(&self, start: &str, bound: Duration) -> Option<Received> {
        let end = Instant::now() + bound;
        let mut buffer = vec![0_u8; 65_536];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.socket.set_read_timeout(Some(left)).expect("a positive time");
            // A refused datagram of ours (the engine is down) shows up as an error here: not what is waited for.
            let Ok((count, from)) = self.socket.recv_from(&mut buffer) else { continue };
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if text.starts_with(start) {
                return Some(Received { text, from });
            }
        }
    }

    /// Answers a request: the status and phrase, our tag in To, a session description if `sdp`.
    pub fn reply(&self, request: &Received, status: &str, sdp: bool) {
        let to = request.header("To");
        let tag = if to.contains(";tag=") { "" } else { ";tag=hand" };
        let vias = request.text.split("\r\n").filter(|row| row.to_ascii_lowercase().starts_with("via:"));
        let vias: Vec<&str> = vias.collect();
        let address = self.address();
        let body = if sdp { description(address.port()) } else { String::new() };
        let kind = if sdp { "Content-Type: application/sdp\r\n" } else { "" };
        let text = format!(
            "SIP/2.0 {status}\r\n{}\r\nFrom: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
             Contact: <sip:bob@{address}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            vias.join("\r\n"),
            request.header("From"),
            request.header("Call-ID"),
            request.header("CSeq"),
            body.len()
        );
        self.send(&text, request.from);
    }

    /// A request of ours within the dialog that `invite` opened and we answered.
    pub fn request(&self, invite: &Received, method: &str, cseq: u32) {
        let address = self.address();
        let text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK-hand-{method}-{cseq}\r\n\
             From: {};tag=hand\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n\
             Content-Length: 0\r\n\r\n",
            invite.contact(),
            invite.header("To"),
            invite.header("From"),
            invite.header("Call-ID"),
        );
        self.send(&text, invite.from);
    }

    /// Sends a text.
    pub fn send(&self, text: &str, to: SocketAddr) {
        let _ = self.socket.send_to(text.as_bytes(), to);
    }
}

/// A description of one PCMU stream.
#[must_use]
pub fn description(port: u16) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    )
}
