//! The tables: one file per kind of call.
//!
//! ```text
//! the caller hangs up
//!   > A>B INVITE; B>A 180; B>A 200 sdp; A>B ACK; +5s; A>B BYE; B>A 200 BYE
//!   = hangup caller unknown bye connected unknown strong full
//!   races: bye_vs_bye callee_bye caller_bye 1
//!   hides: busy strong
//!   evidence: the caller sent the BYE
//! ```
//! After `=`: cause, side, agent, act, phase, answer kind, confidence, completeness; one line a call, in the order in which
//! they began. Checks that follow such a line are about its call. `races` and `hides` are complete; `-` is none.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use callbox_events::call::EventKind;
use callbox_events::schema::{Commit, StoredCommit, decode, encode};
use callbox_events::verdict::{Verdict, why};
use callbox_events::view::{ladder, rerun, summarise};

use crate::script::Script;

/// One row of a table.
pub struct Row {
    pub title: String,
    pub script: String,
    calls: Vec<Expected>,
}

#[derive(Default)]
struct Expected {
    tuple: String,
    races: Option<String>,
    hides: Option<String>,
    checks: Vec<(String, String)>,
}

/// All rows of all tables.
pub fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/observed/tables");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|file| read(file)).collect()
}

fn read(path: &Path) -> Vec<Row> {
    let file = path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut rows: Vec<Row> = Vec::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            rows.push(Row { title: format!("{file}: {text}"), script: String::new(), calls: Vec::new() });
            continue;
        }
        let row = rows.last_mut().unwrap();
        if let Some(script) = text.strip_prefix("> ") {
            row.script = format!("{}; {script}", row.script);
        } else if let Some(tuple) = text.strip_prefix("= ") {
            row.calls.push(Expected { tuple: tuple.to_owned(), ..Expected::default() });
        } else {
            let (key, value) = text.split_once(": ").unwrap_or_else(|| panic!("{file}: {line}"));
            let call = row.calls.last_mut().unwrap();
            match key {
                "races" => call.races = Some(value.to_owned()),
                "hides" => call.hides = Some(value.to_owned()),
                _ => call.checks.push((key.to_owned(), value.to_owned())),
            }
        }
    }
    rows
}

#[test]
fn every_row_of_the_tables_gets_its_verdict() {
    let rows = rows();
    assert!(rows.len() > 60, "the tables are missing");
    let mut wrong = String::new();
    for row in &rows {
        let calls = Script::watched(&row.script);
        if calls.len() != row.calls.len() {
            writeln!(wrong, "{}: wants {} calls, gives {}", row.title, row.calls.len(), calls.len()).unwrap();
        }
        for (expected, call) in row.calls.iter().zip(&calls) {
            let verdict = why(call.iter().map(|stored| &stored.commit)).unwrap().verdict;
            let differences = differences(expected, &verdict);
            if !differences.is_empty() {
                writeln!(
                    wrong,
                    "{}\n{differences}   {}\n{}",
                    row.title,
                    verdict.summary.en,
                    told(call, &verdict)
                )
                .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// What holds for every observed call, whatever its verdict.
#[test]
fn every_call_of_the_tables_is_whole() {
    for row in rows() {
        for call in Script::watched(&row.script) {
            whole(&row.title, &call);
        }
    }
}

/// One end, one release, last; the same when decided again and when read back; words and a chart for people.
pub fn whole(title: &str, call: &[StoredCommit]) {
    let kinds: Vec<EventKind> =
        call.iter().flat_map(|stored| &stored.commit.events).map(|happened| happened.event.kind()).collect();
    let count = |kind| kinds.iter().filter(|one| **one == kind).count();
    assert_eq!(count(EventKind::Ended), 1, "{title}: {kinds:?}");
    assert_eq!(count(EventKind::Released), 1, "{title}: {kinds:?}");
    assert_eq!(kinds.last(), Some(&EventKind::Released), "{title}");
    assert_eq!(rerun(call).divergence, None, "{title}");
    let times: Vec<_> = call.iter().map(|stored| stored.commit.at).collect();
    assert!(times.is_sorted(), "{title}: time runs backwards");
    let commits: Vec<Commit> = call.iter().map(|stored| stored.commit.clone()).collect();
    for commit in &commits {
        let bytes = encode(commit).unwrap();
        assert!(bytes.len() < 72 * 1024, "{title}: a commit of {} bytes", bytes.len());
        assert_eq!(decode(&bytes).unwrap(), *commit, "{title}");
    }
    let why = why(&commits).unwrap();
    assert_eq!((why.direction.code(), why.local_side), ("observed", None), "{title}");
    assert_ne!(why.verdict.confidence.code(), "certain", "{title}");
    assert_ne!(why.verdict.answer_kind.map(|kind| kind.code()), Some("party"), "{title}");
    assert!(why.verdict.summary.en.ends_with('.') && why.verdict.summary.zh.ends_with('。'), "{title}");
    assert!(!why.verdict.evidence.is_empty(), "{title}");
    assert_eq!(summarise(&commits).unwrap().direction.code(), "observed", "{title}");
    assert!(!ladder(call).unwrap().participants.is_empty(), "{title}");
}

fn differences(expected: &Expected, verdict: &Verdict) -> String {
    let mut text = String::new();
    let mut differ = |what: &str, wanted: &str, found: &str| {
        if wanted != found {
            writeln!(text, "   {what:<8} wants {wanted}\n            gives {found}").unwrap();
        }
    };
    differ("tuple", &expected.tuple, &tuple(verdict));
    let races: Vec<String> = verdict
        .races
        .iter()
        .map(|race| {
            let margin = race.margin_ms.map_or_else(|| "-".to_owned(), |ms| ms.to_string());
            format!("{} {} {} {margin}", race.kind, race.winner, race.loser)
        })
        .collect();
    differ("races", expected.races.as_deref().unwrap_or("-"), &or_dash(races.join(", ")));
    let hides = verdict.underlying.as_ref().map(|hidden| format!("{} {}", hidden.cause, hidden.confidence));
    differ("hides", expected.hides.as_deref().unwrap_or("-"), &or_dash(hides.unwrap_or_default()));
    for (key, value) in &expected.checks {
        match key.as_str() {
            "against" | "evidence" => {
                let list = if key == "against" { &verdict.against } else { &verdict.evidence };
                if !list.iter().any(|row| row.says.contains(value.as_str())) {
                    let all: Vec<&str> = list.iter().map(|row| row.says.as_str()).collect();
                    differ(key, value, &or_dash(all.join(" | ")));
                }
            }
            "status" => {
                differ(key, value, &verdict.sip.status.map_or_else(|| "-".to_owned(), |s| s.to_string()))
            }
            "reason" => {
                let all: Vec<String> = verdict
                    .sip
                    .reasons
                    .iter()
                    .map(|r| format!("{} {} in {}", r.protocol, r.cause.unwrap_or_default(), r.message))
                    .collect();
                differ(key, value, &all.join(", "));
            }
            "fault" => differ(key, value, verdict.fault.code()),
            "en" => differ(key, value, &verdict.summary.en),
            other => panic!("unknown check {other}"),
        }
    }
    text
}

fn tuple(verdict: &Verdict) -> String {
    format!(
        "{} {} {} {} {} {} {} {}",
        verdict.cause,
        verdict.ended_by.side,
        verdict.ended_by.agent,
        verdict.act.map_or("-", |act| act.code()),
        verdict.phase,
        verdict.answer_kind.map_or("-", |kind| kind.code()),
        verdict.confidence,
        verdict.completeness,
    )
}

/// What a person needs to see why.
fn told(call: &[StoredCommit], verdict: &Verdict) -> String {
    let mut text = String::new();
    for step in callbox_events::view::timeline(call) {
        let gists: Vec<&str> = step.entries.iter().map(|entry| entry.gist.as_str()).collect();
        writeln!(text, "     {:>12?} {} → {}", step.offset, step.cause, gists.join(", ")).unwrap();
    }
    for row in &verdict.evidence {
        writeln!(text, "     + #{} {}", row.event, row.says).unwrap();
    }
    for row in &verdict.against {
        writeln!(text, "     - #{} {}", row.event, row.says).unwrap();
    }
    text
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}
