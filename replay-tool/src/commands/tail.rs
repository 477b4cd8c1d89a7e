//! `callbox tail`: follows a live engine.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use callbox_events::schema::StoredCommit;
use callbox_store::{Cursor, Next, ReadError};

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::{render, selector, source};

const EXAMPLES: &str = "\
Examples:
  callbox tail --store journal              events as they happen, until interrupted
  callbox tail --from 0 --json              everything there is, then what comes
  callbox tail --url http://10.0.0.5:8080   an engine elsewhere

It ends when the engine closes its journal; over a store that no engine holds, where the journal ends. If the engine is
lost instead, it says so, and with which --from to go on.";

/// Follow a live engine: events as they become durable
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only these calls
    calls: Vec<String>,
    /// Begin with this global sequence number instead of the journal's end
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let wanted = args
        .calls
        .iter()
        .map(|name| selector::id(reader.as_ref(), name))
        .collect::<Result<BTreeSet<_>, _>>()?;
    let from = match args.from {
        Some(seq) => Cursor::at(seq),
        None => reader.tail()?,
    };
    let mut subscription = reader.subscribe(from)?;
    loop {
        let next = subscription.next_timeout(Duration::from_millis(500));
        match next.map_err(|error| lost(error, subscription.cursor()))? {
            Next::Commit(stored) => {
                if wanted.is_empty() || wanted.contains(&stored.commit.call) {
                    print(&stored, from.seq(), common, out)?;
                }
            }
            Next::Timeout => {}
            Next::Closed => return Ok(ExitCode::Ok),
        }
        out.flush()?;
    }
}

/// Nothing is lost but the connection: the numbers go on where they stood.
fn lost(error: ReadError, cursor: Cursor) -> Failure {
    let again = format!("`callbox tail --from {}` goes on from here", cursor.seq());
    match &error {
        ReadError::Interrupted { .. } => Failure::from(error).hint(again),
        ReadError::Corrupt { .. }
        | ReadError::TooNew { .. }
        | ReadError::Unavailable { .. }
        | ReadError::Beyond { .. } => error.into(),
    }
}

/// A commit is given whole; its events before `from` are left out.
fn print(stored: &StoredCommit, from: u64, common: &Common, out: &mut Output) -> Result<(), Failure> {
    if !common.json {
        return Ok(render::events::tail(out, stored, from)?);
    }
    for event in stored.recorded().into_iter().filter(|event| event.seq >= from) {
        let mut line = serde_json::to_value(&event)?;
        if let Some(fields) = line.as_object_mut() {
            fields.insert("call_id".into(), serde_json::to_value(stored.commit.call)?);
        }
        out.json(&line)?;
    }
    Ok(())
}
