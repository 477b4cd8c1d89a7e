//! Texts, rewritten in one pass from left to right: addresses, quoted strings, numbers, names, hosts.
//!
//! One pass, because what was replaced must not be looked at again: a pseudonym of a pseudonym would be another one.

use std::net::IpAddr;

use super::out::{Mark, Out};
use super::{Kind, Masks, Scope, Whose};

/// A run of so many digits is taken for a number wherever it stands.
pub const NUMBER_DIGITS: usize = 7;

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

impl<M: Masks> Scope<M> {
    /// Writes the text without what is personal.
    pub fn text(&mut self, text: &str, mode: Mode, out: &mut Out) {
        let mut at = 0;
        let mut inside_word = false;
        // Where a display name in front of `<` would begin, in the text and in what is written.
        let mut segment = (0, out.mark());
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(next) = rest.strip_prefix('<')
                && let Some(name) = text.get(segment.0..at).filter(|_| super::uri::starts(next))
            {
                self.unquoted_name(name, next, segment.1, out);
                out.keep("<");
                at += 1;
                segment = (at, out.mark());
            } else {
                at += self.step(inside_word, rest, mode, out);
            }
            if rest.starts_with(',') {
                segment = (at, out.mark());
            }
            inside_word = text.get(..at).and_then(ends_with).is_some_and(char::is_alphanumeric);
        }
    }

    /// Writes what is of the grammar and stays, unless a stranger put a number of the call into it.
    pub fn grammar(&mut self, text: &str, out: &mut Out) {
        match self.known.number_among(text) {
            Some(_) => self.text(text, Mode::Token, out),
            None => out.keep(text),
        }
    }

    /// Rewrites the beginning of `rest`; returns how many bytes of it.
    fn step(&mut self, inside_word: bool, rest: &str, mode: Mode, out: &mut Out) -> usize {
        if !inside_word && super::uri::starts(rest) {
            return self.uri(rest, out);
        }
        match rest.as_bytes().first() {
            Some(b'"') => self.quoted(rest, out),
            Some(b'@') => {
                out.keep("@");
                1 + rest.get(1..).map_or(0, |host| self.host_at(host, out))
            }
            Some(b'[') => self.bracketed(rest, out),
            Some(byte) if byte.is_ascii_alphanumeric() => self.word(rest, mode, out),
            Some(byte) if byte.is_ascii() => {
                let plain = rest.bytes().take_while(|byte| is_plain(*byte)).count().max(1);
                out.keep(rest.get(..plain).unwrap_or_default());
                plain
            }
            Some(_) | None => {
                let first = rest.chars().next().unwrap_or_default();
                if first.is_alphanumeric() {
                    return self.word(rest, mode, out);
                }
                out.keep(rest.get(..first.len_utf8()).unwrap_or_default());
                first.len_utf8()
            }
        }
    }

    /// A display name without quotes in front of the address `uri`; it was copied already, since nothing told that it is
    /// one.
    fn unquoted_name(&mut self, name: &str, uri: &str, begins: Mark, out: &mut Out) {
        let trimmed = name.trim();
        if trimmed.is_empty() || trimmed.contains(['"', '<', '>']) {
            return;
        }
        out.rewind(begins);
        let lead = name.len() - name.trim_start().len();
        out.keep(name.get(..lead).unwrap_or_default());
        let whose = self.owner_of(uri);
        self.display(trimmed, whose, out);
        out.keep(name.get(lead + trimmed.len()..).unwrap_or_default());
    }

    fn quoted(&mut self, rest: &str, out: &mut Out) -> usize {
        let mut escaped = false;
        let end = rest.char_indices().skip(1).take(MAX_LOOK).find(|(_, char)| {
            let closes = *char == '"' && !escaped;
            escaped = *char == '\\' && !escaped;
            closes
        });
        out.keep("\"");
        let Some((end, _)) = end else { return 1 };
        let content = rest.get(1..end).unwrap_or_default();
        let behind = rest.get(end + 1..).unwrap_or_default().trim_start().strip_prefix('<');
        if let Some(uri) = behind {
            let whose = self.owner_of(uri);
            self.display(content, whose, out);
        } else {
            self.text(content, Mode::Prose, out);
        }
        out.keep("\"");
        end + 1
    }

    /// A display name without its quotes.
    fn display(&mut self, name: &str, whose: Whose, out: &mut Out) {
        if name.is_empty() || name.eq_ignore_ascii_case("anonymous") {
            return out.keep(name);
        }
        let digits = digits_of(name);
        if let Some(digits) = &digits {
            self.known.number(digits, whose);
        }
        if !self.all || digits.is_some() {
            let place = std::mem::replace(&mut self.place, whose);
            self.text(name, Mode::Display, out);
            self.place = place;
            return;
        }
        self.known.name(name, whose);
        name.split_whitespace().for_each(|word| self.known.name(word, whose));
        self.put(Kind::Name, name, name, whose, out);
    }

    /// What stands behind an `@`.
    fn host_at(&mut self, rest: &str, out: &mut Out) -> usize {
        let length = host_length(rest);
        self.host(rest.get(..length).unwrap_or_default(), self.place, out);
        length
    }

    /// A host: a name or an address, an IPv6 one with or without its brackets.
    pub fn host(&mut self, host: &str, whose: Whose, out: &mut Out) {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let address = bare.parse::<IpAddr>();
        if !self.all || bare.is_empty() || bare.eq_ignore_ascii_case("anonymous.invalid") {
            return if address.is_ok() { out.keep(host) } else { self.text(host, Mode::Token, out) };
        }
        match address {
            Ok(address) => {
                let instead = self.masks.address(whose, address);
                let instead =
                    if host.starts_with('[') { format!("[{instead}]") } else { instead.to_string() };
                out.put(host, &instead, whose);
            }
            Err(_) => {
                self.known.host(host, whose);
                self.put(Kind::Host, host, host, whose, out);
            }
        }
    }

    /// `[2001:db8::1]`, or just a bracket.
    fn bracketed(&mut self, rest: &str, out: &mut Out) -> usize {
        let end = rest.bytes().take(MAX_ADDRESS).position(|byte| byte == b']');
        let inside = end.and_then(|end| rest.get(1..end)).and_then(|inside| inside.parse::<IpAddr>().ok());
        match (end, inside) {
            (Some(end), Some(_)) => {
                self.host(rest.get(..=end).unwrap_or_default(), self.place, out);
                end + 1
            }
            (_, _) => {
                out.keep("[");
                1
            }
        }
    }

    /// A word: an address, a host or a name of the call, or something that may have numbers in it.
    fn word(&mut self, rest: &str, mode: Mode, out: &mut Out) -> usize {
        let length = token_length(rest);
        let word = rest.get(..length).unwrap_or_default();
        if word.starts_with(|first: char| first.is_ascii_digit())
            && word.contains('.')
            && let Ok(address) = word.parse::<IpAddr>()
        {
            if self.all {
                let instead = self.masks.address(self.place, address);
                out.put(word, &instead.to_string(), self.place);
            } else {
                out.keep(word);
            }
            return length;
        }
        if self.all && mode.words() {
            if let Some(whose) = self.known.name_of(word) {
                self.put(Kind::User, word, word, whose, out);
                return length;
            }
            if let Some(whose) = self.known.host_of(word) {
                self.put(Kind::Host, word, word, whose, out);
                return length;
            }
        }
        self.part(rest, mode, out)
    }

    /// The first run of letters, of digits, or of digits with what separates them.
    fn part(&mut self, rest: &str, mode: Mode, out: &mut Out) -> usize {
        if rest.starts_with(|first: char| first.is_ascii_digit()) {
            return self.digits(rest, mode, out);
        }
        let length =
            rest.find(|char: char| !char.is_alphanumeric() || char.is_ascii_digit()).unwrap_or(rest.len());
        let letters = rest.get(..length).unwrap_or_default();
        let whole = !rest.get(length..).is_some_and(|behind| behind.starts_with(char::is_alphanumeric));
        match self.known.name_of(letters).filter(|_| self.all && mode.words() && whole) {
            Some(whose) => self.put(Kind::User, letters, letters, whose, out),
            None => out.keep(letters),
        }
        length
    }

    fn digits(&mut self, rest: &str, mode: Mode, out: &mut Out) -> usize {
        let plain = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
        let spread = if mode.separators() { spread_length(rest) } else { plain };
        for length in [spread, plain] {
            let run = rest.get(..length).unwrap_or_default();
            let digits: String = run.chars().filter(char::is_ascii_digit).collect();
            let known = self.known.number_in(&digits);
            if mode == Mode::Display || digits.len() >= NUMBER_DIGITS || known.is_some() {
                self.put(Kind::Number, run, &digits, known.unwrap_or(self.place), out);
                return length;
            }
            if spread == plain {
                break;
            }
        }
        out.keep(rest.get(..plain).unwrap_or_default());
        plain
    }
}

/// What never begins or ends anything that is replaced.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'"' | b'@' | b'[' | b'<' | b',')
}

fn ends_with(text: &str) -> Option<char> {
    text.chars().next_back()
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
