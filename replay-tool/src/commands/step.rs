//! `callbox step`: a call walked event by event, with the machine's state.

use std::collections::BTreeSet;

use callbox_events::call::Call;
use callbox_events::schema::StoredCommit;
use callbox_events::view::gist;
use serde_json::{Value, json};

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::{render, selector, source};

const EXAMPLES: &str = "\
Examples:
  callbox step latest                       what each event changed in the machine's state
  callbox step latest --at 3                the whole state after event 3
  callbox step latest --at 3 --json";

/// Walk through a call event by event: the machine's state and what changed in it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id, unique prefix, SIP Call-ID, or `latest`
    call: String,
    /// Print the whole state after this event
    #[arg(long, value_name = "EVENT")]
    at: Option<u64>,
}

/// The machine after one event.
pub struct Step {
    /// The event's number in the call.
    pub event: u64,
    /// Its kind.
    pub kind: &'static str,
    /// What it says.
    pub gist: String,
    /// What led to it.
    pub cause: String,
    /// The state after it.
    pub state: Value,
    /// Paths whose value is another one now: path, before, after.
    pub changes: Vec<(String, Value, Value)>,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let commits = selector::call(reader.as_ref(), &args.call)?;
    let steps = walk(&commits)?;
    match args.at {
        None if common.json => {
            for step in &steps {
                out.json(&document(step))?;
            }
        }
        None => render::events::steps(out, &steps)?,
        Some(at) => {
            let step = steps.iter().find(|step| step.event == at).ok_or_else(|| no_event(at, &steps))?;
            if common.json { out.json(&document(step))? } else { render::events::state(out, step)? }
        }
    }
    Ok(ExitCode::Ok)
}

fn walk(commits: &[StoredCommit]) -> Result<Vec<Step>, Failure> {
    let mut call = Call::default();
    let mut before = serde_json::to_value(&call)?;
    let mut steps = Vec::new();
    for stored in commits {
        for (event, happened) in (stored.commit.version..).zip(&stored.commit.events) {
            call.apply(&happened.event, stored.commit.at).map_err(|illegal| {
                Failure::new(ExitCode::Store, "illegal_event", format!("event {event}: {illegal}"))
                    .hint("`callbox check` and `callbox verify` tell what is wrong with this record")
            })?;
            let state = serde_json::to_value(&call)?;
            let mut changes = Vec::new();
            compare("", &before, &state, &mut changes);
            before.clone_from(&state);
            steps.push(Step {
                event,
                kind: happened.event.kind().code(),
                gist: gist(&happened.event),
                cause: stored.commit.input.cause().to_string(),
                state,
                changes,
            });
        }
    }
    Ok(steps)
}

/// Collects what differs. Objects are compared key by key; anything else, and a change from one variant to another, as
/// a whole. What changes with every event is left out.
fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<(String, Value, Value)>) {
    if before == after || ["version", "last_event_at"].contains(&path) {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) if path != "state" || old.keys().eq(new.keys()) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let [old, new] = [old, new].map(|fields| fields.get(key).unwrap_or(&Value::Null));
                compare(&path, old, new, changes);
            }
        }
        _ => changes.push((path.to_owned(), before.clone(), after.clone())),
    }
}

fn document(step: &Step) -> Value {
    let changes: serde_json::Map<String, Value> = step
        .changes
        .iter()
        .map(|(path, before, after)| (path.clone(), json!({"before": before, "after": after})))
        .collect();
    json!({"event": step.event, "type": step.kind, "caused_by": step.cause, "changes": changes, "state": step.state})
}

fn no_event(at: u64, steps: &[Step]) -> Failure {
    let last = steps.last().map_or(0, |step| step.event);
    Failure::new(ExitCode::NotFound, "event_not_found", format!("the call has no event {at}"))
        .hint(format!("its events are numbered 0 to {last}"))
}
