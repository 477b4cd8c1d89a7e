//! Addresses: SIP URIs (RFC 3261 §19.1), tel URIs (RFC 3966), device names (`urn:uuid:`).

use crate::wire::grammar::unescape;

use super::out::Out;
use super::text::{MAX_LOOK, Mode, digits_of, host_length};
use super::{Kind, Masks, Person, Scope, Whose};

const SCHEMES: [&str; 5] = ["sips:", "sip:", "tel:", "urn:uuid:", "mailto:"];

fn scheme(text: &str) -> Option<&'static str> {
    // Asked at each word, so most are sent away by their first letter.
    if !matches!(text.as_bytes().first(), Some(b's' | b'S' | b't' | b'T' | b'u' | b'U' | b'm' | b'M')) {
        return None;
    }
    let begins =
        |scheme: &&str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.into_iter().find(begins)
}

/// Whether a text begins with an address.
pub fn starts(text: &str) -> bool {
    scheme(text).is_some()
}

/// An address taken apart; joined they are the beginning of the text again.
struct Parts<'t> {
    scheme: &'t str,
    /// The user part with its parameters and password, the subscriber of a tel URI, or the device.
    user: Option<&'t str>,
    host: &'t str,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let named = scheme(text)?;
        let (scheme, rest) = text.split_at_checked(named.len())?;
        let run = |allowed: fn(char) -> bool| {
            let length = rest.find(|char: char| !allowed(char)).unwrap_or(rest.len());
            rest.get(..length)
        };
        Some(match named {
            "tel:" => {
                let user = run(|char| char.is_ascii_hexdigit() || "-.()+*#%".contains(char));
                Self { scheme, user, host: "" }
            }
            "urn:uuid:" => {
                Self { scheme, user: run(|char| char.is_ascii_hexdigit() || char == '-'), host: "" }
            }
            _ => {
                let ends = |char: char| char.is_whitespace() || "<>\",@".contains(char);
                let end = rest.char_indices().take(MAX_LOOK).find(|(_, char)| ends(*char));
                let user = end.filter(|(_, char)| *char == '@').and_then(|(at, _)| rest.get(..at));
                let behind = rest.get(user.map_or(0, |user| user.len() + 1)..).unwrap_or_default();
                Self { scheme, user, host: behind.get(..host_length(behind)).unwrap_or_default() }
            }
        })
    }

    fn is_device(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("urn:uuid:")
    }

    fn length(&self) -> usize {
        let at = usize::from(self.user.is_some() && !self.host_is_absent());
        self.scheme.len() + self.user.map_or(0, str::len) + at + self.host.len()
    }

    /// Telephone numbers and devices have none, not even an empty one behind an `@`.
    fn host_is_absent(&self) -> bool {
        self.is_device() || self.scheme.eq_ignore_ascii_case("tel:")
    }
}

fn person<'t>(digits: Option<&'t str>, user: &'t str, host: &'t str) -> Person<'t> {
    match digits {
        Some(digits) => Person::Number(digits),
        None => Person::Name { user, host },
    }
}

/// The identity of the person whom a whole address names; `None` if it names nobody.
pub fn identity(uri: &str) -> Option<String> {
    let parts = Parts::of(uri).filter(|parts| !parts.is_device())?;
    let user = unescape(parts.user?.split([':', ';']).next()?);
    let digits = digits_of(&user);
    (!user.is_empty()).then(|| super::people::identity(person(digits.as_deref(), &user, parts.host)))
}

impl<M: Masks> Scope<M> {
    /// Rewrites scheme, user and host of the address that `text` begins with; returns how many bytes that is. Its port
    /// and parameters are left to the caller.
    pub fn uri(&mut self, text: &str, out: &mut Out) -> usize {
        let Some(parts) = Parts::of(text) else { return 0 };
        out.keep(parts.scheme);
        if parts.is_device() {
            self.device(parts.user.unwrap_or_default(), out);
            return parts.length();
        }
        let whose = self.owner(&parts);
        if let Some(user) = parts.user {
            self.user_info(user, whose, out);
        }
        if !parts.host_is_absent() {
            if parts.user.is_some() {
                out.keep("@");
            }
            self.host(parts.host, whose, out);
        }
        parts.length()
    }

    /// Whose the address is that `text` begins with.
    pub fn owner_of(&mut self, text: &str) -> Whose {
        Parts::of(text).map_or(self.place, |parts| self.owner(&parts))
    }

    /// Whose the address is that a header value or a URI names first.
    pub fn owner_named(&mut self, value: &str) -> Option<Whose> {
        let uri = value.find('<').and_then(|at| value.get(at + 1..)).unwrap_or(value.trim_start());
        starts(uri).then(|| self.owner_of(uri))
    }

    /// The person whom a URI names, or whoever stands for it.
    pub fn person_named(&mut self, value: &str) -> Option<Whose> {
        (self.place, self.persons) = (Whose::NOBODY, true);
        self.owner_named(value).filter(|whose| *whose != Whose::NOBODY)
    }

    fn owner(&mut self, parts: &Parts<'_>) -> Whose {
        let Some(info) = parts.user.filter(|_| !parts.is_device()) else { return self.place };
        let user = info.split([':', ';']).next().unwrap_or_default();
        let decoded = unescape(user);
        let digits = digits_of(&decoded);
        if !self.persons {
            let known = match &digits {
                Some(digits) => self.known.number_in(digits),
                None => self.known.name_of(&decoded),
            };
            return known.unwrap_or(self.place);
        }
        self.masks.owner(person(digits.as_deref(), &decoded, parts.host)).unwrap_or(self.place)
    }

    fn device(&mut self, id: &str, out: &mut Out) {
        if self.all {
            self.put(Kind::Device, id, id, self.place, out);
        } else {
            // Numbers do not look like this; a run of digits in here is chance, but it must not be a number's.
            self.text(id, Mode::Token, out);
        }
    }

    /// `user;params:password`. A password is nobody's business.
    fn user_info(&mut self, info: &str, whose: Whose, out: &mut Out) {
        let (user, password) = info.split_once(':').map_or((info, None), |(user, word)| (user, Some(word)));
        let (user, params) = user.split_once(';').map_or((user, None), |(user, params)| (user, Some(params)));
        self.user(user, whose, out);
        if let Some(params) = params {
            out.keep(";");
            self.text(params, Mode::Token, out);
        }
        if let Some(password) = password {
            out.keep(":");
            out.put(password, "redacted", whose);
        }
    }

    /// A user part.
    pub fn user(&mut self, user: &str, whose: Whose, out: &mut Out) {
        let decoded = unescape(user);
        if let Some(digits) = digits_of(&decoded) {
            self.known.number(&digits, whose);
            let plus = decoded.starts_with('+');
            self.number(user, &digits, plus, whose, out);
        } else if self.all && !user.eq_ignore_ascii_case("anonymous") && !user.is_empty() {
            self.known.name(&decoded, whose);
            self.put(Kind::User, user, &decoded, whose, out);
        } else {
            self.text(user, Mode::Token, out);
        }
    }
}
