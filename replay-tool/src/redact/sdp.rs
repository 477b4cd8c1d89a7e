//! Session descriptions (RFC 8866), line by line.

use super::Scope;
use super::text::Mode;

impl Scope<'_> {
    /// A description without what is personal.
    pub fn sdp(&mut self, body: &str) -> String {
        let mut out = String::with_capacity(body.len() + 64);
        for line in body.split_inclusive('\n') {
            let content = line.trim_end_matches(['\r', '\n']);
            let written = self.sdp_line(content);
            out.push_str(&written);
            out.push_str(line.get(content.len()..).unwrap_or_default());
        }
        out
    }

    fn sdp_line(&mut self, line: &str) -> String {
        let Some((kind, value)) = line.split_once('=') else { return self.text(line, Mode::Prose) };
        let written = match kind {
            "o" => self.origin(value),
            "c" => self.fields(value),
            // Numbers of the grammar, not of people.
            "v" | "t" | "m" | "b" | "r" | "z" => value.to_owned(),
            "s" | "i" | "u" | "e" => self.text(value, Mode::Prose),
            "p" => self.text(value, Mode::Display),
            "a" => self.attribute(value),
            _ => self.text(value, Mode::Token),
        };
        format!("{kind}={written}")
    }

    /// `username sess-id sess-version nettype addrtype address`: the ids are numbers that must stay numbers.
    fn origin(&mut self, value: &str) -> String {
        let Some((user, rest)) = value.split_once(' ') else { return self.text(value, Mode::Token) };
        let mut out = String::with_capacity(value.len());
        if user == "-" {
            out.push('-');
        } else {
            // Written and learned like the user part of an address.
            let mut written = String::new();
            self.uri(&format!("sip:{user}@-"), &mut written);
            out.push_str(written.trim_start_matches("sip:").split('@').next().unwrap_or_default());
        }
        out.push(' ');
        out.push_str(&self.fields(rest));
        out
    }

    /// Fields separated by blanks: addresses are replaced, numbers only where they are the call's.
    fn fields(&mut self, value: &str) -> String {
        let mut fields = Vec::new();
        for field in value.split(' ') {
            let number = field.bytes().all(|byte| byte.is_ascii_digit());
            let known = number && self.known.has_number(field);
            // `IN`, `IP4`, `sendrecv`, `udp` are words of the grammar, not hosts.
            let is_address = field.contains(['.', ':']) || field.parse::<std::net::IpAddr>().is_ok();
            fields.push(if is_address {
                // Multicast addresses have a time to live behind a slash.
                let (host, ttl) =
                    field.split_once('/').map_or((field, None), |(host, ttl)| (host, Some(ttl)));
                let host = self.host(host);
                ttl.map_or(host.clone(), |ttl| format!("{host}/{ttl}"))
            } else if known {
                self.pseudonyms.number(field)
            } else {
                field.to_owned()
            });
        }
        fields.join(" ")
    }

    /// Attributes hold many numbers of the grammar: SSRCs, priorities, foundations. Those of the call are found, and
    /// addresses of candidates.
    fn attribute(&mut self, value: &str) -> String {
        if value.starts_with("candidate") || value.starts_with("rtcp:") || value.starts_with("ssrc") {
            return self.fields(value);
        }
        self.text(value, Mode::Token)
    }
}
