//! What happened, in past tense: the facts that are persisted. Names and fields are for ever (see `schema`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::observed::{EndSeen, Observed};
use super::policy::Policy;
use crate::party::{Agent, Side};
use crate::sip::{Counters, Dialog, MediaDirection, Peer, Reason};
use crate::time::Timestamp;
use crate::verdict::Cause;

/// One durable fact of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The application placed a call. Idle → Calling.
    Placed(Box<Placed>),
    /// The INVITE may leave: its target is known.
    Sent {
        /// Where to.
        peer: Peer,
    },
    /// An INVITE came. Idle → Incoming.
    Offered(Box<Offered>),
    /// Still being processed elsewhere: 100, 181, 182, 199, a further 18x.
    Progressed(Alerting),
    /// The called side alerts: a first 18x without SDP, received or sent. Calling or Incoming → Early.
    Rang(Alerting),
    /// Media before the answer: an 18x with SDP. Calling, Incoming or Early → Early.
    EarlyMedia(Alerting),
    /// A 2xx was received or sent. → Connecting.
    Answered(Box<AnswerFacts>),
    /// The ACK was sent or received. Connecting → Connected.
    Connected,
    /// One side holds the other or takes it back.
    Media(Media),
    /// Our own change of media was asked for: the re-INVITE leaves.
    MediaRequested {
        /// What we ask for.
        direction: MediaDirection,
    },
    /// Our change of media was refused or not answered; everything stays as it was.
    MediaRefused {
        /// The final status; 408 if there was none.
        status: u16,
    },
    /// The end was decided here and the signalling begins. → Ending.
    Ending(Ending),
    /// The CANCEL or BYE that had to wait may leave: a provisional response or the ACK came, or the wait is over.
    EndingSent,
    /// The call is over: exactly one per call. → Ended.
    Ended(Ended),
    /// The engine came back and goes on with this call.
    Recovered(Recovered),
    /// All transactions are done; the last event of a call.
    Released(Counters),
    /// An input that changes no phase: kept so that the run can be decided again.
    Noted(Noted),
    /// A call of others was seen for the first time. Idle → Calling.
    Observed(Box<Observed>),
    /// An observed call is in conversation, although its answer was not seen. → Connected.
    FoundConnected,
    /// The caller's CANCEL passed. What became of it the next messages tell.
    CancelSeen,
    /// The BYE passed. → Ending.
    EndSeen(EndSeen),
}

/// The kind of an [`Event`] without its data: a row of the transition table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are documented at Event")]
pub enum EventKind {
    Placed,
    Sent,
    Offered,
    Progressed,
    Rang,
    EarlyMedia,
    Answered,
    Connected,
    Media,
    MediaRequested,
    MediaRefused,
    Ending,
    EndingSent,
    Ended,
    Recovered,
    Released,
    Noted,
    Observed,
    FoundConnected,
    CancelSeen,
    EndSeen,
}

/// A call of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Who calls, as a URI.
    pub from: String,
    /// Who is called, as a URI.
    pub to: String,
    /// Our half of the dialog.
    pub dialog: Arc<Dialog>,
    /// The rules of this call.
    pub policy: Policy,
}

/// A call from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// Who calls, as a URI.
    pub from: String,
    /// Who is called, as a URI.
    pub to: String,
    /// The dialog to be.
    pub dialog: Arc<Dialog>,
    /// The rules of this call.
    pub policy: Policy,
    /// When the caller's own Expires runs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A provisional response, received or sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Alerting {
    /// 100 to 199.
    pub status: u16,
    /// The To tag: which early dialog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_tag: Option<String>,
}

/// A 2xx, received or sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerFacts {
    /// 200 to 299.
    pub status: u16,
    /// The confirmed dialog.
    pub dialog: Arc<Dialog>,
}

/// A change of the media.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Media {
    /// Which side asked for it.
    pub by: Side,
    /// The direction that side gave; `sendonly` and `inactive` hold the other.
    pub direction: MediaDirection,
    /// The remote target after it, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_target: Option<String>,
}

/// How a call is being ended by this side.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ending {
    /// What we do about it.
    pub act: Act,
    /// Who wanted it.
    pub agent: Agent,
    /// The Reason values we send along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// True if the CANCEL must wait for a first provisional response (RFC 3261 §9.1), or the BYE for the ACK (§15).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// Why, as the application stated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// The act that ends a call (VERDICTS: `act`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A BYE.
    Bye,
    /// A CANCEL.
    Cancel,
    /// A final response to the INVITE.
    FinalResponse,
    /// Nothing was sent.
    LocalRefusal,
    /// Time ran out.
    Timeout,
    /// A message could not be sent or its connection broke.
    TransportError,
    /// A session was not refreshed (RFC 4028).
    RefreshExpired,
    /// Another call took its place (RFC 3891).
    Replaced,
    /// Transferred away (RFC 3515).
    Transfer,
    /// No packet: a crash, a kill.
    Discarded,
}

impl Act {
    /// The stable code, as in JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Bye => "bye",
            Self::Cancel => "cancel",
            Self::FinalResponse => "final_response",
            Self::LocalRefusal => "local_refusal",
            Self::Timeout => "timeout",
            Self::TransportError => "transport_error",
            Self::RefreshExpired => "refresh_expired",
            Self::Replaced => "replaced",
            Self::Transfer => "transfer",
            Self::Discarded => "discarded",
        }
    }
}

/// The end of a call as the machine saw it. The verdict is computed from the whole record, not from this alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ended {
    /// The act that ended it.
    pub act: Act,
    /// Whose act it was.
    pub side: Side,
    /// What acted on that side, as far as the engine knows.
    pub agent: Agent,
    /// The final status, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The end lies somewhere between these two points (a crash); otherwise it is the time of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<(Timestamp, Timestamp)>,
    /// What else should be known: `bye_unanswered`, `bye_answered_481`, `no_final_response`, ...
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why, as the application stated it when it wanted the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// The engine came back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Recovered {
    /// When the last event before was recorded.
    pub last_event_at: Timestamp,
}

/// An input without a change of phase.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Noted {
    /// What it was: `late_answer`, `cancel_answered`, `stray_ack`, `command_refused`, ...
    pub what: String,
}

/// What the application is told, by name (SCENARIOS).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are documented in SCENARIOS and at Event::notification")]
pub enum Notification {
    Started,
    Incoming,
    Ringing,
    EarlyMedia,
    Answered,
    Connected,
    Held,
    Media,
    Ending,
    Ended,
    Released,
}

impl Notification {
    /// The stable code, as in JSON and server-sent events.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Incoming => "incoming",
            Self::Ringing => "ringing",
            Self::EarlyMedia => "early_media",
            Self::Answered => "answered",
            Self::Connected => "connected",
            Self::Held => "held",
            Self::Media => "media",
            Self::Ending => "ending",
            Self::Ended => "ended",
            Self::Released => "released",
        }
    }
}

impl Event {
    /// The kind of this event.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Placed(_) => EventKind::Placed,
            Self::Sent { .. } => EventKind::Sent,
            Self::Offered(_) => EventKind::Offered,
            Self::Progressed(_) => EventKind::Progressed,
            Self::Rang(_) => EventKind::Rang,
            Self::EarlyMedia(_) => EventKind::EarlyMedia,
            Self::Answered(_) => EventKind::Answered,
            Self::Connected => EventKind::Connected,
            Self::Media(_) => EventKind::Media,
            Self::MediaRequested { .. } => EventKind::MediaRequested,
            Self::MediaRefused { .. } => EventKind::MediaRefused,
            Self::Ending(_) => EventKind::Ending,
            Self::EndingSent => EventKind::EndingSent,
            Self::Ended(_) => EventKind::Ended,
            Self::Recovered(_) => EventKind::Recovered,
            Self::Released(_) => EventKind::Released,
            Self::Noted(_) => EventKind::Noted,
            Self::Observed(_) => EventKind::Observed,
            Self::FoundConnected => EventKind::FoundConnected,
            Self::CancelSeen => EventKind::CancelSeen,
            Self::EndSeen(_) => EventKind::EndSeen,
        }
    }

    /// What the application is told of this event: a projection, so that a subscriber who comes later is told the same.
    #[must_use]
    pub fn notification(&self) -> Option<Notification> {
        match self {
            Self::Sent { .. } | Self::Observed(_) => Some(Notification::Started),
            Self::Offered(_) => Some(Notification::Incoming),
            Self::Rang(_) => Some(Notification::Ringing),
            Self::EarlyMedia(_) => Some(Notification::EarlyMedia),
            Self::Answered(_) => Some(Notification::Answered),
            Self::Connected | Self::FoundConnected => Some(Notification::Connected),
            Self::Media(media) => Some(match media.direction {
                MediaDirection::SendOnly | MediaDirection::Inactive => Notification::Held,
                MediaDirection::SendRecv | MediaDirection::RecvOnly => Notification::Media,
            }),
            Self::Ending(_) | Self::EndSeen(_) => Some(Notification::Ending),
            Self::Ended(_) => Some(Notification::Ended),
            Self::Released(_) => Some(Notification::Released),
            Self::Placed(_)
            | Self::Progressed(_)
            | Self::MediaRequested { .. }
            | Self::MediaRefused { .. }
            | Self::EndingSent
            | Self::Recovered(_)
            | Self::Noted(_)
            | Self::CancelSeen => None,
        }
    }
}

impl EventKind {
    /// The stable code, as in JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Sent => "sent",
            Self::Offered => "offered",
            Self::Progressed => "progressed",
            Self::Rang => "rang",
            Self::EarlyMedia => "early_media",
            Self::Answered => "answered",
            Self::Connected => "connected",
            Self::Media => "media",
            Self::MediaRequested => "media_requested",
            Self::MediaRefused => "media_refused",
            Self::Ending => "ending",
            Self::EndingSent => "ending_sent",
            Self::Ended => "ended",
            Self::Recovered => "recovered",
            Self::Released => "released",
            Self::Noted => "noted",
            Self::Observed => "observed",
            Self::FoundConnected => "found_connected",
            Self::CancelSeen => "cancel_seen",
            Self::EndSeen => "end_seen",
        }
    }
}
