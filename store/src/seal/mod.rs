//! The thread that makes checkpoints while a journal is written.
//!
//! The writer tells each group's commits here after it has acknowledged them; that costs three hashes a commit and no
//! IO. At an interval, and when the journal closes, a thread of its own signs, writes and syncs: an ack never waits for
//! a checkpoint. A checkpoint is made if there is something new to cover, or somebody listens and says so (its beat).

mod file;

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use callbox_events::Timestamp;

pub(crate) use self::file::{SealFile, document};
pub use self::file::{kept, newest};
use crate::proof::beat::{Beat, Liveness, Presence};
use crate::proof::cut::Cut;
use crate::proof::key::SigningKey;
use crate::proof::leaf::Leaf;
use crate::proof::sealer::Sealer;

/// How long a checkpoint that was asked for waits for the writer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the checkpoints of one journal until it is finished.
#[derive(Debug)]
pub(crate) struct Seals {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    key: Option<Arc<SigningKey>>,
    /// The most that one beat vouches for.
    longest: Option<Duration>,
    /// Held while a checkpoint is made; taken before `state`.
    file: Mutex<SealFile>,
    state: Mutex<State>,
    stopping: Condvar,
    /// Rung for those who wait for commits to come into the tree.
    grown: Condvar,
}

#[derive(Debug)]
struct State {
    sealer: Sealer,
    attendants: Vec<Attendant>,
    stop: bool,
    /// How many wait for `grown`.
    waiting: usize,
}

/// Somebody who listens, and what was last said of it.
struct Attendant {
    liveness: Weak<dyn Liveness>,
    since: Timestamp,
    received: u64,
    sent: u64,
}

impl std::fmt::Debug for Attendant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attendant").field("since", &self.since).finish_non_exhaustive()
    }
}

impl Seals {
    /// Starts the thread. An interval of zero means: when it is asked for, and at the end.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn start(
        file: SealFile,
        sealer: Sealer,
        key: Option<Arc<SigningKey>>,
        interval: Duration,
    ) -> io::Result<Self> {
        let state = State { sealer, attendants: Vec::new(), stop: false, waiting: 0 };
        let (file, state) = (Mutex::new(file), Mutex::new(state));
        let shared = Arc::new(Shared {
            key,
            longest: longest(interval),
            file,
            state,
            stopping: Condvar::new(),
            grown: Condvar::new(),
        });
        let sealing = Arc::clone(&shared);
        let thread = thread::Builder::new().name("callbox-seals".into());
        let thread = thread.spawn(move || sealing.run(interval))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Takes the next commits, in order, once they are durable.
    pub(crate) fn add(&self, leaves: &[Leaf]) {
        let mut state = self.shared.state();
        leaves.iter().for_each(|leaf| state.sealer.add(leaf));
        if state.waiting > 0 {
            self.shared.grown.notify_all();
        }
    }

    /// From now on every checkpoint has a beat of this one, as long as it lives.
    pub(crate) fn attend(&self, liveness: Weak<dyn Liveness>) {
        let Some(presence) = liveness.upgrade().map(|liveness| liveness.presence()) else { return };
        let (received, sent) = (presence.received, presence.sent);
        self.shared.state().attendants.push(Attendant { liveness, since: now(), received, sent });
    }

    /// From now on checkpoints say that these commits were removed; the first of them at once.
    pub(crate) fn prune(&self, cut: Cut) {
        self.shared.state().sealer.prune(cut);
        self.shared.seal();
    }

    /// Makes a checkpoint now, of everything before `durable` at least.
    pub(crate) fn checkpoint(&self, durable: u64) {
        let mut state = self.shared.state();
        state.waiting += 1;
        // Between its ack and its place in the tree, a commit is only hashed; a writer that died is not waited for.
        let behind = |state: &mut State| state.sealer.events() < durable && !state.stop;
        let waited = self.shared.grown.wait_timeout_while(state, PATIENCE, behind);
        let mut state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        state.waiting -= 1;
        drop(state);
        self.shared.seal();
    }

    /// Makes a last checkpoint, then none any more. Idempotent.
    pub(crate) fn finish(&self) {
        self.shared.state().stop = true;
        self.shared.stopping.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that makes checkpoints panicked");
        }
    }
}

impl Drop for Seals {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, interval: Duration) {
        // As good as never.
        let interval = if interval.is_zero() { Duration::from_secs(u64::from(u32::MAX)) } else { interval };
        loop {
            let waited = self.stopping.wait_timeout_while(self.state(), interval, |state| !state.stop);
            let stop = waited.map_or_else(|poisoned| poisoned.into_inner().0.stop, |(state, _)| state.stop);
            self.seal();
            if stop {
                return;
            }
        }
    }

    /// Makes a checkpoint if there is something to say. What could not be written is said the next time.
    fn seal(&self) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        let (mut sealer, present) = {
            let mut state = self.state();
            state.attendants.retain(|attendant| attendant.liveness.strong_count() > 0);
            (state.sealer.clone(), self.present(&state, now))
        };
        let beats: Vec<Beat> = present.iter().flatten().map(|(beat, _)| beat.clone()).collect();
        if !sealer.is_behind() && beats.is_empty() {
            return;
        }
        let entry = sealer.checkpoint(now, beats, self.key.as_deref()).map_err(io::Error::other);
        let entry = match entry.and_then(|entry| file.append(&entry).map(|()| entry)) {
            Ok(entry) => entry,
            Err(error) => {
                tracing::error!(%error, "a checkpoint was not written");
                return;
            }
        };
        let mut state = self.state();
        state.sealer.follow(&entry);
        let time = entry.checkpoint.extension.time.unwrap_or_default();
        for (attendant, present) in state.attendants.iter_mut().zip(&present) {
            attendant.told(time, present.as_ref().map(|(_, presence)| presence));
        }
        drop(state);
        if let Err(error) = file.remember(&sealer, &entry) {
            tracing::warn!(%error, "the tree's frontier was not written; the next opening reads more");
        }
    }
}

impl Shared {
    /// What everybody who listens has to say.
    fn present(&self, state: &State, now: Timestamp) -> Vec<Option<(Beat, Presence)>> {
        state.attendants.iter().map(|attendant| attendant.present(now, self.longest)).collect()
    }
}

/// The most that a beat may vouch for. Beats come at the interval; if one comes much later, this process, or the machine,
/// stood still, and nobody can say that it was listening.
fn longest(interval: Duration) -> Option<Duration> {
    (!interval.is_zero()).then(|| interval * 2 + Duration::from_secs(5))
}

/// From when on a beat vouches.
fn vouched(since: Timestamp, now: Timestamp, longest: Option<Duration>) -> Timestamp {
    if longest.is_some_and(|longest| now.since(since) > longest) { now } else { since }
}

impl Attendant {
    /// Its beat, and the counters it was made of; none if it doesn't listen any more.
    fn present(&self, now: Timestamp, longest: Option<Duration>) -> Option<(Beat, Presence)> {
        let presence = self.liveness.upgrade()?.presence();
        let beat = Beat {
            node: presence.node.clone(),
            since: vouched(self.since, now, longest),
            received: presence.received.saturating_sub(self.received),
            sent: presence.sent.saturating_sub(self.sent),
            listening: presence.listening.clone(),
        };
        (!presence.listening.is_empty()).then_some((beat, presence))
    }

    /// Its next beat speaks for the time from here on.
    fn told(&mut self, time: Timestamp, presence: Option<&Presence>) {
        self.since = time;
        if let Some(presence) = presence {
            (self.received, self.sent) = (presence.received, presence.sent);
        }
    }
}

fn now() -> Timestamp {
    Timestamp::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_vouches_for_a_time_in_which_everything_stood_still() {
        let since = Timestamp::from_micros(1_000_000);
        let limit = longest(Duration::from_secs(60));
        for (seconds, vouches) in [(0, true), (60, true), (125, true), (126, false), (3_600, false)] {
            let now = since + Duration::from_secs(seconds);
            assert_eq!(vouched(since, now, limit) == since, vouches, "{seconds} s");
            assert_eq!(vouched(since, now, longest(Duration::ZERO)), since);
        }
    }
}
