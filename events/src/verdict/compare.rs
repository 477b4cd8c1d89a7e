//! Two verdicts on the same call, by different rulebooks: what changed.

use serde::Serialize;

use super::tuple::Verdict;

/// One field of the tuple that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which one, as in JSON: `cause`, `ended_by`, `races`, ...
    pub field: &'static str,
    /// What the first verdict says there; `-` for nothing.
    pub from: String,
    /// What the second one says.
    pub to: String,
}

/// What differs between the conclusions of two verdicts, in the order of the fields. Evidence and sentences are how a
/// verdict is reasoned, not what it is: they do not count.
#[must_use]
pub fn changes(from: &Verdict, to: &Verdict) -> Vec<Change> {
    let fields = fields(from).into_iter().zip(fields(to));
    fields
        .filter(|((_, from), (_, to))| from != to)
        .map(|((field, from), (_, to))| Change { field, from, to })
        .collect()
}

fn fields(verdict: &Verdict) -> [(&'static str, String); 11] {
    let hidden = verdict.underlying.as_ref();
    let races: Vec<String> = verdict.races.iter().map(race).collect();
    [
        ("family", verdict.family.to_string()),
        ("cause", verdict.cause.to_string()),
        ("underlying", or_dash(hidden.map(|hidden| format!("{} ({})", hidden.cause, hidden.confidence)))),
        ("ended_by", format!("{} ({})", verdict.ended_by.side, verdict.ended_by.agent)),
        ("act", or_dash(verdict.act.map(|act| act.code().to_owned()))),
        ("phase", verdict.phase.to_string()),
        ("answer_kind", or_dash(verdict.answer_kind.map(|kind| kind.to_string()))),
        ("races", or_dash((!races.is_empty()).then(|| races.join(", ")))),
        ("fault", verdict.fault.to_string()),
        ("confidence", verdict.confidence.to_string()),
        ("completeness", verdict.completeness.to_string()),
    ]
}

fn race(race: &super::Race) -> String {
    let margin = race.margin_ms.map(|ms| format!(", {ms} ms")).unwrap_or_default();
    format!("{} ({} over {}{margin})", race.kind, race.winner, race.loser)
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}
