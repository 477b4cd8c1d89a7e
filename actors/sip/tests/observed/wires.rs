//! Messages of the scripts as bytes.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::script::{Options, address};

/// A message to be.
pub struct Wire<'a, 'o> {
    pub method: &'a str,
    pub status: Option<u16>,
    pub call: &'a str,
    pub caller_tag: &'a str,
    pub callee_tag: Option<&'a str>,
    pub by_caller: bool,
    pub cseq: u32,
    pub branch: &'a str,
    pub vias: usize,
    pub source: SocketAddr,
    pub options: &'a Options<'o>,
}

impl Wire<'_, '_> {
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = match self.status {
            Some(status) => format!("SIP/2.0 {status} {}\r\n", self.phrase(status)),
            None => format!("{} sip:bob@example.org SIP/2.0\r\n", self.method),
        };
        for hop in 0..self.vias {
            let branch = if hop == 0 { self.branch.to_owned() } else { format!("z9hG4bK-below-{hop}") };
            write!(text, "Via: SIP/2.0/UDP 10.9.9.{hop}:5060;branch={branch}\r\n").unwrap();
        }
        let user = |key, otherwise| self.options.get(key).unwrap_or(otherwise);
        let caller = format!("<sip:{}@example.org>;tag={}", user("from", "alice"), self.caller_tag);
        let callee = format!("<sip:{}@example.org>", user("to", "bob"));
        let callee = match self.callee_tag {
            Some(tag) => format!("{callee};tag={tag}"),
            None => callee,
        };
        let (from, to) = if self.by_caller { (caller, callee) } else { (callee, caller) };
        write!(text, "From: {from}\r\nTo: {to}\r\nCall-ID: {}\r\n", self.call).unwrap();
        write!(text, "CSeq: {} {}\r\n", self.cseq, self.method).unwrap();
        if matches!(self.method, "INVITE" | "UPDATE" | "REFER")
            && self.status.is_none_or(|status| status > 100)
        {
            let host =
                self.options.get("contact").map_or_else(|| self.source.ip().to_string(), str::to_owned);
            write!(text, "Contact: <sip:{host}>\r\n").unwrap();
        }
        if self.options.has("auth") {
            text.push_str("Authorization: Digest username=\"alice\", response=\"0\"\r\n");
        }
        for reason in self.options.all("reason") {
            write!(text, "Reason: {}\r\n", reason.replace('\'', "\"")).unwrap();
        }
        for header in self.options.all("h") {
            write!(text, "{header}\r\n").unwrap();
        }
        let (kind, body) = self.body();
        if !kind.is_empty() {
            write!(text, "Content-Type: {kind}\r\n").unwrap();
        }
        write!(text, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        text.into_bytes()
    }

    fn phrase(&self, status: u16) -> String {
        self.options
            .get("phrase")
            .map_or_else(|| callbox_sip::wire::phrase_of(status).to_owned(), str::to_owned)
    }

    fn body(&self) -> (&'static str, String) {
        if let Some(body) = self.options.get("body") {
            return ("message/sipfrag", body.replace("\\n", "\r\n"));
        }
        if !self.options.has("sdp") {
            return ("", String::new());
        }
        let direction = self.options.get("sdp").unwrap_or("sendrecv");
        let origin = self.source.ip();
        let media = self.options.get("media").map_or(origin, |end| address(end.parse().unwrap(), 0).ip());
        let body = format!(
            "v=0\r\no=- 1 1 IN IP4 {origin}\r\ns=-\r\nc=IN IP4 {media}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na={direction}\r\n"
        );
        ("application/sdp", body)
    }
}
