//! One timer queue for all calls of an arbiter.
//!
//! A call has one entry, for the earliest of its deadlines. An entry that turns out to be early costs one wake; one
//! that would be moved back each time the call hears something would cost more.

use std::cell::RefCell;
use std::task::{Context, Poll};

use callbox_events::CallId;
use tokio::time::Instant;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

/// How many calls are woken before others get their turn.
const BATCH: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Deadlines {
    queue: RefCell<DelayQueue<CallId>>,
}

/// A call's place in the queue.
#[derive(Debug)]
pub(super) struct Armed {
    key: Key,
    at: Instant,
}

impl Deadlines {
    /// Makes sure that `call` is woken at `at` or before.
    pub(super) fn arm(&self, call: CallId, armed: &mut Option<Armed>, at: Instant) {
        match armed {
            Some(entry) if entry.at <= at => {}
            Some(entry) => {
                self.queue.borrow_mut().reset_at(&entry.key, at);
                entry.at = at;
            }
            None => *armed = Some(Armed { key: self.queue.borrow_mut().insert_at(call, at), at }),
        }
    }

    /// Forgets an entry that has not been handed out.
    pub(super) fn disarm(&self, armed: Option<Armed>) {
        if let Some(armed) = armed {
            self.queue.borrow_mut().try_remove(&armed.key);
        }
    }

    /// The calls that are due. An entry that was handed out is gone: the call must forget its [`Armed`].
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Vec<CallId>> {
        let mut queue = self.queue.borrow_mut();
        let mut due = Vec::new();
        while due.len() < BATCH {
            match queue.poll_expired(context) {
                Poll::Ready(Some(expired)) => due.push(expired.into_inner()),
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        if due.is_empty() { Poll::Pending } else { Poll::Ready(due) }
    }
}
