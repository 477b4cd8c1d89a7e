//! What the network says, digested. Facts; can't be refused.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::policy::Policy;
use crate::sip::{Counters, Dialog, Peer, Request, Response};

/// One digested fact from the wire or from a transaction's timer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The target of a placed call was resolved, the connection stands.
    Reachable {
        /// Where the INVITE goes.
        peer: Peer,
    },
    /// The initial INVITE. First input of a callee's call.
    Invite(Box<Invite>),
    /// CANCEL for the initial INVITE.
    Cancel(Request),
    /// ACK of our 2xx.
    Ack(Request),
    /// BYE in our dialog.
    Bye(Request),
    /// A re-INVITE or UPDATE in our dialog.
    Reinvite(Request),
    /// Any other request in our dialog (INFO, OPTIONS, MESSAGE, ...). The leg has answered it already.
    Request(Request),
    /// 1xx to our INVITE. A 100 is reported once: it tells that the INVITE arrived, so that CANCEL may be sent (§9.1).
    Provisional(Response),
    /// 2xx to our INVITE: the first one, or one of another fork.
    Success(Response),
    /// 300-699 to our INVITE. The transaction has acknowledged it.
    Failure(Response),
    /// Final response to our CANCEL.
    CancelAnswered(Response),
    /// Final response to our BYE.
    ByeAnswered(Response),
    /// Final response to our re-INVITE.
    ReinviteAnswered(Response),
    /// No final response in time: timer B or F (RFC 3261 §17.1).
    TimedOut(Pending),
    /// Our 2xx was sent for 64·T1 and no ACK came (RFC 3261 §13.3.1.4).
    AckMissing,
    /// A message could not be sent, or its connection broke.
    TransportFailed {
        /// What was under way.
        pending: Pending,
        /// The system's words.
        detail: String,
    },
    /// All transactions of an ended call are done.
    Drained(Counters),
}

impl Signal {
    /// Whether this is the word of the other side; otherwise the engine's own timers or transport say it.
    #[must_use]
    pub fn is_from_the_other_side(&self) -> bool {
        match self {
            Self::Reachable { .. }
            | Self::TimedOut(_)
            | Self::AckMissing
            | Self::TransportFailed { .. }
            | Self::Drained(_) => false,
            Self::Invite(_)
            | Self::Cancel(_)
            | Self::Ack(_)
            | Self::Bye(_)
            | Self::Reinvite(_)
            | Self::Request(_)
            | Self::Provisional(_)
            | Self::Success(_)
            | Self::Failure(_)
            | Self::CancelAnswered(_)
            | Self::ByeAnswered(_)
            | Self::ReinviteAnswered(_) => true,
        }
    }

    /// The stable code, as in JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Reachable { .. } => "reachable",
            Self::Invite(_) => "invite",
            Self::Cancel(_) => "cancel",
            Self::Ack(_) => "ack",
            Self::Bye(_) => "bye",
            Self::Reinvite(_) => "reinvite",
            Self::Request(_) => "request",
            Self::Provisional(_) => "provisional",
            Self::Success(_) => "success",
            Self::Failure(_) => "failure",
            Self::CancelAnswered(_) => "cancel_answered",
            Self::ByeAnswered(_) => "bye_answered",
            Self::ReinviteAnswered(_) => "reinvite_answered",
            Self::TimedOut(_) => "timed_out",
            Self::AckMissing => "ack_missing",
            Self::TransportFailed { .. } => "transport_failed",
            Self::Drained(_) => "drained",
        }
    }
}

/// What was under way when time ran out or the transport failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pending {
    /// Our initial INVITE.
    Invite,
    /// Our CANCEL.
    Cancel,
    /// Our BYE.
    Bye,
    /// Our re-INVITE.
    Reinvite,
    /// A response or an ACK of ours.
    Other,
}

impl Pending {
    /// The stable code, as in JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Cancel => "cancel",
            Self::Bye => "bye",
            Self::Reinvite => "reinvite",
            Self::Other => "other",
        }
    }
}

/// The initial INVITE of an incoming call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Who calls, as a URI.
    pub from: String,
    /// Who is called, as a URI.
    pub to: String,
    /// The dialog to be, with our tag already drawn.
    pub dialog: Arc<Dialog>,
    /// What the request says beyond that.
    pub request: Request,
    /// Expires in seconds (RFC 3261 §13.3.1), if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u32>,
    /// The rules of this call, chosen by the shell.
    pub policy: Policy,
}
