//! Two records of one call, told as a table; and the laws of matching, of the clocks and of the comparison.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod laws;
#[allow(dead_code, reason = "the verdicts use all of it")]
#[path = "../verdicts/script.rs"]
mod script;

use std::fmt::Write as _;

use callbox_events::schema::{Commit, StoredCommit};
use callbox_events::view::join::{Basis, join};

/// Commits as a journal gives them.
pub fn stored(commits: Vec<Commit>) -> Vec<StoredCommit> {
    commits.into_iter().map(|commit| StoredCommit { seq: commit.version, hash: [0; 32], commit }).collect()
}

#[derive(Default)]
struct Row {
    title: String,
    caller: String,
    callee: String,
    says: String,
}

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let text = include_str!("contradictions.txt");
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap();
        if word == "row" {
            rows.push(Row { title: rest.into(), ..Row::default() });
            continue;
        }
        let row = rows.last_mut().unwrap();
        let field = match word {
            "caller" => &mut row.caller,
            "callee" => &mut row.callee,
            "says" => &mut row.says,
            other => panic!("no line {other}"),
        };
        rest.clone_into(field);
    }
    rows
}

#[test]
fn every_row_says_what_its_two_records_contradict_each_other_in() {
    let rows = rows();
    assert!(rows.len() > 15, "the table has lost its rows");
    let mut report = String::new();
    for row in &rows {
        let (caller, callee) = (stored(script::play(&row.caller)), stored(script::play(&row.callee)));
        let joined = join(&caller, &callee, Basis::CallId);
        let codes: Vec<&str> = joined.contradictions.iter().map(|found| found.code).collect();
        let codes = if codes.is_empty() { "-".to_owned() } else { codes.join(" ") };
        if codes != row.says {
            writeln!(report, "row {}\n  says {codes}, not {}", row.title, row.says).unwrap();
            for found in joined.contradictions {
                writeln!(report, "    {found:?}").unwrap();
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn what_both_say_is_said() {
    let caller = stored(script::play("place; 180; 200 sdp; +5s; hangup; bye-answer 200"));
    let callee = stored(script::play("invite; ring; accept; ack; +5s; bye q850=16"));
    let joined = join(&caller, &callee, Basis::CallId);
    assert_eq!(
        joined.agreements,
        [
            "the cause is hangup",
            "the call was answered",
            "it was ended by: caller",
            "the INVITE was finally answered with 200"
        ]
    );
    assert!(joined.lost.is_empty());
}
