//! A call decided again from its record: the recorded inputs through the machine of today, compared with what was
//! recorded: events, phases, and the messages that left. This is what makes the journal proof rather than log.

mod messages;

use std::fmt;

use messages::Messages;

use crate::call::{Call, Event, Phase};
use crate::schema::{Commit, StoredCommit};

/// What a second run of a call gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rerun {
    /// How many events agreed before the first divergence; all of them if there is none.
    pub agreed: u64,
    /// How many messages that left agreed with what the machine wants sent; 0 if the record holds none.
    pub messages: u64,
    /// Where the record and the machine part, if they do.
    pub divergence: Option<Divergence>,
}

/// The first place where a record and the machine part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// The event's number in the call.
    pub event: u64,
    /// The input that was decided again, in brief.
    pub input: String,
    /// What is different there.
    pub what: Difference,
}

/// How a record and the machine differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The record has another event there, or one where the machine has none, or none where it has one.
    Event {
        /// What the journal holds.
        recorded: Option<Box<Event>>,
        /// What the machine decides today.
        decided: Option<Box<Event>>,
    },
    /// The phase is another one than recorded.
    Phase {
        /// What the journal holds.
        recorded: Phase,
        /// What the machine arrives at.
        reached: Phase,
    },
    /// Another message left than the machine wants sent, or none, or one that nobody wanted.
    Message {
        /// What left by the record: `486 Busy Here (INVITE)`.
        recorded: Option<String>,
        /// What the machine wants sent today: `486 (INVITE)`.
        decided: Option<String>,
    },
    /// The machine does not take the recorded event in this phase.
    Illegal {
        /// The machine's words.
        why: String,
    },
    /// The commit's version is not the number of events before it: something is missing or doubled.
    Version {
        /// What the journal holds.
        recorded: u64,
        /// How many events there are before it.
        expected: u64,
    },
}

/// Decides a call again from its commits in order and stops at the first divergence.
#[must_use]
pub fn rerun(commits: &[StoredCommit]) -> Rerun {
    let mut call = Call::default();
    let mut messages = Messages::of(commits);
    let mut agreed = 0;
    for stored in commits {
        if let Err(divergence) = commit_again(&mut call, &stored.commit, &mut messages, &mut agreed) {
            return Rerun { agreed, messages: messages.agreed, divergence: Some(divergence) };
        }
    }
    Rerun { agreed, messages: messages.agreed, divergence: None }
}

fn commit_again(
    call: &mut Call,
    commit: &Commit,
    messages: &mut Messages,
    agreed: &mut u64,
) -> Result<(), Divergence> {
    let fail = |event: u64, what| Divergence { event, input: commit.input.cause().to_string(), what };
    if commit.version != *agreed {
        return Err(fail(*agreed, Difference::Version { recorded: commit.version, expected: *agreed }));
    }
    same_phase(commit.phase_before, call.phase()).map_err(|what| fail(*agreed, what))?;
    let first = *agreed;
    let decision = call.decide(&commit.input, commit.at);
    let sent = messages.compare(call, commit, &decision.effects);
    let mut decided = decision.events.into_iter();
    for happened in &commit.events {
        let again = decided.next();
        if again.as_ref() != Some(&happened.event) {
            let recorded = Some(Box::new(happened.event.clone()));
            return Err(fail(*agreed, Difference::Event { recorded, decided: again.map(Box::new) }));
        }
        call.apply(&happened.event, commit.at)
            .map_err(|illegal| fail(*agreed, Difference::Illegal { why: illegal.to_string() }))?;
        same_phase(happened.phase, call.phase()).map_err(|what| fail(*agreed, what))?;
        *agreed += 1;
    }
    match decided.next() {
        None => sent.map_err(|what| fail(first, what)),
        more @ Some(_) => {
            Err(fail(*agreed, Difference::Event { recorded: None, decided: more.map(Box::new) }))
        }
    }
}

fn same_phase(recorded: Phase, reached: Phase) -> Result<(), Difference> {
    if recorded == reached { Ok(()) } else { Err(Difference::Phase { recorded, reached }) }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event { recorded, decided } => {
                write!(f, "recorded {}, decided {}", shown(recorded.as_deref()), shown(decided.as_deref()))
            }
            Self::Phase { recorded, reached } => write!(f, "recorded phase {recorded}, reached {reached}"),
            Self::Message { recorded, decided } => {
                let words = |message: &Option<String>| message.clone().unwrap_or_else(|| "nothing".into());
                write!(f, "recorded that {} left, decided {}", words(recorded), words(decided))
            }
            Self::Illegal { why } => write!(f, "the machine does not take the event: {why}"),
            Self::Version { recorded, expected } => {
                write!(f, "the commit says it is number {recorded}, but {expected} events come before it")
            }
        }
    }
}

fn shown(event: Option<&Event>) -> String {
    event
        .map_or_else(|| "nothing".into(), |event| format!("{} ({})", event.kind().code(), super::gist(event)))
}
