//! The rulebook, told as tables: what happened, and what the verdict must say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod frozen;
mod laws;
mod rulebook;
mod script;
mod snapshots;
mod tables;
mod vocabulary;
