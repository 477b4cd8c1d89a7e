//! The judgement, step by step: facts, rule, announcement, contradictions, races, fault, words.

use super::draft::Draft;
use super::facts::{Fact, Facts, millis};
use super::tuple::{EndedBy, SeenReason, SipFacts, Verdict, Why};
use super::vocabulary::{Confidence, Direction, Rulebook, VerdictPhase};
use super::{announcement, contradictions, explain, fault, races, rules, text};
use crate::call::observed::{Seen, Sight};
use crate::call::{Act, Event, Input, Signal};
use crate::party::Role;
use crate::schema::Commit;

/// More of what an observer noticed by the way would only hide the rest.
const MOST_ASIDES: usize = 4;

/// Judges a call by its commits, in the order of the journal, by the newest rules. Works for a call that is still alive
/// (`unknown`, `alive`), for a record with holes, and for none at all (`unknown`, `record_gap`). Pure and deterministic.
#[must_use]
pub fn judge<'a>(commits: impl IntoIterator<Item = &'a Commit>) -> Verdict {
    judge_with(Rulebook::NEWEST, commits)
}

/// The same by the rules of one version.
#[must_use]
pub fn judge_with<'a>(rulebook: Rulebook, commits: impl IntoIterator<Item = &'a Commit>) -> Verdict {
    let commits: Vec<&Commit> = commits.into_iter().collect();
    verdict(&Facts::collect(rulebook, &commits))
}

/// The verdict with the call it is about; none if there are no commits.
#[must_use]
pub fn why<'a>(commits: impl IntoIterator<Item = &'a Commit>) -> Option<Why> {
    why_with(Rulebook::NEWEST, commits)
}

/// The same by the rules of one version.
#[must_use]
pub fn why_with<'a>(rulebook: Rulebook, commits: impl IntoIterator<Item = &'a Commit>) -> Option<Why> {
    let commits: Vec<&Commit> = commits.into_iter().collect();
    let call_id = commits.first()?.call;
    let facts = Facts::collect(rulebook, &commits);
    Some(Why {
        call_id,
        sip_call_id: commits.iter().find_map(|commit| sip_call_id(commit)).unwrap_or_default(),
        direction: facts.role.map_or(Direction::Observed, Direction::from),
        local_side: facts.role,
        verdict: verdict(&facts),
    })
}

fn verdict(facts: &Facts<'_>) -> Verdict {
    let (rule, draft) = rules::conclude(facts);
    let answer = announcement::look(facts);
    let draft = name_rule(rule, draft.stamped(rule));
    let draft = announcement::apply(facts, &answer, draft);
    let draft = rules::out_of_place(facts, contradictions::weigh(facts, draft));
    let draft = circumstances(facts, draft).stamped("record.circumstance");
    let races = races::find(facts);
    let sip = sip_facts(facts);
    let summary = explain::summary(facts, &draft, answer.kind, &races, sip.status);
    Verdict {
        family: draft.cause.family(),
        cause: draft.cause,
        underlying: draft.underlying,
        ended_by: EndedBy { side: draft.side, agent: draft.agent },
        act: draft.act,
        phase: facts.phase(),
        answer_kind: answer.kind,
        races,
        fault: draft.fault.unwrap_or_else(|| fault::of(draft.cause, draft.side)),
        confidence: draft.confidence,
        completeness: facts.completeness,
        sip,
        evidence: draft.evidence,
        against: draft.against,
        rulebook: facts.rulebook.code().to_owned(),
        summary,
    }
}

/// The first row of the evidence names the rule that concluded.
fn name_rule(rule: &str, mut draft: Draft) -> Draft {
    if let Some(first) = draft.evidence.first_mut() {
        first.says = format!("{} [{rule}]", first.says);
    }
    draft
}

/// What else the record tells of the end: how far the call was, and what became of our act.
fn circumstances(facts: &Facts<'_>, mut draft: Draft) -> Draft {
    let Some(decisive) = facts.decisive else { return draft };
    match (decisive.what.phase, facts.connected, facts.progress.first_alert()) {
        (VerdictPhase::Connected | VerdictPhase::Held, Some(connected), _) => {
            draft = draft.because(connected.event, "the call was connected");
        }
        (VerdictPhase::Ringing, _, Some(rang)) => draft = draft.because(rang.event, "it rang"),
        (VerdictPhase::EarlyMedia, _, Some(_)) => {
            if let Some(media) = facts.progress.early_media {
                draft = draft.because(media.event, "there was media before the answer");
            }
        }
        _ => {}
    }
    draft = chosen(facts, draft);
    for (event, says) in asides(facts).into_iter().chain(watched(facts)) {
        draft = draft.because(event, says);
    }
    let Some(ended) = facts.ended else { return draft };
    for note in &ended.what.notes {
        draft = draft.because(ended.event, format!("noted at the end: {note}"));
    }
    if let Some(final_one) = facts.failures.iter().find(|fact| fact.event > decisive.event)
        && decisive.what.ending.is_some_and(|ending| ending.act == Act::Cancel)
    {
        let says = format!("the INVITE was finally answered with {}", final_one.what.status);
        draft = draft.because(final_one.event, says);
    }
    if let Some(answer) = facts.bye_answers.first() {
        draft = draft.because(answer.event, format!("the BYE was answered with {}", answer.what.status));
    }
    draft
}

/// A failure that was chosen among those of several branches: what the proxy passed on was not seen. Where all branches
/// said the same there was nothing to choose.
fn chosen(facts: &Facts<'_>, draft: Draft) -> Draft {
    let (Some(decisive), Some(watch)) = (facts.decisive, &facts.watch) else { return draft };
    let Input::Observed(sight) = decisive.what.input else { return draft };
    let (count, Some(Signal::Failure(best))) = (sight.chosen_among, sight.signal()) else { return draft };
    if count == 0 {
        return draft;
    }
    let agrees = |sight: &Fact<&Sight>| {
        if let Seen::BranchFailed(other) = &sight.what.seen { other.status == best.status } else { true }
    };
    let most = if watch.sights.iter().all(agrees) { Confidence::Strong } else { Confidence::Weak };
    let says = format!("the best of {count} branches' failures, which a proxy passes on (RFC 3261 §16.7)");
    draft.because(decisive.event, says).at_most(most)
}

/// What the decisive message says outside of status and Reason: kept, not believed.
fn asides(facts: &Facts<'_>) -> Vec<(u64, String)> {
    let Some(decisive) = facts.decisive else { return Vec::new() };
    let bye = facts.byes.iter().find(|bye| bye.event == decisive.event).map(|bye| &bye.what.clues);
    let last = facts.failures.iter().find(|last| last.event == decisive.event).map(|last| &last.what.clues);
    let Some(clues) = bye.or(last) else { return Vec::new() };
    let hangup = clues.hangup_cause.iter().map(|words| format!("X-Asterisk-HangupCause says {words}"));
    let warnings = clues.warnings.iter().map(|words| format!("a Warning says {words}"));
    hangup.chain(warnings).map(|says| (decisive.event, says)).collect()
}

/// What an observer noticed on the way: failures that were overcome, messages that were hardly readable, its own absence.
fn watched(facts: &Facts<'_>) -> Vec<(u64, String)> {
    let Some(watch) = &facts.watch else { return Vec::new() };
    let aside = |sight: &Fact<&Sight>| {
        if let Seen::Overcome(response) = &sight.what.seen {
            let status = response.status;
            return Some((sight.event, format!("{status} came first, and the caller sent the INVITE again")));
        }
        if let Seen::Resumed = sight.what.seen {
            let last = watch.before(sight.event).next()?;
            let unseen = text::span(millis(sight.at, last.at));
            return Some((sight.event, format!("what passed in the {unseen} before may not have been seen")));
        }
        let Seen::Malformed { problem, mended } = &sight.what.seen else { return None };
        let how = if *mended { "could only be read mended" } else { "could not be read" };
        Some((sight.event, format!("a message {how}: {problem}")))
    };
    watch.sights.iter().filter_map(aside).take(MOST_ASIDES).collect()
}

/// The final status of the initial INVITE and all Reason values.
fn sip_facts(facts: &Facts<'_>) -> SipFacts {
    let heard = facts.answers.first().into_iter().chain(&facts.failures).min_by_key(|fact| fact.event);
    let own = facts.answered.map(|answered| answered.what);
    let own = own.or_else(|| facts.ended.and_then(|ended| ended.what.status));
    let (status, phrase) = match (facts.role, heard) {
        (Some(Role::Caller) | None, Some(heard)) => {
            let phrase = heard.what.phrase.clone();
            (Some(heard.what.status), (!phrase.is_empty()).then_some(phrase))
        }
        _ => (own, facts.own_phrase.clone()),
    };
    let reasons = facts
        .said
        .iter()
        .map(|said| SeenReason {
            protocol: said.what.reason.protocol.clone(),
            cause: said.what.reason.cause,
            text: said.what.reason.text.clone(),
            location: said.what.reason.location.clone(),
            message: said.what.message.clone(),
        })
        .collect();
    SipFacts { status, phrase, reasons }
}

fn sip_call_id(commit: &Commit) -> Option<String> {
    commit.events.iter().find_map(|happened| {
        if let Event::Placed(placed) = &happened.event {
            Some(placed.dialog.sip_call_id.clone())
        } else if let Event::Offered(offered) = &happened.event {
            Some(offered.dialog.sip_call_id.clone())
        } else if let Event::Observed(observed) = &happened.event {
            Some(observed.dialog.sip_call_id.clone())
        } else {
            None
        }
    })
}
