//! The thread that removes what is no longer to be kept, while the journal is written.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use callbox_events::Timestamp;

use super::store::Store;
use crate::retention::held;
use crate::retention::holds::Holds;
use crate::retention::policy::Retention;
use crate::retention::prune::{Outcome, PruneError, Subject, plan};
use crate::retention::pruned::Pruned;
use crate::seal::{self, Seals};
use crate::verify::Progress;

/// How often it looks whether something is due, which costs next to nothing.
const EVERY: Duration = Duration::from_secs(60);

/// How long it leaves what could not be removed alone, because it is damaged or a call in it goes on: to find that out again,
/// all of a volume is read, which takes seconds.
const AFTER_OBSTACLE: Duration = Duration::from_secs(3_600);

/// Removes volumes until it is dropped.
#[derive(Debug)]
pub struct Keeper {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread; nothing to do without a limit.
    ///
    /// # Errors
    /// The system's.
    pub fn start(
        store: &Arc<Store>,
        seals: Option<&Arc<Seals>>,
        retention: Retention,
    ) -> io::Result<Option<Self>> {
        if !retention.is_limited() {
            return Ok(None);
        }
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let (store, seals, stopped) = (Arc::clone(store), seals.cloned(), Arc::clone(&stop));
        let thread = thread::Builder::new().name("callbox-keeper".into()).spawn(move || {
            let mut pause = Duration::ZERO;
            while !waited(&stopped, pause) {
                pause = look(&store, seals.as_deref(), retention);
            }
        })?;
        Ok(Some(Self { stop, thread: Some(thread) }))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that removes old volumes panicked");
        }
    }
}

/// Waits; true if it is to stop.
fn waited(stop: &(Mutex<bool>, Condvar), pause: Duration) -> bool {
    let stopped = stop.0.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = stop.1.wait_timeout_while(stopped, pause, |stopped| !*stopped);
    waited.map_or_else(|poisoned| *poisoned.into_inner().0, |(stopped, _)| *stopped)
}

/// Removes what is due; returns when to look again.
fn look(store: &Arc<Store>, seals: Option<&Seals>, retention: Retention) -> Duration {
    let now = Timestamp::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    match prune(store, seals, retention, false, now, &mut |_| {}) {
        Ok(outcome) => {
            if let Some(cut) = outcome.cut {
                let volumes = outcome.removed.len();
                tracing::info!(volumes, held = outcome.held, until = %cut.until, "old volumes were removed");
            }
            if outcome.stays.is_some() { AFTER_OBSTACLE } else { EVERY }
        }
        Err(error) => {
            tracing::error!(%error, "old volumes could not be removed");
            AFTER_OBSTACLE
        }
    }
}

/// Removes the volumes that are due, in this order: what is held is kept elsewhere, the tree over all of it is kept, then
/// the journal begins behind it; then it goes, and a checkpoint says so.
pub fn prune(
    store: &Arc<Store>,
    seals: Option<&Seals>,
    retention: Retention,
    dry_run: bool,
    now: Timestamp,
    progress: &mut dyn FnMut(Progress),
) -> Result<Outcome, PruneError> {
    let _alone = store.pruning.lock().unwrap_or_else(PoisonError::into_inner);
    let holds = Holds::read(&store.dir)?;
    let subject = Subject {
        reader: store,
        volumes: store.volumes()?,
        pruned: Pruned::of(&store.dir)?,
        is_released: &|call| store.is_released(call),
        holds: holds.clone(),
        kept: seal::kept(&store.dir)?,
    };
    let plan = plan(subject, retention, now, progress)?;
    let Some(begins) = plan.begins.filter(|_| !dry_run) else { return Ok(plan.outcome) };
    for (volume, calls) in plan.held.iter().filter(|(_, calls)| !calls.is_empty()) {
        held::keep(&store.dir, store, volume, calls, now)?;
    }
    begins.write(&store.dir)?;
    store.log.volumes.begin_at(begins.cut.events)?;
    if let Some(seals) = seals {
        seals.prune(begins.cut);
    }
    held::release(&store.dir, &holds)?;
    Ok(plan.outcome)
}
