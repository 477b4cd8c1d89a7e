//! Looking at everything, volume by volume: both copies of the log beside each other, the index, and the facts. Goes on
//! behind each damage as far as it can.

use std::fs;
use std::ops::Range;
use std::path::Path;

use callbox_events::schema::StoredCommit;

use super::Options;
use super::both::{Both, Met};
use super::facts::Facts;
use super::open::{self, Found, Target};
use super::read;
use super::tree::Fault;
use super::volume_files::{fetch, firsts};
use crate::error::ReadError;
use crate::frame::Frame;
use crate::keys;
use crate::layout;
use crate::retention::pruned::Pruned;
use crate::verify::{Damage, Progress, Report, Walk};
use crate::watermark::{self, Level};

/// A private copy of a store, and what it was copied from.
#[derive(Debug, Clone, Copy)]
pub struct Copied<'a> {
    /// The copy.
    pub copy: &'a Path,
    /// The store; finished volumes are copied from there one at a time.
    pub original: &'a Path,
}

/// Checks a private copy of a store.
pub fn check_copy(copied: Copied<'_>, mut walk: Walk<'_>, progress: &mut dyn FnMut(Progress)) -> Report {
    let mut report = Report::default();
    walk.audit.begin(&mut report);
    if let Err(error) = look(copied, &mut walk, &mut report, progress) {
        report.add(error);
    }
    walk.finish(&mut report);
    report
}

fn look(
    copied: Copied<'_>,
    walk: &mut Walk<'_>,
    report: &mut Report,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ReadError> {
    let copy = copied.copy;
    let marked = watermark(copy, report);
    let (begin, spans) = (begin(copy, report)?, spans(copy)?);
    let mut way = Way { next: begin, marked, walk, report, progress };
    for span in spans {
        let found = copied.open(&span).map_err(|damage| way.report.add(damage)).ok().flatten();
        if way.report.is_sound() || found.is_some() {
            way.begins(&span);
        }
        let before = way.report.commits;
        if let Err(error) = way.both(copy, &span, found.as_ref()) {
            way.report.add(error);
        }
        if let Some(found) = &found {
            let commits = way.report.commits - before;
            index(found, &span, commits, way.report).unwrap_or_else(|error| way.report.add(error));
            facts(copy, found, &span, way.report).unwrap_or_else(|error| way.report.add(error));
        }
        drop(found);
        copied.close(&span);
    }
    way.ends();
    Ok(())
}

/// The volumes of a copy.
fn spans(copy: &Path) -> Result<Vec<Range<u64>>, ReadError> {
    let firsts = firsts(copy).map_err(unavailable)?;
    let ends = firsts.iter().skip(1).copied().chain([u64::MAX]);
    Ok(firsts.iter().copied().zip(ends).map(|(first, end)| first..end).collect())
}

fn unavailable(error: std::io::Error) -> ReadError {
    ReadError::Unavailable { why: error.to_string() }
}

impl Copied<'_> {
    /// A volume as it is, not made again; `None` if nothing was ever written.
    fn open(&self, span: &Range<u64>) -> Result<Option<Found>, Damage> {
        let place = format!("{}/{:020}", layout::LOG, span.start);
        let damage = |what: String| Damage { place: place.clone(), what };
        let dir = layout::log_dir(self.copy, span.start);
        fetch(self.original, span.start, &dir).map_err(|fault| damage(fault.to_string()))?;
        if !dir.join("db").exists() {
            let segments = crate::wal::segments(self.copy).map_err(|error| damage(error.to_string()))?;
            if !segments.iter().any(|segment| span.contains(segment)) {
                return Ok(None);
            }
            return Err(damage("sled's directory is missing; opening the store makes it again".into()));
        }
        let target = Target { store: self.copy, original: None, options: &Options::default() };
        open::as_it_is(target, span).map(Some).map_err(|error| damage(error.to_string()))
    }

    /// What was copied of a volume is not needed any more.
    fn close(&self, span: &Range<u64>) {
        let _ = fs::remove_dir_all(layout::log_dir(self.copy, span.start));
    }
}

/// Hands over every commit of a private copy that is whole in at least one copy of the log, in order, and every damage.
pub fn each_sound_commit<E: From<ReadError>>(
    copied: Copied<'_>,
    damaged: &mut dyn FnMut(Damage),
    sound: &mut dyn FnMut(StoredCommit) -> Result<(), E>,
) -> Result<(), E> {
    for span in spans(copied.copy)? {
        let found = copied.open(&span).map_err(&mut *damaged).ok().flatten();
        each_in(copied.copy, &span, found.as_ref(), damaged, sound)?;
        drop(found);
        copied.close(&span);
    }
    Ok(())
}

fn each_in<E: From<ReadError>>(
    copy: &Path,
    span: &Range<u64>,
    found: Option<&Found>,
    damaged: &mut dyn FnMut(Damage),
    sound: &mut dyn FnMut(StoredCommit) -> Result<(), E>,
) -> Result<(), E> {
    for met in Both::new(copy, span, found.map(|found| &found.tree))? {
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

/// Where the journal begins.
fn begin(copy: &Path, report: &mut Report) -> Result<u64, ReadError> {
    if let Err(error) = Pruned::of(copy) {
        report.add(error);
    }
    layout::begin(copy).map_err(unavailable)
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

/// The way through all volumes.
struct Way<'a, 'b> {
    next: u64,
    marked: u64,
    walk: &'a mut Walk<'b>,
    report: &'a mut Report,
    progress: &'a mut dyn FnMut(Progress),
}

impl Way<'_, '_> {
    /// A volume must begin where the one before ended.
    fn begins(&mut self, span: &Range<u64>) {
        if span.start > self.next {
            let what = format!("a gap: the next volume begins at {}", span.start);
            self.report.add(ReadError::at_seq(self.next, what));
            self.next = span.start;
        }
    }

    /// Walks through both copies of a volume.
    fn both(&mut self, copy: &Path, span: &Range<u64>, found: Option<&Found>) -> Result<(), ReadError> {
        for met in Both::new(copy, span, found.map(|found| &found.tree))? {
            match met {
                Met::Sound { seq, frames } => {
                    if seq > self.next {
                        self.report.add(ReadError::at_seq(self.next, format!("a gap: after it comes {seq}")));
                    }
                    self.next = record(seq, &frames, self.walk, self.report).max(self.next);
                }
                Met::Damage(damage) => self.report.add(damage),
            }
            self.report.tell(self.next, self.marked.max(self.next), self.progress);
        }
        Ok(())
    }

    /// The last one must reach the watermark.
    fn ends(self) {
        let Self { next, marked, report, progress, .. } = self;
        if next < marked {
            let what = format!("the log ends here, but everything before {marked} was acknowledged");
            report.add(ReadError::at_seq(next, what));
        }
        progress(Progress { events: next, of: next });
    }
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

/// Reads every call of a volume through its index and the table, and counts.
fn index(found: &Found, span: &Range<u64>, held: u64, report: &mut Report) -> Result<(), ReadError> {
    let Found { log, table, tree, .. } = found;
    let log_was_sound = report.is_sound();
    let mut commits = 0u64;
    let mut count = |call, report: &mut Report| match read::count(log, span, call, &table.pending(call)) {
        Ok(read) => commits += read,
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
    if log_was_sound && commits != held {
        let what = format!("it leads to {commits} commits, but the log holds {held}");
        report.add(Damage { place: "the index".into(), what });
    }
    Ok(())
}

/// Compares the facts of a finished volume with what it holds.
fn facts(copy: &Path, found: &Found, span: &Range<u64>, report: &mut Report) -> Result<(), ReadError> {
    let file = layout::facts_file(copy, span.start);
    if span.end == u64::MAX || !file.exists() || !report.is_sound() {
        return Ok(());
    }
    let held = Facts::gather(copy, span.start, span.end, &found.tree)?;
    if Facts::read(copy, span.start) != held {
        let place = format!("{}/{:020}.facts", layout::LOG, span.start);
        report.add(Damage { place, what: "it says something else than the volume".into() });
    }
    Ok(())
}
