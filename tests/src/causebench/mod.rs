//! CauseBench: calls whose ends are known, and how well a tool tells them from a capture.
//!
//! `tests/causebench/corpus` holds captures, each with a text of the same name: what was made to happen ([`label`]). A
//! tool says something about each call on each [`Axis`] ([`said`]; callbox in [`ours`], others in [`others`]), and
//! [`score`] has the rule that compares the two: not to know is worth nothing, to be wrong costs, to be wrong and sure
//! costs most. [`table`] prints the result.
//!
//! `tests/causebench/README.md` is for people who want to add a call.

pub mod label;
pub mod others;
pub mod ours;
pub mod said;
pub mod score;
pub mod table;

use std::path::PathBuf;

use crate::workspace;

pub use label::{Label, View};
pub use said::Said;
pub use score::{Outcome, Score};

/// What is asked about the end of a call. The order is that of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Axis {
    /// The family of the cause.
    Family,
    /// The leaf.
    Cause,
    /// Which side caused the end.
    Side,
    /// What acted there.
    Agent,
    /// By which act.
    Act,
    /// How far the call had come.
    Phase,
    /// What answered.
    Answer,
    /// What the cause hides.
    Hides,
    /// What crossed.
    Races,
    /// How sure one can be.
    Sure,
    /// How much of the call the capture shows.
    Completeness,
}

impl Axis {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Family,
        Self::Cause,
        Self::Side,
        Self::Agent,
        Self::Act,
        Self::Phase,
        Self::Answer,
        Self::Hides,
        Self::Races,
        Self::Sure,
        Self::Completeness,
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Cause => "cause",
            Self::Side => "side",
            Self::Agent => "agent",
            Self::Act => "act",
            Self::Phase => "phase",
            Self::Answer => "answer",
            Self::Hides => "hides",
            Self::Races => "races",
            Self::Sure => "sure",
            Self::Completeness => "complete",
        }
    }
}

/// A capture with its labels.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The name of both files, without an ending.
    pub name: String,
    /// The capture.
    pub capture: PathBuf,
    /// What an engine that was one of the ends recorded of the same calls, where there was one.
    pub recording: Option<PathBuf>,
    /// Its labelled calls.
    pub labels: Vec<Label>,
}

/// The whole corpus, in the order of names.
///
/// # Panics
/// Where a text is not readable as labels; the message names the line.
#[must_use]
pub fn corpus() -> Vec<Sheet> {
    let folder = workspace::root().join("tests/causebench/corpus");
    let entries = std::fs::read_dir(&folder).expect("the corpus is part of the repository");
    let mut texts: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    texts.sort();
    texts.iter().map(|text| sheet(text)).collect()
}

/// What callbox says, beside every label of the corpus.
#[must_use]
pub fn judged() -> Vec<score::Judged> {
    corpus().iter().flat_map(|sheet| sheet.judged(&ours::on_capture(&sheet.capture))).collect()
}

impl Sheet {
    /// The labels of one view.
    pub fn of(&self, view: View) -> Vec<&Label> {
        self.labels.iter().filter(|label| label.view == view).collect()
    }

    /// What was said of the calls in the capture, and what an engine recorded of its own, beside the labels.
    #[must_use]
    pub fn judged(&self, said: &[Said]) -> Vec<score::Judged> {
        let mut judged = score::judge(&self.of(View::Wire), said);
        for view in [View::Caller, View::Callee] {
            let labels = self.of(view);
            if let Some(recording) = self.recording.as_deref().filter(|_| !labels.is_empty()) {
                judged.extend(score::judge(&labels, &ours::on_recording(recording, view)));
            }
        }
        judged
    }
}

fn sheet(text: &std::path::Path) -> Sheet {
    let name = text.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    let read = std::fs::read_to_string(text).expect("a readable file");
    let recording = text.with_extension("recording");
    Sheet {
        labels: label::read(&name, &read).unwrap_or_else(|error| panic!("{}:{error}", text.display())),
        capture: text.with_extension("pcapng"),
        recording: recording.is_file().then_some(recording),
        name,
    }
}
