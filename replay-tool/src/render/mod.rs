//! Drawing for people: tables, events, verdicts, charts. Calm: colour marks what matters, the rest is plain or dim.

pub mod beats;
pub mod erasures;
pub mod events;
pub mod join;
pub mod ladder;
pub mod proof;
pub mod rejudge;
pub mod style;
pub mod table;
pub mod time;
pub mod what_if;
pub mod why;
pub mod words;

use std::io::{self, Write};

use crate::failure::Failure;
use style::{BAD, DIM};

/// A failure: what happened, then what to do about it.
pub fn failure(err: &mut impl Write, failure: &Failure) -> io::Result<()> {
    writeln!(err, "{BAD}error:{BAD:#} {}", failure.message)?;
    let mut label = "hint:";
    for line in failure.hint.iter().flat_map(|hint| hint.lines()) {
        writeln!(err, "{DIM}{label:>6}{DIM:#} {line}")?;
        label = "";
    }
    Ok(())
}
