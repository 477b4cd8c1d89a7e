//! Where a URI leads: the part of RFC 3263 that needs no lookup of services.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use callbox_events::sip::{Peer, Transport};
use callbox_sip::wire::SipUri;

/// The usual port (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;

/// Where to send a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// An address stood in the URI.
    Numeric(Peer),
    /// A name to be looked up.
    Named { transport: Transport, host: String, port: u16 },
}

impl Target {
    /// The target of a URI.
    ///
    /// # Errors
    /// What is wrong with it, without the URI.
    pub(crate) fn of(uri: &str) -> Result<Self, String> {
        let uri = SipUri::parse(uri).map_err(|error| error.to_string())?;
        if !uri.scheme.eq_ignore_ascii_case("sip") {
            return Err("only sip: is supported; sips: needs TLS".into());
        }
        let transport = match uri.params.get("transport") {
            None => Transport::Udp,
            Some(name) if name.eq_ignore_ascii_case("udp") => Transport::Udp,
            Some(name) if name.eq_ignore_ascii_case("tcp") => Transport::Tcp,
            Some(_) => return Err("its transport is neither udp nor tcp".into()),
        };
        let port = uri.port.unwrap_or(SIP_PORT);
        let bare = uri.host.trim_start_matches('[').trim_end_matches(']');
        Ok(match bare.parse::<IpAddr>() {
            Ok(ip) => Self::Numeric(Peer { transport, addr: SocketAddr::new(ip, port) }),
            Err(_) => Self::Named { transport, host: uri.host.to_owned(), port },
        })
    }

    /// The address, or an unspecified one of the right transport until it is looked up.
    pub(crate) fn peer(&self) -> Peer {
        match self {
            Self::Numeric(peer) => *peer,
            Self::Named { transport, port, .. } => {
                Peer { transport: *transport, addr: SocketAddr::from((Ipv4Addr::UNSPECIFIED, *port)) }
            }
        }
    }

    /// Whether an INVITE can leave at once: an address, and no connection to be made.
    pub(crate) fn is_reachable(&self) -> bool {
        matches!(self, Self::Numeric(peer) if !peer.transport.is_reliable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_reachable_at_once_on_udp_only() {
        let table = [
            ("sip:bob@127.0.0.1:5070", true, "udp:127.0.0.1:5070"),
            ("sip:bob@127.0.0.1", true, "udp:127.0.0.1:5060"),
            ("sip:bob@[::1]:5070", true, "udp:[::1]:5070"),
            ("sip:bob@127.0.0.1:5070;transport=tcp", false, "tcp:127.0.0.1:5070"),
            ("sip:bob@example.com", false, "udp:0.0.0.0:5060"),
        ];
        for (uri, reachable, peer) in table {
            let target = Target::of(uri).unwrap();
            assert_eq!(
                (target.is_reachable(), target.peer().to_string().as_str()),
                (reachable, peer),
                "{uri}"
            );
        }
    }

    #[test]
    fn what_cannot_be_called_says_why() {
        for uri in ["tel:+1555", "sips:bob@example.com", "sip:bob@host;transport=sctp", "bob"] {
            assert!(Target::of(uri).is_err(), "{uri}");
        }
    }
}
