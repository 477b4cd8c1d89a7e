//! What is personal in one call, wherever it was found.

use std::collections::BTreeSet;

/// A shorter number is only replaced where it stands as one: `101` is too common.
const MIN_DIGITS: usize = 5;

/// A shorter name is only replaced where it stands as one.
const MIN_NAME: usize = 3;

/// More are not remembered of one call; what is not remembered is still replaced where it stands as what it is.
const MAX: usize = 4_096;

/// Numbers, names and hosts of a call.
#[derive(Debug, Default)]
pub struct Known {
    numbers: BTreeSet<String>,
    names: BTreeSet<String>,
    hosts: BTreeSet<String>,
    learning: bool,
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

    /// These digits are a number.
    pub fn number(&mut self, digits: &str) {
        learn(&mut self.numbers, digits, MIN_DIGITS, self.learning);
    }

    /// This is somebody's name.
    pub fn name(&mut self, name: &str) {
        learn(&mut self.names, name, MIN_NAME, self.learning);
    }

    /// This is a host.
    pub fn host(&mut self, host: &str) {
        learn(&mut self.hosts, &host.to_ascii_lowercase(), MIN_NAME, self.learning);
    }

    /// Whether a run of digits is a number of the call, or has one in it.
    pub fn has_number(&self, digits: &str) -> bool {
        self.numbers.iter().any(|number| digits.contains(number.as_str()))
    }

    /// Whether this word is a name of the call.
    pub fn has_name(&self, word: &str) -> bool {
        self.names.contains(word)
    }

    /// Whether this is a host of the call.
    pub fn has_host(&self, word: &str) -> bool {
        self.hosts.contains(&word.to_ascii_lowercase())
    }
}

fn learn(known: &mut BTreeSet<String>, text: &str, min: usize, learning: bool) {
    if learning && text.len() >= min && known.len() < MAX {
        known.insert(text.to_owned());
    }
}
