//! Looking at everything: both copies of the log beside each other, and the index. Goes on behind each damage as far as
//! it can.

use std::path::Path;
use std::sync::Arc;

use callbox_events::schema::StoredCommit;

use super::Options;
use super::both::{Both, Met};
use super::log::Log;
use super::open::{self, Found};
use super::read;
use super::tree::Fault;
use crate::error::ReadError;
use crate::frame::Frame;
use crate::keys;
use crate::layout;
use crate::verify::{Damage, Progress, Report, Walk};
use crate::watermark::{self, Level};

/// Checks a private copy of a store.
pub fn check_copy(copy: &Path, mut walk: Walk<'_>, progress: &mut dyn FnMut(Progress)) -> Report {
    let mut report = Report::default();
    walk.audit.begin(&mut report);
    look(copy, &mut walk, &mut report, progress);
    walk.finish(&mut report);
    report
}

fn look(copy: &Path, walk: &mut Walk<'_>, report: &mut Report, progress: &mut dyn FnMut(Progress)) {
    let marked = watermark(copy, report);
    let found = open_copy(copy).map_err(|damage| report.add(damage)).ok().flatten();
    if let Err(error) = both(copy, found.as_ref().map(|found| &found.log), marked, walk, report, progress) {
        report.add(error);
    }
    if let Some(found) = found
        && let Err(error) = index(&found, report)
    {
        report.add(error);
    }
}

/// sled's part as it is, not made again; `None` if nothing was ever written.
pub fn open_copy(copy: &Path) -> Result<Option<Found>, Damage> {
    let damage = |what: String| Damage { place: layout::LOG.into(), what };
    if !layout::log_dir(copy, 0).join("db").exists() {
        let segments = crate::wal::segments(copy).map_err(|error| damage(error.to_string()))?;
        if segments.is_empty() {
            return Ok(None);
        }
        return Err(damage("sled's directory is missing; opening the store makes it again".into()));
    }
    open::as_it_is(copy, &Options::default()).map(Some).map_err(|error| damage(error.to_string()))
}

/// Hands over every commit of a private copy that is whole in at least one copy of the log, in order, and every damage.
pub fn each_sound_commit<E: From<ReadError>>(
    copy: &Path,
    damaged: &mut dyn FnMut(Damage),
    sound: &mut dyn FnMut(StoredCommit) -> Result<(), E>,
) -> Result<(), E> {
    let found = open_copy(copy).map_err(&mut *damaged).ok().flatten();
    for met in Both::new(copy, found.as_ref().map(|found| &found.log))? {
        let (seq, frames) = match met {
            Met::Sound { seq, frames } => (seq, frames),
            Met::Damage(damage) => {
                damaged(damage);
                continue;
            }
        };
        let mut commits = Vec::new();
        let walked = read::frames(seq, &frames, |frame| {
            frame.sound()?;
            commits.push(frame.decode()?);
            Ok(())
        });
        if let Err(error) = walked {
            damaged(error.into());
        }
        commits.into_iter().try_for_each(&mut *sound)?;
    }
    Ok(())
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

/// Walks through both copies of the log.
fn both(
    copy: &Path,
    log: Option<&Arc<Log>>,
    marked: u64,
    walk: &mut Walk<'_>,
    report: &mut Report,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ReadError> {
    let mut next = walk.begins;
    for met in Both::new(copy, log)? {
        match met {
            Met::Sound { seq, frames } => {
                if seq > next {
                    report.add(ReadError::at_seq(next, format!("a gap: after it comes {seq}")));
                }
                next = record(seq, &frames, walk, report).max(next);
            }
            Met::Damage(damage) => report.add(damage),
        }
        report.tell(next, marked.max(next), progress);
    }
    if next < marked {
        let what = format!("the log ends here, but everything before {marked} was acknowledged");
        report.add(ReadError::at_seq(next, what));
    }
    progress(Progress { events: next, of: next });
    Ok(())
}

/// Checks the frames of a record; returns where the next must begin.
fn record(seq: u64, frames: &[u8], walk: &mut Walk<'_>, report: &mut Report) -> u64 {
    let mut end = seq;
    let walked = read::frames(seq, frames, |frame| {
        // A damaged header can't be trusted to tell where the next frame begins.
        frame.sound()?;
        end = frame.end();
        whole(&frame, walk, report);
        Ok(())
    });
    if let Err(error) = walked {
        report.add(error);
    }
    end
}

fn whole(frame: &Frame<'_>, walk: &mut Walk<'_>, report: &mut Report) {
    walk.chains.follow(frame.seq, &frame.facts, &frame.hash, frame.payload, report);
    match frame.decode() {
        Ok(stored) => walk.seal(&stored, report),
        Err(error) => report.add(error),
    }
}

/// Reads every call through the index and the table, and counts.
fn index(found: &Found, report: &mut Report) -> Result<(), ReadError> {
    let Found { log, table, .. } = found;
    let log_was_sound = report.is_sound();
    let mut commits = 0u64;
    let mut count = |call, report: &mut Report| match read::call(log, call, &table.pending(call), u64::MAX) {
        Ok(read) => commits += read.len() as u64,
        Err(error) if log_was_sound => report.add(error),
        // A consequence of what is listed already.
        Err(_) => {}
    };
    let (mut last, tree) = (None, log.tree());
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
    if log_was_sound && commits != report.commits {
        let what = format!("it leads to {commits} commits, but the log holds {}", report.commits);
        report.add(Damage { place: "the index".into(), what });
    }
    Ok(())
}
