//! Races: what crossed (RFC 5407 and more). An annotation with winner, loser and margin; never a cause.
//!
//! Margins are as seen here: between the moment one act was decided or heard and the moment the other was.

mod after_answer;
mod before_answer;
mod observed;

use super::facts::{Fact, Facts, millis};
use super::tuple::Race;
use super::vocabulary::RaceKind;

/// All races of a call, in the order of their kinds.
pub(super) fn find(facts: &Facts<'_>) -> Vec<Race> {
    let mut races = Vec::new();
    before_answer::find(facts, &mut races);
    after_answer::find(facts, &mut races);
    observed::find(facts, &mut races);
    races.sort_by_key(|race| race.kind);
    races.dedup_by_key(|race| race.kind);
    races
}

/// A race between two facts.
fn race<A, B>(kind: RaceKind, winner: &str, loser: &str, first: &Fact<A>, second: &Fact<B>) -> Race {
    let margin = millis(second.at, first.at).max(millis(first.at, second.at));
    Race { kind, winner: winner.to_owned(), loser: loser.to_owned(), margin_ms: Some(margin) }
}
