//! The files of checkpoints: `checkpoints`, which only grows and is synced, and `FRONTIER`, which spares the next
//! opening the way through the whole journal.
//!
//! `FRONTIER` needs no checksum and no sync: it is believed only if the checkpoint that it belongs to has its size, its
//! root and its events.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::error::ReadError;
use crate::journal::{Commits, Cursor};
use crate::layout;
use crate::open_error::OpenError;
use crate::proof::audit::{Audit, Kept};
use crate::proof::entries::{Entries, Entry};
use crate::proof::leaf::Leaf;
use crate::proof::note::MAX_NOTE_BYTES;
use crate::proof::sealer::Sealer;
use crate::proof::text::{base64, hash_from_base64};
use crate::proof::tree::Frontier;
use crate::retention::pruned::Pruned;
use crate::verify::Report;

/// The first line of `FRONTIER`.
const FORM: &str = "callbox frontier 1";

/// The open file of checkpoints.
#[derive(Debug)]
pub struct SealFile {
    dir: PathBuf,
    file: File,
    length: u64,
}

/// A place to go on from.
#[derive(Debug, Default)]
struct Saved {
    /// Where the entry begins that covers exactly this tree.
    offset: u64,
    frontier: Frontier,
    events: u64,
}

/// The checkpoints of a store, in the order they were written; none if it keeps none yet. Those that a writer adds from
/// now on are not among them: so a journal that is read afterwards reaches as far as they do.
///
/// # Errors
/// The system's.
pub fn kept(store: &Path) -> io::Result<Kept<'static>> {
    Ok(match document(store)? {
        Some(file) => Box::new(Entries::of(BufReader::new(file))),
        None => Box::new(std::iter::empty()),
    })
}

/// Their file, as long as it is now.
///
/// # Errors
/// The system's.
pub(crate) fn document(store: &Path) -> io::Result<Option<Take<File>>> {
    match File::open(store.join(layout::CHECKPOINTS)) {
        Ok(file) => {
            let length = file.metadata()?.len();
            Ok(Some(file.take(length)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The newest checkpoint that can be read; none if the store keeps none yet.
///
/// # Errors
/// The system's.
pub fn newest(store: &Path) -> io::Result<Option<Entry>> {
    // Enough for three entries of any size: a damaged one hides its neighbour at most.
    const ENOUGH: u64 = 4 * MAX_NOTE_BYTES as u64;
    let mut file = match File::open(store.join(layout::CHECKPOINTS)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let from = file.metadata()?.len().saturating_sub(ENOUGH);
    file.seek(SeekFrom::Start(from))?;
    let input = BufReader::new(file);
    let entries = if from == 0 { Entries::of(input) } else { Entries::somewhere(input) };
    Ok(entries.filter_map(Result::ok).last())
}

impl SealFile {
    /// Opens it for writing and builds the tree over all commits. `commits` reads the journal from a place on, `tail` is
    /// its end. `None` if it can't be read: such a tree can't be built.
    ///
    /// # Errors
    /// [`OpenError::Corrupt`] if a checkpoint covers more than the journal has: acknowledged commits were lost. Other
    /// damage is logged and left to `verify`: the calls must go on.
    pub fn open<'a>(
        store: &Path,
        tail: u64,
        commits: impl FnOnce(Cursor) -> Result<Commits<'a>, ReadError>,
    ) -> Result<Option<(Self, Sealer)>, OpenError> {
        let path = store.join(layout::CHECKPOINTS);
        let failed = |what| OpenError::io(what, &path);
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(failed("opening"))?;
        let pruned = match Pruned::of(store) {
            Ok(pruned) => pruned,
            Err(error) => {
                tracing::error!(%error, "no checkpoints are made: the tree over what was removed is lost");
                return Ok(None);
            }
        };
        let saved = Saved::read(store, &mut file)
            .filter(|saved| pruned.as_ref().is_none_or(|pruned| pruned.cut.events <= saved.events))
            .unwrap_or_default();
        file.seek(SeekFrom::Start(saved.offset)).map_err(failed("reading"))?;
        let resumed = match resume(&file, &saved, pruned.as_ref(), commits) {
            Ok(resumed) => resumed,
            Err(error) => {
                tracing::error!(%error, "no checkpoints are made: the journal can't be read through");
                return Ok(None);
            }
        };
        if let Some(events) = resumed.last.as_ref().and_then(|last| last.checkpoint.extension.events)
            && events > tail
        {
            return Err(OpenError::Corrupt {
                dir: store.to_owned(),
                place: format!("sequence {tail}"),
                what: format!("the log ends here, but a checkpoint covers everything before {events}"),
            });
        }
        let length = saved.offset + resumed.whole;
        // What was being written when the power went.
        file.set_len(length).map_err(failed("cutting"))?;
        layout::sync_dir(store).map_err(OpenError::io("syncing", store))?;
        let mut sealer = resumed.sealer;
        if let Some(pruned) = &pruned {
            sealer.prune(pruned.cut);
        }
        if let Some(last) = &resumed.last {
            sealer.follow(last);
        }
        Ok(Some((Self { dir: store.to_owned(), file, length }, sealer)))
    }

    /// Appends a checkpoint and syncs it.
    ///
    /// # Errors
    /// The system's; then the file is as long as before, as far as the system allows.
    pub fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let text = entry.to_text();
        let written =
            self.file.write_all_at(text.as_bytes(), self.length).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += text.len() as u64;
        Ok(())
    }

    /// Remembers the tree of the checkpoint that was appended last, for the next opening.
    ///
    /// # Errors
    /// The system's. Nothing is lost then but time.
    pub fn remember(&self, sealer: &Sealer, entry: &Entry) -> io::Result<()> {
        let offset = self.length - entry.to_text().len() as u64;
        let (frontier, events) = (sealer.frontier(), sealer.events());
        let mut text = format!("{FORM}\nentry {offset}\ncommits {}\nevents {events}\n", frontier.size());
        for peak in frontier.peaks() {
            text.push_str(&base64(peak));
            text.push('\n');
        }
        let new = self.dir.join(layout::FRONTIER).with_extension("new");
        File::create(&new)?.write_all(text.as_bytes())?;
        fs::rename(&new, self.dir.join(layout::FRONTIER))
    }
}

impl Saved {
    /// What `FRONTIER` says, if a checkpoint vouches for it.
    fn read(store: &Path, checkpoints: &mut File) -> Option<Self> {
        let saved = Self::parse(&fs::read_to_string(store.join(layout::FRONTIER)).ok()?)?;
        checkpoints.seek(SeekFrom::Start(saved.offset)).ok()?;
        let entry = Entries::of(BufReader::new(checkpoints)).next()?.ok()?;
        let (tree, events) = (entry.checkpoint.tree, entry.checkpoint.extension.events?);
        let vouched = tree.size == saved.frontier.size()
            && tree.root == saved.frontier.root()
            && events == saved.events;
        vouched.then_some(saved)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        lines.next().filter(|form| *form == FORM)?;
        let mut number = |name: &str| lines.next()?.strip_prefix(name)?.parse::<u64>().ok();
        let (offset, commits, events) = (number("entry ")?, number("commits ")?, number("events ")?);
        let peaks = lines.map(hash_from_base64).collect::<Option<Vec<_>>>()?;
        Some(Self { offset, frontier: Frontier::from_peaks(commits, peaks)?, events })
    }
}

/// What was found behind a place.
struct Resumed {
    sealer: Sealer,
    last: Option<Entry>,
    /// The bytes of whole entries.
    whole: u64,
}

/// Hands entries on and remembers the last.
struct Watched<'a> {
    entries: Entries<BufReader<&'a File>>,
    last: &'a mut Option<Entry>,
    whole: &'a mut u64,
}

impl Iterator for Watched<'_> {
    type Item = Result<Entry, crate::proof::entries::EntryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        *self.whole = self.entries.whole();
        if let Ok(entry) = &entry {
            *self.last = Some(entry.clone());
        }
        Some(entry)
    }
}

/// Builds the tree from a place on, comparing the checkpoints that follow.
fn resume<'a>(
    file: &File,
    saved: &Saved,
    pruned: Option<&Pruned>,
    commits: impl FnOnce(Cursor) -> Result<Commits<'a>, ReadError>,
) -> Result<Resumed, ReadError> {
    let (mut last, mut whole) = (None, 0);
    let entries = Entries::of(BufReader::new(file));
    let kept: Kept<'_> = Box::new(Watched { entries, last: &mut last, whole: &mut whole });
    // Without a place to go on from, the whole file is read, and all commits that there are.
    let mut audit = match saved.offset {
        0 => Audit::new(kept, Vec::new(), &[]).after(pruned),
        _ => Audit::resume(kept, saved.frontier.clone(), saved.events),
    };
    let from = Cursor::at(audit.built().1);
    let mut report = Report::default();
    audit.begin(&mut report);
    for stored in commits(from)? {
        if let Some(leaf) = Leaf::of(&stored?) {
            audit.add(&leaf, &mut report);
        }
    }
    let (frontier, events) = audit.built();
    let sealer = Sealer::resume(frontier.clone(), events);
    audit.finish(true, &mut report);
    for damage in &report.damages {
        tracing::error!(place = damage.place, what = damage.what, "a checkpoint does not fit");
    }
    Ok(Resumed { sealer, last, whole })
}
