//! SIP messages, rewritten so that they are still SIP messages: parseable, with the right Content-Length.
//!
//! Works on lines and not on parsed messages: what a parser refuses is in the journal too, and must not keep its numbers.

use std::ops::Range;

use memchr::memmem;

use super::headers::{self, Header};
use super::out::Out;
use super::text::{Mode, NUMBER_DIGITS, host_length};
use super::{Masks, Scope, Whose};

/// A message cut into its head and its body.
struct Cut<'t> {
    head: &'t str,
    /// The empty line between them.
    between: &'t str,
    body: &'t str,
}

impl<'t> Cut<'t> {
    fn of(text: &'t str) -> Self {
        let find = |separator: &str| {
            let at = memmem::find(text.as_bytes(), separator.as_bytes())?;
            let (head, rest) = text.split_at_checked(at)?;
            let (between, body) = rest.split_at_checked(separator.len())?;
            Some(Self { head, between, body })
        };
        find("\r\n\r\n").or_else(|| find("\n\n")).unwrap_or(Self { head: text, between: "", body: "" })
    }

    /// Header fields with their folded lines (RFC 3261 §7.3.1) and their line ends; the first one is the start line.
    fn fields(&self) -> impl Iterator<Item = &'t str> {
        let head = self.head;
        let mut at = 0;
        std::iter::from_fn(move || {
            let rest = head.get(at..).filter(|rest| !rest.is_empty())?;
            let mut length = 0;
            for line in rest.split_inclusive('\n') {
                if length > 0 && !line.starts_with([' ', '\t']) {
                    break;
                }
                length += line.len();
            }
            at += length;
            rest.get(..length)
        })
    }

    /// The value of the first field with one of these names, in small letters.
    fn value(&self, names: [&str; 2]) -> Option<&'t str> {
        self.fields().skip(1).find_map(|field| {
            let (name, value) = field.split_once(':')?;
            names.iter().any(|one| name.trim().eq_ignore_ascii_case(one)).then_some(value)
        })
    }
}

/// Whose the parts of one message are.
#[derive(Debug, Clone, Copy)]
struct Roles {
    /// Who sent the request that this is, or that this answers.
    from: Whose,
    /// Whom it was for.
    to: Whose,
    /// Who sent this.
    speaker: Whose,
}

impl<M: Masks> Scope<M> {
    /// Writes the message without what is personal. Bytes that are no UTF-8 are replaced.
    pub fn message(&mut self, bytes: &[u8], out: &mut Out) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.message_text(text, out),
            Err(_) => {
                let mut readable = Out::default();
                self.message_text(&String::from_utf8_lossy(bytes), &mut readable);
                out.replace(bytes, &readable.bytes, self.masks.everybody());
            }
        }
    }

    fn message_text(&mut self, text: &str, out: &mut Out) {
        let cut = Cut::of(text);
        let sides = self.roles(&cut);
        let is_sdp = cut.body.trim_start().starts_with("v=");
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        (self.place, self.persons) = (sides.speaker, false);
        if is_sdp {
            self.sdp(cut.body, &mut body);
        } else if !cut.body.is_empty() {
            body.replace(cut.body.as_bytes(), b"", self.masks.everybody());
        }
        let touched = (!body.holes.is_empty()).then_some(body.bytes.len());
        for (index, field) in cut.fields().enumerate() {
            match field.split_once(':').filter(|_| index > 0) {
                None if index == 0 => self.start_line(field, sides, out),
                None => self.in_place(self.everybody, |scope| scope.text(field, Mode::Prose, out)),
                Some((name, value)) => {
                    self.header(Field { whole: field, name, value }, sides, is_sdp, touched, out)
                }
            }
        }
        out.keep(cut.between);
        out.append(&body);
        self.body = body;
    }

    fn roles(&mut self, cut: &Cut<'_>) -> Roles {
        self.place = self.everybody;
        self.persons = true;
        let mut side = |names| self.owner_named(cut.value(names)?);
        let (from, to) = (side(["from", "f"]), side(["to", "t"]));
        let (from, to) = (from.unwrap_or(self.everybody), to.unwrap_or(self.everybody));
        let is_response = cut.head.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/"));
        Roles { from, to, speaker: if is_response { to } else { from } }
    }

    /// `METHOD URI SIP/2.0` or `SIP/2.0 STATUS PHRASE`.
    fn start_line(&mut self, line: &str, sides: Roles, out: &mut Out) {
        let mut parts = line.splitn(3, ' ');
        let (first, second, third) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let (Some(second), Some(third)) = (second, third) else {
            return self.in_place(self.everybody, |scope| scope.text(line, Mode::Token, out));
        };
        self.in_place(sides.speaker, |scope| scope.grammar(first, out));
        out.keep(" ");
        if first.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/")) {
            self.in_place(sides.speaker, |scope| scope.grammar(second, out));
            out.keep(" ");
            self.in_place(sides.speaker, |scope| scope.text(third, Mode::Prose, out));
        } else {
            self.in_place(sides.to, |scope| scope.text(second, Mode::Token, out));
            out.keep(" ");
            self.in_place(sides.to, |scope| scope.grammar(third, out));
        }
    }

    fn header(
        &mut self,
        field: Field<'_>,
        sides: Roles,
        is_sdp: bool,
        touched: Option<usize>,
        out: &mut Out,
    ) {
        let Field { whole, name, value } = field;
        let header = Header::named(name.trim());
        if header == Header::LeftOut || header == Header::OfTheBody && !is_sdp {
            return out.replace(whole.as_bytes(), b"", self.masks.everybody());
        }
        self.in_place(sides.speaker, |scope| scope.grammar(name, out));
        out.keep(":");
        let content = value.trim_end_matches(['\r', '\n']);
        let end = value.get(content.len()..).unwrap_or_default();
        // A length has a few digits; it is kept in clear, so anything longer is taken for what it may be.
        let digits = content.bytes().filter(u8::is_ascii_digit).count();
        if header == Header::Length && digits < NUMBER_DIGITS && self.known.number_among(content).is_none() {
            length(content, touched, out);
        } else if content.contains('\n') {
            self.folded(header, content, sides, out);
        } else {
            self.value(header, content, sides, out);
        }
        out.keep(end);
    }

    /// A value over several lines, put together: what is cut by a fold would not be found.
    fn folded(&mut self, header: Header, content: &str, sides: Roles, out: &mut Out) {
        let lines = content.lines().map(|line| line.trim_end_matches('\r'));
        let unfolded = lines.enumerate().fold(String::new(), |whole, (index, line)| {
            if index == 0 { line.to_owned() } else { whole + " " + line.trim() }
        });
        let mut written = Out::default();
        self.value(header, &unfolded, sides, &mut written);
        out.replace(content.as_bytes(), &written.bytes, self.masks.everybody());
    }

    fn value(&mut self, header: Header, value: &str, sides: Roles, out: &mut Out) {
        match header {
            Header::Untouched => self.in_place(sides.speaker, |scope| scope.grammar(value, out)),
            Header::Via => self.in_place(sides.from, |scope| {
                for (index, hop) in value.split(',').enumerate() {
                    if index > 0 {
                        out.keep(",");
                    }
                    scope.via(hop, out);
                }
            }),
            Header::Prose => self.in_place(sides.speaker, |scope| scope.text(value, Mode::Prose, out)),
            Header::Credentials => self.in_place(sides.from, |scope| scope.credentials(value, out)),
            Header::CallId => self.in_place(sides.from, |scope| scope.text(value, Mode::Token, out)),
            Header::Route => self.in_place(self.everybody, |scope| scope.text(value, Mode::Token, out)),
            Header::Person => {
                (self.place, self.persons) = (sides.speaker, true);
                self.text(value, Mode::Token, out);
            }
            Header::Other | Header::Length | Header::LeftOut | Header::OfTheBody => {
                self.in_place(sides.speaker, |scope| scope.text(value, Mode::Token, out));
            }
        }
    }

    /// Addresses are places here, and `whose` if they are nobody's who is known.
    fn in_place(&mut self, whose: Whose, write: impl FnOnce(&mut Self)) {
        (self.place, self.persons) = (whose, false);
        write(self);
    }

    /// `SIP/2.0/UDP host:port;params`, possibly with blanks around the slashes.
    fn via(&mut self, hop: &str, out: &mut Out) {
        let protocol = hop.match_indices('/').nth(1).map(|(slash, _)| slash + 1).and_then(|behind| {
            let rest = hop.get(behind..)?;
            let transport = rest.trim_start();
            let blank = transport.find([' ', '\t'])?;
            let sent_by = transport.get(blank..)?.trim_start();
            Some(hop.len() - sent_by.len())
        });
        let Some((protocol, rest)) = protocol.and_then(|at| hop.split_at_checked(at)) else {
            return self.text(hop, Mode::Token, out);
        };
        let (host, rest) = rest.split_at_checked(host_length(rest)).unwrap_or((rest, ""));
        self.grammar(protocol, out);
        self.host(host, self.place, out);
        self.params(rest, out);
    }

    /// Parameters of a Via; `received` and `maddr` are hosts.
    fn params(&mut self, params: &str, out: &mut Out) {
        for (index, param) in params.split(';').enumerate() {
            if index > 0 {
                out.keep(";");
            }
            match param.split_once('=') {
                Some((name, host)) if headers::is_host_parameter(name.trim()) => {
                    self.grammar(name, out);
                    out.keep("=");
                    let (before, host, behind) = trimmed(host, char::is_whitespace);
                    out.keep(before);
                    self.host(host, self.place, out);
                    out.keep(behind);
                }
                Some(_) | None => self.text(param, Mode::Token, out),
            }
        }
    }

    /// Digest credentials: the user name is one like in an address; what could be guessed a password from is taken out.
    fn credentials(&mut self, value: &str, out: &mut Out) {
        for (index, param) in value.split(',').enumerate() {
            if index > 0 {
                out.keep(",");
            }
            let Some((name, raw)) = param.split_once('=') else {
                self.text(param, Mode::Token, out);
                continue;
            };
            let word = name.trim().rsplit(' ').next().unwrap_or_default().to_ascii_lowercase();
            if !matches!(word.as_str(), "username" | "realm" | "response") {
                self.text(param, Mode::Token, out);
                continue;
            }
            self.grammar(name, out);
            out.keep("=");
            let (before, content, behind) = trimmed(raw, |char| char == '"' || char.is_whitespace());
            out.keep(before);
            match word.as_str() {
                "username" => self.user(content, self.place, out),
                "realm" => self.host(content, self.place, out),
                _ => out.put(content, &"0".repeat(content.len().min(64)), self.place),
            }
            out.keep(behind);
        }
    }
}

/// A header field, with its line end, and its two halves.
#[derive(Debug, Clone, Copy)]
struct Field<'t> {
    whole: &'t str,
    name: &'t str,
    value: &'t str,
}

/// The length of the body. Even if the digits are the same by chance they are marked: another part of what was replaced
/// may come back than all of it.
fn length(value: &str, touched: Option<usize>, out: &mut Out) {
    let Some(length) = touched else { return out.keep(value) };
    let (before, digits, behind) = trimmed(value, char::is_whitespace);
    out.keep(before);
    out.replace(digits.as_bytes(), length.to_string().as_bytes(), Whose::NOBODY);
    out.keep(behind);
}

/// A text cut into what `edge` says of its beginning, its middle, and its end.
fn trimmed(text: &str, edge: impl Fn(char) -> bool) -> (&str, &str, &str) {
    let begins = text.len() - text.trim_start_matches(&edge).len();
    let middle = text.trim_matches(&edge);
    let cut = |range: Range<usize>| text.get(range).unwrap_or_default();
    (cut(0..begins), cut(begins..begins + middle.len()), cut(begins + middle.len()..text.len()))
}
