//! The people of one call, each with a key of their own.

use std::io;
use std::net::IpAddr;

use callbox_events::schema::sealed::{Party, Ring};

use super::pseudonym::{NUMBER_PREFIX, Pseudonyms};
use super::{Key, Kind, Masks, Person, Whose};

/// So many people of a call get keys of their own: the two who talk, and those whom the call was moved, forwarded or
/// vouched for by. A stranger can name any number of others in one message; these share the keys of the first two.
const MOST: usize = 8;

/// Whoever does not say who they are.
const ANONYMOUS: &str = "anonymous";

/// Digits of the number of a party's key in its pseudonym.
const KEY_DIGITS: usize = 7;

/// What stands for a party whose key has this number: for the telephone number, and for the user part of an address.
#[must_use]
pub fn pseudonyms_of(key: u32) -> [String; 2] {
    [format!("{NUMBER_PREFIX}{key:0KEY_DIGITS$}"), format!("user-{key}")]
}

/// Somebody in a call.
#[derive(Debug)]
pub struct Somebody {
    identity: Box<str>,
    party: Party,
}

/// The people of one call, in the order in which they were met.
#[derive(Debug, Default)]
pub struct People(Vec<Somebody>);

impl People {
    /// The numbers of their keys.
    pub fn numbers(&self) -> Vec<u32> {
        self.0.iter().map(|somebody| somebody.party.number).collect()
    }
}

/// The identity of a person: what the key is kept under.
pub fn identity(person: Person<'_>) -> String {
    match person {
        Person::Number(digits) => format!("tel:{digits}"),
        Person::Name { user, host } if user.eq_ignore_ascii_case(ANONYMOUS) || user.is_empty() => {
            let _ = host;
            ANONYMOUS.to_owned()
        }
        Person::Name { user, host } => format!("sip:{user}@{}", host.to_ascii_lowercase()),
    }
}

/// Makes pseudonyms for the people of a call while one commit is looked at.
pub struct Disguise<'a> {
    people: &'a mut People,
    ring: &'a dyn Ring,
    /// By whose data they stand for.
    pseudonyms: Vec<(Whose, Pseudonyms)>,
    /// What was made so far.
    made: Vec<Made>,
    /// Why a key could not be had.
    pub failed: Option<io::Error>,
}

struct Made {
    whose: Whose,
    kind: Kind,
    value: Box<str>,
    pseudonym: Box<str>,
}

impl<'a> Disguise<'a> {
    pub fn new(people: &'a mut People, ring: &'a dyn Ring) -> Self {
        Self { people, ring, pseudonyms: Vec::new(), made: Vec::new(), failed: None }
    }

    /// Whoever does not say who they are: the same one in all calls.
    pub fn anonymous(&mut self) -> Whose {
        self.person(ANONYMOUS).unwrap_or(Whose::NOBODY)
    }

    fn person(&mut self, identity: &str) -> Option<Whose> {
        let known = self.people.0.iter().position(|somebody| *somebody.identity == *identity);
        if let Some(number) = known {
            return Some(Whose::person(number));
        }
        if self.people.0.len() >= MOST {
            return None;
        }
        match self.ring.party(identity) {
            Ok(party) => {
                self.people.0.push(Somebody { identity: identity.into(), party });
                Some(Whose::person(self.people.0.len() - 1))
            }
            Err(error) => {
                self.failed.get_or_insert(error);
                None
            }
        }
    }

    /// The somebody whose own name this is; they are called after their key.
    fn named(&self, whose: Whose, kind: Kind, value: &str) -> Option<u32> {
        let mut people = whose.people();
        let (only, None) = (people.next()?, people.next()) else { return None };
        let Somebody { identity, party } = self.people.0.get(only)?;
        let name = match kind {
            Kind::Number => identity.strip_prefix("tel:")?,
            Kind::User => identity.strip_prefix("sip:")?.rsplit_once('@')?.0,
            Kind::Name | Kind::Host | Kind::Device => return None,
        };
        (name == value).then_some(party.number)
    }

    fn pseudonyms(&mut self, whose: Whose) -> Pseudonyms {
        if let Some((_, known)) = self.pseudonyms.iter().find(|(one, _)| *one == whose) {
            return known.clone();
        }
        let secrets = whose.people().filter_map(|number| self.people.0.get(number));
        let secret: Vec<u8> = secrets.flat_map(|somebody| somebody.party.secret).collect();
        let made = Pseudonyms::new(&Key::of(&secret));
        self.pseudonyms.push((whose, made.clone()));
        made
    }

    fn make(&mut self, whose: Whose, kind: Kind, value: &str) -> String {
        match (kind, self.named(whose, kind, value).map(pseudonyms_of)) {
            (Kind::Number, Some([number, _])) => number,
            (_, Some([_, user])) => user,
            (Kind::Number, None) => self.pseudonyms(whose).any_number(value),
            (_, None) => self.pseudonyms(whose).of(kind, value),
        }
    }
}

impl Masks for Disguise<'_> {
    /// The operator is no party.
    const NODES: bool = false;

    fn owner(&mut self, person: Person<'_>) -> Option<Whose> {
        self.person(&identity(person))
    }

    fn everybody(&self) -> Whose {
        (0..self.people.0.len()).map(Whose::person).fold(Whose::NOBODY, Whose::with)
    }

    fn mask(&mut self, whose: Whose, kind: Kind, value: &str, out: &mut String) {
        let made =
            self.made.iter().find(|made| made.whose == whose && made.kind == kind && *made.value == *value);
        if let Some(made) = made {
            return out.push_str(&made.pseudonym);
        }
        let pseudonym = self.make(whose, kind, value);
        out.push_str(&pseudonym);
        self.made.push(Made { whose, kind, value: value.into(), pseudonym: pseudonym.into() });
    }

    fn address(&mut self, whose: Whose, address: IpAddr) -> IpAddr {
        self.pseudonyms(whose).address(address)
    }
}
