//! Pairs of records: who says what, where they part, how their clocks differ.

use std::io::{self, Write};

use callbox_events::Role;
use callbox_events::verdict::Verdict;
use callbox_events::view::join::{Absence, CallKey, Clocks, Contradiction, Estimate};

use super::style::{BAD, BOLD, DIM, GOOD, PLAIN, WARN};
use super::time::second;
use super::words::{clean, count, plain, wrap};
use crate::commands::join::{Pair, Single, Tally};
use crate::output::Output;

/// The digits of an id that are shown.
const ID: usize = 8;

/// A pair: its calls, both verdicts, and every contradiction; with `whole` also what they agree on and what was lost.
pub fn pair(out: &mut Output, pair: &Pair<'_>, whole: bool) -> io::Result<()> {
    let mark = if pair.joined.contradictions.is_empty() { (GOOD, "agree") } else { (BAD, "contradict") };
    let inferred = if pair.basis.is_inferred() {
        format!("  {WARN}{}{WARN:#}", pair.basis.says())
    } else {
        String::new()
    };
    writeln!(
        out,
        "{BOLD}{}  {}{BOLD:#}  {}  {}  {}{}{:#}{inferred}",
        id(pair.a),
        id(pair.b),
        second(pair.a.started_at),
        clean(&format!("{} → {}", pair.a.from, pair.a.to)),
        mark.0,
        mark.1,
        mark.0
    )?;
    for side in ["A", "B"] {
        let who =
            if pair.is_observed(side) { "on the way:".into() } else { format!("the {}:", pair.role(side)) };
        writeln!(out, "    {side}, {who:<11} {}", says(pair.verdict(side)))?;
    }
    if whole {
        list(out, GOOD, "both say", &pair.joined.agreements)?;
    }
    list(out, WARN, "never received", &pair.joined.lost)?;
    for contradiction in &pair.joined.contradictions {
        self::contradiction(out, pair, contradiction)?;
    }
    Ok(())
}

fn id(key: &CallKey) -> String {
    key.call.to_string().chars().take(ID).collect()
}

fn says(verdict: &Verdict) -> String {
    let status = verdict.sip.status.map(|status| format!(" · {status}")).unwrap_or_default();
    let by = format!("{}/{}", verdict.ended_by.side, verdict.ended_by.agent);
    format!("{} · {by}{status}", plain(verdict.cause.code()))
}

fn list(out: &mut Output, style: anstyle::Style, heading: &str, items: &[String]) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let text = clean(&items.join(", ")).into_owned();
    for (index, line) in wrap(&text, out.columns().saturating_sub(22)).iter().enumerate() {
        let heading = if index == 0 { heading } else { "" };
        writeln!(out, "    {style}{heading:<16}{style:#} {line}")?;
    }
    Ok(())
}

fn contradiction(out: &mut Output, pair: &Pair<'_>, found: &Contradiction) -> io::Result<()> {
    let event = |side: &str| {
        let event = match pair.role(side) {
            Role::Caller => found.caller_event,
            Role::Callee => found.callee_event,
        };
        event.map(|event| format!("{side} #{event}"))
    };
    let events: Vec<String> = ["A", "B"].into_iter().filter_map(event).collect();
    let text = format!("{} ({}; {})", found.says, events.join(", "), found.code);
    for (index, line) in wrap(&text, out.columns().saturating_sub(6)).iter().enumerate() {
        let mark = if index == 0 { "✗" } else { " " };
        writeln!(out, "    {BAD}{mark}{BAD:#} {line}")?;
    }
    Ok(())
}

/// A call that one side alone has.
pub fn single(out: &mut Output, single: &Single<'_>) -> io::Result<()> {
    let other = if single.side == "A" { "B" } else { "A" };
    let (style, why) = match single.absence {
        Absence::Elsewhere => (DIM, format!("not a call with {other}")),
        Absence::NeverArrived => (WARN, format!("the INVITE to {other} was lost: nothing came back")),
        Absence::NoRecord => (BAD, format!("✗ {other} spoke with it and has no record (no_record)")),
    };
    let parties = format!("{} → {}", single.call.from, single.call.to);
    let (id, began) = (id(single.call), second(single.call.started_at));
    writeln!(
        out,
        "{BOLD}{id}{BOLD:#}  {DIM}only in {}{DIM:#}  {began}  {}  {style}{why}{style:#}",
        single.side,
        clean(&parties)
    )
}

/// The clocks of one pair, before its ladder.
pub fn clocks(out: &mut Output, pair: &Pair<'_>) -> io::Result<()> {
    let end = pair.role("A");
    writeln!(
        out,
        "    {DIM}{}; times are the caller's, {}'s{DIM:#}\n",
        ahead(pair.clocks()),
        if end == Role::Caller { "A" } else { "B" }
    )
}

/// `B's clock is 12.0 ms ahead of A's (± 1.2 ms)`
fn ahead(clocks: Clocks) -> String {
    let Some(Estimate { offset_us, uncertainty_us, steady }) = clocks.estimate() else {
        return "no message tells how the clocks differ".into();
    };
    let shown = |micros: u64| format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100);
    let way = if offset_us < 0 { "behind" } else { "ahead of" };
    let by = shown(offset_us.unsigned_abs());
    match (uncertainty_us, steady) {
        (_, false) => format!("the clocks moved against each other; B's was about {by} {way} A's"),
        (Some(within), true) => format!("B's clock is {by} {way} A's (± {})", shown(within)),
        (None, true) => {
            let bound = if clocks.at_most_us.is_some() { "at most" } else { "at least" };
            let signed = if offset_us < 0 { "-" } else { "" };
            format!("B's clock is {bound} {signed}{by} ahead of A's: messages of one direction alone tell")
        }
    }
}

/// What was found in all.
pub fn summary(out: &mut Output, tally: &Tally) -> io::Result<()> {
    let Tally { joined, inferred, contradictions, only_a, only_b, clocks } = tally;
    let style = if *contradictions == 0 { GOOD } else { BAD };
    let inferred = if *inferred == 0 { String::new() } else { format!(" ({inferred} inferred)") };
    writeln!(
        out,
        "{PLAIN}{} joined{inferred}, {only_a} only in A, {only_b} only in B{PLAIN:#} · {style}{}{style:#}",
        count(*joined, "call"),
        count(*contradictions, "contradiction"),
    )?;
    writeln!(out, "{DIM}{}{DIM:#}", ahead(*clocks))
}
