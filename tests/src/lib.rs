//! What the end-to-end tests of callbox share.
//!
//! Three rules hold everywhere:
//! 1. Nothing sleeps to wait. A test waits for the event itself, within a bound ([`wait`]).
//! 2. Everything that was started is ended by its process id when its handle is dropped ([`process`]).
//! 3. What the machine lacks is said: a missing program or folder skips the test with a printed line, or fails it where
//!    `CALLBOX_REQUIRE_PEERS=1` is set, as `tests/run` does ([`peers`]).

pub mod json;
pub mod peers;
pub mod process;
pub mod rng;
pub mod source;
pub mod wait;
pub mod workspace;
