//! Datagrams to calls. What belongs to no call is answered without one, or begins one.

use std::rc::Rc;

use actix::prelude::SendError;
use callbox_events::Role;
use callbox_events::call::{IncomingPolicy, RefusalKind};
use callbox_events::sip::Peer;
use callbox_sip::stateless::{self, Refusal};
use callbox_sip::wire::{self, HeaderName, Limits, Message, Method, call_id_of};
use tokio::sync::mpsc;

use super::call::{First, Inbound, PeerFailed};
use super::shard::{Place, Shard};
use super::work::Work;
use crate::core::CallCore;
use crate::transport::{Datagram, TransportEvent};

/// What an overloaded engine asks new callers to wait, in seconds.
const RETRY_AFTER: &str = "2";

/// Deals what the transports bring to the shards. Lives on the first one's thread.
pub(super) struct Router {
    pub(super) own: Rc<Shard>,
    /// The other shards; the first is `own` and has no entry.
    pub(super) others: Vec<mpsc::Sender<Work>>,
}

impl Router {
    pub(super) fn take(&self, event: TransportEvent) {
        match event {
            TransportEvent::Batch(datagrams) if self.others.is_empty() => self.own.receive(datagrams),
            TransportEvent::Batch(datagrams) => self.deal(datagrams),
            TransportEvent::Closed { peer, detail } | TransportEvent::SendFailed { peer, detail } => {
                for other in &self.others {
                    let _ = other.try_send(Work::PeerFailed { peer, detail: detail.clone() });
                }
                self.own.peer_failed(peer, &detail);
            }
        }
    }

    fn deal(&self, datagrams: Vec<Datagram>) {
        let count = self.others.len() + 1;
        let mut dealt: Vec<Vec<Datagram>> = vec![Vec::new(); count];
        for datagram in datagrams {
            let shard = call_id_of(&datagram.bytes).map_or(0, |call_id| Place::of(count, call_id));
            if let Some(batch) = dealt.get_mut(shard) {
                batch.push(datagram);
            }
        }
        let mut dealt = dealt.into_iter();
        let own = dealt.next().unwrap_or_default();
        for (other, batch) in self.others.iter().zip(dealt).filter(|(_, batch)| !batch.is_empty()) {
            // A shard that can't keep up loses datagrams, as a full socket would: their senders repeat them.
            let _ = other.try_send(Work::Datagrams(batch));
        }
        self.own.receive(own);
    }
}

impl Shard {
    pub(super) fn receive(self: &Rc<Self>, datagrams: Vec<Datagram>) {
        if self.transports().is_none() {
            return;
        }
        let limits = Limits::default();
        for datagram in datagrams {
            self.receive_one(datagram, &limits);
        }
    }

    fn receive_one(self: &Rc<Self>, datagram: Datagram, limits: &Limits) {
        let Datagram { bytes, source, local } = datagram;
        let message = match wire::parse(bytes, limits).map(Box::new) {
            Ok(message) => message,
            Err(error) => {
                tracing::debug!(%source, %error, "not a usable message");
                let seat = self.seats.at(&self.config, local, source.addr.ip());
                self.send(&seat, stateless::reject(&error, source, &seat.leg).into_iter().collect());
                return;
            }
        };
        let routes = self.routes.borrow();
        if let Some(addr) = routes.find(&message) {
            let vital = ends_something(&message);
            match addr.try_send(Inbound { message, source }) {
                Err(SendError::Full(inbound)) if vital => addr.do_send(inbound),
                Ok(()) | Err(SendError::Full(_) | SendError::Closed(_)) => {}
            }
            return;
        }
        drop(routes);
        self.receive_stray(&message, source, local);
    }

    /// A message that belongs to no call.
    fn receive_stray(self: &Rc<Self>, message: &Message, source: Peer, local: Peer) {
        let refusal = match stateless::verdict_of_unroutable(message) {
            Some(refusal) => refusal,
            None if message.is_request() && *message.method() == Method::Invite => {
                match self.admit(message, source, local) {
                    Ok(()) => return,
                    Err(refusal) => refusal,
                }
            }
            None => return,
        };
        let seat = self.seats.at(&self.config, local, source.addr.ip());
        let reply = stateless::refuse(message, source, &refusal, &seat.leg);
        self.send(&seat, reply.into_iter().collect());
    }

    /// Begins a call, unless the engine can't bear another one.
    fn admit(self: &Rc<Self>, invite: &Message, source: Peer, local: Peer) -> Result<(), Refusal> {
        let overloaded = self.load.pending.get() >= self.config.max_pending || self.is_full();
        if overloaded || self.storage_refusal().is_some() || self.load.closing.get() {
            return Err(Refusal { status: 503, headers: vec![(HeaderName::RetryAfter, RETRY_AFTER.into())] });
        }
        let mut policy = self.config.policy.clone();
        if self.load.live() >= self.config.max_calls {
            policy.incoming = IncomingPolicy::Refuse { status: 486, why: RefusalKind::MaxCalls };
        }
        let seat = self.seats.at(&self.config, local, source.addr.ip());
        let ids = &mut *self.ids.borrow_mut();
        let (core, step) = CallCore::incoming(self.now(), invite, source, policy, &seat, ids)?;
        self.adopt(core, Role::Callee, First::Step(step, None));
        Ok(())
    }

    /// Tells all calls that a peer can't be reached; those it concerns know.
    pub(super) fn peer_failed(&self, peer: Peer, detail: &str) {
        for addr in self.calls.borrow().values() {
            addr.do_send(PeerFailed { peer, detail: detail.to_owned() });
        }
    }
}

/// What must get through to a flooded call: it makes an end.
fn ends_something(message: &Message) -> bool {
    matches!(message.method(), Method::Bye | Method::Cancel)
}
