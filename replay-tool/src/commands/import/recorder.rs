//! What the observer of a capture writes down, on its way into a store.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::net::SocketAddr;

use callbox_events::call::Input;
use callbox_events::call::observed::Seen;
use callbox_events::schema::Commit;
use callbox_events::{CallId, Timestamp};
use callbox_sip::observe::tones::Tone;
use callbox_sip::observe::{Observer, ObserverConfig, Sighting};
use callbox_store::{Append, AppendError, Expect, Journal};

use super::left_open;
use crate::capture::Sink;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// How many commits may wait for their acks: far fewer than a journal's queue takes.
const MAX_WAITING: usize = 1024;

/// What came of the calls of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Calls that are new in the store.
    pub calls: u64,
    /// Calls that were there already, with the same content.
    pub known: u64,
    /// Calls that were there already with another content: another capture of them was imported before.
    pub different: u64,
    /// Calls of which something is too large for a store.
    pub too_large: u64,
    /// Calls that an observer before this one left open, and that something was added to.
    pub taken_up: u64,
    /// Events that are new in the store.
    pub events: u64,
    /// Tones that were heard in the audio of calls under way.
    pub tones: u64,
}

/// Observes, and writes down what the observer says.
pub struct Recorder<'a> {
    observer: Observer,
    /// The store, and where it ended before; none if nothing is to be written.
    journal: Option<(&'a dyn Journal, u64)>,
    waiting: VecDeque<Waiting>,
    /// Calls that were open in the store before.
    open: BTreeSet<CallId>,
    /// Calls of which the rest is left out.
    given_up: HashSet<CallId>,
    recorded: Recorded,
    failure: Option<Failure>,
}

/// A commit whose ack is to come.
struct Waiting {
    append: Append,
    call: CallId,
    is_first: bool,
    events: u64,
}

impl<'a> Recorder<'a> {
    /// Writes into `journal`, if there is one.
    ///
    /// # Errors
    /// If the journal can't be read.
    pub fn new(journal: Option<&'a dyn Journal>) -> Result<Self, Failure> {
        let mut observer = Observer::new(ObserverConfig::default());
        let mut open = BTreeSet::new();
        let mut place = None;
        if let Some(journal) = journal {
            open = left_open::take_up(journal, &mut observer)?;
            place = Some((journal, journal.tail()?.seq()));
        }
        Ok(Self {
            observer,
            journal: place,
            waiting: VecDeque::new(),
            open,
            given_up: HashSet::new(),
            recorded: Recorded::default(),
            failure: None,
        })
    }

    /// The capture is over: writes down what is left and waits until all is durable.
    ///
    /// # Errors
    /// Why the store took no more.
    pub fn finish(mut self) -> Result<Recorded, Failure> {
        self.observer.leave_unseen();
        let rest = self.observer.finish();
        self.take(rest);
        while self.failure.is_none() && !self.waiting.is_empty() {
            self.settle();
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.recorded),
        }
    }

    fn take(&mut self, commits: Vec<Commit>) {
        for commit in commits {
            if self.failure.is_some() {
                return;
            }
            let (call, is_first, events) = (commit.call, commit.version == 0, commit.events.len() as u64);
            let Some((journal, _)) = self.journal else {
                self.recorded.calls += u64::from(is_first);
                self.recorded.events += events;
                continue;
            };
            if self.given_up.contains(&call) {
                continue;
            }
            self.recorded.taken_up += u64::from(self.open.remove(&call) && !is_first);
            let expect = Expect::of(&commit);
            self.waiting.push_back(Waiting {
                append: journal.append(commit, expect),
                call,
                is_first,
                events,
            });
            if self.waiting.len() > MAX_WAITING {
                self.settle();
            }
        }
    }

    /// Waits for the oldest ack.
    fn settle(&mut self) {
        let Some(Waiting { append, call, is_first, events }) = self.waiting.pop_front() else { return };
        let before = self.journal.map_or(0, |(_, tail)| tail);
        let recorded = &mut self.recorded;
        match append.wait() {
            Ok(position) if position.seq < before => recorded.known += u64::from(is_first),
            Ok(_) => {
                recorded.calls += u64::from(is_first);
                recorded.events += events;
            }
            Err(AppendError::Conflict { .. }) => {
                recorded.different += u64::from(self.given_up.insert(call));
            }
            Err(AppendError::TooLarge { .. }) => {
                recorded.too_large += u64::from(self.given_up.insert(call));
            }
            Err(
                error @ (AppendError::Unknown
                | AppendError::Unavailable { .. }
                | AppendError::Overloaded
                | AppendError::Full
                | AppendError::Malformed { .. }),
            ) => self.failure = Some(refused(&error)),
        }
    }
}

impl Sink for Recorder<'_> {
    fn see(&mut self, sighting: Sighting) {
        let commits = self.observer.see(sighting);
        self.take(commits);
    }

    fn hear(&mut self, at: Timestamp, media: SocketAddr, tone: Tone) {
        let commits = self.observer.hear(at, media, tone);
        self.recorded.tones += commits.iter().filter(|commit| is_tone(commit)).count() as u64;
        self.take(commits);
    }

    fn is_closed(&self) -> bool {
        self.failure.is_some()
    }
}

fn is_tone(commit: &Commit) -> bool {
    matches!(&commit.input, Input::Observed(sight) if matches!(sight.seen, Seen::Heard(_)))
}

fn refused(error: &AppendError) -> Failure {
    let what = format!("the store takes no more: {error}");
    Failure::new(ExitCode::Store, "store_refused", what)
        .hint(format!("{}; importing again goes on where this ended", error.hint()))
}
