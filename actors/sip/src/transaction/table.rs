//! The words in which the four transaction machines are declared, and the look-up.

use std::fmt;

/// Which of the four machines of RFC 3261 §17.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// INVITE client transaction, §17.1.1 with RFC 6026 §7.2.
    InviteClient,
    /// INVITE server transaction, §17.2.1 with RFC 6026 §7.1.
    InviteServer,
    /// Client transaction of any other request, §17.1.2.
    Client,
    /// Server transaction of any other request, §17.2.2.
    Server,
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// INVITE client: sent, nothing heard.
    Calling,
    /// Other requests: sent and nothing heard, or received and nothing said.
    Trying,
    /// A provisional response was received or sent; for an INVITE server also before any.
    Proceeding,
    /// A final response was received or sent (for an INVITE: 300-699).
    Completed,
    /// INVITE server: the ACK of a 300-699 came.
    Confirmed,
    /// INVITE: a 2xx was received or sent (RFC 6026).
    Accepted,
    /// Over; to be removed.
    Terminated,
}

/// The timers of RFC 3261 §17 (table 4) and RFC 6026.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Timer {
    /// INVITE request again: T1, doubling. Datagrams only.
    A,
    /// INVITE unanswered: 64·T1.
    B,
    /// INVITE client waits for repeated 300-699: 64·T1 (at least 32 s by default). Datagrams only.
    D,
    /// Request again: T1, doubling up to T2; T2 once a provisional came. Datagrams only.
    E,
    /// Request unanswered: 64·T1.
    F,
    /// 300-699 to INVITE again: T1, doubling up to T2. Datagrams only.
    G,
    /// No ACK of a 300-699: 64·T1.
    H,
    /// INVITE server waits for repeated ACKs: T4. Datagrams only.
    I,
    /// Server waits for repeated requests: 64·T1. Datagrams only.
    J,
    /// Client waits for repeated responses: T4. Datagrams only.
    K,
    /// INVITE server waits for repeated INVITEs after a 2xx: 64·T1 (RFC 6026).
    L,
    /// INVITE client waits for 2xx of other forks: 64·T1 (RFC 6026).
    M,
    /// 100 Trying is due: 200 ms (§17.2.1).
    Trying,
    /// Our CANCEL had its time and no final response came: 64·T1 (§9.1).
    Cancelled,
}

impl Timer {
    /// Whether it only bounds how long repeated messages are remembered: when it ends, nothing is sent or told.
    #[must_use]
    pub fn is_drain(self) -> bool {
        match self {
            Self::D | Self::I | Self::J | Self::K | Self::L | Self::M => true,
            Self::A | Self::B | Self::E | Self::F | Self::G | Self::H | Self::Trying | Self::Cancelled => {
                false
            }
        }
    }
}

/// What can happen to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// The request is there: built by us, or received.
    Start,
    /// Client: 1xx came.
    Provisional,
    /// Client: 2xx came.
    Success,
    /// Client: 300-699 came.
    Failure,
    /// Client: we sent a CANCEL for this INVITE.
    Cancel,
    /// Server: the request came again.
    Again,
    /// INVITE server: an ACK came.
    Ack,
    /// Server: the user sends 1xx.
    SendProvisional,
    /// Server: the user sends 2xx.
    SendSuccess,
    /// Server: the user sends 300-699.
    SendFailure,
    /// A deadline passed.
    Timer(Timer),
    /// The transport could not deliver, or the connection broke.
    Broken,
}

/// What a transaction wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Send the message for the first time.
    Send,
    /// Send the last message once more.
    SendAgain,
    /// Send the ACK of a 300-699, the first time or again (§17.1.1.3).
    SendAck,
    /// Send 100 Trying.
    SendTrying,
    /// Hand the message to the user of the transaction.
    Report,
    /// Count a repeated message; the user need not know.
    Absorb,
    /// Tell the user that time ran out.
    TimeOut,
    /// Tell the user that the transport failed.
    Fail,
    /// Start this timer.
    Arm(Timer),
    /// Stop this timer.
    Disarm(Timer),
}

/// One row of a machine.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The state before.
    pub from: State,
    /// What happens.
    pub on: Input,
    /// The state after.
    pub to: State,
    /// What is to be done, in this order.
    pub actions: &'static [Action],
}

pub(super) const fn row(from: State, on: Input, to: State, actions: &'static [Action]) -> Row {
    Row { from, on, to, actions }
}

impl Kind {
    /// The machine as it is declared. What it does not name is ignored.
    #[must_use]
    pub fn table(self) -> &'static [Row] {
        match self {
            Self::InviteClient => super::invite_client::TABLE,
            Self::InviteServer => super::invite_server::TABLE,
            Self::Client => super::client::TABLE,
            Self::Server => super::server::TABLE,
        }
    }

    /// The state in which a transaction of this kind is born.
    #[must_use]
    pub fn initial(self) -> State {
        match self {
            Self::InviteClient => State::Calling,
            Self::InviteServer => State::Proceeding,
            Self::Client | Self::Server => State::Trying,
        }
    }

    /// The row for `on` in `from`, if there is one.
    #[must_use]
    pub fn row(self, from: State, on: Input) -> Option<&'static Row> {
        self.table().iter().find(|row| row.from == from && row.on == on)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} --{:?}--> {:?} {:?}", self.from, self.on, self.to, self.actions)
    }
}
