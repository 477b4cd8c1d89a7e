//! What stands in the place of personal data. The same input gives the same output under the same key.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Kind;
use super::key::Key;

/// Digits that are permuted at once; a longer run is cut into such pieces.
const MAX_DIGITS: usize = 32;

/// Rounds of the Feistel network, as many as FF1 of NIST SP 800-38G has.
const ROUNDS: u8 = 10;

/// What every pseudonymous number begins with: no country code and no number in use does.
pub const NUMBER_PREFIX: &str = "000";

/// Makes pseudonyms.
#[derive(Debug, Clone)]
pub struct Pseudonyms {
    key: Key,
}

impl Pseudonyms {
    /// Under this key.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self { key: key.clone() }
    }

    /// What stands for a value of this kind.
    #[must_use]
    pub fn of(&self, kind: Kind, value: &str) -> String {
        match kind {
            Kind::Number => self.number(value),
            Kind::User => self.user(value),
            Kind::Name => self.name(value),
            Kind::Host => self.host(value),
            Kind::Device => self.device(value),
        }
    }

    /// A number for these digits: as many others behind `000`. Different numbers get different ones, and none itself.
    #[must_use]
    pub fn number(&self, digits: &str) -> String {
        let mut number = String::with_capacity(digits.len() + NUMBER_PREFIX.len());
        number.push_str(NUMBER_PREFIX);
        let mut rest = digits;
        while let Some((piece, behind)) =
            rest.split_at_checked(rest.len().min(MAX_DIGITS)).filter(|_| !rest.is_empty())
        {
            number.push_str(&self.permuted(piece));
            rest = behind;
        }
        number
    }

    /// A number for a run of digits that need not be told from all others: by one hash instead of twenty.
    #[must_use]
    pub fn any_number(&self, digits: &str) -> String {
        let hash = self.key.hash("digits", &[digits.as_bytes()]);
        let random = hash.iter().cycle().take(digits.len()).map(|byte| char::from(b'0' + byte % 10));
        NUMBER_PREFIX.chars().chain(random).collect()
    }

    /// A permutation of the numbers of this length without a fixed point: E⁻¹(E(x) + 1).
    fn permuted(&self, digits: &str) -> String {
        let length = digits.len();
        let size = 10u128.pow(u32::try_from(length).unwrap_or(0));
        let value: u128 = digits.parse().unwrap_or(0);
        let moved = match length {
            1 => (value + 1 + u128::from(self.key.hash("digit", &[])[0] % 9)) % 10,
            _ => self.feistel(length, (self.feistel(length, value, true) + 1) % size, false),
        };
        format!("{moved:0length$}")
    }

    /// One direction of a keyed permutation of the numbers with `length` digits; the two undo each other.
    fn feistel(&self, length: usize, value: u128, forward: bool) -> u128 {
        let left = u32::try_from(length / 2).unwrap_or(0);
        let right = u32::try_from(length - length / 2).unwrap_or(0);
        let (left, right) = (10u128.pow(left), 10u128.pow(right));
        let (mut a, mut b) = (value / right, value % right);
        for step in 0..ROUNDS {
            let round = if forward { step } else { ROUNDS - 1 - step };
            // The halves take turns: even rounds change the left one.
            if round % 2 == 0 {
                a = shifted(a, self.round(length, round, b), left, forward);
            } else {
                b = shifted(b, self.round(length, round, a), right, forward);
            }
        }
        a * right + b
    }

    fn round(&self, length: usize, round: u8, half: u128) -> u128 {
        let hash =
            self.key.hash("number", &[&[u8::try_from(length).unwrap_or(0), round], &half.to_be_bytes()]);
        hash.iter().take(15).fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
    }

    /// A user part for a name.
    #[must_use]
    pub fn user(&self, name: &str) -> String {
        format!("user-{}", self.word("user", name))
    }

    /// A display name.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        format!("Name {}", self.word("name", name))
    }

    /// A host for a host, under a domain that never exists (RFC 2606 §2). Case does not matter.
    #[must_use]
    pub fn host(&self, host: &str) -> String {
        format!("host-{}.invalid", self.word("host", &host.to_ascii_lowercase()))
    }

    /// The identifier of a device.
    #[must_use]
    pub fn device(&self, id: &str) -> String {
        self.word("device", &id.to_ascii_lowercase())
    }

    fn word(&self, purpose: &str, text: &str) -> String {
        let letter = |nibble: u8| char::from(b"abcdefghkmnprstw"[usize::from(nibble & 15)]);
        let hash = self.key.hash(purpose, &[text.as_bytes()]);
        // Letters alone, so that no word looks like a number.
        hash.iter().take(5).flat_map(|byte| [letter(byte >> 4), letter(*byte)]).collect()
    }

    /// An address for an address: IPv4 in 240.0.0.0/4, which is reserved (RFC 1112 §4), IPv6 in 2001:db8::/32
    /// (RFC 3849). The unspecified address means nobody and stays.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) if v4.is_unspecified() => address,
            IpAddr::V4(v4) => {
                let [a, b, c, d, ..] = self.key.hash("ipv4", &[&v4.octets()]);
                // Never 255.x: that is where the broadcast address lies.
                Ipv4Addr::new(0xf0 | (a % 15), b, c, d).into()
            }
            IpAddr::V6(v6) if v6.is_unspecified() => address,
            IpAddr::V6(v6) => {
                let hash = self.key.hash("ipv6", &[&v6.octets()]);
                let random = hash.iter().take(12).copied();
                let mut octets = [0; 16];
                let fill = [0x20, 0x01, 0x0d, 0xb8].into_iter().chain(random);
                octets.iter_mut().zip(fill).for_each(|(place, octet)| *place = octet);
                Ipv6Addr::from(octets).into()
            }
        }
    }
}

fn shifted(half: u128, by: u128, size: u128, forward: bool) -> u128 {
    let by = by % size;
    if forward { (half + by) % size } else { (half + size - by) % size }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn pseudonyms(secret: &[u8]) -> Pseudonyms {
        Pseudonyms::new(&Key::of(secret))
    }

    #[test]
    fn numbers_of_one_length_are_permuted_and_none_stays() {
        let some = pseudonyms(b"a key");
        for length in 1..=4 {
            let all: Vec<String> =
                (0..10u32.pow(length)).map(|n| format!("{n:0w$}", w = length as usize)).collect();
            let given: HashSet<String> = all.iter().map(|digits| some.number(digits)).collect();
            assert_eq!(given.len(), all.len(), "{length} digits");
            for digits in &all {
                let number = some.number(digits);
                assert_eq!(number.len(), digits.len() + 3);
                assert_ne!(&number[3..], digits);
            }
        }
    }

    #[test]
    fn a_pseudonym_depends_on_the_key_and_on_nothing_else() {
        let (one, same, other) = (pseudonyms(b"one"), pseudonyms(b"one"), pseudonyms(b"other"));
        let long = "1".repeat(70);
        assert_eq!(one.number("4930123456"), same.number("4930123456"));
        assert_ne!(one.number("4930123456"), other.number("4930123456"));
        assert_eq!(one.number(&long).len(), 73);
        assert_eq!(one.host("Example.COM"), one.host("example.com"));
        let v4: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(one.address(v4), same.address(v4));
        assert!(matches!(one.address(v4), IpAddr::V4(v4) if v4.octets()[0] >= 240 && v4.octets()[0] < 255));
        let v6: IpAddr = "2001:db9::1".parse().unwrap();
        assert!(one.address(v6).to_string().starts_with("2001:db8:"));
    }
}
