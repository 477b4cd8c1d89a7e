//! The call machine: what may happen in a call, decided purely.
//!
//! 1. An [`Input`] comes in: a [`Command`] (may be refused), a [`Signal`] (a fact; can't be refused), a [`TimerId`]
//!    that is due, or a [`Recovery`] after a restart.
//! 2. [`Call::decide`] answers with a [`Decision`]: events to persist and effects to perform, changing nothing.
//! 3. [`Call::apply`] takes the events, one by one, and is total: what is not in [`TRANSITIONS`] is an error value,
//!    never a panic.
//! 4. The effects are performed after the events are durable.
//!
//! A call that is only watched has inputs of its own kind, [`observed::Sight`], and no effects: see [`observed`].
//!
//! The phases are Idle, Calling (UAC), Incoming (UAS), Early, Connecting, Connected, Ending and Ended. Ringing, early
//! media and hold are data inside a phase.

mod apply;
mod command;
mod decide;
mod effect;
mod event;
mod input;
mod note;
pub mod observed;
mod phase;
mod policy;
mod signal;
mod state;
mod timers;
mod transitions;

pub use apply::IllegalTransition;
pub use command::{Command, Hangup, Outcome, Place};
pub use decide::Decision;
pub use effect::Effect;
pub use event::{
    Act, Alerting, AnswerFacts, Ended, Ending, Event, EventKind, Media, Noted, Notification, Offered, Placed,
    Recovered,
};
pub use input::{Cause, CauseKind, Input, Recovery};
pub use note::{Answerer, Note, Tone};
pub use phase::Phase;
pub use policy::{IncomingPolicy, Policy, RecoveryPolicy, RefusalKind, SipTimers};
pub use signal::{Invite, Pending, Signal};
pub use state::{Call, EndIntent, Profile, State};
pub use timers::TimerId;
pub use transitions::{TRANSITIONS, Transition, target};
