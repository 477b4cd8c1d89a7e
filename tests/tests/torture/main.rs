//! Torture: malformed, strange and hostile messages to a live engine. It stays up, a normal call works after each, and
//! where an RFC prescribes an answer, that answer comes.
//!
//! The messages of RFC 4475 and RFC 5118 are read from the folder of shared test data, byte for byte; those of our own
//! writing are in [`own`]. The engine refuses every call with 486, so that each well-formed INVITE has a final answer.

mod mutations;
mod own;
mod rfc4475;
mod rfc5118;
mod stream;
mod target;
