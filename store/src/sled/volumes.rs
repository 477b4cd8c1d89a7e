//! The volumes of a journal: each a sled directory and the segments of the write-ahead log from its first global sequence
//! number to the next volume's. None needs another one to be read, opened or made again.
//!
//! The newest is *active*: what is durable is carried over to its sled, which stays open. The others are *finished*: they
//! never change again, their [`Facts`] are known, and their sleds are opened when somebody asks for what is in them; at
//! most a few are open at once.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, Weak};

use callbox_events::CallId;

use super::facts::Facts;
use super::open::open_tree;
use super::tree::{Fault, Tree};
use super::volume_files::{fetch, remove_before};
use crate::keys;
use crate::layout;

/// At most so many finished volumes stay open.
const MOST_OPEN: usize = 4;

/// The most that each of those may cache.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// One volume.
#[derive(Debug)]
pub struct Volume {
    /// Its first global sequence number.
    pub first: u64,
    slot: Mutex<Slot>,
    /// Whether its sled was given up: then its index says less than there is.
    without: AtomicBool,
    facts: RwLock<Option<Arc<Facts>>>,
}

#[derive(Debug)]
enum Slot {
    /// The active one's.
    Open(Arc<Tree>),
    /// Open if somebody reads it, or did lately.
    Maybe(Weak<Tree>),
}

impl Volume {
    fn new(first: u64, slot: Slot, facts: Option<Facts>) -> Arc<Self> {
        let (slot, facts) = (Mutex::new(slot), RwLock::new(facts.map(Arc::new)));
        Arc::new(Self { first, slot, without: AtomicBool::new(false), facts })
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its facts, if it is finished and they are known.
    pub fn facts(&self) -> Option<Arc<Facts>> {
        self.facts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a call may have commits in it.
    pub fn may_hold(&self, call: CallId) -> bool {
        self.facts().is_none_or(|facts| facts.calls.may_hold(call))
    }

    /// Whether its sled was given up.
    pub fn is_without(&self) -> bool {
        self.without.load(Ordering::Acquire)
    }

    /// Its sled is given up.
    pub fn go_without(&self) {
        self.without.store(true, Ordering::Release);
    }
}

/// All of them.
#[derive(Debug)]
pub struct Volumes {
    store: PathBuf,
    /// For a copy: the store that finished volumes are copied from when they are needed.
    original: Option<PathBuf>,
    cache_bytes: u64,
    list: RwLock<Vec<Arc<Volume>>>,
    begin: AtomicU64,
    /// The finished ones that stay open, the one asked last at the end.
    open: Mutex<VecDeque<Arc<Tree>>>,
}

impl Volumes {
    /// The volumes that begin at `finished`, of which nothing is opened, and the active one.
    pub fn new(
        store: &Path,
        original: Option<&Path>,
        cache_bytes: u64,
        finished: &[u64],
        active: (u64, Arc<Tree>),
    ) -> io::Result<Self> {
        let known = |first: &u64| Volume::new(*first, Slot::Maybe(Weak::new()), Facts::read(store, *first));
        let mut list: Vec<_> = finished.iter().map(known).collect();
        list.push(Volume::new(active.0, Slot::Open(active.1), None));
        Ok(Self {
            store: store.to_owned(),
            original: original.map(Path::to_owned),
            cache_bytes,
            list: RwLock::new(list),
            begin: AtomicU64::new(layout::begin(store)?),
            open: Mutex::default(),
        })
    }

    fn list(&self) -> RwLockReadGuard<'_, Vec<Arc<Volume>>> {
        self.list.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first global sequence number that is kept.
    pub fn begin(&self) -> u64 {
        self.begin.load(Ordering::Acquire)
    }

    /// The one that everything goes to.
    pub fn active(&self) -> Option<Arc<Volume>> {
        self.list().last().cloned()
    }

    /// The one that holds this global sequence number, or will.
    pub fn at(&self, seq: u64) -> Option<Arc<Volume>> {
        let list = self.list();
        let place = list.partition_point(|volume| volume.first <= seq);
        list.get(place.checked_sub(1)?).cloned()
    }

    /// All with their global sequence numbers, oldest first; those of the active one have no end.
    pub fn spans(&self) -> Vec<(Arc<Volume>, Range<u64>)> {
        self.spans_where(|_| true)
    }

    fn spans_where(&self, wanted: impl Fn(&Volume) -> bool) -> Vec<(Arc<Volume>, Range<u64>)> {
        let list = self.list();
        let ends = list.iter().skip(1).map(|next| next.first).chain([u64::MAX]);
        let wanted = list.iter().zip(ends).filter(|(volume, _)| wanted(volume));
        wanted.map(|(volume, end)| (Arc::clone(volume), volume.first..end)).collect()
    }

    /// Those that may hold commits of a call, oldest first.
    pub fn of(&self, call: CallId) -> Vec<(Arc<Volume>, Range<u64>)> {
        self.spans_where(|volume| volume.may_hold(call))
    }

    /// The sled of a volume, opened if need be.
    pub fn tree(&self, volume: &Volume) -> Result<Arc<Tree>, Fault> {
        let mut slot = volume.slot();
        let weak = match &*slot {
            Slot::Open(tree) => return Ok(Arc::clone(tree)),
            Slot::Maybe(weak) => weak,
        };
        let tree = match weak.upgrade() {
            Some(tree) => tree,
            None => {
                let dir = layout::log_dir(&self.store, volume.first);
                if let Some(original) = &self.original {
                    fetch(original, volume.first, &dir)?;
                }
                if !dir.join("db").exists() {
                    return Err(Fault::Damage(format!(
                        "sled's directory of volume {} is missing",
                        volume.first
                    )));
                }
                // Whatever keeps it from being opened: the write-ahead log serves.
                let unusable = |fault: Fault| Fault::Damage(format!("sled does not open: {fault}"));
                let tree = open_tree(&dir, self.cache_bytes.min(CACHE_BYTES)).map_err(unusable)?;
                if let Some(facts) = volume.facts() {
                    reaches(&tree, facts.end)?;
                }
                tree
            }
        };
        *slot = Slot::Maybe(Arc::downgrade(&tree));
        drop(slot);
        self.keep_open(&tree);
        Ok(tree)
    }

    /// The same for somebody who believes what its index says.
    pub fn index(&self, volume: &Volume) -> Result<Arc<Tree>, Fault> {
        if volume.is_without() {
            return Err(Fault::Damage("sled is out of use".into()));
        }
        self.tree(volume)
    }

    fn keep_open(&self, tree: &Arc<Tree>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|kept| !Arc::ptr_eq(kept, tree));
        open.push_back(Arc::clone(tree));
        let closed = if open.len() > MOST_OPEN { open.pop_front() } else { None };
        drop(open);
        // Closing takes a moment.
        drop(closed);
    }

    /// The sled of a volume was made again.
    pub fn put(&self, volume: &Volume, tree: Arc<Tree>) {
        *volume.slot() = Slot::Open(tree);
        volume.without.store(false, Ordering::Release);
    }

    /// The sled of a finished volume was made again: `replace` puts it in the place of the old one, while nobody can open
    /// either. Whoever asks next opens the new one.
    pub fn made_again(
        &self,
        volume: &Volume,
        facts: Option<Facts>,
        replace: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let mut slot = volume.slot();
        replace()?;
        let before = std::mem::replace(&mut *slot, Slot::Maybe(Weak::new()));
        drop(slot);
        if let Slot::Maybe(weak) = before {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.retain(|kept| Weak::as_ptr(&weak) != Arc::as_ptr(kept));
        }
        *volume.facts.write().unwrap_or_else(PoisonError::into_inner) = facts.map(Arc::new);
        Ok(())
    }

    /// The active volume is finished, and a new one is active. Without `tree` its sled has to be made again.
    pub fn turn(&self, facts: Option<Facts>, first: u64, tree: Option<Arc<Tree>>) {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        let finished = list.last().cloned();
        list.push(Volume::new(first, tree.map_or(Slot::Maybe(Weak::new()), Slot::Open), None));
        drop(list);
        let Some(finished) = finished else { return };
        *finished.facts.write().unwrap_or_else(PoisonError::into_inner) = facts.map(Arc::new);
        let mut slot = finished.slot();
        if let Slot::Open(tree) = &*slot {
            let tree = Arc::clone(tree);
            *slot = Slot::Maybe(Arc::downgrade(&tree));
            drop(slot);
            self.keep_open(&tree);
        }
    }

    /// The journal begins here from now on, which is durable already: the volumes before it are gone for everybody. What a
    /// crash leaves of their files is removed at the next opening.
    pub fn begin_at(&self, begin: u64) -> io::Result<()> {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        let count = list.iter().take_while(|volume| volume.first < begin).count();
        let count = count.min(list.len().saturating_sub(1));
        self.begin.store(begin, Ordering::Release);
        let dropped: Vec<_> = list.drain(..count).collect();
        drop(list);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|kept| !dropped.iter().any(|volume| volume.is(kept)));
        drop(open);
        remove_before(&self.store, begin)
    }
}

impl Volume {
    fn is(&self, tree: &Arc<Tree>) -> bool {
        match &*self.slot() {
            Slot::Open(own) => Arc::ptr_eq(own, tree),
            Slot::Maybe(own) => Weak::as_ptr(own) == Arc::as_ptr(tree),
        }
    }
}

/// What sled lost of a damaged file it may not miss: then it is older than it was.
fn reaches(tree: &Tree, end: u64) -> Result<(), Fault> {
    let floor = tree.get(keys::FLOOR)?;
    if floor.is_some_and(|floor| floor.as_ref() == end.to_be_bytes()) {
        return Ok(());
    }
    Err(Fault::Damage(format!("sled does not reach the end of its volume, {end}, any more")))
}
