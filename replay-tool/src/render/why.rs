//! A verdict for people: one sentence, then who, how and why, then the evidence.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use callbox_events::call::Act;
use callbox_events::party::{Agent, Role, Side};
use callbox_events::schema::StoredCommit;
use callbox_events::verdict::{Cause, Confidence, Evidence, Race, SeenReason, Verdict, Why};
use callbox_events::view::{CallSummary, timeline};

use super::events::header;
use super::style::{BOLD, DIM, GOOD, WARN};
use super::time::offset;
use super::words::{plain, wrap};
use crate::commands::why::Lang;
use crate::output::Output;

/// Columns of the labels on the left.
const LABEL: usize = 11;

/// When each event of the call was, since its beginning.
type Times = BTreeMap<u64, Duration>;

/// Prints a verdict.
pub fn print(out: &mut Output, why: &Why, commits: &[StoredCommit], lang: Lang) -> io::Result<()> {
    let verdict = &why.verdict;
    let sentence = match lang {
        Lang::En => &verdict.summary.en,
        Lang::Zh => &verdict.summary.zh,
    };
    for line in wrap(sentence, out.columns()) {
        writeln!(out, "{BOLD}{line}{BOLD:#}")?;
    }
    writeln!(out)?;
    facts(out, why)?;
    let times = times(commits);
    sip(out, verdict)?;
    for race in &verdict.races {
        field(out, "race", &race_text(race))?;
    }
    evidence(out, "because", &verdict.evidence, &times, GOOD)?;
    if let Some(underlying) = &verdict.underlying {
        evidence(out, "behind it", &underlying.evidence, &times, GOOD)?;
    }
    evidence(out, "against", &verdict.against, &times, WARN)?;
    if let Some(call) = commits.first().and_then(|stored| CallSummary::begin(&stored.commit)) {
        writeln!(out)?;
        header(out, &call)?;
    }
    Ok(())
}

fn facts(out: &mut Output, why: &Why) -> io::Result<()> {
    let verdict = &why.verdict;
    if verdict.cause != Cause::Alive {
        field(out, "who", &who(why))?;
    }
    field(out, "how", &how(verdict))?;
    field(out, "why", &format!("{} · {}", plain(verdict.cause.code()), plain(verdict.family.code())))?;
    if let Some(underlying) = &verdict.underlying {
        let hidden = format!("{} · {}", plain(underlying.cause.code()), sure(underlying.confidence));
        field(out, "behind it", &hidden)?;
    }
    if let Some(kind) = verdict.answer_kind {
        field(out, "answer", &plain(kind.code()))?;
    }
    field(out, "fault", &plain(verdict.fault.code()))?;
    let record = plain(verdict.completeness.code());
    let sure = format!("{} · record {record} · rulebook {}", sure(verdict.confidence), verdict.rulebook);
    field(out, "sure", &sure)
}

/// A label and its text, wrapped.
pub fn field(out: &mut Output, label: &str, text: &str) -> io::Result<()> {
    let columns = out.columns().saturating_sub(LABEL);
    for (index, line) in wrap(text, columns).iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        writeln!(out, "{DIM}{label:<LABEL$}{DIM:#}{line}")?;
    }
    Ok(())
}

/// `the callee's user, the other party`
fn who(why: &Why) -> String {
    let ended_by = why.verdict.ended_by;
    let agent = match ended_by.agent {
        Agent::Unknown => String::new(),
        Agent::User
        | Agent::Application
        | Agent::Administrator
        | Agent::Timer
        | Agent::Automaton
        | Agent::Engine => format!(" ({})", ended_by.agent),
    };
    let side = match ended_by.side {
        Side::Caller => "the caller",
        Side::Callee => "the callee",
        Side::Network => "the network between",
        Side::Both => "both sides at once",
        Side::Nobody => "nobody",
        Side::Unknown => "not known",
    };
    format!("{side}{agent}{}", seen_from(ended_by.side, why.local_side))
}

fn seen_from(side: Side, local: Option<Role>) -> &'static str {
    match (side, local) {
        (_, None) | (Side::Network | Side::Both | Side::Nobody | Side::Unknown, _) => "",
        (Side::Caller, Some(Role::Caller)) | (Side::Callee, Some(Role::Callee)) => " · this end",
        (Side::Caller, Some(Role::Callee)) | (Side::Callee, Some(Role::Caller)) => " · the other party",
    }
}

fn how(verdict: &Verdict) -> String {
    let phase = plain(verdict.phase.code());
    match verdict.act {
        Some(act) => format!("{} · while {phase}", act_words(act)),
        None => format!("while {phase}"),
    }
}

/// Methods as SIP writes them, the rest as words.
fn act_words(act: Act) -> String {
    match act {
        Act::Bye | Act::Cancel => act.code().to_ascii_uppercase(),
        Act::FinalResponse
        | Act::LocalRefusal
        | Act::Timeout
        | Act::TransportError
        | Act::RefreshExpired
        | Act::Replaced
        | Act::Transfer
        | Act::Discarded => plain(act.code()),
    }
}

fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Certain => "certain",
        Confidence::Strong => "strong evidence",
        Confidence::Weak => "weak evidence",
        Confidence::None => "nothing to judge by",
    }
}

fn sip(out: &mut Output, verdict: &Verdict) -> io::Result<()> {
    if let Some(status) = verdict.sip.status {
        let phrase = verdict.sip.phrase.as_deref().unwrap_or_default();
        field(out, "sip", format!("{status} {phrase}").trim_end())?;
    }
    for reason in &verdict.sip.reasons {
        field(out, "reason", &reason_text(reason))?;
    }
    Ok(())
}

/// As on the wire, with the message it stood in.
fn reason_text(reason: &SeenReason) -> String {
    let mut text = reason.protocol.clone();
    if let Some(cause) = reason.cause {
        text.push_str(&format!(";cause={cause}"));
    }
    if let Some(words) = &reason.text {
        text.push_str(&format!(";text=\"{words}\""));
    }
    if let Some(location) = &reason.location {
        text.push_str(&format!(";location={location}"));
    }
    format!("{text}  in {}", reason.message)
}

fn race_text(race: &Race) -> String {
    let margin = race.margin_ms.map_or_else(String::new, |millis| format!(", {millis} ms apart"));
    let mut text = format!("{}: {} won", plain(race.kind.code()), plain(&race.winner));
    if race.loser != "none" {
        text.push_str(&format!(", {} lost", plain(&race.loser)));
    }
    text + &margin
}

fn evidence(
    out: &mut Output,
    heading: &str,
    rows: &[Evidence],
    times: &Times,
    style: anstyle::Style,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "{style}{heading}{style:#}")?;
    for row in rows {
        let time = times.get(&row.event).map(|time| offset(*time)).unwrap_or_default();
        let event = format!("#{}", row.event);
        let columns = out.columns().saturating_sub(19);
        for (index, line) in wrap(&row.says, columns).iter().enumerate() {
            let (event, time) = if index == 0 { (event.as_str(), time.as_str()) } else { ("", "") };
            writeln!(out, "  {event:<4} {DIM}{time:>9}{DIM:#}  {line}")?;
        }
    }
    Ok(())
}

fn times(commits: &[StoredCommit]) -> Times {
    timeline(commits)
        .iter()
        .flat_map(|step| step.entries.iter().map(|entry| (entry.call_seq, step.offset)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stories;
    use callbox_events::verdict::{
        AnswerKind, Completeness, Direction, EndedBy, Family, Fault, RaceKind, SipFacts, Summary, Underlying,
        VerdictPhase,
    };
    use callbox_events::view::summarise;

    /// A verdict with every part that there is, made by hand.
    fn rich(commits: &[StoredCommit]) -> Why {
        let call = summarise(commits.iter().map(|stored| &stored.commit)).unwrap();
        let evidence = |event, says: &str| Evidence::new(event, says);
        let verdict = Verdict {
            family: Family::Cleared,
            cause: Cause::Hangup,
            underlying: Some(Underlying {
                cause: Cause::Busy,
                confidence: Confidence::Strong,
                evidence: vec![evidence(3, "the 200 carries Reason Q.850;cause=17")],
            }),
            ended_by: EndedBy { side: Side::Caller, agent: Agent::User },
            act: Some(Act::Bye),
            phase: VerdictPhase::Connected,
            answer_kind: Some(AnswerKind::Announcement),
            races: vec![Race {
                kind: RaceKind::ByeVsBye,
                winner: "caller_bye".into(),
                loser: "callee_bye".into(),
                margin_ms: Some(12),
            }],
            fault: Fault::Normal,
            confidence: Confidence::Certain,
            completeness: Completeness::Full,
            sip: SipFacts {
                status: Some(200),
                phrase: Some("OK".into()),
                reasons: vec![SeenReason {
                    protocol: "Q.850".into(),
                    cause: Some(17),
                    text: Some("User busy".into()),
                    location: None,
                    message: "200 OK".into(),
                }],
            },
            evidence: vec![evidence(5, "our own hang-up command, by the user; the BYE left because of it")],
            against: vec![evidence(
                3,
                "the 200 is an answer like any other, and a bare one does not tell a person from a machine",
            )],
            rulebook: "1.0".into(),
            summary: Summary {
                en: "The caller hung up 12.4 seconds into an announcement that Bob is busy.".into(),
                zh: "对方忙，主叫在播放忙音提示十二秒后挂断。".into(),
            },
        };
        let local_side = Some(Role::Caller);
        Why {
            call_id: call.call_id,
            sip_call_id: call.sip_call_id,
            direction: Direction::Outgoing,
            local_side,
            verdict,
        }
    }

    fn stored() -> Vec<StoredCommit> {
        let mut seq = 0;
        let store = |commit: callbox_events::schema::Commit| {
            let stored = StoredCommit::plain(seq, [0; 32], commit);
            seq += stored.commit.events.len() as u64;
            stored
        };
        stories::we_hang_up().into_iter().map(store).collect()
    }

    #[test]
    fn a_verdict_shows_all_its_parts_in_the_width_there_is() {
        let commits = stored();
        let why = rich(&commits);
        insta::assert_snapshot!(
            "why_wide",
            Output::captured(100, |out| print(out, &why, &commits, Lang::En))
        );
        insta::assert_snapshot!(
            "why_narrow",
            Output::captured(48, |out| print(out, &why, &commits, Lang::Zh))
        );
    }
}
