//! What the shell must do once the events are durable.

use serde::{Deserialize, Serialize};

use super::timers::TimerId;
use crate::sip::{MediaDirection, Peer, Reason};
use crate::time::Timestamp;

/// An act, performed only after the ack of the events it belongs to. Never persisted: [`super::Call::decide`] yields it
/// again from the same state and input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Find out where to send the INVITE and connect; answer with [`super::Signal::Reachable`] or `TransportFailed`.
    Reach,
    /// Send the initial INVITE with our offer.
    SendInvite {
        /// Where to.
        peer: Peer,
    },
    /// Respond to the initial INVITE: provisional or final.
    Respond {
        /// 101 to 699.
        status: u16,
        /// Whether to carry our session description.
        sdp: bool,
        /// Reason values.
        reasons: Vec<Reason>,
        /// Contact of a 3xx.
        contact: Option<String>,
        /// Retry-After in seconds.
        retry_after: Option<u32>,
    },
    /// Acknowledge the 2xx that was taken (RFC 3261 §13.2.2.4).
    SendAck,
    /// Acknowledge a 2xx that nobody wants (a late one, another fork's) and end its dialog at once.
    DismissAnswer {
        /// The To tag of that 2xx.
        to_tag: Option<String>,
        /// Reason values for the BYE.
        reasons: Vec<Reason>,
    },
    /// Cancel the initial INVITE.
    SendCancel {
        /// Reason values.
        reasons: Vec<Reason>,
    },
    /// End the dialog.
    SendBye {
        /// Reason values.
        reasons: Vec<Reason>,
    },
    /// Send a re-INVITE with this direction in our description.
    SendReinvite {
        /// `sendonly` to hold, `sendrecv` to resume.
        direction: MediaDirection,
    },
    /// Answer the CANCEL that was just received.
    AnswerCancel {
        /// 200, or 481.
        status: u16,
    },
    /// Answer the BYE that was just received.
    AnswerBye {
        /// 200, or 481.
        status: u16,
    },
    /// Answer the re-INVITE or UPDATE that was just received.
    AnswerReinvite {
        /// 200, 488, 491, 481, ...
        status: u16,
        /// Our direction in the answer, for a 200.
        direction: MediaDirection,
    },
    /// Hand this timer back at that time, replacing an earlier deadline of the same timer.
    Arm {
        /// Which.
        timer: TimerId,
        /// When.
        at: Timestamp,
    },
    /// Forget this timer.
    Disarm {
        /// Which.
        timer: TimerId,
    },
    /// Forget all timers of the call.
    DisarmAll,
}
