//! Whole engines in virtual time, on one thread, over a seeded network. No runtime, no clock, no socket.
//!
//! The same [`crate::core::CallCore`]s as in the real engine, with a [`callbox_store::memory::MemoryJournal`] each. One
//! seed fixes everything: latencies, losses, identifiers, what a crash leaves on disk.
//!
//! ```
//! use callbox::sim::Sim;
//! use callbox::{Hangup, Agent, Notification, Policy};
//!
//! let mut sim = Sim::new(7);
//! sim.engine("A", Policy::default());
//! sim.engine("B", Policy::default());
//! sim.call("A", "B");
//! # let _ = (Hangup::by(Agent::User), Notification::Ringing);
//! ```
//!
//! - Engines: [`Sim::engine`], [`Sim::call`], [`Sim::ring`], [`Sim::accept`], [`Sim::hangup`], ... A command is given
//!   now and takes its course when time runs.
//! - Time: [`Sim::run_for`], [`Sim::run_until`], [`Sim::settle`].
//! - What became of it: [`Sim::notifications`], [`Sim::told`], [`Sim::commits`], [`Sim::verdict`], [`Sim::wire`].
//! - Third parties that do what a test says: [`Sim::script`], [`Sim::expect`], [`Sim::reply`], [`Sim::invite`],
//!   [`Sim::request`].
//! - Trouble: [`Sim::network`] (latency, loss, duplication, reordering), [`Sim::rule`], [`Sim::partition`],
//!   [`Sim::crash`], [`Sim::reopen`].
//! - [`Sim::check`]: the invariants of SCENARIOS, over everything that happened so far.

mod api;
mod check;
mod engine;
mod network;
mod rng;
mod script;
mod told;
mod world;

pub use check::Violation;
pub use network::{Fate, Flight, Network};
pub use script::{Extra, ScriptDialog};
pub use world::{Sim, Stuck};
