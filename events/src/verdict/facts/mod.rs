//! Facts first: one pass over the commits collects what the rules judge by.
//!
//! The rules read inputs (what the wire, the user and the timers said) before events (what the machine made of it),
//! so that a better machine does not change the verdicts of old records. Every fact carries the number of the event
//! that holds it.

mod collect;
mod progress;
mod watch;

pub(super) use progress::Progress;
pub(super) use watch::Watch;

use crate::call::{Command, Ended, Ending, Input, Note, Pending, Phase, Policy, Recovery, Signal, TimerId};
use crate::party::{Role, Side};
use crate::schema::Commit;
use crate::sip::{Counters, Reason, Request, Response};
use crate::time::Timestamp;

use super::vocabulary::{Completeness, Rulebook, VerdictPhase};

/// A fact and its place in the record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fact<T> {
    /// Number of the event that holds it.
    pub event: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The machine's phase before it.
    pub phase: Phase,
    /// What it is.
    pub what: T,
}

/// What fixed the end: the first `Ending`, or the `Ended` if nothing had been decided before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decisive<'a> {
    /// The input that led to it.
    pub input: &'a Input,
    /// Our own decision, if it was one.
    pub ending: Option<&'a Ending>,
    /// How far the call had come.
    pub phase: VerdictPhase,
}

impl<'a> Decisive<'a> {
    /// The message or timer of SIP that led to it, at our end or seen between two others.
    pub(super) fn signal(&self) -> Option<&'a Signal> {
        match self.input {
            Input::Signal(signal) => Some(signal),
            Input::Observed(sight) => sight.signal(),
            Input::Command(_) | Input::Timer(_) | Input::Recovery(_) => None,
        }
    }

    /// The side whose message it was, if it was seen between two others.
    pub(super) fn seen_by(&self) -> Option<Side> {
        match self.input {
            Input::Observed(sight) => Some(sight.by),
            Input::Signal(_) | Input::Command(_) | Input::Timer(_) | Input::Recovery(_) => None,
        }
    }
}

/// A Reason value, where it stood and who sent it.
#[derive(Debug, Clone)]
pub(super) struct Said<'a> {
    /// The value.
    pub reason: &'a Reason,
    /// `BYE`, `CANCEL`, `486 Busy Here`.
    pub message: String,
    /// Whether we sent it.
    pub ours: bool,
}

/// How a callee's engine came to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnsweredBy {
    /// A command of the application: no telling who is behind it.
    Command,
    /// The engine by itself: a delay or a policy.
    Automation,
}

/// Everything the rules judge by.
#[derive(Debug, Clone)]
pub(super) struct Facts<'a> {
    /// The version of the rules that are to judge.
    pub rulebook: Rulebook,
    pub role: Option<Role>,
    pub policy: Option<&'a Policy>,
    pub started_at: Timestamp,
    pub last: Option<Fact<()>>,
    pub sent: Option<Fact<()>>,
    pub progress: Progress,
    pub provisionals: Vec<Fact<&'a Response>>,
    pub answers: Vec<Fact<&'a Response>>,
    pub failures: Vec<Fact<&'a Response>>,
    pub cancel_answers: Vec<Fact<&'a Response>>,
    pub bye_answers: Vec<Fact<&'a Response>>,
    pub reinvite_answers: Vec<Fact<&'a Response>>,
    pub cancels: Vec<Fact<&'a Request>>,
    pub acks: Vec<Fact<&'a Request>>,
    pub byes: Vec<Fact<&'a Request>>,
    pub reinvites: Vec<Fact<&'a Request>>,
    pub requests: Vec<Fact<&'a Request>>,
    pub timed_out: Vec<Fact<Pending>>,
    pub ack_missing: Option<Fact<()>>,
    pub transport_failures: Vec<Fact<(Pending, &'a str)>>,
    pub commands: Vec<Fact<&'a Command>>,
    pub timers: Vec<Fact<TimerId>>,
    pub recoveries: Vec<Fact<&'a Recovery>>,
    /// The `Answered` event: status, and how our own engine came to it.
    pub answered: Option<Fact<u16>>,
    pub answered_by: Option<AnsweredBy>,
    pub connected: Option<Fact<()>>,
    pub media_requests: Vec<Fact<()>>,
    pub ending_sent: Option<Fact<()>>,
    pub decisive: Option<Fact<Decisive<'a>>>,
    pub ended: Option<Fact<&'a Ended>>,
    /// All ends on record; a sound record has one.
    pub ends: Vec<Fact<&'a Ended>>,
    /// What the application or an observer noted.
    pub notes: Vec<Fact<Note>>,
    /// Who was called, as a URI.
    pub called: Option<&'a str>,
    /// Our INVITE that carried credentials (RFC 3261 §22).
    pub credentials: Option<Fact<()>>,
    pub released: Option<Fact<&'a Counters>>,
    pub said: Vec<Fact<Said<'a>>>,
    /// The status line's phrase of the final response we sent, if its bytes are on record.
    pub own_phrase: Option<String>,
    pub completeness: Completeness,
    /// What only an observer notes; none for a call of our own.
    pub watch: Option<Watch<'a>>,
}

impl<'a> Facts<'a> {
    /// Collects the facts of one call.
    pub(super) fn collect(rulebook: Rulebook, commits: &[&'a Commit]) -> Self {
        collect::collect(rulebook, commits)
    }

    /// Whether the rules that judge are of this version or a later one.
    pub(super) fn since(&self, rulebook: Rulebook) -> bool {
        self.rulebook >= rulebook
    }

    /// The side of the other end.
    pub(super) fn peer_side(&self) -> Side {
        self.role.map_or(Side::Unknown, |role| role.peer().side())
    }

    /// Our own decision to end the call, if the end began with one.
    pub(super) fn ending(&self) -> Option<Fact<&'a Ending>> {
        self.decisive.and_then(|fact| fact.what.ending.map(|ending| fact.with(ending)))
    }

    /// The timer that was decisive, if one was.
    pub(super) fn decisive_timer(&self) -> Option<TimerId> {
        match self.decisive?.what.input {
            Input::Timer(timer) => Some(*timer),
            Input::Command(_) | Input::Signal(_) | Input::Recovery(_) | Input::Observed(_) => None,
        }
    }

    /// The phase the verdict tells: at the decision, or now for a call that lives.
    pub(super) fn phase(&self) -> VerdictPhase {
        match (&self.decisive, &self.ended) {
            (Some(_), None) => VerdictPhase::Ending,
            (Some(decisive), Some(_)) => decisive.what.phase,
            (None, _) => self.progress.phase(),
        }
    }

    /// Whether `event` came after the end.
    pub(super) fn is_after_end(&self, event: u64) -> bool {
        self.ended.is_some_and(|ended| event > ended.event)
    }

    /// Whether `event` came after the decision to end.
    pub(super) fn is_after_decision(&self, event: u64) -> bool {
        self.decisive.is_some_and(|decisive| event > decisive.event)
    }

    /// Milliseconds of conversation: from the answer to the decision to end.
    pub(super) fn talk_ms(&self) -> Option<u64> {
        let answered = self.answered?;
        let end =
            self.decisive.map_or_else(|| self.last.map(|last| last.at), |decisive| Some(decisive.at))?;
        self.connected.map(|_| millis(end, answered.at))
    }

    /// How long it rang before the end, if so long that a phone may have given up by itself; some say 486 then.
    /// Heard since rulebook 1.1.
    pub(super) fn long_ringing_ms(&self) -> Option<u64> {
        self.ring_ms().filter(|took| *took >= RING_TIMEOUT_MS && self.since(Rulebook::V1_1))
    }

    /// Milliseconds from the first alerting to the answer or to the decision to end.
    pub(super) fn ring_ms(&self) -> Option<u64> {
        let rang = self.progress.first_alert()?;
        let end = self.answered.map(|fact| fact.at).or(self.decisive.map(|fact| fact.at))?;
        Some(millis(end, rang.at))
    }
}

/// A phone that rang this long may have given up by itself, in milliseconds.
const RING_TIMEOUT_MS: u64 = 20_000;

impl<T> Fact<T> {
    /// Another fact at the same place.
    pub(super) fn with<U>(&self, what: U) -> Fact<U> {
        Fact { event: self.event, at: self.at, phase: self.phase, what }
    }
}

/// Whole milliseconds from `earlier` to `later`; zero if the order is reversed.
pub(super) fn millis(later: Timestamp, earlier: Timestamp) -> u64 {
    u64::try_from(later.since(earlier).as_millis()).unwrap_or(u64::MAX)
}
