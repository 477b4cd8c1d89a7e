//! How an observed call begins and how its end is seen: the data of the events that only an observer records.

use serde::{Deserialize, Serialize};

use crate::call::event::Act;
use crate::call::policy::SipTimers;
use crate::party::Side;
use crate::sip::{Dialog, Peer};

/// What the first message of an observed call tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Who calls, as a URI.
    pub from: String,
    /// Who is called, as a URI.
    pub to: String,
    /// The dialog to be, written as the caller has it.
    pub dialog: Dialog,
    /// Who sent the first message on the first hop.
    pub source: Peer,
    /// The timers that the observer judges by; those of RFC 3261 unless told otherwise.
    #[serde(default)]
    pub sip: SipTimers,
}

/// A call was seen for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Who calls, as a URI.
    pub from: String,
    /// Who is called, as a URI.
    pub to: String,
    /// The dialog to be, written as the caller has it.
    pub dialog: Dialog,
    /// Who sent the first message on the first hop.
    pub source: Peer,
    /// The timers that the observer judges by.
    #[serde(default)]
    pub sip: SipTimers,
    /// Whether the call had begun before the capture did: its INVITE was not seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub midway: bool,
}

impl Observed {
    /// The event for a call that begins so.
    #[must_use]
    pub fn of(opening: &Opening, midway: bool) -> Self {
        let Opening { from, to, dialog, source, sip } = opening.clone();
        Self { from, to, dialog, source, sip, midway }
    }
}

/// The message that ends a conversation was seen.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EndSeen {
    /// Whose it was.
    pub by: Side,
    /// What it stands for: a BYE, or a CANCEL that came too late and is made good by a BYE.
    pub act: Act,
}
