//! Session descriptions (RFC 8866), line by line.

use std::net::IpAddr;

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

    /// Fields separated by blanks: addresses are replaced, numbers of the grammar only where they are the call's.
    fn fields(&mut self, value: &str) -> String {
        value.split(' ').map(|field| self.field(field)).collect::<Vec<_>>().join(" ")
    }

    fn field(&mut self, field: &str) -> String {
        // Multicast addresses have a time to live behind a slash.
        let (host, behind) =
            field.split_at_checked(field.find('/').unwrap_or(field.len())).unwrap_or((field, ""));
        let digits = field.strip_prefix("ssrc:").unwrap_or(field);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let written = if self.known.has_number(digits) {
                self.pseudonyms.number(digits)
            } else {
                digits.to_owned()
            };
            format!("{}{written}", field.strip_suffix(digits).unwrap_or_default())
        } else if host.parse::<IpAddr>().is_ok() || is_host_name(host) {
            format!("{}{behind}", self.host(host))
        } else {
            self.text(field, Mode::Token)
        }
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

/// `media.example.com`; `IN`, `sendrecv` and `udp` are words of the grammar.
fn is_host_name(field: &str) -> bool {
    field.contains('.')
        && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}
