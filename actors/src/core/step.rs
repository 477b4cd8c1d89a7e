//! What goes into a core and what comes out.

use callbox_events::Timestamp;
use callbox_events::call::{Command, Effect, IllegalTransition, Outcome};
use callbox_events::schema::{Commit, Happened};
use callbox_events::sip::Peer;
use callbox_sip::leg::Transmit;
use callbox_sip::wire::Message;

/// Something that reaches a call.
#[derive(Debug)]
pub enum Stimulus {
    /// A SIP message.
    Message {
        /// The message, parsed. Boxed, because it goes through many hands.
        message: Box<Message>,
        /// Who sent it.
        source: Peer,
    },
    /// The application wants something.
    Command(Command),
    /// Time has passed: perhaps up to [`super::CallCore::next_deadline`].
    Deadline,
    /// Messages to `peer` can't be delivered, or the connection broke.
    TransportFailed {
        /// The other end.
        peer: Peer,
        /// The system's words.
        detail: String,
    },
    /// What came of [`Acted::reach`].
    Reached(Result<Peer, String>),
    /// The engine came back; or this call alone was restored after a [`Fault`].
    Recovery {
        /// `crash`, `storage` or `panic`.
        fault: String,
    },
}

/// What a stimulus led to before anything is durable.
#[derive(Debug, Default)]
#[must_use]
pub struct Step {
    /// To be sent at once: retransmissions and what belongs to transactions alone.
    pub transmits: Vec<Transmit>,
    /// To be appended; nothing else may be handled until it is durable.
    pub commit: Option<Commit>,
    /// What a command is told that led to no commit.
    pub outcome: Option<Outcome>,
}

/// What a durable commit releases.
#[derive(Debug, Default)]
#[must_use]
pub struct Acted {
    /// To be sent now, in this order.
    pub transmits: Vec<Transmit>,
    /// What the command behind the commit is told.
    pub outcome: Option<Outcome>,
    /// Find out where the INVITE goes and connect; answer with [`Stimulus::Reached`].
    pub reach: bool,
}

/// Why a core can't go on. The call's durable events are intact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Something inside panicked.
    #[error("the call panicked: {0}")]
    Panicked(String),
    /// The machine decided what its own table forbids.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// The durable events do not begin like a call.
    #[error("the record does not begin with an INVITE")]
    NotRestorable,
    /// The shell handed over a stimulus before the ack, or an ack without a commit.
    #[error("a step was taken out of turn")]
    OutOfTurn,
}

/// What is held back until the ack.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) at: Timestamp,
    pub(super) events: Vec<Happened>,
    pub(super) transmits: Vec<Transmit>,
    pub(super) timers: Vec<Effect>,
    pub(super) outcome: Option<Outcome>,
    pub(super) reach: bool,
}
