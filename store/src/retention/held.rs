//! Held calls of volumes that were removed: each volume's in a portable recording of its own, `held/<volume>.recording`.
//!
//! Readers of the store see them as if they were still in the journal. What is held no longer is removed the next time
//! that volumes are.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use callbox_events::schema::StoredCommit;
use callbox_events::{CallId, Timestamp};

use super::holds::Holds;
use super::policy::Volume;
use super::pruned::Pruned;
use crate::error::ReadError;
use crate::journal::{CallIds, Commits, Cursor, Head, JournalReader};
use crate::layout;
use crate::open_error::OpenError;
use crate::recording::{Header, Recording, Writer};
use crate::subscription::Subscription;

const SUFFIX: &str = "recording";

/// Keeps these calls of a volume that is about to be removed; durable when it returns.
///
/// # Errors
/// The system's, or the reader's as such.
pub(crate) fn keep(
    store: &Path,
    reader: &dyn JournalReader,
    volume: &Volume,
    calls: &HashSet<CallId>,
    now: Timestamp,
) -> io::Result<()> {
    let dir = store.join(layout::HELD);
    fs::create_dir_all(&dir)?;
    layout::sync_dir(store)?;
    let path = dir.join(format!("{:020}.{SUFFIX}", volume.begin.seq()));
    let new = path.with_extension("new");
    let header = Header {
        created_by: concat!("callbox ", env!("CARGO_PKG_VERSION")).into(),
        created_at: now.to_string(),
        selection: vec!["held".into()],
        watermark: reader.tail().map_err(io::Error::other)?.seq(),
        redacted: None,
    };
    let mut writer = Writer::new(BufWriter::new(File::create(&new)?), &header)?;
    for stored in Chosen::new(reader, volume, calls).map_err(io::Error::other)? {
        writer.commit(&stored.map_err(io::Error::other)?, None)?;
    }
    let (mut out, _) = writer.finish()?;
    out.flush()?;
    out.get_ref().sync_all()?;
    fs::rename(&new, &path)?;
    layout::sync_dir(&dir)
}

/// All commits of chosen calls, from a volume on until the last of them is over.
struct Chosen<'a> {
    commits: Commits<'a>,
    calls: &'a HashSet<CallId>,
    open: HashSet<CallId>,
    end: u64,
}

impl<'a> Chosen<'a> {
    fn new(
        reader: &'a dyn JournalReader,
        volume: &Volume,
        calls: &'a HashSet<CallId>,
    ) -> Result<Self, ReadError> {
        let commits = reader.read_all(volume.begin)?;
        Ok(Self { commits, calls, open: calls.clone(), end: volume.end.seq() })
    }
}

impl Iterator for Chosen<'_> {
    type Item = Result<StoredCommit, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let stored = match self.commits.next()? {
                Ok(stored) => stored,
                Err(error) => return Some(Err(error)),
            };
            if stored.seq >= self.end && self.open.is_empty() {
                return None;
            }
            let call = stored.commit.call;
            if self.calls.contains(&call) {
                if stored.commit.releases() {
                    self.open.remove(&call);
                }
                return Some(Ok(stored));
            }
        }
    }
}

/// The recordings of a store, the oldest first.
fn files(store: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(store.join(layout::HELD)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == SUFFIX) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Removes the recordings of which no call is held any more; returns how many.
///
/// # Errors
/// The system's. A recording that is damaged stays.
pub(crate) fn release(store: &Path, holds: &Holds) -> io::Result<usize> {
    let mut released = 0;
    for path in files(store)? {
        let Ok(recording) = Recording::open(&path) else { continue };
        if recording.damages().is_empty() && !any_held(&recording, holds).unwrap_or(true) {
            fs::remove_file(&path)?;
            released += 1;
        }
    }
    Ok(released)
}

fn any_held(recording: &Recording, holds: &Holds) -> Result<bool, ReadError> {
    for stored in recording.read_all(Cursor::START)? {
        let commit = stored?.commit;
        if commit.version == 0 && holds.hold(commit.call, commit.at) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A store's journal together with the calls that were held when their volumes were removed.
pub(crate) struct WithHeld {
    inner: Box<dyn JournalReader>,
    recordings: Vec<Recording>,
    calls: HashSet<CallId>,
    begins: Cursor,
}

/// The journal as people see it. `inner` alone if nothing was ever held.
///
/// # Errors
/// Those of opening a recording.
pub(crate) fn beside(
    store: &Path,
    inner: Box<dyn JournalReader>,
) -> Result<Box<dyn JournalReader>, OpenError> {
    let files = files(store).map_err(OpenError::io("listing", &store.join(layout::HELD)))?;
    if files.is_empty() {
        return Ok(inner);
    }
    let recordings = files.iter().map(Recording::open).collect::<Result<Vec<_>, _>>()?;
    for damage in recordings.iter().flat_map(Recording::damages) {
        tracing::warn!(place = damage.place, what = damage.what, "a recording of held calls is damaged");
    }
    let begins = inner.pruned().ok().flatten().map_or(Cursor::START, |pruned| pruned.begins());
    let mut with = WithHeld { inner, recordings, calls: HashSet::new(), begins };
    with.calls = with.recordings.iter().flat_map(Recording::calls).flatten().flatten().collect();
    Ok(Box::new(with))
}

impl JournalReader for WithHeld {
    fn read(&self, call: CallId) -> Result<Vec<StoredCommit>, ReadError> {
        if !self.calls.contains(&call) {
            return self.inner.read(call);
        }
        let found = self.recordings.iter().map(|recording| recording.read(call));
        found.into_iter().find(|commits| !commits.as_ref().is_ok_and(Vec::is_empty)).unwrap_or(Ok(Vec::new()))
    }

    /// From before the journal's beginning: first the held calls, whole, then the others.
    fn read_all(&self, from: Cursor) -> Result<Commits<'_>, ReadError> {
        if from >= self.begins {
            return self.inner.read_all(from);
        }
        let mut parts = Vec::new();
        for recording in &self.recordings {
            parts.push(recording.read_all(Cursor::START)?);
        }
        let rest = self.inner.read_all(self.begins)?;
        let rest = rest.filter(|stored| {
            stored.as_ref().map_or(true, |stored| !self.calls.contains(&stored.commit.call))
        });
        Ok(Box::new(parts.into_iter().flatten().chain(rest)))
    }

    fn calls(&self) -> Result<CallIds<'_>, ReadError> {
        let mut held: Vec<CallId> = self.calls.iter().copied().collect();
        held.sort_unstable();
        let mut held = held.into_iter().peekable();
        let mut inner = self.inner.calls()?.peekable();
        let smaller = move || match (held.peek(), inner.peek()) {
            (Some(one), Some(Ok(other))) if one <= other => held.next().map(Ok),
            (Some(_), None) => held.next().map(Ok),
            (_, Some(_)) => inner.next(),
            (None, None) => None,
        };
        let mut last = None;
        let calls = std::iter::from_fn(smaller);
        let once = calls.filter(move |call| match call {
            Ok(call) => last.replace(*call) != Some(*call),
            Err(_) => true,
        });
        Ok(Box::new(once))
    }

    fn pruned(&self) -> Result<Option<Pruned>, ReadError> {
        self.inner.pruned()
    }

    fn tail(&self) -> Result<Cursor, ReadError> {
        self.inner.tail()
    }

    fn subscribe(&self, from: Cursor) -> Result<Subscription, ReadError> {
        self.inner.subscribe(from)
    }

    fn head(&self, call: CallId) -> Result<Option<Head>, ReadError> {
        if !self.calls.contains(&call) {
            return self.inner.head(call);
        }
        Ok(self.read(call)?.last().map(Head::after))
    }

    fn latest(&self) -> Result<Option<CallId>, ReadError> {
        Ok(self.inner.latest()?.max(self.calls.iter().max().copied()))
    }
}
