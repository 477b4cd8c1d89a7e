//! Where the messages of a call came from and went to. The journal names the other end; our own is the Contact that the
//! call began with.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use callbox_events::CallId;
use callbox_events::schema::{StoredCommit, WireDirection, WireMessage};
use callbox_sip::wire::SipUri;

/// Our end of the calls that are not over.
#[derive(Debug, Default)]
pub struct Endpoints {
    local: HashMap<CallId, Option<SocketAddr>>,
}

impl Endpoints {
    /// Our end of this commit's call, if its Contact is a numeric address.
    pub fn local(&mut self, stored: &StoredCommit) -> Option<SocketAddr> {
        let call = stored.commit.call;
        if let Some(dialog) = stored.commit.first_dialog() {
            self.local.insert(call, numeric(&dialog.local_contact));
        }
        let local = self.local.get(&call).copied().flatten();
        if stored.commit.releases() {
            self.local.remove(&call);
        }
        local
    }
}

/// Source and destination of a message.
pub fn ends(local: SocketAddr, message: &WireMessage) -> (SocketAddr, SocketAddr) {
    match message.direction {
        WireDirection::In => (message.peer.addr, local),
        WireDirection::Out => (local, message.peer.addr),
    }
}

/// An address for our end where the record has none: of the documentation networks (RFC 5737, RFC 3849), and of the
/// family that the other end has.
pub fn placeholder(peer: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match peer {
        SocketAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        SocketAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    SocketAddr::new(ip, 5060)
}

fn numeric(uri: &str) -> Option<SocketAddr> {
    let uri = uri.trim_start_matches('<').split('>').next().unwrap_or_default();
    let uri = SipUri::parse(uri).ok()?;
    let ip = uri.host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    Some(SocketAddr::new(ip, uri.port.unwrap_or(5060)))
}
