//! Who may send to the mirror.

use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;

use crate::http::Token;

/// Addresses that may send: `any`, an address, or a network such as 192.0.2.0/24.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Allowed {
    /// Everybody who can reach the port.
    Any,
    /// Addresses that agree with this one in so many leading bits.
    Network(IpAddr, u32),
}

/// A text that names no addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected any, an IP address, or a network such as 192.0.2.0/24")]
pub struct InvalidAllowed;

impl FromStr for Allowed {
    type Err = InvalidAllowed;

    fn from_str(text: &str) -> Result<Self, InvalidAllowed> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| InvalidAllowed)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| InvalidAllowed)?;
        if bits > most { Err(InvalidAllowed) } else { Ok(Self::Network(address, bits)) }
    }
}

impl TryFrom<String> for Allowed {
    type Error = InvalidAllowed;

    fn try_from(text: String) -> Result<Self, InvalidAllowed> {
        text.parse()
    }
}

impl Allowed {
    fn has(self, address: IpAddr) -> bool {
        // A socket for both versions shows IPv4 senders as IPv6 ones.
        match (self, address.to_canonical()) {
            (Self::Any, _) => true,
            (Self::Network(IpAddr::V4(network), bits), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= bits
            }
            (Self::Network(IpAddr::V6(network), bits), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= bits
            }
            (Self::Network(_, _), _) => false,
        }
    }
}

/// Everything a sender must satisfy.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    /// Who may send; empty means this machine alone.
    pub allowed: Vec<Allowed>,
    /// What each packet must carry (chunk 0x000e).
    pub password: Option<Token>,
}

impl Gate {
    /// Whether packets from this address are looked at.
    pub fn lets_in(&self, sender: IpAddr) -> bool {
        if self.allowed.is_empty() {
            return sender.to_canonical().is_loopback();
        }
        self.allowed.iter().any(|allowed| allowed.has(sender))
    }

    /// Whether a packet with this key is believed.
    pub fn believes(&self, key: Option<&[u8]>) -> bool {
        self.password.as_ref().is_none_or(|password| key.is_some_and(|key| password.is(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_let_in_and_nobody_else() {
        let gate = |words: &[&str]| Gate {
            allowed: words.iter().map(|word| word.parse().expect(word)).collect(),
            password: None,
        };
        for (words, sender, in_) in [
            (&[][..], "127.0.0.1", true),
            (&[], "::1", true),
            (&[], "::ffff:127.0.0.1", true),
            (&[], "192.0.2.1", false),
            (&["192.0.2.1"], "192.0.2.1", true),
            (&["192.0.2.1"], "127.0.0.1", false),
            (&["192.0.2.0/24", "2001:db8::/32"], "192.0.2.255", true),
            (&["192.0.2.0/24", "2001:db8::/32"], "::ffff:192.0.2.9", true),
            (&["192.0.2.0/24", "2001:db8::/32"], "2001:db8:ffff::1", true),
            (&["192.0.2.0/24", "2001:db8::/32"], "192.0.3.0", false),
            (&["0.0.0.0/0"], "203.0.113.9", true),
            (&["0.0.0.0/0"], "2001:db8::1", false),
            (&["any"], "2001:db8::1", true),
        ] {
            assert_eq!(gate(words).lets_in(sender.parse().expect(sender)), in_, "{words:?} {sender}");
        }
        for bad in ["", "all", "192.0.2.1/33", "192.0.2.1/", "::/129", "host.example", "192.0.2.1/-1"] {
            assert!(bad.parse::<Allowed>().is_err(), "{bad}");
        }
    }
}
