//! SIP messages, rewritten so that they are still SIP messages: parseable, with the right Content-Length.
//!
//! Works on lines and not on parsed messages: what a parser refuses is in the journal too, and must not keep its numbers.

use super::Scope;
use super::text::{Mode, host_length};

/// Headers that carry identities or places in encoded form, where nothing could be replaced.
const LEFT_OUT: [&str; 8] = [
    "identity",
    "identity-info",
    "y",
    "n",
    "user-to-user",
    "geolocation",
    "p-access-network-info",
    "p-charging-vector",
];

/// Headers whose numbers belong to the protocol.
const UNTOUCHED: [&str; 12] = [
    "cseq",
    "rack",
    "rseq",
    "timestamp",
    "max-forwards",
    "expires",
    "min-expires",
    "session-expires",
    "x",
    "min-se",
    "date",
    "retry-after",
];

/// Headers for people to read.
const PROSE: [&str; 7] =
    ["subject", "s", "organization", "user-agent", "server", "x-asterisk-hangupcause", "error-info"];

/// Headers about a body; they go where it goes.
const OF_THE_BODY: [&str; 7] =
    ["content-type", "c", "content-encoding", "e", "content-disposition", "content-language", "mime-version"];

impl Scope<'_> {
    /// The message without what is personal. Bytes that are no UTF-8 are replaced.
    pub fn message(&mut self, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) =
            text.split_once("\r\n\r\n").or_else(|| text.split_once("\n\n")).unwrap_or((&text, ""));
        let lines = unfolded(head);
        let is_sdp = body.trim_start().starts_with("v=");
        let body = if is_sdp { self.sdp(body) } else { String::new() };
        let mut out = String::with_capacity(bytes.len() + 128);
        let mut length_told = false;
        for (index, line) in lines.iter().enumerate() {
            match line.split_once(':').filter(|_| index > 0) {
                None if index == 0 => out.push_str(&self.start_line(line)),
                None => out.push_str(&self.text(line, Mode::Prose)),
                Some((name, value)) => {
                    let key = name.trim().to_ascii_lowercase();
                    if matches!(key.as_str(), "content-length" | "l") {
                        length_told = true;
                        out.push_str(&format!("{name}: {}\r\n", body.len()));
                        continue;
                    }
                    if LEFT_OUT.contains(&key.as_str()) || !is_sdp && OF_THE_BODY.contains(&key.as_str()) {
                        continue;
                    }
                    out.push_str(name);
                    out.push(':');
                    out.push_str(&self.value(&key, value));
                }
            }
            out.push_str("\r\n");
        }
        if !length_told && !body.is_empty() {
            out.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        out.push_str("\r\n");
        out.push_str(&body);
        out.into_bytes()
    }

    /// `METHOD URI SIP/2.0` or `SIP/2.0 STATUS PHRASE`.
    fn start_line(&mut self, line: &str) -> String {
        let mut parts = line.splitn(3, ' ');
        let (first, second, third) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let (Some(second), Some(third)) = (second, third) else { return self.text(line, Mode::Token) };
        if first.to_ascii_uppercase().starts_with("SIP/") {
            format!("{first} {second} {}", self.text(third, Mode::Prose))
        } else {
            format!("{first} {} {third}", self.text(second, Mode::Token))
        }
    }

    fn value(&mut self, key: &str, value: &str) -> String {
        if UNTOUCHED.contains(&key) {
            value.to_owned()
        } else if matches!(key, "via" | "v") {
            value.split(',').map(|hop| self.via(hop)).collect::<Vec<_>>().join(",")
        } else if PROSE.contains(&key) {
            self.text(value, Mode::Prose)
        } else if matches!(key, "authorization" | "proxy-authorization") {
            self.credentials(value)
        } else {
            self.text(value, Mode::Token)
        }
    }

    /// `SIP/2.0/UDP host:port;params`, possibly with blanks around the slashes.
    fn via(&mut self, hop: &str) -> String {
        let protocol = hop.match_indices('/').nth(1).map(|(slash, _)| slash + 1).and_then(|behind| {
            let rest = hop.get(behind..)?;
            let transport = rest.trim_start();
            let blank = transport.find([' ', '\t'])?;
            let sent_by = transport.get(blank..)?.trim_start();
            Some(hop.len() - sent_by.len())
        });
        let Some((protocol, rest)) = protocol.and_then(|at| hop.split_at_checked(at)) else {
            return self.text(hop, Mode::Token);
        };
        let (host, rest) = rest.split_at_checked(host_length(rest)).unwrap_or((rest, ""));
        let host = self.host(host);
        format!("{protocol}{host}{}", self.params(rest))
    }

    /// Parameters of a Via; `received` and `maddr` are hosts.
    fn params(&mut self, params: &str) -> String {
        let one = |param: &str, scope: &mut Self| match param.split_once('=') {
            Some((name, host))
                if matches!(name.trim().to_ascii_lowercase().as_str(), "received" | "maddr") =>
            {
                format!("{name}={}", scope.host(host.trim()))
            }
            Some(_) | None => scope.text(param, Mode::Token),
        };
        params.split(';').map(|param| one(param, self)).collect::<Vec<_>>().join(";")
    }

    /// Digest credentials: the user name is one like in an address; what could be guessed a password from is taken out.
    fn credentials(&mut self, value: &str) -> String {
        let one = |param: &str, scope: &mut Self| {
            let Some((name, content)) = param.split_once('=') else { return scope.text(param, Mode::Token) };
            let word = name.trim().rsplit(' ').next().unwrap_or_default().to_ascii_lowercase();
            let content = content.trim().trim_matches('"');
            match word.as_str() {
                "username" => {
                    let mut written = String::new();
                    scope.uri(&format!("sip:{content}@-"), &mut written);
                    let user =
                        written.trim_start_matches("sip:").split('@').next().unwrap_or_default().to_owned();
                    format!("{name}=\"{user}\"")
                }
                "realm" => format!("{name}=\"{}\"", scope.host(content)),
                "response" => format!("{name}=\"{}\"", "0".repeat(content.len().min(64))),
                _ => scope.text(param, Mode::Token),
            }
        };
        value.split(',').map(|param| one(param, self)).collect::<Vec<_>>().join(",")
    }
}

/// The lines of a head with folded ones put together (RFC 3261 §7.3.1).
fn unfolded(head: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in head.lines() {
        match lines.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            Some(last) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            None => lines.push(line.trim_end_matches('\r').to_owned()),
        }
    }
    lines
}
