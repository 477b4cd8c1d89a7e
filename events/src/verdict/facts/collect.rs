//! The pass over the commits.

use crate::call::{Event, IncomingPolicy, Input, Note, Signal};
use crate::party::Role;
use crate::schema::{Commit, WireDirection};
use crate::sip::{Reason, Request, Response};

use super::super::vocabulary::{Completeness, Rulebook};
use super::{AnsweredBy, Decisive, Fact, Facts, Progress, Said, watch};

pub(super) fn collect<'a>(rulebook: Rulebook, commits: &[&'a Commit]) -> Facts<'a> {
    let mut facts = empty(rulebook);
    facts.completeness = completeness(commits);
    facts.started_at = commits.first().map(|commit| commit.at).unwrap_or_default();
    for commit in commits {
        let place = Fact { event: commit.version, at: commit.at, phase: commit.phase_before, what: () };
        take_input(&mut facts, place, &commit.input);
        take_events(&mut facts, commit);
        if facts.credentials.is_none() && sent_credentials(commit) {
            facts.credentials = Some(place);
        }
    }
    if let Some(watch) = &facts.watch {
        facts.completeness = watch.completeness(&facts);
    }
    facts
}

fn empty<'a>(rulebook: Rulebook) -> Facts<'a> {
    Facts {
        rulebook,
        role: None,
        policy: None,
        started_at: crate::time::Timestamp::default(),
        last: None,
        sent: None,
        progress: Progress::default(),
        provisionals: Vec::new(),
        answers: Vec::new(),
        failures: Vec::new(),
        cancel_answers: Vec::new(),
        bye_answers: Vec::new(),
        reinvite_answers: Vec::new(),
        cancels: Vec::new(),
        acks: Vec::new(),
        byes: Vec::new(),
        reinvites: Vec::new(),
        requests: Vec::new(),
        timed_out: Vec::new(),
        ack_missing: None,
        transport_failures: Vec::new(),
        commands: Vec::new(),
        timers: Vec::new(),
        recoveries: Vec::new(),
        answered: None,
        answered_by: None,
        connected: None,
        media_requests: Vec::new(),
        ending_sent: None,
        decisive: None,
        ended: None,
        ends: Vec::new(),
        notes: Vec::new(),
        called: None,
        credentials: None,
        released: None,
        said: Vec::new(),
        own_phrase: None,
        completeness: Completeness::Full,
        watch: None,
    }
}

/// Nothing may be missing before the end. What a restart after the end adds changes nothing.
fn completeness(commits: &[&Commit]) -> Completeness {
    let Some(first) = commits.first() else { return Completeness::Truncated };
    if first.version != 0 {
        return Completeness::Truncated;
    }
    let mut expected = 0u64;
    for commit in commits {
        if commit.version != expected {
            return Completeness::Gap;
        }
        let over = commit.phase_before == crate::call::Phase::Ended;
        if matches!(commit.input, Input::Recovery(_)) && !over {
            return Completeness::Gap;
        }
        expected = expected.saturating_add(commit.events.len() as u64);
    }
    Completeness::Full
}

fn take_input<'a>(facts: &mut Facts<'a>, place: Fact<()>, input: &'a Input) {
    match input {
        Input::Command(command) => facts.commands.push(place.with(command)),
        Input::Timer(timer) => facts.timers.push(place.with(*timer)),
        Input::Recovery(recovery) => facts.recoveries.push(place.with(recovery)),
        Input::Signal(signal) => take_signal(facts, place, signal),
        Input::Observed(sight) => watch::take_sight(facts, place, sight),
    }
}

pub(super) fn take_signal<'a>(facts: &mut Facts<'a>, place: Fact<()>, signal: &'a Signal) {
    match signal {
        Signal::Invite(invite) => heard_request(facts, place, &invite.request, "INVITE"),
        Signal::Cancel(request) => {
            facts.cancels.push(place.with(request));
            heard_request(facts, place, request, "CANCEL");
        }
        Signal::Ack(request) => {
            facts.acks.push(place.with(request));
            heard_request(facts, place, request, "ACK");
        }
        Signal::Bye(request) => {
            facts.byes.push(place.with(request));
            heard_request(facts, place, request, "BYE");
        }
        Signal::Reinvite(request) => {
            facts.reinvites.push(place.with(request));
            heard_request(facts, place, request, "INVITE");
        }
        Signal::Request(request) => {
            facts.requests.push(place.with(request));
            heard_request(facts, place, request, &request.method);
        }
        Signal::Provisional(response) => {
            facts.provisionals.push(place.with(response));
            if facts.decisive.is_none() {
                facts.progress.hear(place.with(response));
            }
            heard_response(facts, place, response);
        }
        Signal::Success(response) => {
            facts.answers.push(place.with(response));
            heard_response(facts, place, response);
        }
        Signal::Failure(response) => {
            facts.failures.push(place.with(response));
            heard_response(facts, place, response);
        }
        Signal::CancelAnswered(response) => {
            facts.cancel_answers.push(place.with(response));
            heard_response(facts, place, response);
        }
        Signal::ByeAnswered(response) => {
            facts.bye_answers.push(place.with(response));
            heard_response(facts, place, response);
        }
        Signal::ReinviteAnswered(response) => {
            facts.reinvite_answers.push(place.with(response));
            heard_response(facts, place, response);
        }
        Signal::TimedOut(pending) => facts.timed_out.push(place.with(*pending)),
        Signal::AckMissing => {
            facts.ack_missing.get_or_insert(place);
        }
        Signal::TransportFailed { pending, detail } => {
            facts.transport_failures.push(place.with((*pending, detail.as_str())));
        }
        Signal::Reachable { .. } | Signal::Drained(_) => {}
    }
}

pub(super) fn heard_request<'a>(facts: &mut Facts<'a>, place: Fact<()>, request: &'a Request, method: &str) {
    say(facts, place, &request.reasons, method, false);
}

pub(super) fn heard_response<'a>(facts: &mut Facts<'a>, place: Fact<()>, response: &'a Response) {
    say(facts, place, &response.reasons, &format!("{} {}", response.status, response.phrase), false);
}

fn say<'a>(facts: &mut Facts<'a>, place: Fact<()>, reasons: &'a [Reason], message: &str, ours: bool) {
    for reason in reasons {
        let said = Said { reason, message: message.trim_end().to_owned(), ours };
        facts.said.push(place.with(said));
    }
}

fn take_events<'a>(facts: &mut Facts<'a>, commit: &'a Commit) {
    let mut phase = commit.phase_before;
    for (offset, happened) in (0u64..).zip(&commit.events) {
        let fact = Fact {
            event: commit.version.saturating_add(offset),
            at: commit.at,
            phase,
            what: &happened.event,
        };
        if facts.decisive.is_none() {
            facts.progress.follow(fact);
        }
        take_event(facts, commit, fact);
        facts.last = Some(fact.with(()));
        phase = happened.phase;
    }
}

fn take_event<'a>(facts: &mut Facts<'a>, commit: &'a Commit, fact: Fact<&'a Event>) {
    let place = fact.with(());
    match fact.what {
        Event::Placed(placed) => {
            facts.role = Some(Role::Caller);
            facts.policy = Some(&placed.policy);
            facts.called = Some(&placed.to);
        }
        Event::Offered(offered) => {
            facts.role = Some(Role::Callee);
            facts.policy = Some(&offered.policy);
            facts.called = Some(&offered.to);
        }
        Event::Sent { .. } => facts.sent = facts.sent.or(Some(place)),
        Event::Answered(answer) => {
            facts.answered = facts.answered.or(Some(fact.with(answer.status)));
            facts.answered_by = facts.answered_by.or_else(|| answered_by(facts, &commit.input));
            facts.own_phrase = facts.own_phrase.take().or_else(|| sent_phrase(commit, answer.status));
        }
        Event::Connected => facts.connected = facts.connected.or(Some(place)),
        Event::MediaRequested { .. } => facts.media_requests.push(place),
        Event::Ending(ending) => {
            decide(facts, place, &commit.input, Some(ending));
            let message = match ending.act {
                crate::call::Act::Bye | crate::call::Act::Timeout => "BYE".to_owned(),
                crate::call::Act::Cancel => "CANCEL".to_owned(),
                act => final_status(commit).map_or_else(|| act.code().to_owned(), |s| s.to_string()),
            };
            say(facts, place, &ending.reasons, &message, true);
        }
        Event::EndingSent => facts.ending_sent = facts.ending_sent.or(Some(place)),
        Event::Ended(ended) => {
            if !watch::decided_before(facts, ended) {
                decide(facts, place, &commit.input, None);
            }
            facts.ended = facts.ended.or(Some(fact.with(ended)));
            facts.ends.push(fact.with(ended));
            let phrase = ended.status.and_then(|status| sent_phrase(commit, status));
            facts.own_phrase = facts.own_phrase.take().or(phrase);
        }
        Event::Released(counters) => facts.released = facts.released.or(Some(fact.with(counters))),
        Event::Observed(_) | Event::FoundConnected | Event::CancelSeen | Event::EndSeen(_) => {
            watch::take_event(facts, fact, &commit.input);
        }
        Event::Progressed(_)
        | Event::Rang(_)
        | Event::EarlyMedia(_)
        | Event::Media(_)
        | Event::MediaRefused { .. }
        | Event::Recovered(_) => {}
        Event::Noted(noted) => facts.notes.extend(Note::from_code(&noted.what).map(|note| fact.with(note))),
    }
}

pub(super) fn decide<'a>(
    facts: &mut Facts<'a>,
    place: Fact<()>,
    input: &'a Input,
    ending: Option<&'a crate::call::Ending>,
) {
    if facts.decisive.is_none() {
        let phase = facts.progress.phase();
        facts.decisive = Some(place.with(Decisive { input, ending, phase }));
    }
}

/// Who answered, if we are the ones who did.
fn answered_by(facts: &Facts<'_>, input: &Input) -> Option<AnsweredBy> {
    let automatic = facts.policy.is_some_and(|policy| policy.incoming == IncomingPolicy::Answer);
    match (facts.role?, input) {
        (Role::Caller, _) => None,
        (Role::Callee, Input::Command(_)) => Some(AnsweredBy::Command),
        (Role::Callee, Input::Timer(_)) => Some(AnsweredBy::Automation),
        (Role::Callee, Input::Signal(Signal::Invite(invite))) => {
            (automatic || invite.policy.answer_after_ms.is_some()).then_some(AnsweredBy::Automation)
        }
        (Role::Callee, Input::Signal(_) | Input::Recovery(_) | Input::Observed(_)) => None,
    }
}

fn final_status(commit: &Commit) -> Option<u16> {
    commit.events.iter().find_map(
        |happened| {
            if let Event::Ended(ended) = &happened.event { ended.status } else { None }
        },
    )
}

/// Whether an INVITE with credentials leaves with this commit.
fn sent_credentials(commit: &Commit) -> bool {
    let invite = commit
        .wire
        .iter()
        .find(|message| message.direction == WireDirection::Out && message.bytes.starts_with(b"INVITE "));
    let Some(invite) = invite else { return false };
    let text = String::from_utf8_lossy(&invite.bytes);
    text.lines().skip(1).take_while(|line| !line.is_empty()).any(|line| {
        let name = line.split(':').next().unwrap_or_default().trim_end();
        ["Authorization", "Proxy-Authorization"].iter().any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// The phrase of the final response that leaves with this commit: the rest of its status line.
fn sent_phrase(commit: &Commit, status: u16) -> Option<String> {
    let start = format!("SIP/2.0 {status} ");
    commit.wire.iter().filter(|message| message.direction == WireDirection::Out).find_map(|message| {
        let line = message.bytes.split(|byte| *byte == b'\r' || *byte == b'\n').next()?;
        String::from_utf8_lossy(line).strip_prefix(&start).map(str::to_owned)
    })
}
