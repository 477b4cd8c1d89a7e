//! Session descriptions (RFC 8866), line by line.

use std::net::IpAddr;

use super::out::Out;
use super::text::Mode;
use super::{Kind, Masks, Scope};

impl<M: Masks> Scope<M> {
    /// Writes a description without what is personal.
    pub fn sdp(&mut self, body: &str, out: &mut Out) {
        for line in body.split_inclusive('\n') {
            let content = line.trim_end_matches(['\r', '\n']);
            self.sdp_line(content, out);
            out.keep(line.get(content.len()..).unwrap_or_default());
        }
    }

    fn sdp_line(&mut self, line: &str, out: &mut Out) {
        let Some((kind, value)) = line.split_once('=') else { return self.text(line, Mode::Prose, out) };
        self.grammar(kind, out);
        out.keep("=");
        match kind {
            "o" => self.origin(value, out),
            "c" => self.fields(value, out),
            // Numbers of the grammar, not of people.
            "v" | "t" | "m" | "b" | "r" | "z" => self.grammar(value, out),
            "s" | "i" | "u" | "e" => self.text(value, Mode::Prose, out),
            "p" => self.text(value, Mode::Display, out),
            "a" => self.attribute(value, out),
            _ => self.text(value, Mode::Token, out),
        }
    }

    /// `username sess-id sess-version nettype addrtype address`: the ids are numbers that must stay numbers.
    fn origin(&mut self, value: &str, out: &mut Out) {
        let Some((user, rest)) = value.split_once(' ') else { return self.text(value, Mode::Token, out) };
        if user == "-" {
            out.keep("-");
        } else {
            self.user(user, self.place, out);
        }
        out.keep(" ");
        self.fields(rest, out);
    }

    /// Fields separated by blanks: addresses are replaced, numbers of the grammar only where they are the call's.
    fn fields(&mut self, value: &str, out: &mut Out) {
        for (index, field) in value.split(' ').enumerate() {
            if index > 0 {
                out.keep(" ");
            }
            self.field(field, out);
        }
    }

    fn field(&mut self, field: &str, out: &mut Out) {
        // Multicast addresses have a time to live behind a slash.
        let (host, behind) =
            field.split_at_checked(field.find('/').unwrap_or(field.len())).unwrap_or((field, ""));
        let digits = field.strip_prefix("ssrc:").unwrap_or(field);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            out.keep(field.strip_suffix(digits).unwrap_or_default());
            match self.known.number_in(digits) {
                Some(whose) => self.put(Kind::Number, digits, digits, whose, out),
                None => out.keep(digits),
            }
        } else if host.parse::<IpAddr>().is_ok() || is_host_name(host) {
            self.host(host, self.place, out);
            out.keep(behind);
        } else {
            self.text(field, Mode::Token, out);
        }
    }

    /// Attributes hold many numbers of the grammar: SSRCs, priorities, foundations. Those of the call are found, and
    /// addresses of candidates.
    fn attribute(&mut self, value: &str, out: &mut Out) {
        if value.starts_with("candidate") || value.starts_with("rtcp:") || value.starts_with("ssrc") {
            return self.fields(value, out);
        }
        self.text(value, Mode::Token, out);
    }
}

/// `media.example.com`; `IN`, `sendrecv` and `udp` are words of the grammar.
fn is_host_name(field: &str) -> bool {
    field.contains('.')
        && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}
