//! The places that calls sit at, made when they are first needed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use callbox_events::sip::{Dialog, Peer, Transport};

use crate::config::Config;
use crate::core::Seat;

/// How many remote addresses are remembered with the address of ours that reaches them.
const REMEMBERED: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Seats {
    seats: RefCell<HashMap<(Peer, IpAddr), Arc<Seat>>>,
    ours: RefCell<HashMap<IpAddr, IpAddr>>,
}

impl Seats {
    /// The seat for calls through `local` with somebody at `remote`.
    pub(super) fn at(&self, config: &Config, local: Peer, remote: IpAddr) -> Arc<Seat> {
        let ours = self.reached_from(local.addr.ip(), remote);
        let mut seats = self.seats.borrow_mut();
        let seat = seats.entry((local, ours)).or_insert_with(|| {
            let advertised = SocketAddr::new(ours, local.addr.port());
            Arc::new(Seat::new(
                &config.node,
                &config.user_agent,
                local,
                advertised,
                Arc::clone(&config.media),
            ))
        });
        Arc::clone(seat)
    }

    /// The seat for a call by `transport` to somebody at `remote`: the first fitting listener.
    pub(super) fn toward(
        &self,
        config: &Config,
        listening: &[Peer],
        transport: Transport,
        remote: IpAddr,
    ) -> Option<Arc<Seat>> {
        let fits = |peer: &&Peer| {
            peer.transport == transport
                && (remote.is_unspecified() || peer.addr.is_ipv4() == remote.is_ipv4())
        };
        listening.iter().find(fits).map(|local| self.at(config, *local, remote))
    }

    /// The seat for a restored call: where its Contact points to, else a fitting one.
    pub(super) fn again(&self, config: &Config, listening: &[Peer], dialog: &Dialog) -> Option<Arc<Seat>> {
        let remote = dialog.peer.addr.ip();
        let seats = listening
            .iter()
            .filter(|local| local.transport == dialog.peer.transport)
            .map(|local| self.at(config, *local, remote));
        let seats: Vec<Arc<Seat>> = seats.collect();
        let same = seats.iter().find(|seat| seat.leg.contact.as_ref() == dialog.local_contact);
        same.or(seats.first()).cloned()
    }

    /// The address of ours that somebody at `remote` reaches us at.
    fn reached_from(&self, bound: IpAddr, remote: IpAddr) -> IpAddr {
        if !bound.is_unspecified() {
            return bound;
        }
        let mut ours = self.ours.borrow_mut();
        if let Some(known) = ours.get(&remote) {
            return *known;
        }
        if ours.len() >= REMEMBERED {
            ours.clear();
        }
        let found = route_to(remote).unwrap_or(bound);
        ours.insert(remote, found);
        found
    }
}

/// Asks the system which address it would send from. No packet leaves.
fn route_to(remote: IpAddr) -> Option<IpAddr> {
    let any = match remote {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((remote, 9)).ok()?;
    socket.local_addr().ok().map(|local| local.ip())
}
