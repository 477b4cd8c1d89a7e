//! `callbox verify`: every checksum, sequence and chain of the store.

use std::collections::BTreeSet;
use std::io::Write;

use callbox_store::{Cursor, ReadError};
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style::{BAD, GOOD};
use crate::render::words::count;
use crate::source;

const EXAMPLES: &str = "\
Examples:
  callbox verify --store journal

Exits with 1 if anything is damaged; each damage is printed with its place.";

/// Verify every checksum, sequence number and hash chain of the store
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let progress = Progress::events(reader.tail()?.seq());
    let (mut commits, mut events, mut calls) = (0u64, 0u64, BTreeSet::new());
    let mut damages = Vec::new();
    for stored in reader.read_all(Cursor::START)? {
        match stored {
            Ok(stored) => {
                commits += 1;
                events += stored.commit.events.len() as u64;
                calls.insert(stored.commit.call);
                progress.advance(stored.commit.events.len() as u64);
            }
            Err(ReadError::Corrupt { place, what }) => damages.push((place, what)),
            Err(other) => return Err(other.into()),
        }
    }
    let calls = calls.len() as u64;
    if common.json {
        let list: Vec<_> =
            damages.iter().map(|(place, what)| json!({"place": place, "what": what})).collect();
        out.json(&json!({"commits": commits, "events": events, "calls": calls, "damages": list}))?;
    } else {
        for (place, what) in &damages {
            writeln!(out, "{BAD}damaged{BAD:#}  {place}: {what}")?;
        }
        let counted =
            format!("{}, {}, {}", count(calls, "call"), count(commits, "commit"), count(events, "event"));
        if damages.is_empty() {
            writeln!(out, "{GOOD}whole{GOOD:#}  {counted}")?;
        } else {
            writeln!(out, "{BAD}{}{BAD:#}  {counted} readable", count(damages.len() as u64, "damage"))?;
        }
    }
    Ok(if damages.is_empty() { ExitCode::Ok } else { ExitCode::Finding })
}
