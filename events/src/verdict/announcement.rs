//! Announcements: what an answer or early media hides (VERDICTS section 5).
//!
//! After a reject or no answer a business server may *play* "busy" or "does not answer", as early media or by
//! answering; the caller then hangs up by hand. The record must not say "answered, normal clearing". Strong clues are
//! said by a header; weak ones are odd by themselves and only count together. Without any the answer is `unknown`.

mod clues;

use super::draft::Draft;
use super::facts::{AnsweredBy, Fact, Facts};
use super::families::{Cause, Family};
use super::tuple::{Evidence, Underlying};
use super::vocabulary::{AnswerKind, Confidence, Rulebook};
use crate::call::{Act, Answerer, Input, Note};
use crate::party::{Agent, Role, Side};
use clues::Clues;

/// So many weak clues make an announcement; fewer will do if one of them is media that flows one way only.
const WEAK_CLUES: usize = 3;
/// With one-way media among them.
const WEAK_CLUES_ONE_WAY: usize = 2;

/// What answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    /// The kind; none if nothing answered and no early media was heard.
    pub kind: Option<AnswerKind>,
    /// The clues, as evidence.
    pub clues: Vec<Evidence>,
    /// Clues that lost to who listened.
    pub against: Vec<Evidence>,
    /// What the clues say it hides, and how surely.
    hides: Option<(Cause, Confidence, Vec<Evidence>)>,
    strong: bool,
}

/// Looks at what answered.
pub(super) fn look(facts: &Facts<'_>) -> Answer {
    let answer = match facts.role {
        Some(Role::Callee) => own_answer(facts),
        Some(Role::Caller) => heard_answer(facts),
        None if facts.watch.is_some() => heard_answer(facts),
        None => Answer::default(),
    };
    told(facts, answer)
}

/// Who listened knows better than any clue.
fn told(facts: &Facts<'_>, mut answer: Answer) -> Answer {
    if answer.kind.is_none() || !facts.since(Rulebook::V1_1) {
        return answer;
    }
    let mut notes = facts.notes.iter().filter(|note| !facts.is_after_end(note.event));
    let Some((event, who)) = notes.find_map(|note| match note.what {
        Note::AnsweredBy(who) => Some((note.event, who)),
        Note::Tone(_) => None,
    }) else {
        return answer;
    };
    let (kind, words) = match who {
        Answerer::Party => (AnswerKind::Party, "a person"),
        Answerer::Automaton => (AnswerKind::Automaton, "a machine"),
        Answerer::Announcement => (AnswerKind::Announcement, "a recorded announcement"),
    };
    answer.kind = Some(kind);
    if kind == AnswerKind::Party {
        // A person who answered hides nothing, whatever the headers say.
        answer.hides = None;
        answer.against = std::mem::take(&mut answer.clues);
    }
    answer.clues.insert(0, Evidence::new(event, format!("{words} was heard to answer")).by("clue.told"));
    answer.strong = true;
    answer
}

/// Lets the answer speak in the draft.
pub(super) fn apply(facts: &Facts<'_>, answer: &Answer, mut draft: Draft) -> Draft {
    draft.evidence.extend(answer.clues.iter().cloned());
    draft.against.extend(answer.against.iter().cloned());
    let machine = matches!(answer.kind, Some(AnswerKind::Announcement | AnswerKind::Automaton));
    if machine
        && draft.cause == Cause::Hangup
        && draft.act == Some(Act::Bye)
        && is_remote_end(facts, draft.side)
    {
        // 3j: who plays is who hung up: a machine on the way, not the person who was called.
        draft.side = Side::Network;
        draft.agent = Agent::Automaton;
        if !answer.strong {
            draft = draft.at_most(Confidence::Weak);
        }
    }
    if may_hide(draft.cause)
        && draft.underlying.is_none()
        && let Some((cause, confidence, evidence)) = &answer.hides
        && *cause != draft.cause
    {
        draft =
            draft.hiding(Underlying { cause: *cause, confidence: *confidence, evidence: evidence.clone() });
    }
    draft
}

/// Ends that an announcement can stand before. A refusal that is said openly hides nothing.
fn may_hide(cause: Cause) -> bool {
    match cause.family() {
        Family::Cleared | Family::Abandoned | Family::Unanswered | Family::Limit | Family::Unknown => true,
        Family::Refused
        | Family::Elsewhere
        | Family::Moved
        | Family::Unreachable
        | Family::Blocked
        | Family::Incompatible
        | Family::Overloaded
        | Family::SignallingLost
        | Family::MediaLost
        | Family::Protocol
        | Family::LocalSystem => false,
    }
}

/// Whether it was not the caller who hung up. An observer may have seen no more of the BYE than its answer, which is the
/// other side's.
fn is_remote_end(facts: &Facts<'_>, by: Side) -> bool {
    if facts.watch.is_some() {
        return by != Side::Caller;
    }
    facts.role == Some(Role::Caller)
        && facts.decisive.is_some_and(|decisive| match decisive.what.input {
            Input::Signal(_) => decisive.what.ending.is_none(),
            Input::Command(_) | Input::Timer(_) | Input::Recovery(_) | Input::Observed(_) => false,
        })
}

/// We answered: by ourselves, or because the application said so. Who is behind a command nobody can tell.
fn own_answer(facts: &Facts<'_>) -> Answer {
    let Some(answered) = facts.answered else { return Answer::default() };
    match facts.answered_by {
        Some(AnsweredBy::Automation) => Answer {
            kind: Some(AnswerKind::Automaton),
            clues: vec![
                Evidence::new(answered.event, "the engine answered by itself").by("answer.automation"),
            ],
            ..Answer::default()
        },
        Some(AnsweredBy::Command) | None => Answer { kind: Some(AnswerKind::Unknown), ..Answer::default() },
    }
}

fn heard_answer(facts: &Facts<'_>) -> Answer {
    // A 2xx that crossed our CANCEL answered, too, even if nobody took it.
    let answered = clues::first_answer(facts).is_some();
    if !answered && facts.progress.early_media.is_none() && !tone_was_overheard(facts) {
        return Answer::default();
    }
    let clues = Clues::gather(facts);
    let strong = clues.is_strong();
    let weak = clues.weak.len() >= WEAK_CLUES || (clues.one_way && clues.weak.len() >= WEAK_CLUES_ONE_WAY);
    // Media that is no more than the ringing heard explains the oddities of a gateway.
    // Another telephone looks as odd as a server does.
    let weak = weak && clues.rang_in_audio.is_none() && clues.taken_elsewhere.is_none();
    let kind = if clues.refusal_said_in_answer() || clues.tone {
        AnswerKind::Announcement
    } else if clues.forwarded && answered {
        AnswerKind::Automaton
    } else if clues.hides().is_some() || clues.forwarded {
        AnswerKind::Announcement
    } else if clues.automata {
        if answered { AnswerKind::Automaton } else { AnswerKind::Announcement }
    } else if weak {
        AnswerKind::Announcement
    } else {
        AnswerKind::Unknown
    };
    let hides = clues.hides();
    let mut rows = if strong || weak { clues.rows() } else { Vec::new() };
    rows.extend(clues.rang_in_audio);
    rows.extend(clues.taken_elsewhere);
    Answer { kind: Some(kind), clues: rows, hides, strong, ..Answer::default() }
}

/// Whether an observer heard a tone on its way to the caller: there was media, whatever the messages say.
fn tone_was_overheard(facts: &Facts<'_>) -> bool {
    let is_tone =
        |note: &Fact<Note>| matches!(note.what, Note::Tone(_)) && !facts.is_after_decision(note.event);
    facts.watch.is_some() && facts.notes.iter().any(is_tone)
}
