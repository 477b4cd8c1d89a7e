//! What a tool said of one call, on each axis.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Axis;

/// A tool's word on one call. An axis that is not there was not spoken of.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// The Call-ID.
    pub sip_call_id: String,
    /// The users of both ends' URIs, as far as the tool names them.
    pub users: Vec<String>,
    axes: BTreeMap<Axis, Vec<String>>,
}

impl Said {
    /// Of the call with this Call-ID, nothing yet.
    #[must_use]
    pub fn of(sip_call_id: &str) -> Self {
        Self { sip_call_id: sip_call_id.to_owned(), ..Self::default() }
    }

    /// Between these users.
    #[must_use]
    pub fn between(self, users: Vec<String>) -> Self {
        Self { users, ..self }
    }

    /// And this on an axis; `-` is nothing.
    #[must_use]
    pub fn with(mut self, axis: Axis, word: &str) -> Self {
        self.axes.insert(axis, vec![word.to_owned()]);
        self
    }

    /// What it said on an axis: one word, except for races.
    #[must_use]
    pub fn on(&self, axis: Axis) -> &[String] {
        self.axes.get(&axis).map_or(&[], Vec::as_slice)
    }

    /// Whether it left no doubt of its own.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.on(Axis::Sure).iter().any(|sure| matches!(sure.as_str(), "certain" | "strong"))
    }

    /// Whether a label's name means this call; `*` at its end stands for the rest of a Call-ID.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        if let Some(beginning) = name.strip_suffix('*') {
            return self.sip_call_id.starts_with(beginning);
        }
        let id = self.sip_call_id.split('@').next().unwrap_or_default();
        id == name || self.users.iter().any(|user| user == name)
    }

    /// A line of `callbox export --format jsonl`.
    #[must_use]
    pub fn from_line(line: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let verdict = &line["verdict"];
        let mut said = Self::of(line["sip_call_id"].as_str().unwrap_or_default());
        said.users = [&line["from"], &line["to"]].into_iter().filter_map(|uri| user(uri.as_str()?)).collect();
        let words = [
            (Axis::Family, &verdict["family"]),
            (Axis::Cause, &verdict["cause"]),
            (Axis::Side, &verdict["ended_by"]["side"]),
            (Axis::Agent, &verdict["ended_by"]["agent"]),
            (Axis::Act, &verdict["act"]),
            (Axis::Phase, &verdict["phase"]),
            (Axis::Answer, &verdict["answer_kind"]),
            (Axis::Hides, &verdict["underlying"]["cause"]),
            (Axis::Sure, &verdict["confidence"]),
            (Axis::Completeness, &verdict["completeness"]),
        ];
        said.axes = words.into_iter().map(|(axis, value)| (axis, vec![text(value)])).collect();
        let races = verdict["races"].as_array().into_iter().flatten();
        let races = races.map(|race| format!("{} {}", text(&race["kind"]), text(&race["winner"])));
        said.axes.insert(Axis::Races, races.collect());
        said
    }
}

/// The user of a SIP URI.
fn user(uri: &str) -> Option<String> {
    let rest = uri.split_once(':')?.1;
    rest.split_once('@').map(|(user, _)| user.to_owned())
}
