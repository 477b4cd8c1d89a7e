//! The verdict as a value: the JSON object that `why --json` prints.

use serde::{Deserialize, Serialize};

use super::families::{Cause, Family};
use super::vocabulary::{AnswerKind, Completeness, Confidence, Direction, Fault, RaceKind, VerdictPhase};
use crate::call::Act;
use crate::ids::CallId;
use crate::party::{Agent, Role, Side};

/// Who ended a call, how and why, with the evidence. The order of the fields is the order in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The family of `cause`.
    pub family: Family,
    /// The proximate cause.
    pub cause: Cause,
    /// What the proximate cause hides: the busy behind an announcement.
    pub underlying: Option<Underlying>,
    /// Who caused the end.
    pub ended_by: EndedBy,
    /// By which act; none while the call lives, or if the record does not tell.
    pub act: Option<Act>,
    /// How far the call had come.
    pub phase: VerdictPhase,
    /// What answered; none if there was neither a 2xx nor early media.
    pub answer_kind: Option<AnswerKind>,
    /// What crossed. Never a cause.
    pub races: Vec<Race>,
    /// Whose fault it was.
    pub fault: Fault,
    /// How sure this is.
    pub confidence: Confidence,
    /// How much of the call is on record.
    pub completeness: Completeness,
    /// What SIP said, as seen on the wire.
    pub sip: SipFacts,
    /// What speaks for this verdict.
    pub evidence: Vec<Evidence>,
    /// What speaks against it.
    pub against: Vec<Evidence>,
    /// The version of the rules that judged.
    pub rulebook: String,
    /// One sentence in each language.
    pub summary: Summary,
}

/// What a proximate cause hides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Underlying {
    /// The hidden cause.
    pub cause: Cause,
    /// How sure that is.
    pub confidence: Confidence,
    /// What speaks for it.
    pub evidence: Vec<Evidence>,
}

/// Who caused an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EndedBy {
    /// The side.
    pub side: Side,
    /// What acted there.
    pub agent: Agent,
}

/// Two acts that crossed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Race {
    /// What kind of crossing.
    pub kind: RaceKind,
    /// The act that took effect on the wire: `caller_cancel`, `callee_answer`, `both`, ...
    pub winner: String,
    /// The act that came to nothing; `none` if both took effect.
    pub loser: String,
    /// Milliseconds between the two as seen here; null if the second never came.
    pub margin_ms: Option<u64>,
}

/// The SIP side of the end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SipFacts {
    /// Final status of the initial INVITE.
    pub status: Option<u16>,
    /// Its phrase as sent, if it is on record.
    pub phrase: Option<String>,
    /// All Reason values of the call, sent and received, in order.
    pub reasons: Vec<SeenReason>,
}

/// A Reason value (RFC 3326) and where it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenReason {
    /// `Q.850`, `SIP`, ... as written.
    pub protocol: String,
    /// The `cause` parameter, if it is a number.
    pub cause: Option<u16>,
    /// The `text` parameter.
    pub text: Option<String>,
    /// The `location` parameter (RFC 8606).
    pub location: Option<String>,
    /// The message it stood in: `BYE`, `CANCEL`, `486 Busy Here`.
    pub message: String,
}

/// One event and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// Sequence number in the call's stream.
    pub event: u64,
    /// What it says.
    pub says: String,
    /// Which rule heard it: the one that concluded (`own.bye`), one about contradictions, a clue of an announcement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl Evidence {
    /// What an event says; which rule heard it is added where the rule is known.
    #[must_use]
    pub fn new(event: u64, says: impl Into<String>) -> Self {
        Self { event, says: says.into(), rule: None }
    }

    /// The same, heard by `rule` unless another one did before.
    #[must_use]
    pub fn by(mut self, rule: &str) -> Self {
        self.rule.get_or_insert_with(|| rule.to_owned());
        self
    }
}

/// One sentence in each language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// A verdict with the call it is about: the whole document of `why --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Our id of the call.
    pub call_id: CallId,
    /// The Call-ID header; empty if the record does not hold it.
    pub sip_call_id: String,
    /// Which way the call went.
    pub direction: Direction,
    /// Which end we are; none for a call that was only observed.
    pub local_side: Option<Role>,
    /// The verdict.
    pub verdict: Verdict,
}
