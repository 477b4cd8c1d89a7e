//! Released rulebooks are for ever: what version 1.0 said of these calls it says today, to the last word.
//!
//! `frozen/1.0.txt` holds the calls and the verdicts in one file. It is not to be changed: a better verdict belongs to
//! a newer rulebook.

use std::fmt::Write as _;

use callbox_events::schema::{self, Commit};
use callbox_events::verdict::{Evidence, Rulebook, Verdict, judge_with};

use crate::script::play;
use crate::tables::tuple;

#[test]
fn rulebook_1_0_says_of_its_calls_what_it_always_said() {
    let frozen = include_str!("frozen/1.0.txt");
    let calls: Vec<&str> = frozen.split("> ").skip(1).collect();
    assert!(calls.len() > 150, "the frozen verdicts are missing");
    for call in calls {
        let (script, verdict) = call.split_once('\n').unwrap();
        let today = told(&judge_with(Rulebook::V1_0, &play(script)));
        assert_eq!(verdict.trim_end(), today.trim_end(), "{script}");
    }
}

/// The calls of the frozen sample of schema version 1, one story of each role.
#[test]
fn rulebook_1_0_judges_the_frozen_records_as_ever() {
    let mut rest = include_bytes!("../frozen/v1.bin").as_slice();
    let mut calls: Vec<Vec<Commit>> = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let (body, tail) = tail.split_at(u32::from_be_bytes(*length) as usize);
        let commit = schema::decode(body).unwrap();
        match calls.last_mut() {
            Some(call) if call[0].call == commit.call => call.push(commit),
            _ => calls.push(vec![commit]),
        }
        rest = tail;
    }
    let verdicts: Vec<String> = calls.iter().map(|call| told(&judge_with(Rulebook::V1_0, call))).collect();
    insta::assert_snapshot!("frozen_records_by_1_0", verdicts.join("\n"));
}

/// Everything a verdict says, a line each.
fn told(verdict: &Verdict) -> String {
    let mut text = format!("{} {} {}\n", tuple(verdict), verdict.fault, verdict.completeness);
    for race in &verdict.races {
        let margin = race.margin_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"));
        writeln!(text, "race {}: {} over {}, {margin}", race.kind, race.winner, race.loser).unwrap();
    }
    rows(&mut text, "because", &verdict.evidence);
    rows(&mut text, "despite", &verdict.against);
    if let Some(hidden) = &verdict.underlying {
        writeln!(text, "hides {} {}", hidden.cause, hidden.confidence).unwrap();
        rows(&mut text, "behind", &hidden.evidence);
    }
    writeln!(text, "{}\n{}", verdict.summary.en, verdict.summary.zh).unwrap();
    text
}

fn rows(text: &mut String, what: &str, rows: &[Evidence]) {
    for row in rows {
        writeln!(text, "{what} #{} {}", row.event, row.says).unwrap();
    }
}
