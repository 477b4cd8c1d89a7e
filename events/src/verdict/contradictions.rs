//! Contradictions: testimony that lost stays on record, in `against`; testimony that agrees joins the evidence.
//!
//! Only the message that ended the call is heard here. What an 18x or the 2xx says belongs to
//! [`super::announcement`]; what came after the decision is a race.

use super::draft::Draft;
use super::facts::Facts;
use super::testimony::{self, Claim};
use super::vocabulary::Confidence;
use crate::call::{Act, Signal};
use crate::sip::Reason;

/// Weighs every Reason of the decisive message against the conclusion.
pub(super) fn weigh(facts: &Facts<'_>, mut draft: Draft) -> Draft {
    let Some(decisive) = facts.decisive else { return draft };
    let refusal = refusal_status(facts);
    let said: Vec<_> = facts.said.iter().filter(|said| said.event == decisive.event).collect();
    for said in said {
        let reason = said.what.reason;
        let claim = testimony::claim(reason);
        let quoted = testimony::quote(reason);
        let known = draft.evidence.iter().any(|row| row.event == said.event && row.says.contains(&quoted));
        if draft.underlying.as_ref().is_some_and(|hidden| claim.fits(hidden.cause) && claim != Claim::Nothing)
        {
            continue;
        }
        if is_answer_status(reason) && draft.act != Some(Act::Cancel) {
            continue;
        }
        if claim.fits(draft.cause) {
            if claim != Claim::Nothing && !known {
                draft = draft.because(said.event, agreement(&said.what.message, &quoted, said.what.ours));
            }
            continue;
        }
        let (message, ours) = (&said.what.message, said.what.ours);
        draft = match (claim, refusal) {
            (Claim::Normal, Some(status)) => draft.despite(
                said.event,
                format!("{quoted} says normal clearing; on a {status} it loses to the status"),
            ),
            _ if ours => draft.despite(said.event, format!("our {message} told the other side {quoted}")),
            (_, Some(_)) => {
                draft.despite(said.event, format!("the {message} says {quoted}")).at_most(Confidence::Weak)
            }
            (_, None) => draft.despite(said.event, format!("the {message} says {quoted}")),
        };
    }
    draft
}

fn agreement(message: &str, quoted: &str, ours: bool) -> String {
    if ours {
        format!("our {message} told the other side so: {quoted}")
    } else {
        format!("the {message} agrees: {quoted}")
    }
}

/// `SIP;cause=200` means "answered elsewhere" in a CANCEL and nothing elsewhere.
fn is_answer_status(reason: &Reason) -> bool {
    testimony::protocol(reason) == testimony::Protocol::Sip && reason.cause == Some(200)
}

/// The status of the refusal that ended the call, received.
fn refusal_status(facts: &Facts<'_>) -> Option<u16> {
    let Signal::Failure(response) = facts.decisive?.what.signal()? else { return None };
    Some(response.status)
}
