//! What a what-if takes for granted, in words.

use std::fmt;

use serde::Serialize;

use crate::call::Phase;

/// Something that no record can tell, taken for granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// Stable, for programs: `same_time`, `answered_soundly`, ...
    pub code: &'static str,
    /// For people.
    pub says: String,
    /// The recorded event that it is about, by its number in the call; none if it is about the whole run.
    pub event: Option<u64>,
}

/// The kinds of assumptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// The other side's own acts keep their time.
    SameTimeThere,
    /// Our user's own acts keep their time.
    SameTimeHere,
    /// It answered a message that is not sent now, or is lost.
    NotAsked { ask: &'static str },
    /// It can't be said in this phase.
    Impossible { phase: Phase },
    /// A command that is not possible any more.
    WishRefused { command: &'static str },
    /// The caller sends BYE where it sent CANCEL.
    CancelIsBye,
    /// The caller has no reason to cancel any more.
    CancelVoid,
    /// Answered as the same kind of message was on record.
    AnsweredAsRecorded { ask: &'static str },
    /// Answered as a sound peer does.
    AnsweredSoundly { ask: &'static str, with: &'static str, after_ms: u64, measured: bool },
    /// The CANCEL finds the INVITE answered by a message that is late.
    CancelTooLate,
    /// Not answered, because the other side answered nothing of the kind on record.
    Unanswered { ask: &'static str },
    /// A clock would have spoken while the engine was down.
    EngineDown,
    /// The other side goes on as it was after the record ends.
    Silence,
    /// Nothing on record ends the call.
    OpenEnd { phase: Phase },
}

impl Assumption {
    pub(super) fn new(kind: &Kind, event: Option<u64>) -> Self {
        Self { code: kind.code(), says: kind.to_string(), event }
    }
}

impl Kind {
    fn code(&self) -> &'static str {
        match self {
            Self::SameTimeThere => "same_time_there",
            Self::SameTimeHere => "same_time_here",
            Self::NotAsked { .. } => "not_asked",
            Self::Impossible { .. } => "impossible",
            Self::WishRefused { .. } => "wish_refused",
            Self::CancelIsBye => "cancel_is_bye",
            Self::CancelVoid => "cancel_void",
            Self::AnsweredAsRecorded { .. } => "answered_as_recorded",
            Self::AnsweredSoundly { .. } => "answered_soundly",
            Self::CancelTooLate => "cancel_too_late",
            Self::Unanswered { .. } => "unanswered",
            Self::EngineDown => "engine_down",
            Self::Silence => "silence",
            Self::OpenEnd { .. } => "open_end",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameTimeThere => {
                f.write_str("the other side would have said by itself what it said, at the same time")
            }
            Self::SameTimeHere => {
                f.write_str("the user at this end would have wanted the same, at the same time")
            }
            Self::NotAsked { ask } => {
                write!(f, "left out: it answered the {ask} of the record, which is not what happens now")
            }
            Self::Impossible { phase } => write!(f, "left out: it can't come while the call is {phase}"),
            Self::WishRefused { command } => {
                write!(f, "left out: the wish to {command} is not possible any more")
            }
            Self::CancelIsBye => f.write_str(
                "the caller would have hung up at the same time, with a BYE because it was answered",
            ),
            Self::CancelVoid => {
                f.write_str("left out: the caller gave up for want of an answer here, and now has one")
            }
            Self::AnsweredAsRecorded { ask } => {
                write!(f, "the {ask} would have been answered as on record, after the same time")
            }
            Self::AnsweredSoundly { ask, with, after_ms, measured } => {
                let source = if *measured {
                    "the shortest round trip on record"
                } else {
                    "no round trip is on record"
                };
                write!(f, "the {ask} would have been answered with {with}, {after_ms} ms later ({source})")
            }
            Self::CancelTooLate => {
                f.write_str("the CANCEL would have found the INVITE answered: the late answer still comes")
            }
            Self::Unanswered { ask } => {
                write!(
                    f,
                    "the {ask} would not have been answered: the other side answered nothing of the kind"
                )
            }
            Self::EngineDown => f.write_str("no timer of this engine runs while it is down"),
            Self::Silence => {
                f.write_str("after the end of the record the other side would have gone on as it was")
            }
            Self::OpenEnd { phase } => {
                write!(f, "nothing on record would have ended the call: it would have stayed {phase}")
            }
        }
    }
}
