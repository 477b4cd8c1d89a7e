//! What the application wants of a shard: new calls, commands, a list, the end.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use callbox_events::call::{Command, Hangup, Outcome};
use callbox_events::view::CallSummary;
use callbox_events::{Agent, CallId, Role};
use callbox_sip::ids::Ids;
use callbox_sip::wire::SipUri;
use tokio::sync::oneshot;

use super::call::{Ask, First, Reply, Tell};
use super::shard::Shard;
use crate::call_handle::PlaceCall;
use crate::config::ShutdownPolicy;
use crate::core::{CallCore, Outgoing, Seat};
use crate::error::CommandError;
use crate::target::Target;

/// How long closing waits for the last acks, whatever the policy.
const FLUSH: Duration = Duration::from_secs(2);

impl Shard {
    pub(super) fn place_call(
        self: &Rc<Self>,
        place: PlaceCall,
        reply: oneshot::Sender<Result<CallId, CommandError>>,
    ) {
        if let Err((error, reply)) = self.try_place(place, reply) {
            let _ = reply.send(Err(error));
        }
    }

    /// Begins a call; gives the reply back with an error if it can't.
    #[allow(clippy::type_complexity, reason = "the reply travels with the error")]
    fn try_place(
        self: &Rc<Self>,
        place: PlaceCall,
        reply: oneshot::Sender<Result<CallId, CommandError>>,
    ) -> Result<(), (CommandError, oneshot::Sender<Result<CallId, CommandError>>)> {
        let (outgoing, seat) = match self.check_load().and_then(|()| self.prepare(place)) {
            Ok(prepared) => prepared,
            Err(error) => return Err((error, reply)),
        };
        let sip_call_id = self.draw_call_id();
        let ids = &mut *self.ids.borrow_mut();
        match CallCore::place(self.now(), outgoing, sip_call_id, &seat, ids) {
            Ok((core, step)) => {
                self.adopt(core, Role::Caller, First::Step(step, Some(Reply::Placed(reply))));
                Ok(())
            }
            Err(fault) => {
                tracing::error!(%fault, "a call could not be placed");
                Err((CommandError::Internal, reply))
            }
        }
    }

    fn check_load(&self) -> Result<(), CommandError> {
        let limit = self.config.max_calls;
        if self.load.closing.get() {
            Err(CommandError::Closed)
        } else if let Some(why) = self.storage_refusal() {
            Err(CommandError::Journal(why))
        } else if self.load.live() >= limit {
            Err(CommandError::TooManyCalls { limit })
        } else if self.load.pending.get() >= self.config.max_pending || self.is_full() {
            Err(CommandError::Overloaded)
        } else {
            Ok(())
        }
    }

    /// Finds out where a call goes and which of our addresses it leaves from.
    fn prepare(&self, place: PlaceCall) -> Result<(Outgoing, Arc<Seat>), CommandError> {
        let target = Target::of(&place.to).map_err(|why| CommandError::InvalidUri { what: "to", why })?;
        let (peer, reachable) = match place.via {
            Some(peer) => (peer, !peer.transport.is_reliable()),
            None => (target.peer(), target.is_reachable()),
        };
        let listening = self.transports().map(|transports| transports.listening()).unwrap_or_default();
        let seat = self
            .seats
            .toward(&self.config, listening, peer.transport, peer.addr.ip())
            .ok_or(CommandError::NoTransport(if peer.transport.is_reliable() { "tcp" } else { "udp" }))?;
        let from = if place.from.is_empty() { seat.leg.contact.as_ref().to_owned() } else { place.from };
        SipUri::parse(&from)
            .map_err(|error| CommandError::InvalidUri { what: "from", why: error.to_string() })?;
        let mut policy = place.policy.unwrap_or_else(|| self.config.policy.clone());
        policy.no_answer_ms = place.no_answer_ms.or(policy.no_answer_ms);
        Ok((Outgoing { from, to: place.to, peer, reachable, policy }, seat))
    }

    /// A Call-ID that belongs to this shard, so that the answers come here.
    fn draw_call_id(&self) -> String {
        let mut ids = self.ids.borrow_mut();
        loop {
            let call_id = ids.call_id();
            if self.place.holds(&call_id) {
                return call_id;
            }
        }
    }

    pub(super) fn command(
        &self,
        call: CallId,
        command: Command,
        reply: oneshot::Sender<Result<Outcome, CommandError>>,
    ) {
        match self.calls.borrow().get(&call) {
            // Commands are bounded where they enter the engine.
            Some(addr) => addr.do_send(Tell { command, reply: Some(reply) }),
            None => {
                let _ = reply.send(Err(CommandError::NotFound(call)));
            }
        }
    }

    pub(super) async fn summaries(self: Rc<Self>, reply: oneshot::Sender<Vec<CallSummary>>) {
        let addrs: Vec<_> = self.calls.borrow().values().cloned().collect();
        let mut summaries = Vec::with_capacity(addrs.len());
        for answer in futures::future::join_all(addrs.iter().map(|addr| addr.send(Ask))).await {
            summaries.extend(answer.ok().flatten());
        }
        let _ = reply.send(summaries);
    }

    /// Takes no new calls, ends or keeps the live ones, and waits for the journal.
    pub(super) async fn close(self: Rc<Self>, reply: oneshot::Sender<()>) {
        self.load.closing.set(true);
        let patience = match self.config.shutdown {
            ShutdownPolicy::End { grace } => {
                let shutdown = Hangup { reason: Some("Shutdown".into()), ..Hangup::by(Agent::Engine) };
                for addr in self.calls.borrow().values() {
                    addr.do_send(Tell { command: Command::Hangup(shutdown.clone()), reply: None });
                }
                grace
            }
            ShutdownPolicy::Keep => FLUSH,
        };
        let keep = self.config.shutdown == ShutdownPolicy::Keep;
        let done = async {
            while !(self.load.is_idle() || keep && self.load.pending.get() == 0) {
                let rung = self.load.idle.notified();
                tokio::select! {
                    () = rung => {}
                    () = tokio::time::sleep(Duration::from_millis(20)) => {}
                }
            }
        };
        let _ = tokio::time::timeout(patience, done).await;
        let flushed = async {
            while self.load.pending.get() > 0 && self.storage_refusal().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(FLUSH, flushed).await;
        let _ = reply.send(());
    }
}
