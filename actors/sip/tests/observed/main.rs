//! Observed calls, told as tables a person can read: messages between two or more ends, and the verdict.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod laws;
mod script;
mod tables;
mod wires;
