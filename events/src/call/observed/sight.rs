//! What an observer sees: the one kind of input that an observed call has.

use serde::{Deserialize, Serialize};

use super::heard::Heard;
use super::opening::Opening;
use crate::call::input::{Cause, CauseKind};
use crate::call::signal::Signal;
use crate::ids::CallId;
use crate::party::Side;
use crate::sip::{MediaDirection, Request, Response};

/// What the end of a time without an observer is called, as a note and as a cause.
pub(super) const WATCH_RESUMED: &str = "watch_resumed";

/// One thing that was seen of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// Whose message it is, by its tags; `nobody` for what no message says.
    pub by: Side,
    /// The callee's tag in it: which early dialog, which fork.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// What came again so far and was only counted.
    #[serde(default, skip_serializing_if = "Again::is_empty")]
    pub again: Again,
    /// Whether it came from an address that had no part in the call before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stranger: bool,
    /// The direction of the offer that this answers (RFC 3264), if it answers a re-INVITE or UPDATE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<MediaDirection>,
    /// Session-Expires in seconds (RFC 4028), if the message has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_expires: Option<u32>,
    /// How many branches of a proxy had failed, if this is the failure that the proxy passes on (RFC 3261 §16.7): concluded,
    /// since its way to the caller is not watched.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub chosen_among: u32,
    /// What it is.
    pub seen: Seen,
}

/// Copies of messages that had been seen before, since the call began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Again {
    /// Copies of the first 2xx to the INVITE on the hop where it was seen first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub answer: u32,
    /// T1 in milliseconds of who sent the INVITE or the answer, by when its second copy came; if shorter than usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t1_ms: Option<u32>,
    /// All copies on the same hop, those of the answer included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub all: u32,
}

impl Again {
    /// Nothing came again.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// The initial INVITE.
    Invite {
        /// What it tells of the call.
        opening: Box<Opening>,
        /// What else it says.
        request: Request,
    },
    /// Any other message of a call whose INVITE was not seen; the message itself is the next sight.
    Midway {
        /// What it tells of the call.
        opening: Box<Opening>,
    },
    /// A message or a timer of the call, named as the signals of an engine are.
    Signal(Signal),
    /// A new INVITE of the same call after a failure: with credentials, for another target, with other media.
    Retried {
        /// The INVITE.
        request: Request,
        /// Whether it carries Authorization or Proxy-Authorization.
        credentials: bool,
    },
    /// A failure that did not end the call, because a new INVITE followed.
    Overcome(Response),
    /// A failure below a proxy, of one branch: its caller never heard it.
    BranchFailed(Response),
    /// A CANCEL below a proxy, for one branch.
    BranchCancelled(Request),
    /// The final response to any other request of the call.
    Answered {
        /// Which request.
        method: String,
        /// The response.
        response: Response,
    },
    /// What a NOTIFY tells of the call that a REFER asked for (RFC 3515 §2.4.5).
    Referred {
        /// The status line in its body.
        status: u16,
    },
    /// A message that was seen already, on its way over another hop.
    Relayed {
        /// `INVITE`, `180`, ...
        what: String,
    },
    /// A copy of a message that came after the end; the first one only.
    Repeated {
        /// `BYE`, `200`, ...
        what: String,
    },
    /// Bytes with this Call-ID that are no proper message.
    Malformed {
        /// What is wrong with them.
        problem: String,
        /// Whether they could be read nevertheless; what they say is then the next sight.
        mended: bool,
    },
    /// A message with this Call-ID that fits neither dialog nor transaction.
    Stray {
        /// `BYE`, `180`, ...
        what: String,
    },
    /// A tone in the audio that this call's session descriptions want.
    Heard(Heard),
    /// Another call has to do with this one.
    Related(Related),
    /// Somebody watches again: since the sight before this one, messages may have passed unseen.
    Resumed,
    /// Nothing more will be seen.
    Stopped(Stop),
}

/// Another call and what it has to do with this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// Our name of it.
    pub call: CallId,
    /// Its Call-ID.
    pub sip_call_id: String,
    /// What it is to this one.
    pub relation: Relation,
    /// Why it is taken for that, in plain words.
    pub because: Vec<String>,
}

/// What another call is to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The other leg of the same back-to-back user agent.
    Leg,
    /// That leg was hung up, by the side given in the sight.
    LegHungUp,
    /// The caller of that leg gave up before the answer.
    LegCancelled,
    /// That leg was refused.
    LegRefused {
        /// Its final status.
        status: u16,
    },
    /// Its INVITE takes the place of this call (RFC 3891).
    ReplacedBy,
}

/// Why nothing more is seen of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The capture ended.
    CaptureEnded,
    /// Nothing was seen for too long.
    Idle,
    /// The observer had to make room for newer calls.
    Crowded,
}

impl Stop {
    /// The stable code, as in notes and causes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::CaptureEnded => "capture_ended",
            Self::Idle => "idle",
            Self::Crowded => "crowded",
        }
    }
}

impl Sight {
    /// A sight with nothing but its message.
    #[must_use]
    pub fn new(by: Side, tag: Option<String>, seen: Seen) -> Self {
        Self {
            by,
            tag,
            again: Again::default(),
            stranger: false,
            offer: None,
            session_expires: None,
            chosen_among: 0,
            seen,
        }
    }

    /// The signal, if it is one.
    #[must_use]
    pub fn signal(&self) -> Option<&Signal> {
        if let Seen::Signal(signal) = &self.seen { Some(signal) } else { None }
    }

    /// What this sight is called as the cause of an event.
    #[must_use]
    pub fn cause(&self) -> Cause {
        let message = |detail: String| Cause { kind: CauseKind::Signal, detail };
        match &self.seen {
            Seen::Invite { .. } => message("invite".into()),
            Seen::Midway { .. } => message("midway".into()),
            Seen::Signal(signal) => signal.cause(),
            Seen::Retried { .. } => message("invite_again".into()),
            Seen::Overcome(response) => message(format!("failure_overcome:{}", response.status)),
            Seen::BranchFailed(response) => message(format!("branch_failed:{}", response.status)),
            Seen::BranchCancelled(_) => message("branch_cancelled".into()),
            Seen::Answered { method, response } => {
                message(format!("{}_answered:{}", method.to_ascii_lowercase(), response.status))
            }
            Seen::Referred { status } => message(format!("refer_progress:{status}")),
            Seen::Relayed { what } => message(format!("relayed:{what}")),
            Seen::Repeated { what } => message(format!("repeated:{what}")),
            Seen::Malformed { .. } => message("malformed".into()),
            Seen::Stray { what } => message(format!("stray:{what}")),
            Seen::Heard(heard) => Cause { kind: CauseKind::Transport, detail: heard.code().to_owned() },
            Seen::Related(related) => message(related.relation.code().to_owned()),
            Seen::Resumed => Cause { kind: CauseKind::Recovery, detail: WATCH_RESUMED.to_owned() },
            Seen::Stopped(stop) => Cause { kind: CauseKind::Transport, detail: stop.code().to_owned() },
        }
    }
}

impl Relation {
    /// The stable code, as in notes and causes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Leg => "other_leg",
            Self::LegHungUp => "other_leg_hung_up",
            Self::LegCancelled => "other_leg_cancelled",
            Self::LegRefused { .. } => "other_leg_refused",
            Self::ReplacedBy => "replaced_by",
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
