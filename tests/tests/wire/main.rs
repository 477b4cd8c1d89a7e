//! SCENARIOS over real UDP on loopback: one engine as a process, SIPp as everything else.
//!
//! Each row of the acceptance table that is marked for the wire stands here as one test: which side the engine plays,
//! the peer's scenario, what the user does at which notification, and what the record must say. [`row`] runs them and
//! checks the invariants that hold in every row. The same rows run on two engines in virtual time in `actors`.

mod flow1;
mod flow2;
mod flow3;
mod flow4;
mod other;
mod row;
