//! The one tree of a log directory: every call into sled goes through here.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::quiet::guarded;
use crate::error::{AppendError, ReadError};
use crate::keys;

/// What sled did instead of what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No room on the disk.
    Full,
    /// The system refused.
    Io(String),
    /// It found damage, or panicked over it.
    Damage(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("the disk is full"),
            Self::Io(what) | Self::Damage(what) => f.write_str(what),
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        if matches!(error.kind(), StorageFull | QuotaExceeded) || error.to_string().contains("No space left")
        {
            Self::Full
        } else {
            Self::Io(error.to_string())
        }
    }
}

impl From<sled::Error> for Fault {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => error.into(),
            sled::Error::Corruption { .. } => Self::Damage("sled finds a page damaged".into()),
            sled::Error::CollectionNotFound(_)
            | sled::Error::Unsupported(_)
            | sled::Error::ReportableBug(_) => {
                Self::Damage(error.to_string().lines().next().unwrap_or_default().to_owned())
            }
        }
    }
}

impl From<&Fault> for AppendError {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Full => Self::Full,
            Fault::Io(_) | Fault::Damage(_) => Self::Unavailable { why: fault.to_string() },
        }
    }
}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Full | Fault::Io(_) => Self::Unavailable { why: fault.to_string() },
            Fault::Damage(what) => Self::Corrupt { place: "the log".into(), what },
        }
    }
}

fn run<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, Fault> {
    match guarded(work) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.into()),
        Err(panic) => Err(Fault::Damage(format!("sled gave up: {panic}"))),
    }
}

/// sled's worker threads may hold its file, and its lock on it, for a moment after it was closed. Our own lock has kept
/// every other process out, so it is only a matter of waiting: up to ten seconds.
const LINGERING: (u32, Duration) = (1_000, Duration::from_millis(10));

fn is_lingering(fault: &Fault) -> bool {
    match fault {
        Fault::Io(what) => what.contains("could not acquire lock"),
        Fault::Full | Fault::Damage(_) => false,
    }
}

/// What sled is left on the disk before a batch, and one part in so many of its file on top.
const ROOM_BYTES: u64 = 4 * 1024 * 1024;
const SNAPSHOT_SHARE: u64 = 64;

/// An open log directory.
pub struct Tree {
    db: Option<sled::Db>,
    /// Our own descriptor of sled's file: its `flush` alone doesn't reach the disk.
    file: File,
    /// For tests: takes nothing any more.
    #[cfg(test)]
    pub fails: std::sync::atomic::AtomicBool,
}

/// What is written in one go.
#[derive(Default)]
pub struct Batch {
    inner: sled::Batch,
    /// How many bytes of keys and values it has.
    pub bytes: usize,
}

impl Batch {
    /// Adds a pair.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.bytes += key.len() + value.len();
        self.inner.insert(key, value);
    }
}

impl Tree {
    /// Opens sled's directory as it is. See `open` for what has to be done around it.
    pub fn open(dir: &Path, cache_bytes: u64) -> Result<Arc<Self>, Fault> {
        let config = sled::Config::new().path(dir).cache_capacity(cache_bytes).flush_every_ms(None);
        let mut opened = run(|| config.open());
        for _ in 0..LINGERING.0 {
            if !opened.as_ref().is_err_and(is_lingering) {
                break;
            }
            std::thread::sleep(LINGERING.1);
            opened = run(|| config.open());
        }
        let db = opened?;
        let file = File::options().read(true).write(true).open(dir.join("db"))?;
        Ok(Arc::new(Self {
            db: Some(db),
            file,
            #[cfg(test)]
            fails: std::sync::atomic::AtomicBool::default(),
        }))
    }

    fn db(&self) -> Result<&sled::Db, Fault> {
        self.db.as_ref().ok_or_else(|| Fault::Io("closed".into()))
    }

    /// Applies a batch atomically and makes it durable: one batch, sled's flush, then a sync of our own.
    pub fn commit(&self, batch: Batch) -> Result<(), Fault> {
        self.apply(batch)?;
        self.sync()
    }

    /// Applies a batch atomically: readable from now on, not durable.
    pub fn apply(&self, batch: Batch) -> Result<(), Fault> {
        let db = self.db()?;
        #[cfg(test)]
        if self.fails.load(std::sync::atomic::Ordering::Acquire) {
            return run(|| panic!("tried to serialize Uninitialized"));
        }
        run(|| db.apply_batch(batch.inner))
    }

    /// Makes everything applied durable. A failed sync is never repeated: the kernel may have dropped the pages.
    pub fn sync(&self) -> Result<(), Fault> {
        let db = self.db()?;
        run(|| db.flush())?;
        Ok(self.file.sync_data()?)
    }

    /// Whether there is room for what sled may write for one batch: pages again, new segments, a snapshot whose size
    /// goes with that of the file. In the middle of a batch it would be too late to find out.
    pub fn has_room(&self) -> Result<(), Fault> {
        let disk = rustix::fs::fstatvfs(&self.file).map_err(std::io::Error::from)?;
        let wanted = ROOM_BYTES + self.file.metadata()?.len() / SNAPSHOT_SHARE;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < wanted { Err(Fault::Full) } else { Ok(()) }
    }

    /// The value under a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, Fault> {
        let db = self.db()?;
        run(|| db.get(key))
    }

    /// The last pair whose key begins with `prefix`.
    pub fn last(&self, prefix: &[u8]) -> Result<Option<(sled::IVec, sled::IVec)>, Fault> {
        let db = self.db()?;
        run(|| db.scan_prefix(prefix).next_back().transpose())
    }

    /// True if there is nothing in it.
    pub fn is_empty(&self) -> Result<bool, Fault> {
        let db = self.db()?;
        run(|| Ok(db.is_empty()))
    }

    /// The pairs whose keys begin with `prefix`, from `from` on.
    pub fn scan(self: &Arc<Self>, prefix: &[u8], from: &[u8]) -> Result<Pairs, Fault> {
        let db = self.db()?;
        let inner = run(|| Ok(db.range(from.to_vec()..)))?;
        Ok(Pairs { inner, prefix: prefix.to_vec(), _tree: Arc::clone(self) })
    }

    /// The global sequence number of the chunk that holds `seq`, or of the last one before it.
    pub fn chunk_at(&self, seq: u64) -> Result<Option<u64>, Fault> {
        let db = self.db()?;
        let found =
            run(|| db.range(keys::chunk(0).to_vec()..=keys::chunk(seq).to_vec()).next_back().transpose())?;
        Ok(found.and_then(|(key, _)| keys::parse_chunk(&key)).map(|key| key.seq))
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").finish_non_exhaustive()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let db = self.db.take();
        let _ = guarded(move || drop(db));
    }
}

/// Pairs in the order of their keys. After an error it ends.
pub struct Pairs {
    inner: sled::Iter,
    prefix: Vec<u8>,
    /// Stays open meanwhile.
    _tree: Arc<Tree>,
}

impl Iterator for Pairs {
    type Item = Result<(sled::IVec, sled::IVec), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let inner = &mut self.inner;
        match run(|| inner.next().transpose()) {
            Ok(pair) => pair.filter(|(key, _)| key.starts_with(&self.prefix)).map(Ok),
            Err(fault) => Some(Err(fault)),
        }
    }
}
