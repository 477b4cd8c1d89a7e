//! What callbox says: the capture is imported and exported again, as a user would.

use std::path::Path;

use serde_json::Value;

use super::{Said, View};
use crate::cli::Cli;

/// The verdicts on all calls of a capture.
///
/// # Panics
/// If the capture can't be imported.
#[must_use]
pub fn on_capture(capture: &Path) -> Vec<Said> {
    let store = tempfile::tempdir().expect("a temporary folder");
    let callbox = Cli::store(store.path());
    let _ = callbox.text(&["import", capture.to_str().expect("a path")]);
    exported(&callbox, store.path()).iter().map(Said::from_line).collect()
}

/// The verdicts of an engine that was one of the ends, from its recording.
///
/// # Panics
/// If the recording can't be read.
#[must_use]
pub fn on_recording(recording: &Path, view: View) -> Vec<Said> {
    let direction = match view {
        View::Wire => "observed",
        View::Caller => "outgoing",
        View::Callee => "incoming",
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let callbox = Cli::recording(recording);
    let lines = exported(&callbox, folder.path());
    lines.iter().filter(|line| line["direction"] == direction).map(Said::from_line).collect()
}

fn exported(callbox: &Cli, folder: &Path) -> Vec<Value> {
    let path = folder.join("calls.jsonl");
    let _ = callbox.text(&["export", "--format", "jsonl", "-o", path.to_str().expect("a path")]);
    let text = std::fs::read_to_string(&path).expect("the export is there");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
