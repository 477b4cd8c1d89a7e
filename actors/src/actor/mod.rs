//! The actix shell round the cores: the only folder that knows actix.
//!
//! - [`system`]: the engine's threads, one actix system with one arbiter or more.
//! - [`shard`]: what all calls of one arbiter share: routes, timers, identifiers, load. Never locked: one thread.
//! - [`inbound`]: datagrams to calls; new calls are admitted, refused, or answered without a call.
//! - [`call`]: the actor of one call; [`ack`] is the future it waits on while a commit is under way.
//! - [`deadlines`]: one timer queue for all calls of an arbiter.
//! - [`recovery`]: the calls of a former engine get their actors again.
//!
//! What actix does differently than one would think, and what prevents harm here:
//!
//! - Several `ctx.wait` complete in reverse order. A call has at most one: [`ack::AwaitAck`] goes on by itself.
//! - `do_send` knows no limit. Messages from the network go by `try_send`, except those that end a call.
//! - A panic in a handler would take the actor with it. The core catches its own ([`crate::core::Fault`]).
//! - Messages behind a stop vanish. An actor stops only after its call was released.

mod ack;
mod call;
mod deadlines;
mod inbound;
mod outbound;
mod recovery;
mod seats;
mod shard;
mod system;
mod work;

pub(crate) use system::{Running, start};
pub(crate) use work::Work;
