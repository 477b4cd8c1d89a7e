//! Texts, rewritten in one pass from left to right: addresses, quoted strings, numbers, names, hosts.
//!
//! One pass, because what was replaced must not be looked at again: a pseudonym of a pseudonym would be another one.

use std::net::IpAddr;

use super::Scope;

/// A run of so many digits is taken for a number wherever it stands.
const NUMBER_DIGITS: usize = 7;

/// How far the end of a quoted string or of a user part is looked for: a text full of beginnings must not cost its
/// length for each.
pub const MAX_LOOK: usize = 4_096;

/// No address in brackets is longer.
const MAX_ADDRESS: usize = 50;

/// How much of a text is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A code of ours, or a value that no person wrote: numbers and addresses only.
    Code,
    /// A header value or a token of SIP: names and hosts of the call, too.
    Token,
    /// Written for people: numbers may have blanks and dashes in them.
    Prose,
    /// A display name: every digit counts.
    Display,
}

impl Mode {
    fn words(self) -> bool {
        match self {
            Self::Code => false,
            Self::Token | Self::Prose | Self::Display => true,
        }
    }

    fn separators(self) -> bool {
        match self {
            Self::Code | Self::Token => false,
            Self::Prose | Self::Display => true,
        }
    }
}

impl Scope<'_> {
    /// The text without what is personal.
    pub fn text(&mut self, text: &str, mode: Mode) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        let mut at = 0;
        // Where a display name in front of `<` would begin, in the text and in what is written.
        let mut segment = (0, 0);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let before = text.get(..at).unwrap_or_default();
            if let Some(next) = rest.strip_prefix('<')
                && let Some(name) = text.get(segment.0..at).filter(|_| super::uri::starts(next))
            {
                self.unquoted_name(name, segment.1, &mut out);
                out.push('<');
                at += 1;
                segment = (at, out.len());
            } else {
                at += self.step(before, rest, mode, &mut out);
            }
            if rest.starts_with(',') {
                segment = (at, out.len());
            }
        }
        out
    }

    /// Rewrites the beginning of `rest`; returns how many bytes of it.
    fn step(&mut self, before: &str, rest: &str, mode: Mode, out: &mut String) -> usize {
        let first = rest.chars().next().unwrap_or_default();
        let inside_word = before.chars().next_back().is_some_and(char::is_alphanumeric);
        if !inside_word && super::uri::starts(rest) {
            return self.uri(rest, out);
        }
        match first {
            '"' => self.quoted(rest, out),
            '@' => {
                out.push('@');
                1 + rest.get(1..).map_or(0, |host| self.host_at(host, out))
            }
            '[' => self.bracketed(rest, out),
            _ if first.is_alphanumeric() => self.word(rest, mode, out),
            _ => {
                out.push(first);
                first.len_utf8()
            }
        }
    }

    /// A display name without quotes that was copied already, since nothing told that it is one.
    fn unquoted_name(&mut self, name: &str, begins: usize, out: &mut String) {
        let trimmed = name.trim();
        if trimmed.is_empty() || trimmed.contains(['"', '<', '>']) {
            return;
        }
        out.truncate(begins);
        let lead = name.len() - name.trim_start().len();
        out.push_str(name.get(..lead).unwrap_or_default());
        let display = self.display(trimmed);
        out.push_str(&display);
        out.push_str(name.get(lead + trimmed.len()..).unwrap_or_default());
    }

    fn quoted(&mut self, rest: &str, out: &mut String) -> usize {
        let mut escaped = false;
        let end = rest.char_indices().skip(1).take(MAX_LOOK).find(|(_, char)| {
            let closes = *char == '"' && !escaped;
            escaped = *char == '\\' && !escaped;
            closes
        });
        let Some((end, _)) = end else {
            out.push('"');
            return 1;
        };
        let content = rest.get(1..end).unwrap_or_default();
        let is_name = rest.get(end + 1..).is_some_and(|behind| behind.trim_start().starts_with('<'));
        let written = if is_name { self.display(content) } else { self.text(content, Mode::Prose) };
        out.push('"');
        out.push_str(&written);
        out.push('"');
        end + 1
    }

    /// A display name without its quotes.
    pub fn display(&mut self, name: &str) -> String {
        if name.is_empty() || name.eq_ignore_ascii_case("anonymous") {
            return name.to_owned();
        }
        let digits = digits_of(name);
        if let Some(digits) = &digits {
            self.known.number(digits);
        }
        if !self.all || digits.is_some() {
            return self.text(name, Mode::Display);
        }
        self.known.name(name);
        name.split_whitespace().for_each(|word| self.known.name(word));
        self.pseudonyms.name(name)
    }

    /// What stands behind an `@`.
    fn host_at(&mut self, rest: &str, out: &mut String) -> usize {
        let length = host_length(rest);
        let host = rest.get(..length).unwrap_or_default();
        let written = self.host(host);
        out.push_str(&written);
        length
    }

    /// A host: a name or an address, an IPv6 one with or without its brackets.
    pub fn host(&mut self, host: &str) -> String {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if !self.all || bare.is_empty() || bare.eq_ignore_ascii_case("anonymous.invalid") {
            return if bare.parse::<IpAddr>().is_ok() {
                host.to_owned()
            } else {
                self.text(host, Mode::Token)
            };
        }
        match bare.parse::<IpAddr>() {
            Ok(address) => {
                let address = self.pseudonyms.address(address);
                if host.starts_with('[') { format!("[{address}]") } else { address.to_string() }
            }
            Err(_) => {
                self.known.host(host);
                self.pseudonyms.host(host)
            }
        }
    }

    /// `[2001:db8::1]`, or just a bracket.
    fn bracketed(&mut self, rest: &str, out: &mut String) -> usize {
        let end = rest.bytes().take(MAX_ADDRESS).position(|byte| byte == b']');
        let inside = end.and_then(|end| rest.get(1..end)).and_then(|inside| inside.parse::<IpAddr>().ok());
        match (end, inside) {
            (Some(end), Some(_)) => {
                let written = self.host(rest.get(..=end).unwrap_or_default());
                out.push_str(&written);
                end + 1
            }
            (_, _) => {
                out.push('[');
                1
            }
        }
    }

    /// A word: an address, a host or a name of the call, or something that may have numbers in it.
    fn word(&mut self, rest: &str, mode: Mode, out: &mut String) -> usize {
        let length = token_length(rest);
        let word = rest.get(..length).unwrap_or_default();
        if let Ok(address) = word.parse::<IpAddr>() {
            let address = if self.all { self.pseudonyms.address(address) } else { address };
            out.push_str(&address.to_string());
            return length;
        }
        if self.all && mode.words() {
            if self.known.has_name(word) {
                out.push_str(&self.pseudonyms.user(word));
                return length;
            }
            if self.known.has_host(word) {
                out.push_str(&self.pseudonyms.host(word));
                return length;
            }
        }
        self.part(rest, mode, out)
    }

    /// The first run of letters, of digits, or of digits with what separates them.
    fn part(&mut self, rest: &str, mode: Mode, out: &mut String) -> usize {
        if rest.starts_with(|first: char| first.is_ascii_digit()) {
            return self.digits(rest, mode, out);
        }
        let length =
            rest.find(|char: char| !char.is_alphanumeric() || char.is_ascii_digit()).unwrap_or(rest.len());
        let letters = rest.get(..length).unwrap_or_default();
        let whole = !rest.get(length..).is_some_and(|behind| behind.starts_with(char::is_alphanumeric));
        if self.all && mode.words() && whole && self.known.has_name(letters) {
            out.push_str(&self.pseudonyms.user(letters));
        } else {
            out.push_str(letters);
        }
        length
    }

    fn digits(&mut self, rest: &str, mode: Mode, out: &mut String) -> usize {
        let plain = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
        let spread = if mode.separators() { spread_length(rest) } else { plain };
        for length in [spread, plain] {
            let run = rest.get(..length).unwrap_or_default();
            let digits: String = run.chars().filter(char::is_ascii_digit).collect();
            let is_number =
                mode == Mode::Display || digits.len() >= NUMBER_DIGITS || self.known.has_number(&digits);
            if is_number {
                out.push_str(&self.pseudonyms.number(&digits));
                return length;
            }
        }
        out.push_str(rest.get(..plain).unwrap_or_default());
        plain
    }
}

/// The digits of a text that is nothing but a telephone number as people write it; none for anything else.
pub fn digits_of(text: &str) -> Option<String> {
    let allowed = |char: char| char.is_ascii_digit() || " -./()+*#".contains(char);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (text.chars().all(allowed) && !digits.is_empty()).then_some(digits)
}

/// How long a host is, with its brackets, without a port.
pub fn host_length(text: &str) -> usize {
    if text.starts_with('[') {
        return text.find(']').map_or(1, |end| end + 1);
    }
    text.find(|char: char| !(char.is_alphanumeric() || matches!(char, '.' | '-' | '_'))).unwrap_or(text.len())
}

fn token_length(text: &str) -> usize {
    let length = host_length(text);
    // The full stop at the end of a sentence is not part of its last word.
    let word = text.get(..length).unwrap_or_default().trim_end_matches(['.', '-', '_']);
    word.len().max(1)
}

/// How far a number reaches that begins here and may have one or two separators between its digits.
fn spread_length(text: &str) -> usize {
    let (mut end, mut gap) = (0, 0);
    for (at, char) in text.char_indices() {
        if char.is_ascii_digit() {
            (end, gap) = (at + 1, 0);
        } else if gap < 2 && " -./()".contains(char) {
            gap += 1;
        } else {
            break;
        }
    }
    end
}
