//! The engine's clock: the only place of the engine that reads one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use callbox_events::Timestamp;
use tokio::time::Instant;

/// A wall clock that never goes back: the system's time at its creation plus what has passed since.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started_at: Timestamp,
    started: Instant,
}

impl Clock {
    /// A clock that starts at the system's time.
    #[must_use]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX);
        Self { started_at: Timestamp::from_micros(micros), started: Instant::now() }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.started_at + self.started.elapsed()
    }

    /// How long it is from now until `at`; zero if that is past.
    #[must_use]
    pub fn until(&self, at: Timestamp) -> Duration {
        at.since(self.now())
    }

    /// The runtime's name for the point `at`.
    #[must_use]
    pub fn instant(&self, at: Timestamp) -> Instant {
        self.started + at.since(self.started_at)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::start()
    }
}

/// A bounded wait that may take several steps.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    since: Instant,
    limit: Duration,
}

impl Patience {
    /// Patience that runs out after `limit`.
    #[must_use]
    pub fn of(limit: Duration) -> Self {
        Self { since: Instant::now(), limit }
    }

    /// What is left of it.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.limit.saturating_sub(self.since.elapsed())
    }
}
