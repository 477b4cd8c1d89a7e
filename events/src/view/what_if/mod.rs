//! A call under other conditions: its recorded inputs through the machine once more, with other rules, or with a
//! message lost or late.
//!
//! 1. The record is decided again first; one that does not agree with the machine proves nothing.
//! 2. The recorded inputs come at their recorded times. Timers are armed by the machine itself and speak up when they
//!    are due: one that is due before the next input comes first; the recorded word of one that is not due is left out.
//! 3. Up to the first difference this is the recorded run, event by event. From there on the record can't tell what the
//!    other side would have done: that is assumed, by the rules of `world`, and every assumption is named.
//! 4. The run ends with the call, or when nothing more can happen.
//!
//! Without a change the result is the record.

mod assumption;
mod clocks;
mod parted;
mod record;
mod run;
mod settings;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

pub use assumption::Assumption;
use record::Record;
use run::{Run, Steps};
pub use settings::{Setting, SettingError};

use super::rerun::{Divergence, rerun};
use crate::call::{Input, Policy};
use crate::schema::{Commit, StoredCommit, WireDirection};

/// One change of the conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Another value of a rule, as typed.
    Set(Setting, String),
    /// The message that came with this event, or if none came the one that left, is lost, with all its repetitions.
    Drop {
        /// The event's number in the call.
        event: u64,
    },
    /// The same message is later.
    Delay {
        /// The event's number in the call.
        event: u64,
        /// By how much.
        by: Duration,
    },
}

/// What a call would have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatIf {
    /// The other run, as a record. Messages that no engine built are not in it.
    pub commits: Vec<StoredCommit>,
    /// What was taken for granted, in the order of the run.
    pub assumptions: Vec<Assumption>,
    /// The rules that were changed: before and after, as they would be typed.
    pub rules: Vec<RuleChange>,
}

/// A rule before and after.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RuleChange {
    /// Its name.
    pub setting: &'static str,
    /// What the record has.
    pub before: String,
    /// What was asked for.
    pub after: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhatIfError {
    /// A setting's value does not fit.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The machine decides this record otherwise as it is.
    #[error("the record itself is decided otherwise at event #{}: {}", .0.event, .0.what)]
    Diverges(Box<Divergence>),
    /// The call was only watched: nothing of it was decided here.
    #[error(
        "the call was only watched: nothing of it was decided here, so nothing could have been decided otherwise"
    )]
    Observed,
    /// The call has no such event.
    #[error("the call has no event #{event}; its last is #{last}")]
    NoEvent {
        /// The one named.
        event: u64,
        /// The last there is.
        last: u64,
    },
    /// No message came or left with it.
    #[error("no message came or left with event #{event}; there is one with {}", numbers(.with))]
    NoMessage {
        /// The one named.
        event: u64,
        /// Those that have one.
        with: Vec<u64>,
    },
    /// Without this message there would be no call.
    #[error("without the message of event #{event} there would be no call")]
    FirstMessage {
        /// The one named.
        event: u64,
    },
    /// Our message has no answer that could be missing or late.
    #[error("nothing answers the message that left with event #{event}: losing it changes nothing here")]
    NoAnswer {
        /// The one named.
        event: u64,
    },
}

/// The changes, by the step of the record that they are about.
#[derive(Default)]
struct Changes {
    settings: Vec<(Setting, String)>,
    lost_in: Steps,
    lost_out: Steps,
    late_in: BTreeMap<usize, Duration>,
    late_out: BTreeMap<usize, Duration>,
}

/// Runs a recorded call under changed conditions. Pure: the same record and changes give the same answer.
///
/// # Errors
/// [`WhatIfError`]: the record does not agree with the machine, or a change names what is not there.
pub fn what_if(commits: &[StoredCommit], changes: &[Change]) -> Result<WhatIf, WhatIfError> {
    if let Some(divergence) = rerun(commits).divergence {
        return Err(WhatIfError::Diverges(Box::new(divergence)));
    }
    if commits.iter().any(|stored| matches!(stored.commit.input, Input::Observed(_))) {
        return Err(WhatIfError::Observed);
    }
    let record = Record::of(commits);
    let changes = read(&record, changes)?;
    let mut run = Run::new(&record, &changes);
    run.finish();
    let (assumptions, rules) = (run.assumptions(), rules(commits, &changes.settings));
    Ok(WhatIf { commits: run.commits, assumptions, rules })
}

fn read(record: &Record<'_>, changes: &[Change]) -> Result<Changes, WhatIfError> {
    let mut read = Changes::default();
    for change in changes {
        match change {
            Change::Set(setting, value) => {
                setting.put(&mut Policy::default(), value)?;
                read.settings.push((*setting, value.clone()));
            }
            Change::Drop { event } => match message_of(record, *event)? {
                (step, WireDirection::In) => _ = read.lost_in.insert(step),
                (step, WireDirection::Out) => _ = read.lost_out.insert(step),
            },
            Change::Delay { event, by } => match message_of(record, *event)? {
                (step, WireDirection::In) => _ = read.late_in.insert(step, *by),
                (step, WireDirection::Out) => _ = read.late_out.insert(step, *by),
            },
        }
    }
    Ok(read)
}

/// The step of an event, and which of its messages is meant.
fn message_of(record: &Record<'_>, event: u64) -> Result<(usize, WireDirection), WhatIfError> {
    let has =
        |commit: &Commit| (commit.version..commit.version + commit.events.len() as u64).contains(&event);
    let found = record.commits.iter().position(|stored| has(&stored.commit));
    let Some((step, commit)) = found.and_then(|step| Some((step, &record.commits.get(step)?.commit))) else {
        let last =
            record.commits.last().map_or(0, |last| last.commit.version + last.commit.events.len() as u64);
        return Err(WhatIfError::NoEvent { event, last: last.saturating_sub(1) });
    };
    let asks = record.steps.get(step).is_some_and(|step| !step.asks.is_empty());
    if came(commit) {
        return if step == 0 {
            Err(WhatIfError::FirstMessage { event })
        } else {
            Ok((step, WireDirection::In))
        };
    }
    if asks {
        return Ok((step, WireDirection::Out));
    }
    if commit.wire.iter().any(|message| message.direction == WireDirection::Out) {
        return Err(WhatIfError::NoAnswer { event });
    }
    let steps = record.steps.iter().zip(record.commits);
    let with = steps.filter(|(step, stored)| came(&stored.commit) || !step.asks.is_empty());
    Err(WhatIfError::NoMessage { event, with: with.map(|(_, stored)| stored.commit.version).collect() })
}

/// Whether a message came with this commit: a record without messages has its digest all the same.
fn came(commit: &Commit) -> bool {
    matches!(&commit.input, Input::Signal(signal) if signal.is_from_the_other_side())
}

fn rules(commits: &[StoredCommit], settings: &[(Setting, String)]) -> Vec<RuleChange> {
    let policy = commits.first().and_then(|first| super::summary::policy(&first.commit));
    let Some(policy) = policy else { return Vec::new() };
    let mut changed = policy.clone();
    for (setting, value) in settings {
        // Values were tried when the changes were read.
        let _ = setting.put(&mut changed, value);
    }
    settings
        .iter()
        .map(|(setting, _)| RuleChange {
            setting: setting.name(),
            before: setting.of(policy),
            after: setting.of(&changed),
        })
        .collect()
}

fn numbers(events: &[u64]) -> String {
    if events.is_empty() {
        return "none".into();
    }
    events.iter().map(|event| format!("#{event}")).collect::<Vec<_>>().join(", ")
}
