//! The pure core of callbox.
//!
//! One invariant carries the product: **what a call did can be decided again from its journal alone.** Hence
//! nothing in this crate reads a clock, draws a random number, does IO or knows SIP syntax; time and digested
//! messages are inputs.
//!
//! 1. The shell digests a datagram into a [`call::Signal`] (crate `callbox-sip`), a user's wish into a
//!    [`call::Command`], a due timer into a [`call::TimerId`]. Together: [`call::Input`].
//! 2. [`call::Call::decide`] turns an input into [`call::Event`]s and [`call::Effect`]s without changing anything.
//! 3. The events travel in one [`schema::Commit`] to the journal (crate `callbox-store`).
//! 4. Once the commit is durable, [`call::Call::apply`] changes the state and the shell performs the effects.
//! 5. [`verdict`] judges a call's commits: who ended it, how and why, with evidence. [`view`] projects them for
//!    people and programs.

pub mod call;
pub mod ids;
pub mod party;
pub mod schema;
pub mod sip;
pub mod time;
pub mod verdict;
pub mod view;

pub use ids::CallId;
pub use party::{Agent, Role, Side};
pub use time::Timestamp;
