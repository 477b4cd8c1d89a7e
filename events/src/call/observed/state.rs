//! What is known of an observed call between two sights.

use serde::{Deserialize, Serialize};

use super::opening::EndSeen;
use crate::call::event::Ended;
use crate::call::phase::Phase;
use crate::call::policy::SipTimers;
use crate::sip::Dialog;
use crate::time::Timestamp;

/// An observed call. Made of events alone, like the state of any call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Where it stands.
    pub phase: Phase,
    /// The dialog as the caller has it; with the callee's tag once it was answered.
    pub dialog: Dialog,
    /// The timers that it is judged by.
    pub sip: SipTimers,
    /// Whether a ringing without media was seen.
    pub rang: bool,
    /// Whether there is media before the answer.
    pub media: bool,
    /// When the answer passed.
    pub answered_at: Option<Timestamp>,
    /// When the caller's CANCEL passed.
    pub cancelled_at: Option<Timestamp>,
    /// The BYE, once it passed.
    pub end: Option<EndSeen>,
    /// How it ended.
    pub how: Option<Ended>,
    /// Whether nothing more is expected.
    pub released: bool,
}

impl Watched {
    /// The callee's tag of the dialog that was answered.
    #[must_use]
    pub fn answered_tag(&self) -> Option<&str> {
        self.dialog.remote_tag.as_deref()
    }
}
