//! What a leg hands back: signals for the machine and messages for the network.

use bytes::Bytes;
use callbox_events::call::Signal;
use callbox_events::sip::Peer;

/// Collects what one step of a leg leads to. The shell empties it after each step and may use it again.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Digested facts for the machine, in the order in which they happened.
    pub signals: Vec<Signal>,
    /// Messages to send, in this order.
    pub transmits: Vec<Transmit>,
}

/// One message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub peer: Peer,
    /// The whole message.
    pub bytes: Bytes,
    /// Why it leaves.
    pub kind: TransmitKind,
}

/// Why a message leaves: what [`super::Leg::perform`] yields is `New` and waits for the journal; the other two belong
/// to transactions and may leave at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransmitKind {
    /// Sent for the first time.
    New,
    /// Sent before; a timer ran out.
    Retransmission,
    /// The other side repeated itself and gets the same answer again; or the answer is a matter of the transaction
    /// layer alone: 100 Trying, the ACK of a failure, an error that the machine need not know.
    AbsorbedReply,
}

impl Outbox {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.signals.is_empty() && self.transmits.is_empty()
    }

    /// Forgets everything but keeps the memory.
    pub fn clear(&mut self) {
        self.signals.clear();
        self.transmits.clear();
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        room_for_one(&mut self.signals);
        self.signals.push(signal);
    }

    pub(crate) fn send(&mut self, peer: Peer, bytes: Bytes, kind: TransmitKind) {
        room_for_one(&mut self.transmits);
        self.transmits.push(Transmit { peer, bytes, kind });
    }
}

/// Nearly every step yields one signal or message or none; an empty vector would make room for four at once.
fn room_for_one<T>(things: &mut Vec<T>) {
    if things.is_empty() {
        things.reserve_exact(1);
    }
}
