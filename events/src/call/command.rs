//! What the application may ask for. Imperative; may be refused.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::note::Note;
use super::policy::Policy;
use crate::party::Agent;
use crate::sip::{Dialog, Reason};
use crate::verdict::Cause;

/// A wish of the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Place a call. First input of a caller's call.
    Place(Box<Place>),
    /// Callee: tell the caller that it rings (180).
    Ring,
    /// Callee: answer (200).
    Accept,
    /// End the call, whatever its phase: reject, cancel or hang up.
    Hangup(Hangup),
    /// Put the other side on hold (re-INVITE, `sendonly`).
    Hold,
    /// Take the other side back (re-INVITE, `sendrecv`).
    Resume,
    /// Callee: send the caller elsewhere (302).
    Divert {
        /// The new target URI.
        to: String,
    },
    /// Put on record what the application heard or saw; the call goes on as it is.
    Note(Note),
}

impl Command {
    /// The stable code, as in JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Place(_) => "place",
            Self::Ring => "ring",
            Self::Accept => "accept",
            Self::Hangup(_) => "hangup",
            Self::Hold => "hold",
            Self::Resume => "resume",
            Self::Divert { .. } => "divert",
            Self::Note(_) => "note",
        }
    }
}

/// A call to place. The shell has drawn the identifiers already, so that a replay sees the same ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Who calls, as a URI.
    pub from: String,
    /// Who is called, as a URI.
    pub to: String,
    /// Our half of the dialog to be, with the branch of the INVITE.
    pub dialog: Arc<Dialog>,
    /// Whether `dialog.peer` is known already (a numeric address on UDP). Otherwise the shell resolves or connects
    /// first and reports with [`super::Signal::Reachable`].
    pub reachable: bool,
    /// The rules of this call.
    pub policy: Policy,
}

/// A wish to end the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hangup {
    /// Final status if this turns out to be a reject; 603 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// A text for the Reason header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Reason values to send instead of the ones the engine would choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Who wants it: the user, the application, an administrator, ...
    pub origin: Agent,
    /// Why, if the application knows: `credit_exhausted`, `media_timeout`, `transferred`, ... It is recorded and told
    /// to the other side; the rulebook believes it where it fits ([`Cause::can_be_stated`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

impl Hangup {
    /// A plain hang-up by `origin`.
    #[must_use]
    pub fn by(origin: Agent) -> Self {
        Self { status: None, reason: None, reasons: Vec::new(), origin, cause: None }
    }
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is durable and takes its course.
    Accepted,
    /// A hang-up of a call that is over or on its way there: nothing to do.
    AlreadyEnded,
    /// Not possible in this phase.
    Refused,
}
