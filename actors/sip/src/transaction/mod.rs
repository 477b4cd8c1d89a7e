//! Transactions as four declared tables (RFC 3261 §17, RFC 6026), without messages, clock or IO.
//!
//! 1. [`Kind::table`] is the law: state × input → state and actions. What a table does not name is ignored.
//! 2. [`Machine::step`] takes an [`Input`] and the time, keeps the timers, and answers with the actions of the row.
//! 3. [`Machine::next_timeout`] says when to come back; [`Machine::due`] which timer that was.
//! 4. [`Key`] says which transaction a request belongs to (§17.2.3).
//!
//! A transaction is owned by the [`crate::leg::Leg`] of its Call-ID, so that routing needs no table of transactions.

mod client;
mod invite_client;
mod invite_server;
mod key;
mod machine;
mod server;
mod table;

pub use key::Key;
pub use machine::Machine;
pub use table::{Action, Input, Kind, Row, State, Timer};
