//! `callbox`: who ended each call, how and why.
//!
//! Reads journals and explains them. Links neither the engine nor its actors: what it says can be checked against the
//! journal alone.
//!
//! - [`cli`] is the command line, [`commands`] holds one file per command.
//! - [`source`] opens a store, a recording or, through [`remote`], an engine elsewhere; [`selector`] finds a call in it,
//!   [`scan`] walks over all calls in bounded memory.
//! - [`export`] writes calls in other formats, [`redact`] without personal data, [`import`] takes recordings in.
//! - [`trust`] reads the keys and the checkpoints that an auditor brings along.
//! - [`render`] draws; [`output`] knows where to and how wide.
//! - [`failure`] and [`exit_code`] are how a command says that it could not.

mod capture;
mod cli;
mod commands;
mod exit_code;
mod export;
mod failure;
mod filter;
mod import;
mod output;
mod progress;
mod redact;
mod remote;
mod render;
mod scan;
mod selector;
mod signing;
mod source;
mod trust;
mod when;

#[cfg(test)]
#[allow(dead_code, reason = "the tests of the command line make more of them")]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]
#[path = "../tests/support/packets.rs"]
mod packets;
#[cfg(test)]
#[allow(dead_code, reason = "the tests of the command line tell more of them")]
#[allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#[path = "../tests/support/personal.rs"]
mod personal;
#[cfg(test)]
#[allow(dead_code, reason = "the tests of the command line tell more of them")]
#[path = "../tests/support/stories.rs"]
mod stories;
#[cfg(test)]
#[allow(dead_code, reason = "the tests of the command line tell more of them")]
#[allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#[path = "../tests/support/story.rs"]
mod story;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#[path = "../tests/support/tones.rs"]
mod tones;

fn main() -> std::process::ExitCode {
    cli::main().into()
}
