//! sled fails while the journal runs: it is made again from the write-ahead log, and takes its place under the readers.
//!
//! 1. From now on the writer does not wait for sled: what is too much for memory is let go, since the log has it.
//!    Readers ask the old sled as before, and the log where it fails.
//! 2. A new directory is filled from the log (`rebuild`), up to where what is young begins.
//! 3. It takes the old one's place: on the disk, then under the readers, then in the table.
//!
//! If that fails again and again the log serves alone, and it is tried again now and then. Acknowledgements never rested on
//! sled, so they go on all the time.

use std::time::{Duration, Instant};

use super::fill::Stopped;
use super::queue::Queue;
use super::quiet::guarded;
use super::rebuild;
use super::room::{Side, with_room};
use super::store::Store;
use super::tree::Fault;
use crate::error::ReadError;

/// How long to wait before each attempt.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(100), Duration::from_secs(1)];

/// How long to wait between attempts once sled was given up.
const RETRY: Duration = Duration::from_secs(300);

/// After making it again because a reader complained, nobody is listened to for so many times as long as it took.
const REST: u32 = 4;

/// How it ended.
pub enum Healed {
    /// sled is in use again.
    InUse,
    /// The journal was closed; the next opening goes on from the log.
    Closed,
}

/// What came of one attempt.
enum Attempt {
    Ended(Healed),
    /// It failed; whether the sled of before is still in its place.
    Failed {
        in_place: bool,
    },
}

/// Makes sled again where it has to be.
#[derive(Debug, Default)]
pub struct Doctor {
    /// Until then readers' complaints are not looked into.
    rest_until: Option<Instant>,
}

impl Doctor {
    /// A batch could not be carried over: makes sled again, for as long as it takes.
    pub fn heal(&mut self, store: &Store, queue: &Queue, fault: &Fault) -> Healed {
        tracing::error!(%fault, "sled failed; it is made again from the write-ahead log, which takes appends meanwhile");
        for pause in PAUSES {
            if let Attempt::Ended(healed) = attempt(store, queue, pause, &mut || rebuild::active(store)) {
                return healed;
            }
        }
        if let Some(active) = store.log.volumes.active() {
            active.go_without();
        }
        tracing::error!(
            "sled is given up for now: the write-ahead log serves alone, and finding a call takes longer"
        );
        loop {
            if let Attempt::Ended(healed) = attempt(store, queue, RETRY, &mut || rebuild::active(store)) {
                return healed;
            }
        }
    }

    /// A reader found damage, and helped itself. If sled can be made again, it is; if not, either copy still serves
    /// where the other one is damaged. What is damaged in both would be complained of for ever.
    pub fn look_into(&mut self, store: &Store, queue: &Queue, volume: u64, why: &ReadError) -> Healed {
        let began = Instant::now();
        let spans = store.log.volumes.spans();
        let found = spans.into_iter().find(|(found, _)| found.first == volume);
        let Some((volume, span)) = found.filter(|_| self.rest_until.is_none_or(|until| began >= until))
        else {
            return Healed::InUse;
        };
        tracing::error!(%why, volume = volume.first, "sled is damaged; it is made again from the write-ahead log");
        let is_active = span.end == u64::MAX;
        let mut make = || {
            if is_active { rebuild::active(store) } else { rebuild::finished(store, &volume, &span) }
        };
        let attempt = attempt(store, queue, Duration::ZERO, &mut make);
        let rest = if matches!(attempt, Attempt::Ended(_)) { began.elapsed() * REST } else { RETRY };
        self.rest_until = Some(Instant::now() + rest);
        match attempt {
            Attempt::Ended(Healed::Closed) => Healed::Closed,
            Attempt::Ended(Healed::InUse) if is_active => Healed::InUse,
            Attempt::Ended(Healed::InUse) | Attempt::Failed { in_place: true } if store.log.young.keep() => {
                Healed::InUse
            }
            Attempt::Ended(Healed::InUse) | Attempt::Failed { .. } => {
                self.heal(store, queue, &Fault::Damage("it could not be made again at once".into()))
            }
        }
    }
}

fn attempt(
    store: &Store,
    queue: &Queue,
    pause: Duration,
    make: &mut dyn FnMut() -> Result<(), Stopped>,
) -> Attempt {
    store.log.young.shed();
    if store.log.young.is_closed_within(pause) {
        return Attempt::Ended(Healed::Closed);
    }
    let mut make = || guarded(&mut *make).unwrap_or_else(|panic| Err(Fault::Damage(panic).into()));
    let mut in_place = true;
    let outcome = with_room(queue, Side::Sled, || match make() {
        Err(Stopped::Fault(fault)) => Err(fault),
        Err(Stopped::Halfway(fault)) => {
            in_place = false;
            Err(fault)
        }
        Err(Stopped::Closed) => Ok(Healed::Closed),
        Ok(()) => Ok(Healed::InUse),
    });
    match outcome {
        Ok(healed) => Attempt::Ended(healed),
        // Waited for room until the journal was closed.
        Err(Fault::Full) => Attempt::Ended(Healed::Closed),
        Err(fault @ (Fault::Io(_) | Fault::Damage(_))) => {
            tracing::error!(%fault, "sled could not be made again");
            Attempt::Failed { in_place }
        }
    }
}

#[cfg(test)]
mod tests;
