//! Verdicts: who ended a call, how and why, computed from its record by versioned rules.
//!
//! Four laws. A status code, and a Reason header, is testimony, not a cause. A race is an annotation, never a cause.
//! An announcement hides a cause and is none. Unknown is an honest answer. Hence the way of a judgement:
//!
//! 1. `facts`: one pass collects what was said, done and timed, with event numbers.
//! 2. `rules`: the witnesses are heard in a fixed order; the first rule that concludes wins.
//! 3. `announcement`: what the answer or the early media hides (`underlying`, `answer_kind`).
//! 4. `contradictions`: testimony that lost goes to `against`, testimony that agrees to the evidence.
//! 5. `races`, `fault`, `explain`: annotations and words.
//!
//! Verdicts are never stored as the only truth: the journal keeps the facts, and a later rulebook may judge anew. All
//! released rulebooks live side by side in the same rules: a rule says since when and until when it is heard, and where
//! a rule was refined it asks [`Rulebook`]. So old verdicts stay reproducible and `rejudge` can show what changed.

mod announcement;
mod compare;
mod contradictions;
mod draft;
mod explain;
mod facts;
mod families;
mod fault;
mod judge;
mod races;
mod rules;
mod testimony;
mod text;
mod tuple;
mod vocabulary;

pub use compare::{Change, changes};
pub use contradictions::contradictions;
pub use families::{Cause, Family, UnknownCode};
pub use judge::{judge, judge_with, why, why_with};
pub use rules::{RuleRow, rules};
pub use testimony::understood;
pub use tuple::{EndedBy, Evidence, Race, SeenReason, SipFacts, Summary, Underlying, Verdict, Why};
pub use vocabulary::{
    AnswerKind, Completeness, Confidence, Direction, Fault, RaceKind, Rulebook, VerdictPhase,
};

/// The version of the rules that judge unless another is asked for.
pub const RULEBOOK_VERSION: &str = Rulebook::NEWEST.code();
