//! The rule: what an answer is worth.
//!
//! | on one axis of one call | points |
//! |---|---|
//! | right | 1 |
//! | not said, or said to be unknown | 0 |
//! | wrong, and said with doubt (`weak`, `none`) | -1 |
//! | wrong, and said without (`strong`, `certain`) | -4 |
//!
//! - An axis on which there is nothing to say and nothing was said (no race, nothing hidden) counts for nobody.
//! - To be less sure than one may be is worth 0; to be surer than one may be is wrong.
//! - Each race that happened is worth a point; one that did not happen is wrong.
//! - A call that the tool does not list says nothing on every axis.
//!
//! So a tool that never says anything has 0, and guessing pays only for somebody who is right four times out of five.

use std::collections::BTreeMap;

use super::{Axis, Label, Said};

/// What one answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As labelled.
    Right,
    /// Nothing was said, or less than could be.
    Unsaid,
    /// Wrong, but said with doubt.
    Wrong,
    /// Wrong without any doubt.
    ConfidentlyWrong,
}

impl Outcome {
    /// What it is worth.
    #[must_use]
    pub const fn points(self) -> i64 {
        match self {
            Self::Right => 1,
            Self::Unsaid => 0,
            Self::Wrong => -1,
            Self::ConfidentlyWrong => -4,
        }
    }
}

/// How many answers there were of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// As labelled.
    pub right: i64,
    /// Not said.
    pub unsaid: i64,
    /// Wrong, with doubt.
    pub wrong: i64,
    /// Wrong, without doubt.
    pub confidently_wrong: i64,
}

impl Score {
    /// Counts one answer.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Right => self.right += 1,
            Outcome::Unsaid => self.unsaid += 1,
            Outcome::Wrong => self.wrong += 1,
            Outcome::ConfidentlyWrong => self.confidently_wrong += 1,
        }
    }

    /// The sum of two.
    pub fn add(&mut self, other: Self) {
        self.right += other.right;
        self.unsaid += other.unsaid;
        self.wrong += other.wrong;
        self.confidently_wrong += other.confidently_wrong;
    }

    /// How much there was to say.
    #[must_use]
    pub const fn most(self) -> i64 {
        self.right + self.unsaid + self.wrong + self.confidently_wrong
    }

    /// What all answers together are worth.
    #[must_use]
    pub const fn points(self) -> i64 {
        self.right * Outcome::Right.points()
            + self.wrong * Outcome::Wrong.points()
            + self.confidently_wrong * Outcome::ConfidentlyWrong.points()
    }

    /// The share of what could be had, in percent; may be below zero.
    #[must_use]
    pub fn percent(self) -> f64 {
        let share = |part: i64, whole: i64| {
            let number = |count: i64| f64::from(i32::try_from(count).unwrap_or(i32::MAX));
            number(part) * 100.0 / number(whole)
        };
        if self.most() == 0 { 100.0 } else { share(self.points(), self.most()) }
    }
}

/// One answer beside its label.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The axis.
    pub axis: Axis,
    /// What was right.
    pub label: String,
    /// What was said.
    pub said: String,
    /// What that is.
    pub outcome: Outcome,
}

/// All that was said of one call.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The label.
    pub label: Label,
    /// Whether the tool has such a call, and only one.
    pub found: bool,
    /// Axis by axis; one on which there is nothing to say is left out.
    pub answers: Vec<Answer>,
}

/// Compares what was said of the calls of one capture with the labels.
#[must_use]
pub fn judge(labels: &[&Label], said: &[Said]) -> Vec<Judged> {
    let nothing = Said::default();
    labels
        .iter()
        .map(|label| {
            let mut fitting = said.iter().filter(|said| said.is(&label.call));
            let found = (fitting.next(), fitting.next());
            let (said, found) = match found {
                (Some(only), None) => (only, true),
                (None | Some(_), _) => (&nothing, false),
            };
            let answers = Axis::ALL.into_iter().flat_map(|axis| answers(axis, label, said)).collect();
            Judged { label: (*label).clone(), found, answers }
        })
        .collect()
}

/// The sum of each axis, and of all.
#[must_use]
pub fn totals(judged: &[Judged]) -> (BTreeMap<Axis, Score>, Score) {
    let mut axes: BTreeMap<Axis, Score> = BTreeMap::new();
    let mut all = Score::default();
    for answer in judged.iter().flat_map(|judged| &judged.answers) {
        axes.entry(answer.axis).or_default().count(answer.outcome);
        all.count(answer.outcome);
    }
    (axes, all)
}

fn answers(axis: Axis, label: &Label, said: &Said) -> Vec<Answer> {
    match axis {
        Axis::Races => races(label, said),
        Axis::Sure => vec![sureness(label, said)],
        _ => one(axis, label, said).into_iter().collect(),
    }
}

/// An axis with one word.
fn one(axis: Axis, label: &Label, said: &Said) -> Option<Answer> {
    let right = label.right(axis);
    let word = said.on(axis).first().map_or("?", String::as_str);
    let nothing_to_say = axis == Axis::Hides && (right.is_empty() || right == ["-"]);
    if nothing_to_say && matches!(word, "-" | "?") {
        return None;
    }
    // Nothing hidden and no act are no claims; no answer is one.
    let silent = matches!(word, "?" | "unknown") || word == "-" && matches!(axis, Axis::Hides | Axis::Act);
    let outcome = if right.iter().any(|right| right == word) {
        Outcome::Right
    } else if silent {
        Outcome::Unsaid
    } else {
        mistake(said.is_sure())
    };
    Some(Answer { axis, label: right.join("|"), said: word.to_owned(), outcome })
}

fn mistake(sure: bool) -> Outcome {
    if sure { Outcome::ConfidentlyWrong } else { Outcome::Wrong }
}

/// To be less sure than one may be costs nothing.
fn sureness(label: &Label, said: &Said) -> Answer {
    const STEPS: [&str; 4] = ["none", "weak", "strong", "certain"];
    let step = |word: &str| STEPS.iter().position(|step| *step == word);
    let right = label.right(Axis::Sure);
    let word = said.on(Axis::Sure).first().map_or("?", String::as_str);
    let most = right.iter().filter_map(|right| step(right)).max();
    let outcome = match step(word) {
        None => Outcome::Unsaid,
        Some(_) if right.iter().any(|right| right == word) => Outcome::Right,
        said_step if said_step < most => Outcome::Unsaid,
        Some(_) => mistake(said.is_sure()),
    };
    Answer { axis: Axis::Sure, label: right.join("|"), said: word.to_owned(), outcome }
}

/// Each race is a question of its own: was it seen, and who won.
fn races(label: &Label, said: &Said) -> Vec<Answer> {
    let kind = |race: &str| race.split(' ').next().unwrap_or_default().to_owned();
    let winner = |race: &str| race.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut answers = Vec::new();
    for right in label.right(Axis::Races) {
        let found = said.on(Axis::Races).iter().find(|race| kind(race) == kind(right));
        let outcome = match found {
            None => Outcome::Unsaid,
            Some(race) if winner(right).split('|').any(|right| right == winner(race)) => Outcome::Right,
            Some(_) => mistake(said.is_sure()),
        };
        let said = found.map_or("-", String::as_str).to_owned();
        answers.push(Answer { axis: Axis::Races, label: right.clone(), said, outcome });
    }
    for extra in said.on(Axis::Races) {
        if !label.right(Axis::Races).iter().any(|right| kind(right) == kind(extra)) {
            let outcome = mistake(said.is_sure());
            answers.push(Answer { axis: Axis::Races, label: "-".to_owned(), said: extra.clone(), outcome });
        }
    }
    answers
}
