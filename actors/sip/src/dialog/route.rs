//! Where a request in a dialog goes (RFC 3261 §12.2.1.1, §8.1.2).

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use callbox_events::sip::{Dialog, Peer, Transport};
use smallvec::SmallVec;

use crate::wire::{NameAddr, SipUri};

const DEFAULT_PORT: u16 = 5060;

/// The Request-URI and the Route values of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routing<'a> {
    /// The Request-URI.
    pub uri: Cow<'a, str>,
    /// Route values, from the top.
    pub routes: SmallVec<[Cow<'a, str>; 2]>,
}

/// Request-URI and Routes of a request in `dialog`: loose routing, or the strict one of RFC 2543 if the first route
/// lacks `lr` (RFC 3261 §12.2.1.1).
#[must_use]
pub fn route(dialog: &Dialog) -> Routing<'_> {
    let all = || dialog.route_set.iter().map(|value| Cow::Borrowed(value.as_str()));
    let target = Cow::Borrowed(dialog.remote_target.as_str());
    let Some(first) = dialog.route_set.first().and_then(|value| NameAddr::parse(value).ok()) else {
        return Routing { uri: target, routes: SmallVec::new() };
    };
    let Ok(hop) = SipUri::parse(first.uri) else { return Routing { uri: target, routes: all().collect() } };
    if hop.params.has("lr") {
        return Routing { uri: target, routes: all().collect() };
    }
    let last = Cow::Owned(format!("<{}>", dialog.remote_target));
    Routing { uri: request_uri(first.uri), routes: all().skip(1).chain([last]).collect() }
}

/// A URI as a Request-URI: without the headers that have no place there (RFC 3261 §19.1.1).
fn request_uri(uri: &str) -> Cow<'_, str> {
    Cow::Borrowed(uri.split_once('?').map_or(uri, |(uri, _)| uri))
}

/// Where the dialog's requests are sent to: the first route, or else the remote target, if that names an address.
/// A host name is for the resolver, so the present peer stays.
///
/// Kept too, against the letter of §8.1.2, where the letter leads nowhere: a connection to the same host is used
/// again (its other end may not listen), and a private or unspecified address is not believed if the other side
/// speaks from a public one.
#[must_use]
pub fn next_hop(dialog: &Dialog, present: Peer) -> Peer {
    let first = dialog.route_set.first().and_then(|value| NameAddr::parse(value).ok());
    let uri = first.map_or(dialog.remote_target.as_str(), |route| route.uri);
    address_of(uri, present).unwrap_or(present)
}

fn address_of(uri: &str, present: Peer) -> Option<Peer> {
    let uri = SipUri::parse(uri).ok()?;
    if !uri.scheme.eq_ignore_ascii_case("sip") {
        return None;
    }
    let transport = match uri.params.get("transport") {
        None => present.transport,
        Some(name) if name.eq_ignore_ascii_case("udp") => Transport::Udp,
        Some(name) if name.eq_ignore_ascii_case("tcp") => Transport::Tcp,
        Some(_) => return None,
    };
    let host = uri.params.get("maddr").unwrap_or(uri.host);
    let ip: IpAddr = host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    let same_host = ip == present.addr.ip() && transport == present.transport;
    if same_host && transport.is_reliable() || ip.is_unspecified() {
        return None;
    }
    if is_private(ip) && !is_private(present.addr.ip()) {
        return None;
    }
    Some(Peer { transport, addr: SocketAddr::new(ip, uri.port.unwrap_or(DEFAULT_PORT)) })
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        Peer { transport: Transport::Udp, addr: text.parse().unwrap() }
    }

    fn dialog(target: &str, routes: &[&str]) -> Dialog {
        Dialog {
            sip_call_id: "c".into(),
            local_uri: "<sip:a@a>".into(),
            local_tag: "l".into(),
            remote_uri: "<sip:b@b>".into(),
            remote_tag: Some("r".into()),
            remote_target: target.into(),
            route_set: routes.iter().map(|route| (*route).to_owned()).collect(),
            local_cseq: 1,
            remote_cseq: 0,
            local_contact: "sip:a@a".into(),
            peer: peer("127.0.0.1:5060"),
            invite_branch: None,
            invite_cseq: 1,
        }
    }

    #[test]
    fn a_loose_route_keeps_the_target_as_request_uri() {
        let dialog = dialog("sip:b@10.0.0.2", &["<sip:p1;lr>", "<sip:p2;lr>"]);
        let routing = route(&dialog);
        assert_eq!(routing.uri, "sip:b@10.0.0.2");
        assert_eq!(routing.routes.as_slice(), ["<sip:p1;lr>", "<sip:p2;lr>"]);
    }

    #[test]
    fn a_strict_route_becomes_the_request_uri_and_the_target_the_last_route() {
        let dialog = dialog("sip:b@10.0.0.2", &["<sip:p1?x=y>", "<sip:p2;lr>"]);
        let routing = route(&dialog);
        assert_eq!(routing.uri, "sip:p1");
        assert_eq!(routing.routes.as_slice(), ["<sip:p2;lr>", "<sip:b@10.0.0.2>"]);
    }

    #[test]
    fn the_next_hop_is_the_first_route_or_the_target() {
        for (target, routes, present, hop) in [
            ("sip:b@127.0.0.2:5070", vec![], "127.0.0.1:5060", "127.0.0.2:5070"),
            ("sip:b@127.0.0.2:5070", vec!["<sip:127.0.0.3;lr>"], "127.0.0.1:5060", "127.0.0.3:5060"),
            ("sip:b@host.example", vec![], "127.0.0.1:5060", "127.0.0.1:5060"),
            ("sip:b@[::1]:5070", vec![], "127.0.0.1:5060", "[::1]:5070"),
            ("sip:b@10.0.0.9:5070", vec![], "192.0.2.1:40000", "192.0.2.1:40000"),
            ("sip:b@0.0.0.0", vec![], "127.0.0.1:5060", "127.0.0.1:5060"),
            ("tel:+1234", vec![], "127.0.0.1:5060", "127.0.0.1:5060"),
        ] {
            assert_eq!(next_hop(&dialog(target, &routes), peer(present)), peer(hop), "{target} {routes:?}");
        }
    }

    #[test]
    fn a_connection_is_used_again() {
        let present = Peer { transport: Transport::Tcp, addr: "127.0.0.1:40000".parse().unwrap() };
        assert_eq!(next_hop(&dialog("sip:b@127.0.0.1:5070;transport=tcp", &[]), present), present);
        let other = Peer { transport: Transport::Tcp, addr: "127.0.0.2:5070".parse().unwrap() };
        assert_eq!(next_hop(&dialog("sip:b@127.0.0.2:5070;transport=tcp", &[]), present), other);
    }
}
