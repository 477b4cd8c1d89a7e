//! For tests: sample commits, and the suite that every journal must pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

pub mod conformance;
pub mod sample;
