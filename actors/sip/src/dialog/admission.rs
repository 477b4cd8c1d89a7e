//! Whether a request belongs to a dialog and comes in order (RFC 3261 §12.2.2).

use callbox_events::sip::Dialog;

use crate::wire::Message;

/// What a dialog thinks of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It belongs here and is new.
    InOrder,
    /// It belongs here, but a later one was there before: 500.
    OutOfOrder,
    /// It belongs to another dialog.
    Foreign,
}

/// Compares tags and CSeq; `newest` is the other side's last one, 0 if there was none. A tag that one side lacks is an empty one (RFC 2543 peers).
#[must_use]
pub fn admit(dialog: &Dialog, newest: u32, request: &Message) -> Admission {
    let ours = request.to_tag().unwrap_or_default() == dialog.local_tag;
    let theirs = request.from_tag().unwrap_or_default() == dialog.remote_tag.as_deref().unwrap_or_default();
    if !ours || !theirs {
        Admission::Foreign
    } else if request.cseq().0 <= newest && newest != 0 {
        // An equal number with another branch is the same request on another path: no less out of order.
        Admission::OutOfOrder
    } else {
        Admission::InOrder
    }
}
