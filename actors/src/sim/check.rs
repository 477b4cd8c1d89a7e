//! The invariants of SCENARIOS, over journals and the wire.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use callbox_events::CallId;
use callbox_events::call::{Command, Event, EventKind, Input, Outcome, Phase};
use callbox_events::schema::{StoredCommit, WireDirection};
use callbox_events::verdict::{Family, judge};
use callbox_events::view::rerun;
use callbox_sip::leg::TransmitKind;
use callbox_store::{Cursor, JournalReader};

use super::engine::{SimEngine, Told};
use super::world::Sim;

/// `ending` comes this soon after an accepted hang-up (I8).
const PROMPT: Duration = Duration::from_millis(50);

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which: `I1` to `I12`.
    pub law: &'static str,
    /// The engine.
    pub engine: String,
    /// The call, if it is about one.
    pub call: Option<CallId>,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.law, self.engine, self.what)
    }
}

/// Collects what is found of one engine.
struct Findings<'a> {
    engine: &'a str,
    found: Vec<Violation>,
}

impl Findings<'_> {
    fn law(&mut self, law: &'static str, call: Option<CallId>, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.found.push(Violation { law, engine: self.engine.to_owned(), call, what: what() });
        }
    }
}

impl Sim {
    /// Everything that breaks an invariant so far; empty if all is well. I1 and I5 are asked of calls that are over:
    /// [`Sim::settle`] first to ask them of all.
    #[must_use]
    pub fn check(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for engine in &self.engines {
            let mut findings = Findings { engine: &engine.name, found: Vec::new() };
            for call in &engine.known {
                let commits = engine.journal.read(*call).unwrap_or_default();
                check_record(&mut findings, engine, *call, &commits);
                check_liveness(&mut findings, engine, *call, &commits);
            }
            check_order(&mut findings, engine);
            check_commands(&mut findings, engine);
            self.check_wire(&mut findings, engine);
            let faults = engine.faults.iter().map(ToString::to_string).collect::<Vec<_>>();
            findings.law("no fault", None, faults.is_empty(), || faults.join("; "));
            found.extend(findings.found);
        }
        found
    }

    /// I12: what left for the first time stands in a commit that was durable by then.
    fn check_wire(&self, findings: &mut Findings<'_>, engine: &SimEngine) {
        let all = engine.journal.read_all(Cursor::START).into_iter().flatten().filter_map(Result::ok);
        let recorded: Vec<(Vec<u8>, _)> = all
            .flat_map(|stored| {
                let at = stored.commit.at;
                stored
                    .commit
                    .wire
                    .into_iter()
                    .filter(|w| w.direction == WireDirection::Out)
                    .map(move |w| (w.bytes, at))
            })
            .collect();
        for flight in self.wire().iter().filter(|flight| flight.from == engine.name) {
            if flight.kind == Some(TransmitKind::New) {
                let durable = recorded
                    .iter()
                    .any(|(bytes, at)| *at <= flight.at && bytes.as_slice() == &flight.bytes[..]);
                findings.law("I12", None, durable, || format!("{} left without a record", flight.label()));
            }
        }
    }
}

/// I1, I2, I4, I5, I9: the record of one call.
fn check_record(findings: &mut Findings<'_>, engine: &SimEngine, call: CallId, commits: &[StoredCommit]) {
    let kinds: Vec<EventKind> = commits
        .iter()
        .flat_map(|stored| &stored.commit.events)
        .map(|happened| happened.event.kind())
        .collect();
    let count = |wanted: EventKind| kinds.iter().filter(|kind| **kind == wanted).count();
    let live = engine.calls.contains_key(&call);
    let begun = !kinds.is_empty();
    if begun && engine.up && !live {
        let once = count(EventKind::Ended) == 1 && count(EventKind::Released) == 1;
        findings.law("I1", Some(call), once, || format!("not ended and released once: {kinds:?}"));
    }
    findings.law("I1", Some(call), count(EventKind::Ended) <= 1, || "ended more than once".into());
    let released = kinds.iter().position(|kind| *kind == EventKind::Released);
    let last = released.is_none_or(|place| place + 1 == kinds.len());
    findings.law("I2", Some(call), last, || format!("something after released: {kinds:?}"));
    let again = rerun(commits);
    findings.law("I4", Some(call), again.divergence.is_none(), || format!("decided otherwise: {again:?}"));
    if count(EventKind::Ended) == 1 {
        let verdict = judge(commits.iter().map(|stored| &stored.commit));
        let same = judge(commits.iter().map(|stored| &stored.commit)) == verdict;
        findings.law("I4", Some(call), same, || "two verdicts on one record".into());
        let known = verdict.family != Family::Unknown;
        findings.law("I5", Some(call), known, || format!("unknown: {kinds:?}"));
    }
    let mut version = 0;
    for stored in commits {
        let gapless = stored.commit.version == version;
        findings
            .law("I9", Some(call), gapless, || format!("version {} after {version}", stored.commit.version));
        version = stored.commit.version + stored.commit.events.len() as u64;
    }
    if let Some(slot) = engine.calls.get(&call).filter(|slot| !slot.core.is_waiting()) {
        let same = slot.core.call().version == version;
        findings.law("I4", Some(call), same, || "the live state is not that of the record".into());
    }
}

/// I8: an accepted hang-up is told at once and comes to its end.
fn check_liveness(findings: &mut Findings<'_>, engine: &SimEngine, call: CallId, commits: &[StoredCommit]) {
    let hangup = |stored: &&StoredCommit| matches!(stored.commit.input, Input::Command(Command::Hangup(_)));
    let Some(hung_up) = commits.iter().find(hangup) else { return };
    // One that a crash swallowed before it was durable was never accepted.
    let accepted = |told: &&Told| told.command == "hangup" && told.outcome == Some(Outcome::Accepted);
    let given = engine.outcomes.iter().filter(accepted).find(|told| told.call == call);
    if let Some(told) = given {
        let took = hung_up.commit.at.since(told.given_at);
        findings.law("I8", Some(call), took <= PROMPT, || format!("the hang-up was recorded after {took:?}"));
    }
    let ended = commits
        .iter()
        .find(|stored| stored.commit.events.iter().any(|happened| matches!(happened.event, Event::Ended(_))));
    if let Some(ended) = ended {
        let took = ended.commit.at.since(hung_up.commit.at);
        // A held CANCEL waits for timer B, a held BYE for the ACK; then their own transactions have as long again.
        let limit = engine.policy.sip.patience() * 2 + Duration::from_secs(1);
        findings.law("I8", Some(call), took <= limit, || format!("ended {took:?} after the hang-up"));
    }
}

/// I9: the journal's own order.
fn check_order(findings: &mut Findings<'_>, engine: &SimEngine) {
    let mut next = 0;
    for stored in engine.journal.read_all(Cursor::START).into_iter().flatten().filter_map(Result::ok) {
        let gapless = stored.seq == next;
        findings
            .law("I9", Some(stored.commit.call), gapless, || format!("sequence {} after {next}", stored.seq));
        next = stored.seq + stored.commit.events.len() as u64;
    }
}

/// I6, I7: a hang-up is never refused, and on an ended call it does nothing.
fn check_commands(findings: &mut Findings<'_>, engine: &SimEngine) {
    for told in engine.outcomes.iter().filter(|told| told.command == "hangup") {
        let refused = told.outcome == Some(Outcome::Refused);
        findings.law("I7", Some(told.call), !refused, || "a hang-up was refused".into());
    }
    let mut seen = HashSet::new();
    for call in engine.known.iter().filter(|call| seen.insert(**call)) {
        let commits = engine.journal.read(*call).unwrap_or_default();
        let late = commits.iter().any(|stored| {
            stored.commit.phase_before == Phase::Ended
                && matches!(stored.commit.input, Input::Command(Command::Hangup(_)))
        });
        findings.law("I6", Some(*call), !late, || "a hang-up after the end left an event".into());
    }
}
