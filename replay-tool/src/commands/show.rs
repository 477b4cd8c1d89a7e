//! `callbox show`: every event of a call.

use callbox_events::schema::{RecordedEvent, StoredCommit, WireMessage};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::{render, selector, source};

const EXAMPLES: &str = "\
Examples:
  callbox show latest                       every event with its cause and its messages' first lines
  callbox show latest --raw                 the whole SIP messages too
  callbox show 3f2a --json | jq .type       one recorded event a line";

/// Show every event of a call: time, phase change, cause, SIP messages
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id, unique prefix, SIP Call-ID, or `latest`
    call: String,
    /// Print whole SIP messages, not only their first lines; with --json as `wire` of the first event they belong to
    #[arg(long)]
    raw: bool,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let commits = selector::call(reader.as_ref(), &args.call)?;
    if common.json {
        for stored in &commits {
            lines(out, stored, args.raw)?;
        }
    } else {
        render::events::show(out, &commits, args.raw)?;
    }
    Ok(ExitCode::Ok)
}

/// One recorded event a line. Messages belong to the whole commit: its first event carries them.
fn lines(out: &mut Output, stored: &StoredCommit, raw: bool) -> Result<(), Failure> {
    for event in stored.recorded() {
        if raw && event.call_seq == stored.commit.version {
            let wire = stored.commit.wire.iter().map(wire).collect();
            out.json(&WithWire { event, wire })?;
        } else {
            out.json(&event)?;
        }
    }
    Ok(())
}

/// A recorded event with the messages of its commit.
#[derive(Serialize)]
struct WithWire {
    #[serde(flatten)]
    event: RecordedEvent,
    wire: Vec<Value>,
}

/// A message as text; bytes that are no UTF-8 are replaced.
fn wire(message: &WireMessage) -> Value {
    let text = String::from_utf8_lossy(&message.bytes);
    json!({"direction": message.direction, "peer": message.peer.to_string(), "message": text})
}
