//! Whose something is, and what stands in its place.

use std::collections::HashMap;
use std::net::IpAddr;

use super::Whose;
use super::pseudonym::Pseudonyms;

/// What is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Digits.
    Number,
    /// The user part of an address, or a word of a name.
    User,
    /// A display name.
    Name,
    /// A host.
    Host,
    /// The identifier of a device.
    Device,
}

/// Somebody, as an address names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person<'t> {
    /// By a telephone number, without what separates its digits and without its plus sign.
    Number(&'t str),
    /// By a name at a host.
    Name {
        /// The user part, decoded.
        user: &'t str,
        /// The host, without a port.
        host: &'t str,
    },
}

/// Says whose something is and what stands in its place.
pub trait Masks {
    /// Whether the name of the engine's own node is replaced, too.
    const NODES: bool;

    /// Who that is; `None` if no more people of the call are told apart.
    fn owner(&mut self, person: Person<'_>) -> Option<Whose>;

    /// Everybody who is known in this call. What is taken out as a whole, without looking for people in it, is theirs
    /// together.
    fn everybody(&self) -> Whose;

    /// Appends what stands for `value`, which is of `whose`.
    fn mask(&mut self, whose: Whose, kind: Kind, value: &str, out: &mut String);

    /// What stands for an address.
    fn address(&mut self, whose: Whose, address: IpAddr) -> IpAddr;
}

/// More pseudonyms are not remembered; then all are forgotten and made again.
const MAX_REMEMBERED: usize = 65_536;

/// All pseudonyms under one key, whosever they are. Remembers them: a name is met many times in a call.
#[derive(Debug)]
pub struct OneKey {
    pseudonyms: Pseudonyms,
    /// By kind, so that nothing has to be put together in order to look.
    remembered: [HashMap<Box<str>, Box<str>>; KINDS],
    addresses: HashMap<IpAddr, IpAddr>,
}

const KINDS: usize = 5;

impl OneKey {
    /// Under these pseudonyms' key.
    #[must_use]
    pub fn new(pseudonyms: Pseudonyms) -> Self {
        Self { pseudonyms, remembered: Default::default(), addresses: HashMap::new() }
    }
}

impl Masks for OneKey {
    const NODES: bool = true;

    fn owner(&mut self, _: Person<'_>) -> Option<Whose> {
        None
    }

    fn everybody(&self) -> Whose {
        Whose::NOBODY
    }

    fn mask(&mut self, _: Whose, kind: Kind, value: &str, out: &mut String) {
        let Some(remembered) = self.remembered.get_mut(kind as usize) else { return };
        if let Some(pseudonym) = remembered.get(value) {
            return out.push_str(pseudonym);
        }
        let pseudonym = self.pseudonyms.of(kind, value);
        out.push_str(&pseudonym);
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(value.into(), pseudonym.into());
    }

    fn address(&mut self, _: Whose, address: IpAddr) -> IpAddr {
        if self.addresses.len() >= MAX_REMEMBERED {
            self.addresses.clear();
        }
        *self.addresses.entry(address).or_insert_with(|| self.pseudonyms.address(address))
    }
}
