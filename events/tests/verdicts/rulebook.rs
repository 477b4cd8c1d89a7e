//! The rulebook as a document: which rules there are, who is heard first, and that nothing of it is dead.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use callbox_events::verdict::{
    AnswerKind, Cause, Family, RaceKind, Rulebook, Verdict, contradictions, judge, judge_with, rules,
};

use crate::script::play;
use crate::tables::rows;

/// Leaves that no record of an engine can have: they are of calls that were only observed.
const OBSERVED_ONLY: &[Cause] = &[Cause::CaptureEnded];

fn verdicts() -> Vec<Verdict> {
    rows().iter().map(|row| judge(&play(&row.script))).collect()
}

#[test]
fn the_rules_in_the_order_in_which_they_are_heard() {
    let mut text = String::new();
    for (place, rule) in (1..).zip(rules(Rulebook::NEWEST)) {
        let since =
            if rule.since == Rulebook::V1_0 { String::new() } else { format!("since {}", rule.since) };
        writeln!(text, "{place:>2}  {:<28} {:<8} {since:<10} {}", rule.id, rule.at_most, rule.about).unwrap();
    }
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("rules", text) });
}

#[test]
fn the_contradictions_in_the_order_in_which_they_are_heard() {
    let mut text = String::new();
    for (id, treatment, about) in contradictions() {
        writeln!(text, "{id:<34} {treatment:<22} {about}").unwrap();
    }
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("contradictions", text) });
}

#[test]
fn an_older_rulebook_is_a_part_of_a_newer_one() {
    for pair in Rulebook::ALL.windows(2) {
        let newer: Vec<_> = rules(pair[1]).map(|rule| rule.id).collect();
        assert!(rules(pair[0]).all(|rule| newer.contains(&rule.id)));
    }
    assert_eq!(Rulebook::ALL.last(), Some(&Rulebook::NEWEST));
}

#[test]
fn every_leaf_of_the_vocabulary_has_a_row_in_the_tables() {
    let seen: BTreeSet<Cause> = verdicts().iter().map(|verdict| verdict.cause).collect();
    let missing: Vec<&str> =
        Cause::ALL.iter().filter(|cause| !seen.contains(cause)).map(|c| c.code()).collect();
    let allowed: Vec<&str> = OBSERVED_ONLY.iter().map(|cause| cause.code()).collect();
    assert_eq!(missing, allowed, "leaves without a row");
    assert_eq!(Family::ALL.len(), seen.iter().map(|cause| cause.family()).collect::<BTreeSet<_>>().len());
}

#[test]
fn every_rule_every_race_and_every_kind_of_answer_has_a_row_in_the_tables() {
    let verdicts = verdicts();
    let rows = || verdicts.iter().flat_map(|verdict| verdict.evidence.iter().chain(&verdict.against));
    let heard: BTreeSet<&str> = rows().filter_map(|row| row.rule.as_deref()).collect();
    // The empty record has no row to name its rule in; the last resort is for acts that no rule knows.
    let silent = ["record.empty", "machine.ended"];
    let dead: Vec<&str> = rules(Rulebook::NEWEST)
        .map(|rule| rule.id)
        // Calls that were only watched have their rows beside the observer that makes their records.
        .filter(|id| !id.contains(".observed_") && *id != "record.capture_ended")
        .filter(|id| !heard.contains(id) && !silent.contains(id))
        .collect();
    assert!(dead.is_empty(), "rules without a row: {dead:?}");
    let ignored = |treatment: &str| treatment == "ignored";
    let dead: Vec<&str> = contradictions()
        .filter(|(id, treatment, _)| !ignored(treatment) && !heard.contains(id))
        .map(|(id, ..)| id)
        .collect();
    assert!(dead.is_empty(), "contradictions without a row: {dead:?}");
    for kind in RaceKind::ALL {
        assert!(
            verdicts.iter().any(|v| v.races.iter().any(|race| race.kind == *kind)),
            "no row races {kind}"
        );
    }
    for kind in AnswerKind::ALL {
        assert!(
            verdicts.iter().any(|verdict| verdict.answer_kind == Some(*kind)),
            "no row answered by {kind}"
        );
    }
}

#[test]
fn every_clue_of_an_announcement_has_a_row_in_the_tables() {
    let verdicts = verdicts();
    let heard: BTreeSet<&str> = verdicts
        .iter()
        .flat_map(|verdict| &verdict.evidence)
        .filter_map(|row| row.rule.as_deref()?.strip_prefix("clue."))
        .collect();
    let known = [
        "automata",
        "diversion",
        "early_media_gated",
        "forwarded",
        "known_host",
        "one_way",
        "other_contact",
        "other_dialog",
        "other_origin",
        "other_software",
        "reason",
        "reason_in_bye",
        "server_timer",
        "soon",
        "told",
        "tone",
    ];
    assert_eq!(heard.into_iter().collect::<Vec<_>>(), known);
}

#[test]
fn every_row_of_evidence_names_the_rule_that_heard_it() {
    for row in rows() {
        for rulebook in Rulebook::ALL {
            let verdict = judge_with(*rulebook, &play(&row.script));
            let hidden = verdict.underlying.iter().flat_map(|hidden| &hidden.evidence);
            let mut all = verdict.evidence.iter().chain(&verdict.against).chain(hidden);
            assert!(all.all(|evidence| evidence.rule.is_some()), "{}: {:?}", row.title, verdict.evidence);
            assert_eq!(verdict.rulebook, rulebook.code());
        }
    }
}
