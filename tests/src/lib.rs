//! What the end-to-end tests of callbox share.
//!
//! A test of this crate drives the two binaries as their users do: `callboxd serve` as a process ([`daemon`]), its HTTP
//! control API ([`http`]) and its notifications ([`events`]), and `callbox` on the store it leaves behind ([`cli`]).
//! On the other end of the wire stand programs that are not ours: SIPp ([`sipp`]), baresip ([`baresip`]), or bytes
//! written by hand ([`probe`], [`hand`]).
//!
//! Three rules hold everywhere:
//! 1. Nothing sleeps to wait. A test waits for the event itself, within a bound ([`wait`]).
//! 2. Everything that was started is ended by its process id when its handle is dropped ([`process`]).
//! 3. What the machine lacks is said: a missing program or folder skips the test with a printed line, or fails it where
//!    `CALLBOX_REQUIRE_PEERS=1` is set, as `tests/run` does ([`peers`]).

pub mod baresip;
pub mod causebench;
pub mod cli;
pub mod daemon;
pub mod events;
pub mod hand;
pub mod http;
pub mod json;
pub mod lab;
pub mod peers;
pub mod probe;
pub mod process;
pub mod rng;
pub mod sipp;
pub mod source;
pub mod wait;
pub mod workspace;
