//! What holds of every honest answer, checked, because the other end may be a stranger: commits ascend, and no more come
//! than can be meant.

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;

use crate::error::ReadError;
use crate::journal::Cursor;

/// The encoded bytes of one call's commits, at most. What is read of one call is held in memory at once.
const MAX_CALL_BYTES: usize = 256 * 1024 * 1024;

/// The answer contradicts itself or the question.
pub fn unexpected(what: &str) -> ReadError {
    ReadError::Unavailable {
        why: format!("the process that writes the journal answered something else: {what}"),
    }
}

/// Commits must end beyond this place, each one further on.
#[derive(Debug)]
pub struct Ascending(Cursor);

impl Ascending {
    /// From a place on. A commit that contains it in its middle is fine.
    pub fn from(from: Cursor) -> Self {
        Self(from)
    }

    /// Takes the next one.
    ///
    /// # Errors
    /// If it does not come after the one before.
    pub fn take(&mut self, stored: StoredCommit) -> Result<StoredCommit, ReadError> {
        let after = stored.seq.checked_add(stored.commit.events.len() as u64).map(Cursor::at);
        match after {
            Some(after) if after > self.0 => self.0 = after,
            Some(_) | None => return Err(unexpected("commits out of order")),
        }
        Ok(stored)
    }
}

/// The commits of one call, counted.
#[derive(Debug)]
pub struct OneCall {
    call: CallId,
    bytes: usize,
}

impl OneCall {
    /// Of this call.
    pub fn new(call: CallId) -> Self {
        Self { call, bytes: 0 }
    }

    /// Takes the next one, which has so many bytes.
    ///
    /// # Errors
    /// If it is of another call, or there are more than any call has.
    pub fn take(&mut self, stored: StoredCommit, bytes: usize) -> Result<StoredCommit, ReadError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if stored.commit.call != self.call {
            return Err(unexpected("a commit of another call"));
        }
        if self.bytes > MAX_CALL_BYTES {
            return Err(unexpected("more than a call can have"));
        }
        Ok(stored)
    }
}
