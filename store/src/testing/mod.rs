//! For tests: sample commits, the suite that every journal must pass, and the check of what a test leaves behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

pub mod conformance;
pub mod disk;
pub mod rerun;
pub mod ruin;
pub mod sample;
