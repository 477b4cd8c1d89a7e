//! The callbox engine: SIP calls whose every transition is durable before it has an effect.
//!
//! One invariant: **nothing of a transition reaches the wire or the application before its event is durable.**
//!
//! 1. A transport hands datagrams to the router; the Call-ID names the call and so the actor ([`transport`], `actor`).
//! 2. The actor hands the message to its [`core::CallCore`]: the leg digests it, the machine decides, and a commit
//!    comes out.
//! 3. The actor appends the commit to the journal (crate `callbox-store`) and waits for the ack. Nothing else is
//!    handled for this call meanwhile.
//! 4. After the ack the core applies the events and releases the messages; timers are armed.
//! 5. Notifications are a projection of the journal ([`Notifications`]), so they can't overtake it.
//!
//! [`Engine`] is the front door; it runs in threads of its own and can be used from any runtime or none. [`sim`] runs
//! the same cores in virtual time over a seeded network.

pub mod clock;
pub mod core;
pub mod media;
pub mod sim;
pub mod transport;

mod actor;
mod call_handle;
mod config;
mod engine;
mod error;
mod notification;
mod recovery;
mod routing;
mod target;

pub use call_handle::PlaceCall;
pub use callbox_events::call::{Answerer, Hangup, Note, Notification, Outcome, Policy, Tone};
pub use callbox_events::verdict::Cause;
pub use callbox_events::view::CallSummary;
pub use callbox_events::{Agent, CallId, Timestamp};
pub use config::{Config, ShutdownPolicy};
pub use engine::Engine;
pub use error::{CommandError, OpenError, SubscribeError};
pub use notification::{Notifications, Notified, Waited, notified};
