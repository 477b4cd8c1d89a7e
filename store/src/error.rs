//! What can go wrong with an open journal, and whose fault it is.

use callbox_events::CallId;

/// Who has to do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The code that called.
    Caller,
    /// The machine or its operator: disk, permissions, network.
    Environment,
    /// The bytes that were found.
    Data,
}

/// Why an append was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The call has another version than expected: somebody else wrote, or this is a different commit under a version
    /// that is taken. Nothing was written.
    #[error("the call is at version {actual}, not where this commit expected it")]
    Conflict {
        /// The version the next commit must have; 0 for an unknown call.
        actual: u64,
    },
    /// The journal can't tell whether the commit was written: repeat the same append (it is idempotent) or read the
    /// call's head before the call goes on.
    #[error("it is not known whether the commit was written")]
    Unknown,
    /// The journal takes no more appends: it is closed, or an earlier write failed and what is on disk must be read
    /// again first. Nothing was written.
    #[error("the journal takes no appends: {why}")]
    Unavailable {
        /// What happened.
        why: String,
    },
    /// Too many appends wait already. Nothing was written; later is fine.
    #[error("the journal's queue is full")]
    Overloaded,
    /// The commit exceeds [`Caps::max_commit_bytes`](crate::Caps::max_commit_bytes). Nothing was written.
    #[error("the commit has {bytes} bytes; the journal takes up to {limit}")]
    TooLarge {
        /// Its size when encoded.
        bytes: usize,
        /// The most a commit may have.
        limit: usize,
    },
    /// The disk is full. New calls are refused so for as long as it is: nothing was written. Commits of running calls wait
    /// for room instead, and are answered so only if the journal is closed before there is some: they may or may not be
    /// found then.
    #[error("the disk of the journal is full")]
    Full,
    /// The commit breaks the rules of the schema: no events, or a version other than the expected one. Nothing was
    /// written.
    #[error("the commit is not well-formed: {why}")]
    Malformed {
        /// Which rule.
        why: String,
    },
}

impl AppendError {
    /// Who has to act.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Conflict { .. } | Self::TooLarge { .. } | Self::Malformed { .. } => Blame::Caller,
            Self::Unknown | Self::Unavailable { .. } | Self::Overloaded | Self::Full => Blame::Environment,
        }
    }

    /// What to do about it, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "read the call again: another owner wrote to it",
            Self::Unknown => "repeat the append or read the call's head before going on",
            Self::Unavailable { .. } => "open the journal again; its log tells what failed",
            Self::Overloaded => "refuse new calls until the disk has caught up",
            Self::TooLarge { .. } => "limit the size of SIP messages",
            Self::Full => "make room on the disk; the journal goes on by itself",
            Self::Malformed { .. } => "this is a mistake in the program that appends",
        }
    }
}

/// Why a journal could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// What is stored is not what was written.
    #[error("damage at {place}: {what}")]
    Corrupt {
        /// Where, in words: a sequence number, a call, a file.
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// A commit was written by a newer callbox.
    #[error("{place} was written with schema version {found}, which is newer than this callbox")]
    TooNew {
        /// Where.
        place: String,
        /// The version found.
        found: u16,
    },
    /// It can't be read now.
    #[error("the journal can't be read: {why}")]
    Unavailable {
        /// What happened.
        why: String,
    },
    /// The engine that it is read through can't be reached any more, or its answer broke off in the middle: what came of
    /// it is not all.
    #[error("the connection to the engine is lost: {why}")]
    Interrupted {
        /// What happened.
        why: String,
    },
    /// The cursor lies beyond the end.
    #[error("sequence {wanted} lies beyond the end of the journal ({tail})")]
    Beyond {
        /// What was asked for.
        wanted: u64,
        /// The next sequence number to be written.
        tail: u64,
    },
}

impl ReadError {
    /// Damage in one call's record.
    #[must_use]
    pub fn in_call(call: CallId, what: impl Into<String>) -> Self {
        Self::Corrupt { place: format!("call {call}"), what: what.into() }
    }

    /// Damage at a global sequence number.
    #[must_use]
    pub fn at_seq(seq: u64, what: impl Into<String>) -> Self {
        Self::Corrupt { place: format!("sequence {seq}"), what: what.into() }
    }

    /// Who has to act.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Corrupt { .. } | Self::TooNew { .. } => Blame::Data,
            Self::Unavailable { .. } | Self::Interrupted { .. } => Blame::Environment,
            Self::Beyond { .. } => Blame::Caller,
        }
    }

    /// What to do about it, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Corrupt { .. } => {
                "`callbox verify` lists every damage; restore the store from a copy if you have one"
            }
            Self::TooNew { .. } => "use the callbox that wrote it, or a later one",
            Self::Unavailable { .. } => {
                "try again; if it stays, see whether the engine and its disk are well"
            }
            Self::Interrupted { .. } => {
                "see whether the engine still runs, then try again: nothing was changed"
            }
            Self::Beyond { .. } => "start from the journal's tail",
        }
    }
}

/// Why closing did not go cleanly. What was acknowledged before is durable all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal was not closed cleanly: {why}")]
pub struct CloseError {
    /// What happened.
    pub why: String,
}
