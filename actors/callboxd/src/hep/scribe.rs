//! Messages from the queue through the observer into the journal.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use callbox::CallId;
use callbox::clock::Clock;
use callbox_events::schema::Commit;
use callbox_sip::observe::{Observer, ObserverConfig, Sighting};
use callbox_store::{Append, Expect, Journal};

use super::counters::Counters;

/// How often time passes for the observer while nothing comes: its timers are those of SIP.
const TICK: Duration = Duration::from_secs(1);

/// How many records may wait for their acks. The engine's own calls come first: a mirror must not fill the queue.
const MAX_WAITING: usize = 256;

/// What the thread needs.
pub struct Scribe {
    observer: Observer,
    journal: Arc<dyn Journal>,
    clock: Clock,
    counters: Arc<Counters>,
    waiting: VecDeque<Append>,
}

impl Scribe {
    pub fn new(
        config: ObserverConfig,
        journal: Arc<dyn Journal>,
        clock: Clock,
        counters: Arc<Counters>,
    ) -> Self {
        let observer = Observer::new(config);
        Self { observer, journal, clock, counters, waiting: VecDeque::new() }
    }

    /// Takes up again what an earlier mirror left open.
    pub fn resume(&mut self, left: &[CallId]) {
        let before = self.observer.wait(self.clock.now() - TICK);
        self.write(before);
        for call in left {
            let record =
                self.journal.read(*call).map(|stored| stored.into_iter().map(|one| one.commit).collect());
            match record.map(|record: Vec<Commit>| self.observer.resume(&record)) {
                Ok(Ok(made_room)) => {
                    Counters::count(&self.counters.resumed);
                    self.write(made_room);
                }
                Ok(Err(error)) => tracing::warn!(%call, %error, "an observed call stays open"),
                Err(error) => tracing::warn!(%call, %error, "an observed call can't be read"),
            }
        }
    }

    /// Observes until the queue is closed and empty, then ends what is open.
    pub fn run(mut self, queue: &Receiver<Sighting>) {
        loop {
            let commits = match queue.recv_timeout(TICK) {
                Ok(sighting) => self.observer.see(sighting),
                // Senders' clocks may be a little behind ours: their messages must not come too late.
                Err(RecvTimeoutError::Timeout) => self.observer.wait(self.clock.now() - TICK),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            self.write(commits);
        }
        self.finish();
    }

    /// Ends what is open, and waits until all is durable.
    pub fn finish(mut self) {
        let rest = self.observer.finish();
        self.write(rest);
        while !self.waiting.is_empty() {
            self.settle();
        }
    }

    fn write(&mut self, commits: Vec<Commit>) {
        for commit in commits {
            if commit.version == 0 {
                Counters::count(&self.counters.calls);
            }
            let expect = Expect::of(&commit);
            self.waiting.push_back(self.journal.append(commit, expect));
            if self.waiting.len() > MAX_WAITING {
                self.settle();
            }
        }
    }

    /// Waits for the oldest ack. The engine says itself when its journal fails, so a count is enough.
    fn settle(&mut self) {
        if let Some(Err(error)) = self.waiting.pop_front().map(Append::wait) {
            tracing::debug!(%error, "an observed call could not be recorded");
            Counters::count(&self.counters.unwritten);
        }
    }
}
