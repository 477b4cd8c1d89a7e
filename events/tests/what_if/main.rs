//! Calls under other conditions, told as a table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "the verdicts use all of it")]
#[path = "../verdicts/script.rs"]
mod script;
#[path = "../support/table.rs"]
mod table;

use std::fmt::Write as _;

use callbox_events::call::Event;
use callbox_events::schema::StoredCommit;
use callbox_events::time::parse_span;
use callbox_events::verdict::judge;
use callbox_events::view::{Change, WhatIf, what_if};
use serde_json::Value;
use table::Row;

fn change(word: &str) -> Change {
    if let Some(event) = word.strip_prefix("drop:") {
        return Change::Drop { event: event.parse().unwrap() };
    }
    if let Some(late) = word.strip_prefix("delay:") {
        let (event, by) = late.split_once('=').unwrap();
        return Change::Delay { event: event.parse().unwrap(), by: parse_span(by).unwrap() };
    }
    let (setting, value) = word.split_once('=').unwrap();
    Change::Set(setting.parse().unwrap(), value.into())
}

fn run(row: &Row) -> WhatIf {
    let commits = script::play(row.field("call")).into_iter();
    let record: Vec<StoredCommit> =
        commits.map(|commit| StoredCommit::plain(commit.version, [0; 32], commit)).collect();
    let changes: Vec<Change> = row.field("what").split_whitespace().map(change).collect();
    what_if(&record, &changes).unwrap_or_else(|error| panic!("{}: {error}", row.title))
}

/// Seconds from the beginning to the end.
fn after(other: &WhatIf) -> String {
    let ended = |stored: &&StoredCommit| {
        stored.commit.events.iter().any(|happened| matches!(happened.event, Event::Ended(_)))
    };
    let (first, last) = (other.commits.first(), other.commits.iter().find(ended));
    let span = first.zip(last).map(|(first, last)| last.commit.at.since(first.commit.at).as_secs());
    span.map_or("-".into(), |seconds| seconds.to_string())
}

fn field(other: &WhatIf, key: &str) -> String {
    let verdict = serde_json::to_value(judge(other.commits.iter().map(|stored| &stored.commit))).unwrap();
    let value = match key {
        "after" => return after(other),
        "side" | "agent" => &verdict["ended_by"][key],
        key => &verdict[key],
    };
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn every_row_ends_as_it_says_and_assumes_no_more() {
    let mut report = String::new();
    for row in table::rows(include_str!("changes.txt"), 18) {
        let other = run(&row);
        let ends: Vec<String> = row
            .field("ends")
            .split_whitespace()
            .map(|pair| pair.split_once('=').unwrap().0)
            .map(|key| format!("{key}={}", field(&other, key)))
            .collect();
        let codes: Vec<&str> = other.assumptions.iter().map(|assumption| assumption.code).collect();
        let assumes = if codes.is_empty() { "-".to_owned() } else { codes.join(" ") };
        if ends.join(" ") != row.field("ends") || assumes != row.field("assumes") {
            writeln!(report, "row {}\n  ends {}\n  assumes {assumes}", row.title, ends.join(" ")).unwrap();
        }
    }
    assert!(report.is_empty(), "rows that end otherwise:\n{report}");
}
