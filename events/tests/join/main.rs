//! Two records of one call, told as a table; and the laws of matching, of the clocks and of the comparison.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod laws;
#[allow(dead_code, reason = "the verdicts use all of it")]
#[path = "../verdicts/script.rs"]
mod script;
#[path = "../support/table.rs"]
mod table;

use std::fmt::Write as _;

use callbox_events::schema::{Commit, StoredCommit};
use callbox_events::view::join::{Basis, join};

/// Commits as a journal gives them.
pub fn stored(commits: Vec<Commit>) -> Vec<StoredCommit> {
    commits.into_iter().map(|commit| StoredCommit::plain(commit.version, [0; 32], commit)).collect()
}

#[test]
fn every_row_says_what_its_two_records_contradict_each_other_in() {
    let mut report = String::new();
    for row in table::rows(include_str!("contradictions.txt"), 20) {
        let [caller, callee] = ["caller", "callee"].map(|end| stored(script::play(row.field(end))));
        let joined = join(&caller, &callee, Basis::CallId);
        let codes: Vec<&str> = joined.contradictions.iter().map(|found| found.code).collect();
        let codes = if codes.is_empty() { "-".to_owned() } else { codes.join(" ") };
        if codes != row.field("says") {
            writeln!(report, "row {}\n  says {codes}, not {}", row.title, row.field("says")).unwrap();
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
