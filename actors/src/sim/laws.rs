//! The invariants of the acceptance table, checked over a journal: I1, I2, I4, I9. (I3 and I12 hold by construction here
//! and are tested on the real engine; I5 to I8 need a scenario.)

use std::collections::BTreeMap;

use callbox_events::CallId;
use callbox_events::call::{Event, Phase};
use callbox_events::schema::StoredCommit;
use callbox_events::verdict::judge;
use callbox_events::view::rerun;
use callbox_store::{Cursor, JournalReader};

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which: `I1`, ...
    pub law: &'static str,
    /// The call, if it concerns one.
    pub call: Option<CallId>,
    /// What is wrong.
    pub what: String,
}

/// Checks every call of a journal. `complete` asks that every call has been released.
#[must_use]
pub fn check(journal: &dyn JournalReader, complete: bool) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut calls: BTreeMap<CallId, Vec<StoredCommit>> = BTreeMap::new();
    let mut next = 0;
    for stored in journal.read_all(Cursor::START).into_iter().flatten().flatten() {
        if stored.seq != next {
            let what = format!("sequence number {} follows {next}", stored.seq);
            violations.push(Violation { law: "I9", call: None, what });
        }
        next = stored.seq + stored.commit.events.len() as u64;
        calls.entry(stored.commit.call).or_default().push(stored);
    }
    for (call, record) in &calls {
        let broken = |law, what: String| Violation { law, call: Some(*call), what };
        violations.extend(of_call(record, complete).into_iter().map(|(law, what)| broken(law, what)));
    }
    violations
}

fn of_call(record: &[StoredCommit], complete: bool) -> Vec<(&'static str, String)> {
    let mut broken = Vec::new();
    let mut version = 0;
    for stored in record {
        if stored.commit.version != version {
            broken.push(("I9", format!("the call's event {} follows {version}", stored.commit.version)));
        }
        version = stored.commit.version + stored.commit.events.len() as u64;
    }
    let events: Vec<&Event> =
        record.iter().flat_map(|stored| &stored.commit.events).map(|happened| &happened.event).collect();
    let ended = events.iter().filter(|event| matches!(event, Event::Ended(_))).count();
    let released = events.iter().filter(|event| matches!(event, Event::Released(_))).count();
    if ended > 1 || released > 1 || (complete && (ended, released) != (1, 1)) {
        broken.push(("I1", format!("{ended} ended and {released} released")));
    }
    if released > 0 && !matches!(events.last(), Some(Event::Released(_))) {
        broken.push(("I2", "something follows released".to_owned()));
    }
    if let Some(divergence) = rerun(record).divergence {
        broken.push(("I4", format!("the replay differs: {divergence:?}")));
    }
    let commits = || record.iter().map(|stored| &stored.commit);
    if judge(commits()) != judge(commits()) {
        broken.push(("I4", "two judgements of one record differ".to_owned()));
    }
    let last = record.last().and_then(|stored| stored.commit.events.last()).map(|happened| happened.phase);
    if complete && last != Some(Phase::Ended) {
        broken.push(("C6", format!("the call is left in {last:?}")));
    }
    broken
}
