//! Events of calls: whole calls, single steps, states, comparisons, a running tail.

use std::io::{self, Write};

use callbox_events::schema::{StoredCommit, WireDirection};
use callbox_events::view::{CallSummary, Entry, Message, short_uri, timeline};
use serde_json::Value;

use super::style::{ACCENT, BAD, BOLD, DIM, GOOD, WARN};
use super::time::{full, offset};
use super::words::{clean, cut};
use crate::commands::diff::Row;
use crate::commands::step;
use crate::output::Output;

/// All events of a call, with causes and messages.
pub fn show(out: &mut Output, commits: &[StoredCommit], raw: bool) -> io::Result<()> {
    if let Some(call) = commits.first().and_then(|stored| CallSummary::begin(&stored.commit)) {
        header(out, &call)?;
    }
    for step in timeline(commits) {
        writeln!(out)?;
        let (time, at) = (offset(step.offset), full(step.at));
        writeln!(out, "{BOLD}{time:>9}{BOLD:#}  {}  {DIM}{at}{DIM:#}", step.cause)?;
        messages(out, &step.received, raw)?;
        for entry in &step.entries {
            writeln!(out, "{}", line(entry))?;
        }
        messages(out, &step.sent, raw)?;
    }
    Ok(())
}

/// Who calls whom, and what the call is named.
pub fn header(out: &mut Output, call: &CallSummary) -> io::Result<()> {
    let parties = format!("{} → {}", short_uri(&call.from), short_uri(&call.to));
    writeln!(out, "{BOLD}{}{BOLD:#}  {DIM}{}{DIM:#}", clean(&parties), call.direction.code())?;
    writeln!(out, "{DIM}call {}  Call-ID {}{DIM:#}", call.call_id, clean(&call.sip_call_id))
}

fn line(entry: &Entry) -> String {
    let phase = if entry.before == entry.after {
        entry.after.to_string()
    } else {
        format!("{} → {}", entry.before, entry.after)
    };
    format!("{DIM}{:>9}{DIM:#}  {phase:<22} {}", format!("#{}", entry.call_seq), entry.gist)
}

fn messages(out: &mut Output, messages: &[Message], raw: bool) -> io::Result<()> {
    for message in messages {
        let (arrow, ends) = match (message.direction, message.to) {
            (_, Some(to)) => ("·", format!("{} → {}", message.peer, to.addr)),
            (WireDirection::In, None) => ("←", message.peer.to_string()),
            (WireDirection::Out, None) => ("→", message.peer.to_string()),
        };
        let text = format!("{ends} {}", message.start_line);
        let text = cut(&text, out.width.map_or(usize::MAX, |columns| columns.saturating_sub(13)));
        writeln!(out, "{:>9}  {ACCENT}{arrow} {text}{ACCENT:#}", "")?;
        if raw {
            for line in String::from_utf8_lossy(&message.bytes).lines() {
                writeln!(out, "{:>9}  {DIM}│{DIM:#} {}", "", clean(line))?;
            }
        }
    }
    Ok(())
}

/// What each event changed in the machine's state.
pub fn steps(out: &mut Output, steps: &[step::Step]) -> io::Result<()> {
    for (index, step) in steps.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        title(out, step)?;
        for (path, before, after) in &step.changes {
            match (before, after) {
                (Value::Null, new) => writeln!(out, "     {GOOD}+{GOOD:#} {path}: {}", brief(out, new))?,
                (old, Value::Null) => writeln!(out, "     {BAD}-{BAD:#} {path}: {}", brief(out, old))?,
                (old, new) => {
                    writeln!(out, "     {WARN}~{WARN:#} {path}: {} → {}", brief(out, old), brief(out, new))?
                }
            }
        }
    }
    Ok(())
}

fn title(out: &mut Output, step: &step::Step) -> io::Result<()> {
    let event = format!("#{}", step.event);
    writeln!(out, "{BOLD}{event:<4} {}{BOLD:#}  {}  {DIM}← {}{DIM:#}", step.kind, step.gist, step.cause)
}

fn brief(out: &Output, value: &Value) -> String {
    cut(&shown(value, 0), out.columns().saturating_sub(24))
}

/// JSON with less noise: `calling {sent: true, provisional: false}`.
fn shown(value: &Value, depth: usize) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shown(item, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => match fields.iter().next() {
            Some((variant, data @ Value::Object(_))) if fields.len() == 1 && depth == 0 => {
                format!("{variant} {}", shown(data, depth + 1))
            }
            _ => {
                let fields: Vec<String> =
                    fields.iter().map(|(key, value)| format!("{key}: {}", shown(value, depth + 1))).collect();
                format!("{{{}}}", fields.join(", "))
            }
        },
    }
}

/// The whole state after an event.
pub fn state(out: &mut Output, step: &step::Step) -> io::Result<()> {
    title(out, step)?;
    serde_json::to_writer_pretty(&mut *out, &step.state).map_err(io::Error::from)?;
    writeln!(out)
}

/// Two calls side by side, as one list.
pub fn comparison(out: &mut Output, rows: &[Row], first: Option<usize>) -> io::Result<()> {
    for (index, row) in rows.iter().enumerate() {
        if first == Some(index) {
            writeln!(out, "{BOLD}─── here they part{BOLD:#}")?;
        }
        match row {
            Row::Both(a, b) => writeln!(out, "  {DIM}#{:<3} #{:<3}{DIM:#} {}", a.event, b.event, a.text)?,
            Row::OnlyA(a) => writeln!(out, "{BAD}- #{:<3}      {}{BAD:#}", a.event, a.text)?,
            Row::OnlyB(b) => writeln!(out, "{GOOD}+      #{:<3} {}{GOOD:#}", b.event, b.text)?,
        }
    }
    if first.is_none() {
        writeln!(out, "{GOOD}same{GOOD:#}  both calls went the same way")?;
    }
    Ok(())
}

/// A commit of a running engine, from the event with this global sequence number on.
pub fn tail(out: &mut Output, stored: &StoredCommit, from: u64) -> io::Result<()> {
    let id: String = stored.commit.call.to_string().chars().take(8).collect();
    for step in timeline(std::slice::from_ref(stored)) {
        let at = full(step.at);
        for entry in step.entries.iter().filter(|entry| entry.seq >= from) {
            writeln!(
                out,
                "{DIM}{at}{DIM:#}  {BOLD}{id}{BOLD:#}{}  {DIM}← {}{DIM:#}",
                line(entry),
                step.cause
            )?;
        }
    }
    Ok(())
}
