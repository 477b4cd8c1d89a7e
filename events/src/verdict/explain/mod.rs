//! The verdict in one sentence, in English and in Chinese. Written by hand in both, not translated.

mod en;
mod zh;

use super::draft::Draft;
use super::facts::Facts;
use super::families::Cause;
use super::tuple::{Race, Summary};
use super::vocabulary::{AnswerKind, Confidence, RaceKind, VerdictPhase};
use crate::party::{Agent, Side};
use crate::time::Timestamp;

/// What a sentence may tell.
pub(super) struct Told {
    cause: Cause,
    side: Side,
    agent: Agent,
    phase: VerdictPhase,
    kind: Option<AnswerKind>,
    underlying: Option<Cause>,
    status: Option<u16>,
    talk_ms: Option<u64>,
    ring_ms: Option<u64>,
    /// It rang so long before the 486 that a phone may have given up by itself.
    late_busy_ms: Option<u64>,
    /// How the other side answered our BYE, if oddly.
    bye: Option<OddBye>,
    /// The CANCEL got no final response.
    no_final: bool,
    /// Nothing had been sent.
    unsent: bool,
    interval: Option<(Timestamp, Timestamp)>,
    races: Vec<RaceKind>,
}

/// What became of our BYE when it was not a 200.
#[derive(Clone, Copy)]
enum OddBye {
    Unanswered,
    Answered(u16),
}

/// Both sentences.
pub(super) fn summary(
    facts: &Facts<'_>,
    draft: &Draft,
    kind: Option<AnswerKind>,
    races: &[Race],
    status: Option<u16>,
) -> Summary {
    let ended = facts.ended.map(|ended| ended.what);
    let noted = |what: &str| ended.is_some_and(|ended| ended.notes.iter().any(|note| note == what));
    let odd = facts.bye_answers.iter().map(|answer| answer.what.status).find(|status| *status >= 300);
    let told = Told {
        cause: draft.cause,
        side: draft.side,
        agent: draft.agent,
        phase: facts.phase(),
        kind,
        underlying: draft.underlying.as_ref().map(|underlying| underlying.cause),
        status,
        talk_ms: facts.talk_ms(),
        ring_ms: facts.ring_ms(),
        late_busy_ms: facts.long_ringing_ms().filter(|_| is_inferred_busy(draft)),
        bye: odd.map(OddBye::Answered).or(noted("bye_unanswered").then_some(OddBye::Unanswered)),
        no_final: noted("no_final_response"),
        unsent: facts.sent.is_none() && facts.role == Some(crate::party::Role::Caller),
        interval: ended.and_then(|ended| ended.between),
        races: races.iter().map(|race| race.kind).collect(),
    };
    Summary { en: en::sentence(&told), zh: zh::sentence(&told) }
}

fn is_inferred_busy(draft: &Draft) -> bool {
    draft.cause == Cause::Busy && draft.confidence <= Confidence::Weak
}

impl Told {
    fn raced(&self, kind: RaceKind) -> bool {
        self.races.contains(&kind)
    }
}
