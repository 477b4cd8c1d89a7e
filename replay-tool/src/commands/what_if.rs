//! `callbox what-if`: how a call would have ended under other conditions.

use std::io::Write;
use std::time::Duration;

use callbox_events::schema::StoredCommit;
use callbox_events::time::parse_span;
use callbox_events::view::{Change, Setting, SettingError, WhatIf, WhatIfError, what_if};
use serde_json::json;

use super::diff::{Row, compare, document};
use super::why::judged;
use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::style::{BOLD, DIM};
use crate::{render, selector, source};

const EXAMPLES: &str = "\
Examples:
  callbox what-if latest --set no_answer=45s           would longer ringing have helped?
  callbox what-if 3f2a --set answer_after=3s --set hangup_after=off
  callbox what-if 3f2a --drop 7                        the message of event #7 (see `callbox show`) is lost
  callbox what-if 3f2a --delay 4=500ms                 the message of event #4 is half a second late
  callbox what-if --list-settings                      what --set knows

The recorded inputs run through the machine once more. What no record can tell (what the other side would have done
instead) is assumed, and every assumption is named. A message is the one that came with the event or, if none came, the
one that left; a lost one is lost with all its repetitions.";

/// Run a call under other rules, or with a message lost or late: how would it have ended?
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id, unique prefix, SIP Call-ID, or `latest`
    #[arg(required_unless_present = "list_settings")]
    call: Option<String>,
    /// Another rule: no_answer=45s, max_duration=off, incoming=busy, ... (repeatable)
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<Change>,
    /// The message of event N is lost (repeatable)
    #[arg(long = "drop", value_name = "N", value_parser = lost)]
    drop: Vec<Change>,
    /// The message of event N is later by a time: 4=500ms (repeatable)
    #[arg(long = "delay", value_name = "N=TIME", value_parser = late)]
    delay: Vec<Change>,
    /// Print what --set knows, with the values of the call if one is named
    #[arg(long)]
    list_settings: bool,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    if args.list_settings {
        return list_settings(args, common, out);
    }
    let changes: Vec<Change> = [&args.set, &args.drop, &args.delay].into_iter().flatten().cloned().collect();
    if changes.is_empty() {
        return Err(Failure::new(ExitCode::Usage, "no_change", "nothing is to be different")
            .hint("give --set, --drop or --delay; --list-settings shows what can be set"));
    }
    let named = args.call.as_deref().unwrap_or("latest");
    let commits = selector::call(source::open(common)?.as_ref(), named)?;
    let other = what_if(&commits, &changes).map_err(|error| failure(&error, named))?;
    let rows = compare(&to_the_end(&commits), &to_the_end(&other.commits));
    let first = rows.iter().position(parts);
    let (was, would) = (judged(&commits, named)?, judged(&other.commits, named)?);
    if common.json {
        out.json(&json!({
            "call_id": was.call_id,
            "changes": described(&changes, &other),
            "verdict": was.verdict,
            "what_if": would.verdict,
            "assumptions": other.assumptions,
            "diff": document(&rows, first),
        }))?;
    } else {
        let changes = described(&changes, &other);
        let shown = render::what_if::Comparison {
            was: &was,
            would: &would,
            changes: &changes,
            rows: &rows,
            first,
            assumptions: &other.assumptions,
        };
        render::what_if::print(out, &shown)?;
    }
    Ok(ExitCode::Ok)
}

/// Without the release: when the last transaction is done says nothing of the call.
fn to_the_end(commits: &[StoredCommit]) -> Vec<StoredCommit> {
    let releases = |stored: &StoredCommit| stored.commit.releases();
    commits.iter().filter(|stored| !releases(stored)).cloned().collect()
}

/// Whether the runs differ in this row: another event, or another time.
fn parts(row: &Row) -> bool {
    match row {
        Row::Both(a, b) => a.offset != b.offset,
        Row::OnlyA(_) | Row::OnlyB(_) => true,
    }
}

/// The changes in words.
fn described(changes: &[Change], other: &WhatIf) -> Vec<String> {
    let rules = other.rules.iter().map(|rule| format!("{} {} → {}", rule.setting, rule.before, rule.after));
    let messages = changes.iter().filter_map(|change| match change {
        Change::Set(..) => None,
        Change::Drop { event } => Some(format!("the message of #{event} is lost")),
        Change::Delay { event, by } => {
            let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            Some(format!("the message of #{event} is {} later", render::time::length(millis)))
        }
    });
    rules.chain(messages).collect()
}

fn list_settings(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let policy = match &args.call {
        Some(named) => {
            let commits = selector::call(source::open(common)?.as_ref(), named)?;
            commits.first().and_then(|first| callbox_events::view::policy(&first.commit)).cloned()
        }
        None => None,
    };
    for setting in Setting::ALL {
        let value = policy.as_ref().map(|policy| setting.of(policy));
        if common.json {
            out.json(&json!({
                "setting": setting.name(), "takes": setting.values(), "says": setting.says(), "value": value,
            }))?;
            continue;
        }
        let value = value.map(|value| format!(" = {value}")).unwrap_or_default();
        writeln!(out, "{BOLD}{setting}{BOLD:#}{value}  {DIM}{}{DIM:#}", setting.values())?;
        writeln!(out, "    {}", setting.says())?;
    }
    Ok(ExitCode::Ok)
}

fn setting(text: &str) -> Result<Change, String> {
    let (name, value) = text.split_once('=').ok_or("a setting reads like no_answer=45s")?;
    let setting: Setting = name.trim().parse().map_err(|error: SettingError| {
        let known: Vec<String> =
            Setting::ALL.iter().map(|setting| format!("  {setting}: {}", setting.values())).collect();
        format!("{error}; there are\n{}", known.join("\n"))
    })?;
    setting
        .put(&mut callbox_events::call::Policy::default(), value.trim())
        .map_err(|error| error.to_string())?;
    Ok(Change::Set(setting, value.trim().to_owned()))
}

fn lost(text: &str) -> Result<Change, String> {
    Ok(Change::Drop { event: event(text)? })
}

fn late(text: &str) -> Result<Change, String> {
    let wrong = "a delay reads like 4=500ms: the number of an event and a time";
    let (number, by) = text.split_once('=').ok_or(wrong)?;
    let by: Duration = parse_span(by.trim()).filter(|by| !by.is_zero()).ok_or(wrong)?;
    Ok(Change::Delay { event: event(number)?, by })
}

fn event(text: &str) -> Result<u64, String> {
    let number = text.trim().trim_start_matches('#').parse();
    number.map_err(|_| "an event is named by its number in the call, as `callbox show` prints it".to_owned())
}

fn failure(error: &WhatIfError, named: &str) -> Failure {
    let (exit, code, hint) = match error {
        WhatIfError::Setting(_) => {
            (ExitCode::Usage, "bad_setting", "`--list-settings` shows what can be set".into())
        }
        WhatIfError::Diverges(_) => (
            ExitCode::Finding,
            "record_diverges",
            format!("`callbox check {named}` shows where; what a record does not prove can't be changed"),
        ),
        WhatIfError::Observed => {
            (ExitCode::Usage, "observed", "only calls of an engine have decisions to change".into())
        }
        WhatIfError::NoEvent { .. } | WhatIfError::NoMessage { .. } => (
            ExitCode::NotFound,
            "no_such_message",
            format!("`callbox show {named}` has the events and messages"),
        ),
        WhatIfError::FirstMessage { .. } | WhatIfError::NoAnswer { .. } => {
            (ExitCode::Usage, "no_such_change", "name another message".into())
        }
    };
    Failure::new(exit, code, error.to_string()).hint(hint)
}
