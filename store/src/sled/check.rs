//! Looking at everything in a log directory. Goes on behind each damage as far as it can.

use std::path::Path;

use super::open;
use super::read::{self, Chunks};
use super::table::Table;
use super::tree::{Chunk, Fault, Tree};
use crate::error::ReadError;
use crate::frame::Frame;
use crate::keys;
use crate::layout;
use crate::verify::{Chains, Damage, Progress, Report};
use crate::watermark::{self, Level};

/// Checks a private copy of a store.
pub fn check_copy(copy: &Path, progress: &mut dyn FnMut(Progress)) -> Report {
    let mut report = Report::default();
    let marked = watermark(copy, &mut report);
    let tree = match open::copied_tree(copy) {
        Ok(Some(tree)) => tree,
        Ok(None) => {
            reaches(0, marked, &mut report);
            return report;
        }
        Err(error) => {
            report.add(Damage { place: layout::LOG.into(), what: error.to_string() });
            return report;
        }
    };
    if let Err(error) = log(&tree, marked, &mut report, progress) {
        report.add(error);
    }
    if let Err(error) = index(&tree, &mut report) {
        report.add(error);
    }
    report
}

fn watermark(copy: &Path, report: &mut Report) -> u64 {
    let mut damaged = |what: String| report.add(Damage { place: layout::WATERMARK.into(), what });
    match watermark::read(copy) {
        Ok(Level::At(seq)) => return seq,
        Ok(Level::Absent) => {}
        Ok(Level::Damaged) => damaged("it can't be read".into()),
        Err(error) => damaged(error.to_string()),
    }
    0
}

fn reaches(tail: u64, marked: u64, report: &mut Report) {
    if tail < marked {
        let what = format!("the log ends here, but everything before {marked} was acknowledged");
        report.add(ReadError::at_seq(tail, what));
    }
}

fn log(
    tree: &Tree,
    marked: u64,
    report: &mut Report,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ReadError> {
    if tree.get(keys::VERSION)?.is_none() {
        report.add(Damage { place: layout::LOG.into(), what: "it does not say which format it has".into() });
    }
    let of =
        tree.last(&[keys::CHUNK])?.and_then(|(key, _)| keys::parse_chunk(&key)).map_or(marked, |key| key.seq);
    let mut chains = Chains::default();
    let mut next = 0;
    for chunk in Chunks::new(tree, 0, false)? {
        let (seq, bytes) = chunk?;
        if seq != next {
            report.add(ReadError::at_seq(next, format!("a gap: after it comes {seq}")));
        }
        next = frames(seq, &bytes, &mut chains, report);
        report.tell(next, of.max(next), progress);
    }
    reaches(next, marked, report);
    progress(Progress { events: next, of: next });
    Ok(())
}

/// Checks the frames of a chunk; returns where the next must begin.
fn frames(seq: u64, bytes: &Chunk, chains: &mut Chains, report: &mut Report) -> u64 {
    let mut end = seq;
    let walked = read::frames(seq, bytes, |frame| {
        // A damaged header can't be trusted to tell where the next frame begins.
        frame.check().map_err(|error| ReadError::at_seq(frame.seq, error.to_string()))?;
        end = frame.end();
        whole(&frame, chains, report);
        Ok(())
    });
    if let Err(error) = walked {
        report.add(error);
    }
    end
}

fn whole(frame: &Frame<'_>, chains: &mut Chains, report: &mut Report) {
    if let Err(error) = frame.decode() {
        report.add(error);
    }
    chains.follow(frame.seq, &frame.facts, &frame.hash, frame.payload, report);
}

/// Reads every call through the index and the table, and counts.
fn index(tree: &Tree, report: &mut Report) -> Result<(), ReadError> {
    let floor = open::floor_of(tree)?.unwrap_or(0);
    let mut table = Table::new(floor, None);
    // What can't be rebuilt has been reported by the walk through the log.
    let rebuilt = open::rebuild(tree, &mut table, floor).is_ok();
    let log_was_sound = report.is_sound();
    let mut found = 0u64;
    let mut count = |call, report: &mut Report| match read::call(tree, call, &table.pending(call), u64::MAX) {
        Ok(commits) => found += commits.len() as u64,
        Err(error) if log_was_sound => report.add(error),
        // A consequence of what is listed already.
        Err(_) => {}
    };
    let mut last = None;
    for pair in tree.scan(&[keys::ROW], &[keys::ROW])? {
        let (key, _) = pair.map_err(<Fault as Into<ReadError>>::into)?;
        let Some((call, _)) = keys::parse_row(&key) else {
            report.add(Damage { place: "the index".into(), what: "a key that is none".into() });
            continue;
        };
        if last != Some(call) {
            last = Some(call);
            count(call, report);
        }
    }
    for call in table.known() {
        if tree.last(&keys::rows(call))?.is_none() {
            count(call, report);
        }
    }
    if rebuilt && log_was_sound && found != report.commits {
        let what = format!("it leads to {found} commits, but the log holds {}", report.commits);
        report.add(Damage { place: "the index".into(), what });
    }
    Ok(())
}
