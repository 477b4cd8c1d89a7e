//! Redaction: personal data replaced by pseudonyms, in encoded commits and in the SIP messages inside them.
//!
//! Pure: keys come from outside, and the same datum gives the same pseudonym under the same key wherever it stands. So
//! calls can still be counted, joined and judged; verdicts stay what they were. A [`Scope`] holds what is known of one
//! call; [`Masks`] says whose something is and what stands in its place, [`Out`] takes what comes out and remembers
//! what was replaced, so that it can be put back byte for byte.
//!
//! - [`pseudonym`] makes the replacements, keyed by HMAC-SHA-256.
//! - [`known`] remembers what of a call is personal, so that it is found outside of its usual places too.
//! - [`Concealer`] is what erasable journals are written with: each party's data under pseudonyms of its own.
//! - `text` rewrites texts, `uri` what stands in addresses, `message` SIP messages by their `headers`, `sdp` session
//!   descriptions, `commit` whole commits.
//!
//! What is replaced at [`Level::Numbers`]: user parts that are numbers, tel URIs, digits in display names, every run of
//! seven or more digits wherever it stands, and every number of the call in any other place. At [`Level::All`] also:
//! user parts, display names, hosts, IP addresses, device ids. At both levels headers that carry identities in encoded
//! form (Identity, User-to-User, ...) and bodies that are no session description are left out of messages.
//!
//! What it does not do: times, durations, order and sizes stay, and may identify a call to somebody who knows of it
//! otherwise.

mod commit;
mod conceal;
mod headers;
pub mod key;
pub mod known;
mod masks;
mod message;
pub mod out;
mod people;
pub mod pseudonym;
mod sdp;
mod text;
mod uri;

#[cfg(test)]
mod tests;

pub use conceal::Concealer;
pub use key::Key;
pub use known::Known;
pub use masks::{Kind, Masks, OneKey, Person};
pub use out::{Hole, Out};
pub use people::pseudonyms_of;

use callbox_events::party::Side;

/// How much is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Telephone numbers.
    Numbers,
    /// Numbers, names, hosts and addresses.
    All,
}

impl Level {
    /// The stable code, as on command lines and in files.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::All => "all",
        }
    }
}

/// Whose something is: a set of the people of one call, whom [`Masks`] numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Whose(u16);

impl Whose {
    /// Nobody's: the length of a message's body, which follows from what is replaced in it.
    pub const NOBODY: Self = Self(0);

    /// How many people of one call can be told apart.
    pub const MAX: usize = 16;

    /// The one person with this number; nobody from [`Self::MAX`] on.
    #[must_use]
    pub fn person(number: usize) -> Self {
        Self(if number < Self::MAX { 1 << number } else { 0 })
    }

    /// These and those.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The numbers of the people.
    pub fn people(self) -> impl Iterator<Item = usize> {
        (0..Self::MAX).filter(move |number| self.0 & (1 << number) != 0)
    }

    /// As a number, one bit for each.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }
}

/// Who is who in a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides {
    /// Who called.
    pub caller: Whose,
    /// Who was called.
    pub callee: Whose,
    /// This end of the call.
    pub local: Whose,
    /// The other end.
    pub remote: Whose,
    /// Who has the socket addresses.
    pub peer: Whose,
    /// Whose words the input is.
    pub speaker: Whose,
}

impl Sides {
    /// Everything belongs to the same.
    #[must_use]
    pub const fn all(whose: Whose) -> Self {
        Self { caller: whose, callee: whose, local: whose, remote: whose, peer: whose, speaker: whose }
    }

    /// Who stands on the side with this code; both, if it is none of the two.
    fn named(&self, code: &str) -> Whose {
        if code == Side::Caller.code() {
            self.caller
        } else if code == Side::Callee.code() {
            self.callee
        } else {
            self.caller.with(self.callee)
        }
    }
}

/// What one call's commits are rewritten with.
pub struct Scope<M> {
    all: bool,
    /// Whose something is, and what stands in its place.
    pub masks: M,
    /// What is personal in this call.
    pub known: Known,
    /// The two who talk, to whom belongs what can't be told whose it is.
    pub everybody: Whose,
    /// Whether messages are taken out as a whole.
    pub messages_whole: bool,
    /// Whose the hosts, devices and numbers are that nobody is known to have.
    place: Whose,
    /// Whether addresses name people, and not only places.
    persons: bool,
    /// Buffers.
    mask: String,
    body: Out,
    value: Out,
}

impl<M: Masks> Scope<M> {
    /// For one call, and after a change of [`Scope::known`] for the next one. What can't be told whose it is belongs to
    /// `everybody`.
    pub fn new(level: Level, masks: M, everybody: Whose) -> Self {
        Self {
            all: level == Level::All,
            masks,
            known: Known::default(),
            everybody,
            messages_whole: false,
            place: everybody,
            persons: false,
            mask: String::new(),
            body: Out::default(),
            value: Out::default(),
        }
    }

    /// Writes what stands in the place of `original`, which means `value`. If a number of the call is in it, it is also of
    /// whose number that is.
    fn put(&mut self, kind: Kind, original: &str, value: &str, whose: Whose, out: &mut Out) {
        let whose = self.known.number_among(original).map_or(whose, |known| known.with(whose));
        self.mask.clear();
        self.masks.mask(whose, kind, value, &mut self.mask);
        out.put(original, &self.mask, whose);
    }

    /// The same for a number, with the `+` of its international form.
    fn number(&mut self, original: &str, digits: &str, plus: bool, whose: Whose, out: &mut Out) {
        let whose = self.known.number_in(digits).map_or(whose, |known| known.with(whose));
        self.mask.clear();
        if plus {
            self.mask.push('+');
        }
        self.masks.mask(whose, Kind::Number, digits, &mut self.mask);
        out.put(original, &self.mask, whose);
    }
}
