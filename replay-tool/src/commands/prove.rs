//! `callbox prove`: proofs that need no store to be verified.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use callbox_events::Timestamp;
use callbox_store::JournalReader;
use callbox_store::proof::bundle::Proof;
use callbox_store::proof::entries::Entry;
use callbox_store::prove::{self, ProveError};

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::{render, selector, source, trust, when};

const EXAMPLES: &str = "\
Examples:
  callbox prove 3f2a -o call.proof                    this call's record stands in the journal, unchanged
  callbox prove --since 06:00 --until 07:00 -o h.proof  these are all events from then to then
  callbox prove --events 0..499 -o first.proof        these are all events with these numbers
  callbox prove --consistency monday.note latest      nothing that monday.note covers was rewritten
  callbox verify --proof call.proof --public-key callbox.key.pub

A checkpoint is named by its number in the store (1 is the first), by `latest`, or by a file that holds one.";

/// Prove a call, a complete stretch of the journal, or that nothing was rewritten: verified without the store
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Prove this call: id, unique prefix, SIP Call-ID, or `latest`
    #[arg(required_unless_present_any = ["events", "since", "until", "consistency"])]
    call: Option<String>,
    /// Prove that these are all events with these global sequence numbers, both included
    #[arg(long, value_name = "FIRST..LAST", value_parser = events, conflicts_with_all = ["call", "since", "until"])]
    events: Option<Range<u64>>,
    /// Prove that these are all events since this time: from the last checkpoint before it on
    #[arg(long, value_name = "TIME", value_parser = when::parse, conflicts_with = "call")]
    since: Option<Timestamp>,
    /// The same until this time: up to the first checkpoint after it
    #[arg(long, value_name = "TIME", value_parser = when::parse, conflicts_with = "call")]
    until: Option<Timestamp>,
    /// Prove that the newer checkpoint goes on from the older one
    #[arg(long, num_args = 2, value_names = ["OLDER", "NEWER"], conflicts_with_all = ["call", "events", "since", "until"])]
    consistency: Option<Vec<String>>,
    /// The checkpoint that the proof leads to
    #[arg(long, value_name = "CHECKPOINT", default_value = "latest", conflicts_with = "consistency")]
    checkpoint: String,
    /// Where the proof goes; standard output without it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let proof = prove(args, common, reader.as_ref())?;
    let document = proof.to_json()?;
    let Some(path) = &args.output else {
        writeln!(out, "{document}")?;
        return Ok(ExitCode::Ok);
    };
    write(path, &document)?;
    if common.json {
        out.json(&serde_json::json!({"proof": path, "bytes": document.len() + 1}))?;
    } else if let Ok(proven) = proof.verify() {
        render::proof::proven(out, &proven, &[])?;
    }
    Ok(ExitCode::Ok)
}

fn prove(args: &Args, common: &Common, reader: &dyn JournalReader) -> Result<Proof, Failure> {
    let bar = Progress::events(0);
    let mut progress = |progress: callbox_store::verify::Progress| bar.reached(progress.events, progress.of);
    if let Some([older, newer]) = args.consistency.as_deref() {
        let (older, newer) = (checkpoint(common, older)?, checkpoint(common, newer)?);
        return Ok(prove::consistency(reader, &older, &newer, &mut progress)?.into());
    }
    let under = checkpoint(common, &args.checkpoint)?;
    if let Some(call) = &args.call {
        let call = selector::id(reader, call)?;
        return Ok(prove::call(reader, call, &under, &mut progress)?.into());
    }
    let events = match &args.events {
        Some(events) => events.clone(),
        None => between(common, args.since, args.until)?,
    };
    Ok(prove::completeness(reader, &events, &under, &mut progress)?.into())
}

/// The events between the last checkpoint before `since` and the first one after `until`.
fn between(
    common: &Common,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<Range<u64>, Failure> {
    let mut events = 0..u64::MAX;
    for entry in kept(common)? {
        let extension = entry?.checkpoint.extension;
        let (Some(time), Some(covered)) = (extension.time, extension.events) else { continue };
        if since.is_some_and(|since| time <= since) {
            events.start = covered;
        }
        if until.is_some_and(|until| time >= until) {
            events.end = covered;
            break;
        }
    }
    Ok(events)
}

fn kept(common: &Common) -> Result<impl Iterator<Item = Result<Entry, Failure>> + use<>, Failure> {
    let kept = source::checkpoints(common)?;
    Ok((1..).zip(kept).map(|(number, entry): (u64, _)| {
        entry.map_err(|error| {
            let message = format!("checkpoint {number} can't be read: {error}");
            Failure::new(ExitCode::Store, "store_corrupt", message)
                .hint("`callbox verify` lists every damage")
        })
    }))
}

/// The checkpoint that a person means.
fn checkpoint(common: &Common, named: &str) -> Result<Entry, Failure> {
    let unknown = |message: String| {
        Failure::new(ExitCode::NotFound, "checkpoint_not_found", message).hint(
            "name a checkpoint by its number in the store, by `latest`, or by a file; an engine makes one every \
             minute and when it closes",
        )
    };
    let number = named.parse::<u64>().ok();
    if number.is_none() && named != "latest" {
        let found = trust::checkpoints(&[PathBuf::from(named)])?;
        return found.into_iter().next_back().ok_or_else(|| unknown(format!("{named} holds no checkpoint")));
    }
    let mut newest = None;
    for (index, entry) in (1..).zip(kept(common)?) {
        // What is being written beside us is not there yet.
        let Ok(entry) = entry else { continue };
        if number == Some(index) {
            return Ok(entry);
        }
        newest = Some(entry);
    }
    match number {
        Some(number) => Err(unknown(format!("the store has no checkpoint {number}"))),
        None => newest.ok_or_else(|| unknown("the store has no checkpoint yet".into())),
    }
}

/// `3..17`, both included.
fn events(text: &str) -> Result<Range<u64>, String> {
    let parsed = text.split_once("..").and_then(|(first, last)| {
        Some((first.trim().parse::<u64>().ok()?, last.trim_start_matches('=').trim().parse::<u64>().ok()?))
    });
    match parsed {
        Some((first, last)) if first <= last => Ok(first..last.saturating_add(1)),
        Some(_) | None => Err("a range of events reads like 0..499".into()),
    }
}

fn write(path: &Path, document: &str) -> Result<(), Failure> {
    let file = File::options().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| writeln!(file, "{document}"));
    written.map_err(|error| {
        let message = format!("{} can't be written: {error}", path.display());
        Failure::new(ExitCode::Failure, "file_not_written", message)
            .hint("an existing file is not overwritten")
    })
}

impl From<ProveError> for Failure {
    fn from(error: ProveError) -> Self {
        let (exit, code) = match &error {
            ProveError::Uncovered { .. } => (ExitCode::NotFound, "not_covered"),
            ProveError::Removed { .. } => (ExitCode::NotFound, "removed"),
            ProveError::Differs(_) => (ExitCode::Finding, "journal_differs"),
            ProveError::Rewritten { .. } => (ExitCode::Store, "other_version"),
            ProveError::Order { .. } => (ExitCode::Usage, "wrong_order"),
            ProveError::Read(error) => return error.clone().into(),
        };
        Self::new(exit, code, error.to_string()).hint(error.hint())
    }
}
