//! What the audience reads.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

use callbox_events::call::SipTimers;

use super::flow::Party;
use super::judgement::Side;
use super::player::Played;
use super::timing;

/// One flow with its explanations.
pub struct Line {
    /// What was played.
    pub played: Played,
    /// What the record says.
    pub sides: Vec<Side>,
}

const HEADINGS: [&str; 7] = ["flow", "what happened", "at", "ended by", "cause", "how", "confidence"];

/// What is going to be played, where, with which timers.
pub fn opening([a, b, server]: [SocketAddr; 3], store: &Path) -> String {
    let (t1, field) = (timing::TIMERS.t1_ms, SipTimers::default().t1_ms);
    format!(
        "Two engines call each other over UDP: A at {a}, B at {b}; a business server S at {server}.\n\
         Shortened timers: T1 = {t1} ms instead of {field} ms, so a lost peer is given up after {} s instead of 32 s;\n\
         no answer after {} ms at B, {} ms at A (4c) and S (4b, 4g).\n\
         Journal: {}\n",
        f64::from(t1) * 0.064,
        timing::CALLEE_PATIENCE_MS,
        timing::CALLER_PATIENCE_MS,
        store.display(),
    )
}

/// The table: two lines a flow, as A and as B recorded it.
pub fn table(lines: &[Line]) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    for line in lines {
        for (index, side) in line.sides.iter().enumerate() {
            rows.push(row(line, side, index == 0));
        }
    }
    let widths: [usize; 7] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        // Writing to a String can't fail.
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
        if index == 0 {
            let _ = writeln!(text, "{}", widths.map(|width| "-".repeat(width)).join("  "));
        }
    }
    text
}

fn row(line: &Line, side: &Side, first: bool) -> [String; 7] {
    let flow = line.played.flow;
    let (id, title) = if first { (flow.id, flow.title) } else { ("", "") };
    let at = side.party.name();
    let Some(why) = &side.why else {
        return [id, title, at, "?", "no record", "", ""].map(str::to_owned);
    };
    let verdict = &why.verdict;
    let mut cause = verdict.cause.code().to_owned();
    if let Some(underlying) = &verdict.underlying {
        let _ = write!(cause, " (behind it: {})", underlying.cause.code());
    }
    let mut how = verdict.act.map_or("no act", |act| act.code()).to_owned();
    let _ = write!(how, " while {}", verdict.phase.code());
    [
        id.to_owned(),
        title.to_owned(),
        at.to_owned(),
        format!("{}/{}", verdict.ended_by.side.code(), verdict.ended_by.agent.code()),
        cause,
        how,
        verdict.confidence.code().to_owned(),
    ]
}

/// Why each call ended: the sentence and its evidence.
pub fn reasons(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let flow = line.played.flow;
        let _ = writeln!(text, "{}  {}", flow.id, flow.title);
        for side in &line.sides {
            let _ = text.write_str(&reason(side));
        }
        for trouble in &line.played.troubles {
            let _ = writeln!(text, "  ! {trouble}");
        }
    }
    text
}

fn reason(side: &Side) -> String {
    let at = side.party.name();
    let Some(why) = &side.why else { return format!("  {at}: no record\n") };
    let verdict = &why.verdict;
    let mut text = format!("  {at}: {}\n", verdict.summary.en);
    let hidden = verdict.underlying.iter().flat_map(|underlying| &underlying.evidence);
    let hidden = hidden.filter(|evidence| !verdict.evidence.contains(evidence));
    for evidence in verdict.evidence.iter().chain(hidden) {
        let _ = writeln!(text, "       #{:<3} {}", evidence.event, evidence.says);
    }
    for evidence in &verdict.against {
        let _ = writeln!(text, "       #{:<3} against: {}", evidence.event, evidence.says);
    }
    text
}

/// How to go on from here.
pub fn follow_up(lines: &[Line], store: &Path) -> String {
    let interesting = lines.iter().find(|line| line.played.flow.id == "3g").or_else(|| lines.first());
    let call = interesting.and_then(|line| line.played.call(Party::A)).map(|call| call.to_string());
    let short = call.as_deref().and_then(|call| call.get(..8)).unwrap_or("latest");
    let (store, callbox) = (store.display(), callbox());
    let commands = ["list".to_owned(), format!("why {short}"), format!("ladder {short}")];
    let commands = commands.map(|command| format!("  {callbox} {command} --store {store}\n")).concat();
    format!("Everything above comes from the journal. It is still there (3g again, as A saw it):\n{commands}")
}

/// How the replay tool is called from here: beside this program, by cargo if it is not built, else by its name.
fn callbox() -> String {
    let own = std::env::current_exe().ok();
    let folder = own.as_deref().and_then(Path::parent);
    match folder {
        Some(folder) if folder.join("callbox").is_file() => folder.join("callbox").display().to_string(),
        Some(folder) if folder.ends_with("target/release") => {
            "cargo run -q --release --bin callbox --".into()
        }
        Some(_) | None => "callbox".into(),
    }
}

/// What is not as it must be; empty if all is well.
pub fn findings(lines: &[Line]) -> Vec<String> {
    let mut findings = Vec::new();
    for line in lines {
        let id = line.played.flow.id;
        for side in &line.sides {
            let at = side.party.name();
            findings.extend(side.differences.iter().map(|difference| format!("{id} at {at}: {difference}")));
        }
        findings.extend(line.played.troubles.iter().map(|trouble| format!("{id}: {trouble}")));
    }
    findings
}
