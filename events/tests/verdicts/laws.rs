//! What holds for every record, sensible or not.

use callbox_events::call::Event;
use callbox_events::schema::Commit;
use callbox_events::verdict::{
    Cause, Confidence, Family, Rulebook, Verdict, Why, changes, judge, judge_with, why,
};
use callbox_events::{Agent, Role, Side};
use proptest::prelude::*;

use crate::script::play;
use crate::tables::rows;

const STEPS: &[&str] = &[
    "180",
    "180 tag=b2",
    "181 tag=none diverted=no-answer",
    "183 sdp",
    "183 sdp q850=17 tag=s",
    "199",
    "100 tag=none",
    "200",
    "200 tag=s q850=19 sendonly automata",
    "302",
    "408",
    "480",
    "480 q850=21",
    "486 q850=16",
    "487",
    "499",
    "503 retry=5",
    "603 q850=21",
    "ring",
    "accept",
    "hangup user",
    "hangup administrator 480",
    "hangup engine words=media_timeout",
    "hangup application cause=credit_exhausted",
    "hangup timer cause=session_expired",
    "hangup user cause=busy",
    "hangup application cause=fork_lost",
    "tone busy",
    "tone sit",
    "tone ringback",
    "answered-by party",
    "answered-by automaton",
    "divert",
    "hold",
    "resume",
    "cancel",
    "cancel q850=19",
    "cancel sip=200",
    "ack",
    "bye",
    "bye q850=17",
    "bye raw=SIP,description=\"User_Hung_Up\"",
    "bye raw=RELEASE_CAUSE,cause=2",
    "bye sip=801",
    "bye asterisk=38",
    "bye q850=16 text=conference_ended",
    "cancel raw=FreeSWITCH,cause=805",
    "302 to=nowhere",
    "183 rseq=1",
    "500 warning=399_gw_\"PRACK\"",
    "reinvite sendonly",
    "reinvite",
    "refer",
    "bye-answer 200",
    "bye-answer 481",
    "cancel-answer 200",
    "reinvite-answer 200",
    "reinvite-answer 481",
    "reinvite-answer 491",
    "timer no_answer",
    "timer max_duration",
    "timer announcement_max",
    "timer hangup_delay",
    "timer cancel_give_up",
    "timer end_grace",
    "timer answer_delay",
    "timeout invite",
    "timeout bye",
    "timeout reinvite",
    "transport invite",
    "transport bye",
    "ack-missing",
    "crash",
    "crash panic",
    "drained again=9",
    "+43ms",
    "+5s",
    "+32s",
];

const STARTS: &[&str] = &[
    "place",
    "place unreachable",
    "invite",
    "invite expires=20",
    "policy incoming=answer; invite",
    "policy incoming=do_not_disturb:486; invite",
    "policy recovery=end; place",
];

/// A call of an engine, whatever came in.
fn any_call() -> impl Strategy<Value = Vec<Commit>> {
    let steps = prop::collection::vec(prop::sample::select(STEPS), 0..14);
    (prop::sample::select(STARTS), steps)
        .prop_map(|(start, steps)| play(&format!("{start}; {}", steps.join("; "))))
}

/// Commits that no engine would write: of two calls, out of order, with inputs and events that don't belong together.
fn any_commits() -> impl Strategy<Value = Vec<Commit>> {
    let damage =
        prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..5u8), 0..8);
    (any_call(), any_call(), damage).prop_map(|(one, other, damage)| {
        let mut commits = one;
        commits.extend(other);
        for (a, b, how) in damage {
            if commits.is_empty() {
                break;
            }
            let (a, b) = (a.index(commits.len()), b.index(commits.len()));
            match how {
                0 => drop(commits.remove(a)),
                1 => commits.swap(a, b),
                2 => commits[a].input = commits[b].input.clone(),
                3 => commits[a].events = commits[b].events.clone(),
                _ => commits[a].version = u64::MAX - b as u64,
            }
        }
        commits
    })
}

fn check(verdict: &Verdict) -> Result<(), TestCaseError> {
    prop_assert_eq!(verdict.family, verdict.cause.family());
    prop_assert!(!verdict.summary.en.is_empty() && !verdict.summary.zh.is_empty());
    prop_assert!(verdict.races.iter().all(|race| race.winner != race.loser));
    // Weaker witnesses are never surer than stronger ones allow.
    let rule = verdict.evidence.first().and_then(|row| row.rule.as_deref()).unwrap_or_default();
    if rule.starts_with("phrase.") || rule.starts_with("machine.") {
        prop_assert!(verdict.confidence <= Confidence::Weak, "{}", rule);
    }
    if let Some(hidden) = &verdict.underlying {
        prop_assert!(hidden.cause != verdict.cause && !hidden.evidence.is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_heap_of_commits_is_judged_without_panic_and_twice_alike(commits in any_commits()) {
        let first = serde_json::to_string(&why(&commits)).unwrap();
        let second = serde_json::to_string(&why(&commits)).unwrap();
        prop_assert_eq!(first, second);
        check(&judge(&commits))?;
    }

    #[test]
    fn any_call_of_an_engine_gets_a_consistent_verdict(commits in any_call()) {
        let Some(Why { verdict, local_side, .. }) = why(&commits) else { return Ok(()) };
        check(&verdict)?;
        let over = commits.iter().flat_map(|c| &c.events).any(|h| matches!(h.event, Event::Ended(_)));
        prop_assert_eq!(verdict.cause == Cause::Alive, !over);
        prop_assert_eq!(verdict.family == Family::Unknown, !over);
        prop_assert_eq!(verdict.act.is_some(), over);

        let events: u64 = commits.iter().map(|commit| commit.events.len() as u64).sum();
        let rows = verdict.evidence.iter().chain(&verdict.against);
        prop_assert!(rows.clone().all(|row| row.event < events));
        prop_assert!(!verdict.evidence.is_empty());

        // Own acts are certain: the intent is on record.
        let own = local_side.map(Role::side) == Some(verdict.ended_by.side);
        if own && matches!(verdict.ended_by.agent, Agent::User | Agent::Application | Agent::Administrator) {
            prop_assert_eq!(verdict.confidence, Confidence::Certain);
        }
        if verdict.ended_by.side == Side::Both {
            prop_assert_eq!(verdict.cause, Cause::Hangup);
        }
    }

    #[test]
    fn a_released_rulebook_says_the_same_beside_newer_ones(commits in any_commits()) {
        for rulebook in Rulebook::ALL {
            let verdict = judge_with(*rulebook, &commits);
            check(&verdict)?;
            prop_assert_eq!(verdict.rulebook.as_str(), rulebook.code());
            prop_assert_eq!(changes(&verdict, &judge_with(*rulebook, &commits)), vec![]);
            let hidden = verdict.underlying.iter().flat_map(|hidden| &hidden.evidence);
            let mut rows = verdict.evidence.iter().chain(&verdict.against).chain(hidden);
            prop_assert!(rows.all(|row| row.rule.is_some()));
        }
        prop_assert_eq!(judge(&commits), judge_with(Rulebook::NEWEST, &commits));
    }

    #[test]
    fn a_stated_cause_is_believed_or_kept_against(commits in any_call()) {
        let stated = commits.iter().flat_map(|commit| &commit.events).find_map(|happened| match &happened.event {
            Event::Ended(ended) => Some(ended.cause),
            _ => None,
        });
        let Some(Some(cause)) = stated else { return Ok(()) };
        let verdict = judge(&commits);
        let kept = verdict.against.iter().any(|row| row.rule.as_deref() == Some("own.statement_out_of_place"));
        // A record that is not closed properly may still be judged alive; this one has its end.
        prop_assert!(verdict.cause == cause || kept, "{:?}", verdict);
        // Rulebook 1.0 knew of no statements.
        prop_assert!(judge_with(Rulebook::V1_0, &commits).evidence.iter().all(|row| row.rule.as_deref() != Some("own.stated")));
    }

    #[test]
    fn every_prefix_of_a_call_can_be_judged(commits in any_call()) {
        for length in 0..=commits.len() {
            check(&judge(&commits[..length]))?;
        }
    }
}

#[test]
fn a_verdict_reads_back_from_its_json() {
    for row in rows() {
        let verdict = judge(&play(&row.script));
        let text = serde_json::to_string(&verdict).unwrap();
        assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
    }
}

#[test]
fn a_verdict_has_the_fields_of_the_interface_in_their_order() {
    let text = serde_json::to_string(&why(&play("place; 180; 200; bye q850=16")).unwrap()).unwrap();
    let mut from = 0;
    for field in [
        "call_id",
        "sip_call_id",
        "direction",
        "local_side",
        "verdict",
        "family",
        "cause",
        "underlying",
        "ended_by",
        "side",
        "agent",
        "act",
        "phase",
        "answer_kind",
        "races",
        "fault",
        "confidence",
        "completeness",
        "sip",
        "status",
        "phrase",
        "reasons",
        "protocol",
        "cause",
        "text",
        "location",
        "message",
        "evidence",
        "event",
        "says",
        "against",
        "rulebook",
        "summary",
        "en",
        "zh",
    ] {
        let at = text[from..].find(&format!("\"{field}\":"));
        from += at.unwrap_or_else(|| panic!("{field} is missing or out of order in {text}"));
    }
}

#[test]
fn nothing_recorded_is_a_gap_and_no_document() {
    let verdict = judge([]);
    assert_eq!((verdict.cause, verdict.confidence), (Cause::RecordGap, Confidence::None));
    assert!(why([]).is_none());
}

#[test]
fn our_own_phrase_is_read_from_the_bytes_that_left() {
    use callbox_events::schema::{WireDirection, WireMessage};
    use callbox_events::sip::{Peer, Transport};

    let mut commits = play("invite; ring; hangup user 486");
    let peer = Peer { transport: Transport::Udp, addr: ([192, 0, 2, 7], 5060).into() };
    let sent = |text: &str| WireMessage {
        direction: WireDirection::Out,
        peer,
        to: None,
        bytes: text.as_bytes().to_vec(),
    };
    let last = commits.last_mut().unwrap();
    last.wire = vec![sent("SIP/2.0 200 OK\r\n\r\n"), sent("SIP/2.0 486 Busy Here\r\nVia: x\r\n\r\n")];
    assert_eq!(judge(&commits).sip.phrase.as_deref(), Some("Busy Here"));
}
