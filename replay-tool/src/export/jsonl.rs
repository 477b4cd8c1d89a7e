//! JSON Lines: a call a line, the object of `list --json` and then `local_side`, `verdict` as in `why --json`, and with
//! `--events` also `recorded`, the events as in `show --json`.

use std::io::Write;

use callbox_events::Role;
use callbox_events::schema::RecordedEvent;
use callbox_events::verdict::Verdict;
use callbox_events::view::CallSummary;
use serde::Serialize;

use super::CallSink;
use super::call::Call;
use super::destination::Destination;
use crate::failure::Failure;

/// Writes JSON Lines.
pub struct Jsonl {
    out: Destination,
    events: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    summary: &'a CallSummary,
    local_side: Option<Role>,
    verdict: &'a Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<Vec<RecordedEvent>>,
}

impl Jsonl {
    /// With `events`, each call carries all that is recorded of it.
    pub fn new(out: Destination, events: bool) -> Self {
        Self { out, events }
    }
}

impl CallSink for Jsonl {
    fn call(&mut self, call: &Call) -> Result<(), Failure> {
        let recorded =
            || call.commits.iter().flat_map(callbox_events::schema::StoredCommit::recorded).collect();
        let line = Line {
            summary: &call.summary,
            local_side: call.why.local_side,
            verdict: &call.why.verdict,
            recorded: self.events.then(recorded),
        };
        serde_json::to_writer(&mut self.out, &line)?;
        Ok(self.out.write_all(b"\n")?)
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        self.out.finish()
    }
}
