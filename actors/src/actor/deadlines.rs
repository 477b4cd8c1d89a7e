//! One timer queue for all calls of an arbiter.
//!
//! A call has one entry, for the earliest of its deadlines. It follows the call: moving an entry costs a fraction of
//! waking a call too early. Deadlines are rounded up to a common grid, so that calls that are due at about the same time
//! are woken together: each point in time that the queue waits for costs a turn of the runtime.

use std::cell::RefCell;
use std::task::{Context, Poll};
use std::time::Duration;

use callbox_events::CallId;
use tokio::time::Instant;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

use crate::clock::Clock;

/// How many calls are woken before others get their turn.
const BATCH: usize = 256;

/// The grid. No timer of RFC 3261 is so precise that a hundredth of a second matters: the shortest is T1, 500 ms.
const GRID: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct Deadlines {
    queue: RefCell<DelayQueue<CallId>>,
    clock: Clock,
    /// Where the grid begins.
    started: Instant,
}

/// A call's place in the queue.
#[derive(Debug)]
pub(super) struct Armed {
    key: Key,
    at: Instant,
}

impl Deadlines {
    /// An empty queue.
    pub(super) fn new(clock: Clock) -> Self {
        Self { queue: RefCell::default(), clock, started: clock.instant(clock.now()) }
    }

    /// Whether an entry may have been handed out, its key with it: that may name another call's entry now. The queue never
    /// hands out an entry before its time.
    fn may_be_gone(&self, entry: &Armed) -> bool {
        entry.at <= self.clock.instant(self.clock.now())
    }

    /// Makes sure that `call` is woken at `at`, or as soon after as the grid allows. An entry whose time has come wakes it
    /// anyway, if it has not been handed out already.
    pub(super) fn arm(&self, call: CallId, armed: &mut Option<Armed>, at: Instant) {
        let at = self.on_grid(at);
        match armed {
            Some(entry) if entry.at == at || self.may_be_gone(entry) => {}
            Some(entry) => {
                self.queue.borrow_mut().reset_at(&entry.key, at);
                entry.at = at;
            }
            None => *armed = Some(Armed { key: self.queue.borrow_mut().insert_at(call, at), at }),
        }
    }

    fn on_grid(&self, at: Instant) -> Instant {
        // The grid divides a second, so whole seconds do not matter.
        let beyond = at.saturating_duration_since(self.started).subsec_nanos() % GRID.subsec_nanos();
        if beyond == 0 { at } else { at + GRID - Duration::from_nanos(beyond.into()) }
    }

    /// Forgets an entry, unless it may have been handed out.
    pub(super) fn disarm(&self, armed: Option<Armed>) {
        if let Some(armed) = armed.filter(|armed| !self.may_be_gone(armed)) {
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use callbox_events::{Role, Timestamp};

    use super::*;

    fn call(name: &str) -> CallId {
        CallId::derive(Timestamp::from_micros(0), Role::Caller, name, "tag", 1)
    }

    /// The calls that are due next, and after how many milliseconds.
    async fn due(deadlines: &Deadlines) -> (Vec<CallId>, u128) {
        let before = deadlines.clock.now();
        let due = poll_fn(|context| deadlines.poll(context)).await;
        (due, deadlines.clock.now().since(before).as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_follows_its_call_and_calls_of_one_time_are_woken_together() {
        let deadlines = Deadlines::new(Clock::start());
        let ms = |ms| deadlines.started + Duration::from_millis(ms);
        let (mut one, mut other) = (None, None);
        deadlines.arm(call("one"), &mut one, ms(5));
        deadlines.arm(call("one"), &mut one, ms(31));
        deadlines.arm(call("other"), &mut other, ms(39));
        let (mut due, after) = due(&deadlines).await;
        due.sort();
        let mut both = vec![call("one"), call("other")];
        both.sort();
        assert_eq!((due, after), (both, 40));
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_that_was_handed_out_is_left_alone_and_so_is_the_one_that_took_its_place() {
        let deadlines = Deadlines::new(Clock::start());
        let ms = |ms| deadlines.started + Duration::from_millis(ms);
        let (mut one, mut other) = (None, None);
        deadlines.arm(call("one"), &mut one, ms(10));
        assert_eq!(due(&deadlines).await, (vec![call("one")], 10));
        // The call waits for an ack and has not heard yet that it was woken.
        deadlines.arm(call("one"), &mut one, ms(500));
        deadlines.arm(call("other"), &mut other, ms(30));
        deadlines.arm(call("one"), &mut one, ms(700));
        deadlines.disarm(one.take());
        assert_eq!(due(&deadlines).await, (vec![call("other")], 20));
    }
}
