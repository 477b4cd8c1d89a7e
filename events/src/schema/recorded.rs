//! Commits and recorded events.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::codec::CodecError;
use crate::call::{Cause, Event, Input, Phase};
use crate::ids::CallId;
use crate::sip::{Dialog, Peer};
use crate::time::{Timestamp, rfc3339};

/// One transition of one call: the unit of append. Atomic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The call.
    pub call: CallId,
    /// Sequence number, within the call, of the first event in here; the first of a call is 0. Together with `call` it
    /// names the commit, so that a repeated append can be recognised.
    pub version: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// Which node recorded it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// How often the call's ownership changed before; fences an owner that lost it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch: u32,
    /// The phase before the first event.
    pub phase_before: Phase,
    /// What came in.
    pub input: Input,
    /// What happened, in order; never empty.
    pub events: Vec<Happened>,
    /// The SIP messages that came in with the input or go out because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wire: Vec<WireMessage>,
}

impl Commit {
    /// Whether its call is released with it: nothing more is to come.
    #[must_use]
    pub fn releases(&self) -> bool {
        self.events.iter().any(|happened| matches!(happened.event, Event::Released(_)))
    }

    /// The version of the call's next commit.
    #[must_use]
    pub fn next_version(&self) -> u64 {
        self.version + self.events.len() as u64
    }

    /// The dialog that the call began with, if this is its first commit.
    #[must_use]
    pub fn first_dialog(&self) -> Option<&Dialog> {
        match &self.events.first()?.event {
            Event::Placed(placed) => Some(&placed.dialog),
            Event::Offered(offered) => Some(&offered.dialog),
            Event::Observed(observed) => Some(&observed.dialog),
            Event::Sent { .. }
            | Event::Progressed(_)
            | Event::Rang(_)
            | Event::EarlyMedia(_)
            | Event::Answered(_)
            | Event::Connected
            | Event::Media(_)
            | Event::MediaRequested { .. }
            | Event::MediaRefused { .. }
            | Event::Ending(_)
            | Event::EndingSent
            | Event::Ended(_)
            | Event::Recovered(_)
            | Event::Released(_)
            | Event::Noted(_)
            | Event::FoundConnected
            | Event::CancelSeen
            | Event::EndSeen(_) => None,
        }
    }
}

/// An event and the phase it led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// The phase after it.
    pub phase: Phase,
    /// What happened.
    pub event: Event,
}

/// A whole SIP message as it was on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireMessage {
    /// In or out; of a message that was only seen, always in.
    pub direction: WireDirection,
    /// The other end; of a message that was only seen, its sender on this hop.
    pub peer: Peer,
    /// Of a message that was only seen: its receiver on this hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Peer>,
    /// The bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireDirection {
    /// Received.
    In,
    /// Sent, after this commit was durable.
    Out,
}

/// A commit in its place in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCommit {
    /// Global sequence number of the first event in it; the first of a journal is 0. Gapless.
    pub seq: u64,
    /// Link of the call's hash chain: SHA-256 over the previous link (32 zero bytes for the first) and what is kept of the commit.
    pub hash: [u8; 32],
    /// What was appended.
    pub commit: Commit,
    /// What the journal keeps, if that is not just the encoded commit: see [`super::sealed`].
    pub sealed: Option<Arc<[u8]>>,
}

/// One event in its envelope (INTERFACE: `show --json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedEvent {
    /// Global sequence number.
    pub seq: u64,
    /// Sequence number within the call.
    pub call_seq: u64,
    /// When it was recorded.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub recorded_at: Timestamp,
    /// The kind of event.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The schema version it is presented in.
    pub version: u16,
    /// The phase before it.
    pub phase_before: Phase,
    /// The phase after it.
    pub phase_after: Phase,
    /// The input that led to it.
    pub caused_by: Cause,
    /// The event's own data.
    pub data: serde_json::Value,
    /// Link of the call's hash chain, in hexadecimal.
    pub hash: String,
}

impl StoredCommit {
    /// A commit in its place that is kept as it is encoded.
    #[must_use]
    pub fn plain(seq: u64, hash: [u8; 32], commit: Commit) -> Self {
        Self { seq, hash, commit, sealed: None }
    }

    /// What the journal keeps of it, which is what the chain covers.
    ///
    /// # Errors
    /// As [`encode`](super::encode).
    pub fn payload(&self) -> Result<Cow<'_, [u8]>, CodecError> {
        match &self.sealed {
            Some(sealed) => Ok(Cow::Borrowed(sealed)),
            None => super::encode(&self.commit).map(Cow::Owned),
        }
    }

    /// The events in their envelopes.
    #[must_use]
    pub fn recorded(&self) -> Vec<RecordedEvent> {
        let hash: String = self.hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let cause = self.commit.input.cause();
        let mut before = self.commit.phase_before;
        let mut recorded = Vec::with_capacity(self.commit.events.len());
        for (offset, happened) in (0u64..).zip(&self.commit.events) {
            recorded.push(RecordedEvent {
                seq: self.seq + offset,
                call_seq: self.commit.version + offset,
                recorded_at: self.commit.at,
                kind: happened.event.kind().code(),
                version: super::SCHEMA_VERSION,
                phase_before: before,
                phase_after: happened.phase,
                caused_by: cause.clone(),
                data: happened.event.data(),
                hash: hash.clone(),
            });
            before = happened.phase;
        }
        recorded
    }
}

impl Event {
    /// The event's own data as JSON; an empty object if it has none.
    #[must_use]
    pub fn data(&self) -> serde_json::Value {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(mut fields)) => {
                fields.remove("data").unwrap_or_else(|| serde_json::Value::Object(serde_json::Map::new()))
            }
            Ok(_) | Err(_) => serde_json::Value::Null,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
