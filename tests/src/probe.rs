//! SIP by hand: bytes to a live engine, and what comes back.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// A UDP socket that talks to one engine.
#[derive(Debug)]
pub struct Probe {
    socket: UdpSocket,
}

impl Probe {
    /// A socket on a free port, for the engine on `port`.
    #[must_use]
    pub fn new(port: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has free ports");
        socket.connect(("127.0.0.1", port)).expect("UDP always connects");
        Self { socket }
    }

    /// Its own address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket has an address")
    }

    /// Sends one datagram.
    pub fn send(&self, datagram: &[u8]) {
        // Refused (ICMP of an earlier datagram) is for the caller to find out: the engine is then dead.
        let _ = self.socket.send(datagram);
    }

    /// The next datagram within `bound`.
    #[must_use]
    pub fn receive(&self, bound: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(bound.max(Duration::from_millis(1)))).expect("a positive time");
        let mut buffer = vec![0_u8; 65_536];
        let count = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..count]).into_owned())
    }

    /// The next response to the transaction of `branch`, provisional ones passed over, within `bound`.
    #[must_use]
    pub fn final_response(&self, branch: &str, bound: Duration) -> Option<String> {
        let end = Instant::now() + bound;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let message = self.receive(left)?;
            if message.contains(branch) && status_of(&message).is_some_and(|status| status >= 200) {
                return Some(message);
            }
        }
    }

    /// Whether the engine answers an OPTIONS outside any call; drains whatever came before.
    #[must_use]
    pub fn alive(&self, label: &str) -> bool {
        let request = Request::new("OPTIONS", self.address(), label);
        self.send(request.text().as_bytes());
        self.final_response(&request.branch, Duration::from_secs(5)).is_some()
    }
}

/// The status of a response; `None` for a request or garbage.
#[must_use]
pub fn status_of(message: &str) -> Option<u16> {
    message.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

/// The value of the first header of that name (long form, any case).
#[must_use]
pub fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let rows = message.split("\r\n").take_while(|row| !row.is_empty());
    let mut found = rows.filter_map(|row| row.split_once(':'));
    found.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// A correct request, to be bent by a test.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The branch of its Via.
    pub branch: String,
    /// Its Call-ID.
    pub call_id: String,
    /// Its CSeq number.
    pub cseq: u32,
    /// The tag of the To header, for a request within a dialog.
    pub to_tag: Option<String>,
    /// Further header lines, without line ends.
    pub extra: Vec<String>,
    /// The body.
    pub body: String,
    transport: &'static str,
    from: SocketAddr,
    label: String,
}

impl Request {
    /// A request outside any dialog, with identifiers made from `label`.
    #[must_use]
    pub fn new(method: &str, from: SocketAddr, label: &str) -> Self {
        Self {
            method: method.to_owned(),
            branch: format!("z9hG4bK-{label}-{method}"),
            call_id: format!("{label}@probe"),
            cseq: 1,
            to_tag: None,
            extra: Vec::new(),
            body: String::new(),
            transport: "UDP",
            from,
            label: label.to_owned(),
        }
    }

    /// For a stream.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.transport = "TCP";
        self
    }

    /// With one more header line.
    #[must_use]
    pub fn header(mut self, line: &str) -> Self {
        self.extra.push(line.to_owned());
        self
    }

    /// With an offer of one audio stream.
    #[must_use]
    pub fn offer(mut self) -> Self {
        self.extra.push("Content-Type: application/sdp".to_owned());
        let port = self.from.port();
        self.body = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
        );
        self
    }

    /// The whole message.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { method, branch, call_id, cseq, from, label, transport, body, .. } = self;
        let to_tag = self.to_tag.as_ref().map_or_else(String::new, |tag| format!(";tag={tag}"));
        let extra: String = self.extra.iter().map(|line| format!("{line}\r\n")).collect();
        format!(
            "{method} sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} {from};branch={branch}\r\n\
             From: <sip:probe@{from}>;tag=t-{label}\r\nTo: <sip:bob@127.0.0.1>{to_tag}\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:probe@{from}>\r\nMax-Forwards: 70\r\n{extra}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

/// A TCP connection to an engine.
#[derive(Debug)]
pub struct Stream {
    stream: TcpStream,
    pending: String,
}

impl Stream {
    /// Connects to the engine on `port`.
    #[must_use]
    pub fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the engine listens");
        Self { stream, pending: String::new() }
    }

    /// Its own address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.stream.local_addr().expect("a connected socket has an address")
    }

    /// Sends bytes; whether the engine still takes them.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// The next response head (bodies are passed over) within `bound`; `None` at the end of the stream, too.
    #[must_use]
    pub fn receive(&mut self, bound: Duration) -> Option<String> {
        let end = Instant::now() + bound;
        loop {
            if let Some(message) = self.take_message() {
                return Some(message);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.stream.set_read_timeout(Some(left)).expect("a positive time");
            let mut buffer = [0_u8; 8192];
            match self.stream.read(&mut buffer) {
                Ok(count) if count > 0 => self.pending.push_str(&String::from_utf8_lossy(&buffer[..count])),
                Ok(_) | Err(_) => return None,
            }
        }
    }

    fn take_message(&mut self) -> Option<String> {
        let head = self.pending.find("\r\n\r\n")? + 4;
        let length =
            header(&self.pending, "Content-Length").and_then(|text| text.parse().ok()).unwrap_or(0_usize);
        (self.pending.len() >= head + length).then(|| self.pending.drain(..head + length).collect())
    }
}
