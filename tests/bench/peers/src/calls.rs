//! What is written: commits as an engine makes them, from a number.

use callbox_events::schema::{Commit, WireDirection, WireMessage};
use callbox_store::testing::sample::{commit, offered, peer, released, sip_call_id};
use clap::ValueEnum;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Whole calls as a called party sees them: four commits, five events, the six SIP messages in them.
    Calls,
    /// Calls of eight commits of one event and about 300 bytes, which can't be packed.
    Events,
}

impl Workload {
    /// Commits of a call.
    pub fn commits(self) -> u64 {
        match self {
            Self::Calls => 4,
            Self::Events => 8,
        }
    }

    /// Events of a call.
    pub fn events(self) -> u64 {
        match self {
            Self::Calls => 5,
            Self::Events => 8,
        }
    }

    /// One commit of the call with this number.
    pub fn commit(self, number: u64, step: u64) -> Commit {
        match self {
            Self::Calls => of_a_call(number, step),
            Self::Events => commit(number, step, 1, 130),
        }
    }
}

fn of_a_call(number: u64, step: u64) -> Commit {
    let sip = Sip::new(number);
    let (commit, wire) = match step {
        0 => (offered(number), vec![received(sip.invite()), sent(sip.ringing())]),
        1 => (commit(number, 1, 1, 0), vec![sent(sip.ok())]),
        2 => (commit(number, 2, 1, 0), vec![received(sip.ack())]),
        _ => (released(number, 3), vec![received(sip.bye()), sent(sip.bye_ok())]),
    };
    Commit { wire, ..commit }
}

fn received(text: String) -> WireMessage {
    WireMessage { direction: WireDirection::In, peer: peer(), to: None, bytes: text.into_bytes() }
}

fn sent(text: String) -> WireMessage {
    WireMessage { direction: WireDirection::Out, ..received(text) }
}

/// The messages of one call; numbers, tags and branches are its own.
struct Sip {
    call_id: String,
    branch: u64,
    tag: u64,
    caller: u64,
    callee: u64,
}

impl Sip {
    fn new(number: u64) -> Self {
        let draw = |salt: u64| {
            let mut z = (number ^ salt << 56).wrapping_add(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        };
        let subscriber = |salt| 49_300_000_000 + draw(salt) % 90_000_000;
        Self {
            call_id: sip_call_id(number),
            branch: draw(1),
            tag: draw(2),
            caller: subscriber(3),
            callee: subscriber(4),
        }
    }

    fn head(&self, start: &str, hop: u8, to_tag: bool, method: &str) -> String {
        let Self { call_id, branch, tag, caller, callee } = self;
        let to_tag = if to_tag { format!(";tag=c{:x}", tag.rotate_left(20)) } else { String::new() };
        format!(
            "{start}\r\nVia: SIP/2.0/UDP 192.0.2.17:5060;rport;branch=z9hG4bK{branch:016x}{hop}\r\n\
             From: \"+{caller}\" <sip:+{caller}@carrier.example.net;user=phone>;tag={tag:x}\r\n\
             To: <sip:+{callee}@pbx.example.org;user=phone>{to_tag}\r\n\
             Call-ID: {call_id}\r\nCSeq: {method}\r\n"
        )
    }

    fn request(&self, method: &str, hop: u8, cseq: u8) -> String {
        let line = format!("{method} sip:+{}@198.51.100.4:5060;transport=udp SIP/2.0", self.callee);
        self.head(&line, hop, method != "INVITE", &format!("{cseq} {method}")) + "Max-Forwards: 68\r\n"
    }

    fn invite(&self) -> String {
        let body = sdp("192.0.2.90", self.branch);
        self.request("INVITE", 1, 1)
            + &format!(
                "Contact: <sip:192.0.2.17:5060>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO\r\n\
                 Supported: timer, 100rel, replaces\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n\
                 P-Asserted-Identity: <sip:+{}@carrier.example.net>\r\nUser-Agent: Border/7.4.2 (build 1181)\r\n",
                self.caller
            )
            + &with_body(&body)
    }

    fn ringing(&self) -> String {
        self.head("SIP/2.0 180 Ringing", 1, true, "1 INVITE")
            + "Contact: <sip:198.51.100.4:5060>\r\nServer: callbox\r\nContent-Length: 0\r\n\r\n"
    }

    fn ok(&self) -> String {
        let body = sdp("198.51.100.4", self.tag);
        self.head("SIP/2.0 200 OK", 1, true, "1 INVITE")
            + "Contact: <sip:198.51.100.4:5060>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\nServer: callbox\r\n"
            + &with_body(&body)
    }

    fn ack(&self) -> String {
        self.request("ACK", 2, 1) + "Content-Length: 0\r\n\r\n"
    }

    fn bye(&self) -> String {
        self.request("BYE", 3, 2)
            + "Reason: Q.850;cause=16;text=\"Normal call clearing\"\r\nContent-Length: 0\r\n\r\n"
    }

    fn bye_ok(&self) -> String {
        self.head("SIP/2.0 200 OK", 3, true, "2 BYE") + "Server: callbox\r\nContent-Length: 0\r\n\r\n"
    }
}

fn with_body(body: &str) -> String {
    format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn sdp(host: &str, random: u64) -> String {
    let (session, port) = (random % 1_000_000_000, 10_000 + random % 20_000 * 2);
    format!(
        "v=0\r\no=- {session} {session} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 0 18 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
         a=ptime:20\r\na=sendrecv\r\n"
    )
}
