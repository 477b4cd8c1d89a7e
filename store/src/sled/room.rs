//! A full disk is waited out: nothing is given up that could still be written.
//!
//! Either copy of the journal may find no room. The write-ahead log finds out before anything of a group is durable, so
//! the same group can be tried again; sled is asked beforehand, because what becomes of it in the middle of a batch is
//! not known. While one of them waits, the first commits of new calls are refused ([`AppendError::Full`]) and those of
//! running calls wait in the bounded queue. Once there is room all of that is written, and acknowledged late.
//!
//! [`AppendError::Full`]: crate::AppendError::Full

use std::time::Duration;

use super::queue::Queue;
use super::tree::Fault;

/// How long to wait before the first new attempt, and before each later one at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Who may be short of room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The write-ahead log.
    Log,
    /// sled.
    Sled,
}

/// Tries again for as long as the disk is full and the journal is not closed.
///
/// # Errors
/// [`Fault::Full`] once the journal is closed; every other fault at once.
pub fn with_room<T>(
    queue: &Queue,
    side: Side,
    mut attempt: impl FnMut() -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut pause = PAUSES.0;
    let mut waited = false;
    loop {
        match attempt() {
            Err(Fault::Full) => {
                if !waited {
                    tracing::error!(?side, "the disk is full: no new calls until there is room");
                }
                waited = true;
                if !queue.wait_for_room(side, pause) {
                    return Err(Fault::Full);
                }
                pause = (pause * 2).min(PAUSES.1);
            }
            outcome => {
                if waited {
                    tracing::info!(?side, "there is room on the disk again");
                    queue.has_room(side);
                }
                return outcome;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::append::Append;
    use crate::erasable::opening::Opener;
    use crate::error::AppendError;
    use crate::frame::Facts;
    use crate::sled::queue::{Limits, Request};
    use crate::testing::sample::{commit, offered};

    fn queue() -> Queue {
        let limits = Limits { commits: 10, bytes: 1 << 20 };
        Queue::new(limits, limits)
    }

    fn request(commit: &callbox_events::schema::Commit) -> (Request, Append) {
        let (ack, append) = Append::pending();
        let facts = Facts::of(commit).unwrap();
        (
            Request {
                facts,
                at: commit.at,
                payload: vec![1; 10],
                opener: Opener::default(),
                urgent: false,
                ack,
            },
            append,
        )
    }

    #[test]
    fn new_calls_are_refused_and_running_ones_wait_while_there_is_no_room() {
        let queue = queue();
        let mut attempts = 0;
        let outcome = with_room(&queue, Side::Log, || {
            attempts += 1;
            if attempts == 1 {
                return Err(Fault::Full);
            }
            if attempts < 4 {
                assert_eq!(queue.refusal(), Some(AppendError::Full));
                let (new, refused) = request(&offered(attempts));
                queue.push(new);
                assert_eq!(refused.wait(), Err(AppendError::Full));
                let (running, _waits) = request(&commit(attempts, 3, 1, 10));
                queue.push(running);
                return Err(Fault::Full);
            }
            Ok(attempts)
        });
        assert_eq!((outcome, queue.refusal(), queue.waiting()), (Ok(4), None, 2));
    }

    #[test]
    fn room_for_one_side_is_not_room_for_the_other() {
        let queue = queue();
        queue.wait_for_room(Side::Sled, Duration::ZERO);
        queue.wait_for_room(Side::Log, Duration::ZERO);
        queue.has_room(Side::Log);
        assert_eq!(queue.refusal(), Some(AppendError::Full));
        queue.has_room(Side::Sled);
        assert_eq!(queue.refusal(), None);
    }

    #[test]
    fn closing_ends_the_wait_and_other_faults_are_not_waited_out() {
        let queue = queue();
        queue.close(AppendError::Unavailable { why: "closed".into() });
        assert_eq!(with_room::<()>(&queue, Side::Log, || Err(Fault::Full)), Err(Fault::Full));
        let io = Fault::Io("broken".into());
        assert_eq!(with_room::<()>(&queue, Side::Sled, || Err(io.clone())), Err(io.clone()));
    }
}
