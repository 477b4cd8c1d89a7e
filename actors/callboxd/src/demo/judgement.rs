//! What the record says of each flow, held against what it must say.

use callbox::{CallId, Notification};
use callbox_events::verdict::{self, Cause, Verdict, Why};
use callbox_store::{Journal, ReadError};

use super::flow::{Expected, Party};
use super::player::Played;

/// One side of a flow, explained.
#[derive(Debug, Clone)]
pub struct Side {
    /// Whose side.
    pub party: Party,
    /// The explanation; none if there is no record.
    pub why: Option<Why>,
    /// Where it differs from the table.
    pub differences: Vec<String>,
}

/// Explains both sides of a flow from the journal alone.
///
/// # Errors
/// If the journal can't be read.
pub fn judge(journal: &dyn Journal, played: &Played) -> Result<Vec<Side>, ReadError> {
    let mut sides = Vec::new();
    for (party, expected) in [(Party::A, played.flow.at_a), (Party::B, played.flow.at_b)] {
        let Some(expected) = expected else { continue };
        let why = played.call(party).map(|call| explain(journal, call)).transpose()?.flatten();
        let mut differences = match &why {
            Some(why) => expected.differences(&why.verdict),
            None => vec!["there is no record of the call".to_owned()],
        };
        for (notification, name) in [(Notification::Ended, "ended"), (Notification::Released, "released")] {
            let count = played.count(party, notification);
            if count != 1 {
                differences.push(format!("{name} was told {count} times, not once"));
            }
        }
        sides.push(Side { party, why, differences });
    }
    Ok(sides)
}

fn explain(journal: &dyn Journal, call: CallId) -> Result<Option<Why>, ReadError> {
    let record = journal.read(call)?;
    Ok(verdict::why(record.iter().map(|stored| &stored.commit)))
}

impl Expected {
    /// Where a verdict differs, in words.
    fn differences(&self, verdict: &Verdict) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, wanted: Option<&str>, is: &str| {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != is) {
                found.push(format!("{what} is {is}, not {wanted}"));
            }
        };
        compare("the cause", Some(self.cause.code()), verdict.cause.code());
        compare("the side", self.side.map(|side| side.code()), verdict.ended_by.side.code());
        compare("the agent", self.agent.map(|agent| agent.code()), verdict.ended_by.agent.code());
        compare("the act", self.act.map(|act| act.code()), verdict.act.map_or("none", |act| act.code()));
        compare("the phase", self.phase.map(|phase| phase.code()), verdict.phase.code());
        let answer = verdict.answer_kind.map_or("none", |kind| kind.code());
        compare("what answered", self.answer_kind.map(|kind| kind.code()), answer);
        self.compare_underlying(verdict, &mut found);
        if let Some(race) = self.race.filter(|&race| verdict.races.iter().all(|seen| seen.kind != race)) {
            found.push(format!("the race {} is not told", race.code()));
        }
        found
    }

    fn compare_underlying(&self, verdict: &Verdict, found: &mut Vec<String>) {
        let hidden = verdict.underlying.as_ref().map(|underlying| underlying.cause);
        if !self.underlying.is_empty() && !hidden.is_some_and(|cause| self.underlying.contains(&cause)) {
            let wanted: Vec<_> = self.underlying.iter().map(|cause| cause.code()).collect();
            let is = hidden.map_or("none", Cause::code);
            found.push(format!("the underlying cause is {is}, not {}", wanted.join(" or ")));
        }
    }
}
