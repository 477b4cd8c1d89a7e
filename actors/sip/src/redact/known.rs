//! What is personal in one call, wherever it was found, and whose it is.

use super::Whose;

/// A shorter number is only replaced where it stands as one: `101` is too common.
const MIN_DIGITS: usize = 5;

/// A shorter name is only replaced where it stands as one.
const MIN_NAME: usize = 3;

/// More are not remembered of one call; what is not remembered is still replaced where it stands as what it is.
const MAX: usize = 256;

/// Numbers, names and hosts of a call. A call has a handful of each, so they are looked through one by one.
#[derive(Debug, Clone, Default)]
pub struct Known {
    numbers: Vec<(Box<str>, Whose)>,
    names: Vec<(Box<str>, Whose)>,
    hosts: Vec<(Box<str>, Whose)>,
    learning: bool,
    grown: bool,
}

impl Known {
    /// Takes in what is found, until [`Known::learned`].
    pub fn learning() -> Self {
        Self { learning: true, ..Self::default() }
    }

    /// Everything was seen.
    pub fn learned(&mut self) {
        self.learning = false;
    }

    /// Whether anything was new since this was asked last.
    pub fn has_grown(&mut self) -> bool {
        std::mem::take(&mut self.grown)
    }

    /// These digits are a number.
    pub fn number(&mut self, digits: &str, whose: Whose) {
        if self.learning && digits.len() >= MIN_DIGITS {
            self.grown |= learn(&mut self.numbers, digits, whose);
        }
    }

    /// This is somebody's name.
    pub fn name(&mut self, name: &str, whose: Whose) {
        if self.learning && name.len() >= MIN_NAME {
            self.grown |= learn(&mut self.names, name, whose);
        }
    }

    /// This is a host.
    pub fn host(&mut self, host: &str, whose: Whose) {
        if self.learning && host.len() >= MIN_NAME {
            self.grown |= learn(&mut self.hosts, &host.to_ascii_lowercase(), whose);
        }
    }

    /// Whose number a run of digits is, or has in it: `4930123456` is `+49 30 123456` and has `30123456` in it, and who may
    /// be named by either form goes with either.
    pub fn number_in(&self, digits: &str) -> Option<Whose> {
        if digits.len() < MIN_DIGITS {
            return None;
        }
        let found = self.numbers.iter().filter(|(number, _)| digits.contains(&**number));
        found.map(|(_, whose)| *whose).reduce(Whose::with)
    }

    /// The same for all digits of a text together, whatever stands between them.
    pub fn number_among(&self, text: &str) -> Option<Whose> {
        let digits = || text.bytes().filter(u8::is_ascii_digit);
        if self.numbers.is_empty() || digits().take(MIN_DIGITS).count() < MIN_DIGITS {
            return None;
        }
        self.number_in(&digits().map(char::from).collect::<String>())
    }

    /// Whose name this word is.
    pub fn name_of(&self, word: &str) -> Option<Whose> {
        self.names.iter().find(|(name, _)| **name == *word).map(|(_, whose)| *whose)
    }

    /// Whose host this is.
    pub fn host_of(&self, word: &str) -> Option<Whose> {
        self.hosts.iter().find(|(host, _)| host.eq_ignore_ascii_case(word)).map(|(_, whose)| *whose)
    }
}

/// Whether it was new, of this owner.
fn learn(known: &mut Vec<(Box<str>, Whose)>, text: &str, whose: Whose) -> bool {
    if let Some((_, old)) = known.iter_mut().find(|(one, _)| **one == *text) {
        let grown = *old != old.with(whose);
        *old = old.with(whose);
        return grown;
    }
    let room = known.len() < MAX;
    if room {
        known.push((text.into(), whose));
    }
    room
}
