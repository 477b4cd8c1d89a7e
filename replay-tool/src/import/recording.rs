//! A recording into a store: every commit is appended again, so the store's own rules decide. A commit that is there
//! already is recognised; another one in its place is a conflict, and its call is left as it is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write;
use std::path::Path;

use callbox_events::CallId;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::{Append, AppendError, Cursor, Expect, Journal, JournalReader};
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style::{BAD, GOOD};
use crate::render::words::count;
use crate::source;

/// Appends that may wait for the disk at once: enough for full groups, bounded in memory.
const WAITING: usize = 1_024;

/// More calls with another record are counted, not listed.
const MAX_LISTED: usize = 20;

/// What became of the calls.
#[derive(Debug, Default)]
struct Tally {
    calls: BTreeSet<CallId>,
    commits: u64,
    new: u64,
    conflicts: BTreeSet<CallId>,
}

/// Imports `file` into the store at `dir`, and tells what became of it.
pub fn run(
    file: &Path,
    dir: &Path,
    options: Options,
    common: &Common,
    out: &mut Output,
) -> Result<ExitCode, Failure> {
    let recording = source::recording(file)?;
    let journal = SledJournal::open(dir, options)?;
    let appended = append_all(&recording, &journal);
    let relinked = appended.as_ref().map_or(Ok(0), |tally| relinked(&recording, &journal, tally));
    journal.close().map_err(|error| Failure::new(ExitCode::Store, "store_failed", error.to_string()))?;
    let (tally, relinked) = (appended?, relinked?);
    tell(&tally, relinked, common, out)?;
    let damaged = !recording.damages().is_empty();
    Ok(if tally.conflicts.is_empty() && !damaged { ExitCode::Ok } else { ExitCode::Finding })
}

fn append_all(recording: &dyn JournalReader, journal: &SledJournal) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let before = journal.tail()?.seq();
    let progress = Progress::events(recording.tail()?.seq());
    let mut waiting: VecDeque<(CallId, Append)> = VecDeque::new();
    for stored in recording.read_all(Cursor::START)? {
        let commit = stored?.commit;
        progress.advance(commit.events.len() as u64);
        if waiting.len() >= WAITING {
            settle(&mut waiting, WAITING / 2, &mut tally)?;
        }
        let (call, expect) = (commit.call, Expect::of(&commit));
        tally.calls.insert(call);
        tally.commits += 1;
        if !tally.conflicts.contains(&call) {
            waiting.push_back((call, journal.append(commit, expect)));
        }
    }
    settle(&mut waiting, 0, &mut tally)?;
    tally.new = journal.tail()?.seq() - before;
    Ok(tally)
}

/// Waits until no more than `left` appends wait.
fn settle(waiting: &mut VecDeque<(CallId, Append)>, left: usize, tally: &mut Tally) -> Result<(), Failure> {
    while waiting.len() > left {
        let Some((call, append)) = waiting.pop_front() else { break };
        match append.wait() {
            Ok(_) => {}
            Err(AppendError::Conflict { .. }) => {
                tally.conflicts.insert(call);
            }
            Err(error) => {
                return Err(Failure::new(ExitCode::Store, "store_failed", format!("call {call}: {error}"))
                    .hint(error.hint()));
            }
        }
    }
    Ok(())
}

/// How many calls have another chain in the store than in the recording, although their commits are equal: those that
/// an earlier callbox encoded differently.
fn relinked(recording: &dyn JournalReader, journal: &SledJournal, tally: &Tally) -> Result<u64, Failure> {
    let mut relinked = 0;
    let mut heads: BTreeMap<CallId, _> = BTreeMap::new();
    for stored in recording.read_all(Cursor::START)? {
        let stored = stored?;
        heads.insert(stored.commit.call, (Cursor::after(&stored), stored.hash));
    }
    for (call, (_, link)) in heads.iter().filter(|(call, _)| !tally.conflicts.contains(call)) {
        let commits = journal.read(*call)?;
        relinked += u64::from(!commits.iter().any(|stored| stored.hash == *link));
    }
    Ok(relinked)
}

fn tell(tally: &Tally, relinked: u64, common: &Common, out: &mut Output) -> Result<(), Failure> {
    let (calls, conflicts) = (tally.calls.len() as u64, tally.conflicts.len());
    if common.json {
        let named: Vec<String> = tally.conflicts.iter().map(ToString::to_string).collect();
        return out.json(&json!({
            "calls": calls,
            "commits": tally.commits,
            "new_events": tally.new,
            "other_chain": relinked,
            "conflicts": named,
        }));
    }
    for call in tally.conflicts.iter().take(MAX_LISTED) {
        writeln!(out, "{BAD}conflict{BAD:#}  the store has another record of call {call}")?;
    }
    if conflicts > MAX_LISTED {
        writeln!(out, "{BAD}conflict{BAD:#}  and of {} more", conflicts - MAX_LISTED)?;
    }
    if relinked > 0 {
        writeln!(
            out,
            "note      {} got another chain: an earlier callbox encoded them",
            count(relinked, "call")
        )?;
    }
    let counted = format!("{} with {}", count(calls, "call"), count(tally.commits, "commit"));
    Ok(writeln!(out, "{GOOD}imported{GOOD:#}  {counted}; {} new", count(tally.new, "event"))?)
}
