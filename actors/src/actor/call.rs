//! The actor of one call: a mailbox round a core.

use std::rc::Rc;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message as ActorMessage, WrapFuture};
use callbox_events::CallId;
use callbox_events::call::{Command, Outcome, Phase};
use callbox_events::sip::Peer;
use callbox_events::view::CallSummary;
use callbox_sip::wire::Message;
use tokio::sync::oneshot;

use super::ack::{AwaitAck, InFlight};
use super::deadlines::Armed;
use super::shard::Shard;
use crate::core::{Acted, CallCore, Fault, Step, Stimulus};
use crate::error::CommandError;
use crate::target::Target;

/// One call.
pub(super) struct CallActor {
    pub(super) shard: Rc<Shard>,
    pub(super) core: Box<CallCore>,
    pub(super) reply: Option<Reply>,
    pub(super) faults: u8,
    /// Whether nothing can be done any more: the journal refuses, or the core can't be restored.
    pub(super) lost: bool,
    first: Option<Box<First>>,
    armed: Option<Armed>,
    counted: bool,
}

/// What an actor begins with.
#[allow(clippy::large_enum_variant, reason = "a step is the usual case, and moved once")]
pub(super) enum First {
    /// The step of a new call.
    Step(Step, Option<Reply>),
    /// A call that a former engine left.
    Recover,
}

/// Who waits for what a command comes to.
pub(super) enum Reply {
    Placed(oneshot::Sender<Result<CallId, CommandError>>),
    Told(oneshot::Sender<Result<Outcome, CommandError>>),
}

/// A SIP message for this call.
#[derive(ActorMessage)]
#[rtype(result = "()")]
pub(super) struct Inbound {
    pub(super) message: Box<Message>,
    pub(super) source: Peer,
}

/// A command for this call.
#[derive(ActorMessage)]
#[rtype(result = "()")]
pub(super) struct Tell {
    pub(super) command: Command,
    pub(super) reply: Option<oneshot::Sender<Result<Outcome, CommandError>>>,
}

/// The deadline that was armed is due.
#[derive(ActorMessage)]
#[rtype(result = "()")]
pub(super) struct Due;

/// Nothing can be delivered to a peer.
#[derive(ActorMessage)]
#[rtype(result = "()")]
pub(super) struct PeerFailed {
    pub(super) peer: Peer,
    pub(super) detail: String,
}

/// Where the INVITE goes, or why it can't.
#[derive(ActorMessage)]
#[rtype(result = "()")]
struct Reached(Result<Peer, String>);

/// The call in one line.
#[derive(ActorMessage)]
#[rtype(result = "Option<CallSummary>")]
pub(super) struct Ask;

impl CallActor {
    pub(super) fn new(shard: Rc<Shard>, core: Box<CallCore>, first: First) -> Self {
        let counted = core.phase() != Phase::Ended;
        if counted {
            shard.load.began();
        }
        Self {
            shard,
            core,
            reply: None,
            faults: 0,
            lost: false,
            first: Some(Box::new(first)),
            armed: None,
            counted,
        }
    }

    /// Hands the core a stimulus and follows its step.
    fn handle_stimulus(&mut self, stimulus: Stimulus, context: &mut Context<Self>) {
        if self.lost {
            self.answer(Err(CommandError::Internal));
            return;
        }
        let now = self.shard.now();
        let step = self.core.handle(now, stimulus, &mut *self.shard.ids.borrow_mut());
        let in_flight = self.follow(step);
        self.wait_or_settle(in_flight, context);
    }

    fn wait_or_settle(&mut self, in_flight: Option<InFlight>, context: &mut Context<Self>) {
        match in_flight {
            Some(in_flight) => context.wait(AwaitAck(in_flight)),
            None => self.settle(context),
        }
    }

    /// Sends what may leave and appends what must be durable first.
    pub(super) fn follow(&mut self, step: Result<Step, Fault>) -> Option<InFlight> {
        let step = match step {
            Ok(step) => step,
            Err(fault) => return self.restore(&fault),
        };
        self.shard.send(self.core.seat(), step.transmits);
        if let Some(outcome) = step.outcome {
            self.answer(Ok(outcome));
        }
        step.commit.map(|commit| InFlight::append(&self.shard, commit))
    }

    /// The commit is durable: act, then go on with what is left of the stimulus.
    pub(super) fn go_on(&mut self, context: &mut Context<Self>) -> Option<InFlight> {
        let Acted { transmits, outcome, reach } = match self.core.committed() {
            Ok(acted) => acted,
            Err(fault) => return self.restore(&fault),
        };
        self.shard.send(self.core.seat(), transmits);
        if let Some(outcome) = outcome {
            self.answer(Ok(outcome));
        }
        if reach {
            self.reach(context);
        }
        let step = self.core.resume(self.shard.now(), &mut *self.shard.ids.borrow_mut());
        self.follow(step)
    }

    /// Nothing is under way: arm the next deadline, or go if the call is over.
    pub(super) fn settle(&mut self, context: &mut Context<Self>) {
        if self.counted && (self.lost || self.core.phase() == Phase::Ended) {
            self.counted = false;
            self.shard.load.ended();
        }
        if self.lost || self.core.is_released() {
            self.shard.deadlines.disarm(self.armed.take());
            self.shard.forget(&self.core);
            context.stop();
        } else if let Some(at) = self.core.next_deadline() {
            let at = self.shard.clock.instant(at);
            self.shard.deadlines.arm(self.core.id(), &mut self.armed, at);
        }
    }

    pub(super) fn answer(&mut self, outcome: Result<Outcome, CommandError>) {
        match self.reply.take() {
            Some(Reply::Placed(reply)) => {
                let _ = reply.send(outcome.map(|_| self.core.id()));
            }
            Some(Reply::Told(reply)) => {
                let _ = reply.send(outcome);
            }
            None => {}
        }
    }

    /// Resolves and connects beside the mailbox; the result comes back as a message.
    fn reach(&mut self, context: &mut Context<Self>) {
        let Some(transports) = self.shard.transports().cloned() else { return };
        let (local, addr) = (self.core.seat().local, context.address());
        let dialog = self.core.leg().dialog();
        let (peer, uri) = (dialog.peer, dialog.remote_target.clone());
        let reach = async move {
            let reached = match resolve(peer, &uri).await {
                Ok(peer) => match transports.connect(local, peer).await {
                    Ok(()) => Ok(peer),
                    Err(error) => Err(error.detail),
                },
                Err(detail) => Err(detail),
            };
            addr.do_send(Reached(reached));
        };
        context.spawn(reach.into_actor(self));
    }
}

/// The address, if it is known; else that of the URI's host.
async fn resolve(peer: Peer, uri: &str) -> Result<Peer, String> {
    if !peer.addr.ip().is_unspecified() {
        return Ok(peer);
    }
    match Target::of(uri)? {
        Target::Numeric(peer) => Ok(peer),
        Target::Named { transport, host, port } => {
            let found = tokio::net::lookup_host((host.as_str(), port)).await.map_err(|e| e.to_string())?;
            let addr = found.into_iter().next().ok_or("the name has no address")?;
            Ok(Peer { transport, addr })
        }
    }
}

impl Actor for CallActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        match self.first.take().map(|first| *first) {
            Some(First::Step(step, reply)) => {
                self.reply = reply;
                let in_flight = self.follow(Ok(step));
                self.wait_or_settle(in_flight, context);
            }
            Some(First::Recover) => {
                self.handle_stimulus(Stimulus::Recovery { fault: "crash".into() }, context);
            }
            None => {}
        }
    }
}

impl Drop for CallActor {
    fn drop(&mut self) {
        if self.counted {
            self.shard.load.ended();
        }
    }
}

impl Handler<Inbound> for CallActor {
    type Result = ();

    fn handle(&mut self, inbound: Inbound, context: &mut Self::Context) {
        let Inbound { message, source } = inbound;
        self.handle_stimulus(Stimulus::Message { message, source }, context);
    }
}

impl Handler<Tell> for CallActor {
    type Result = ();

    fn handle(&mut self, tell: Tell, context: &mut Self::Context) {
        self.reply = tell.reply.map(Reply::Told);
        self.handle_stimulus(Stimulus::Command(tell.command), context);
    }
}

impl Handler<Due> for CallActor {
    type Result = ();

    fn handle(&mut self, _due: Due, context: &mut Self::Context) {
        self.armed = None;
        self.handle_stimulus(Stimulus::Deadline, context);
    }
}

impl Handler<PeerFailed> for CallActor {
    type Result = ();

    fn handle(&mut self, failed: PeerFailed, context: &mut Self::Context) {
        let PeerFailed { peer, detail } = failed;
        self.handle_stimulus(Stimulus::TransportFailed { peer, detail }, context);
    }
}

impl Handler<Reached> for CallActor {
    type Result = ();

    fn handle(&mut self, reached: Reached, context: &mut Self::Context) {
        self.handle_stimulus(Stimulus::Reached(reached.0), context);
    }
}

impl Handler<Ask> for CallActor {
    type Result = Option<CallSummary>;

    fn handle(&mut self, _ask: Ask, _context: &mut Self::Context) -> Self::Result {
        self.core.summary()
    }
}
