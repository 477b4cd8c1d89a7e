//! 2xx of ours: sent again until the ACK comes, on every transport (RFC 3261 §13.3.1.4).

use bytes::Bytes;
use callbox_events::Timestamp;
use callbox_events::sip::Peer;

use super::Leg;
use super::tx::Answer;

/// A 2xx that leaves now.
pub(super) struct Final {
    pub cseq: u32,
    pub peer: Peer,
    pub response: Bytes,
}

impl Leg {
    pub(super) fn await_ack(&mut self, now: Timestamp, answer: Final) {
        let timers = self.config.timers;
        self.answers.push(Box::new(Answer {
            cseq: answer.cseq,
            peer: answer.peer,
            response: answer.response,
            next: now + timers.t1(),
            interval: timers.t1(),
            give_up: now + timers.patience(),
        }));
    }
}
