//! What a Reason value or a status *claims*. Testimony, never a cause by itself: the rules weigh it.
//!
//! Seen in the wild and therefore expected here: `Q.850;cause=16` on every 486, `Q.850;cause=0`, `SIP;cause=8xx`,
//! `q.850` in lower case, `SIP;description="User Hung Up"` without a cause.

mod numbers;
mod words;

pub(super) use words::found;

use std::borrow::Cow;

use super::families::{Cause, Family};
use super::vocabulary::Rulebook;
use crate::sip::{Clues, Diversion, Reason};

/// What a piece of testimony claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// This cause.
    Cause(Cause),
    /// The normal end of a call (Q.850 16): nothing about who or why.
    Normal,
    /// A timer ran out somewhere (Q.850 102).
    Timer,
    /// Nothing that could be understood.
    Nothing,
}

impl Claim {
    /// Whether this claim fits a verdict of `cause`. Silence fits everything.
    pub(super) fn fits(self, cause: Cause) -> bool {
        match self {
            Self::Nothing => true,
            Self::Normal => matches!(cause.family(), Family::Cleared | Family::Abandoned),
            Self::Timer => {
                matches!(cause.family(), Family::Unanswered | Family::SignallingLost | Family::Limit)
            }
            Self::Cause(claimed) => {
                claimed == cause
                    || (claimed.family() == Family::Overloaded && cause.family() == Family::Overloaded)
                    || matches!(
                        (claimed, cause),
                        (Cause::Busy, Cause::BusyEverywhere)
                            | (Cause::BusyEverywhere, Cause::Busy)
                            // RFC 3398 §8.2.6.1 has one Q.850 value for all ways to say no.
                            | (Cause::Declined, Cause::Forbidden | Cause::Unwanted | Cause::Screened)
                            | (Cause::Declined, Cause::Unavailable)
                            | (Cause::Unavailable, Cause::NotRegistered)
                            | (Cause::NotFound, Cause::BadNumber)
                            // RFC 3326 §2 has one value for all ways to be served by another device.
                            | (Cause::AnsweredElsewhere, Cause::PickedUp | Cause::ForkLost)
                    )
            }
        }
    }
}

/// What a Reason value claims. A number says more than words, unless it says nothing about the cause; the words of
/// another callbox are codes of our vocabulary.
pub(super) fn claim(rulebook: Rulebook, reason: &Reason) -> Claim {
    if rulebook == Rulebook::V1_0 {
        return number(rulebook, reason).unwrap_or_else(|| words::claim(rulebook, reason));
    }
    let vague = match number(rulebook, reason).unwrap_or(Claim::Nothing) {
        Claim::Cause(cause) => return Claim::Cause(cause),
        vague @ (Claim::Normal | Claim::Timer | Claim::Nothing) => vague,
    };
    if let Some(code) = reason.text.as_deref().and_then(|text| text.parse::<Cause>().ok()) {
        return Claim::Cause(code);
    }
    match words::claim(rulebook, reason) {
        Claim::Nothing => vague,
        said @ (Claim::Cause(_) | Claim::Normal | Claim::Timer) => said,
    }
}

/// What its number claims, if its protocol and number are known.
fn number(rulebook: Rulebook, reason: &Reason) -> Option<Claim> {
    match (protocol(reason), reason.cause) {
        (Protocol::Q850, Some(cause)) => Some(numbers::q850(rulebook, cause)),
        (Protocol::Sip, Some(status)) => Some(numbers::sip(rulebook, status)),
        (Protocol::Preemption, _) => Some(Claim::Cause(Cause::Preempted)),
        (Protocol::Other, _) if rulebook > Rulebook::V1_0 => numbers::vendor(reason),
        (Protocol::Q850 | Protocol::Sip | Protocol::Other, _) => None,
    }
}

/// The cause that a Reason value claims, if it claims one.
pub(super) fn claimed_cause(rulebook: Rulebook, reason: &Reason) -> Option<Cause> {
    match claim(rulebook, reason) {
        Claim::Cause(cause) => Some(cause),
        Claim::Normal | Claim::Timer | Claim::Nothing => None,
    }
}

/// All Reason values of a message, and what Asterisk says in a header of its own where it sends no Reason.
pub(super) fn heard<'a>(
    rulebook: Rulebook,
    reasons: &'a [Reason],
    clues: &Clues,
) -> impl Iterator<Item = Cow<'a, Reason>> + use<'a> {
    let private = clues.hangup_code.filter(|_| reasons.is_empty() && rulebook > Rulebook::V1_0);
    let private = private.map(|cause| Reason {
        raw: format!("X-Asterisk-HangupCauseCode {cause}"),
        ..Reason::q850(cause, clues.hangup_cause.as_deref().unwrap_or_default())
    });
    reasons.iter().map(Cow::Borrowed).chain(private.map(Cow::Owned))
}

/// Whose vocabulary a Reason value uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Q850,
    Sip,
    Preemption,
    Other,
}

/// The protocol of a Reason value, whatever its case.
pub(super) fn protocol(reason: &Reason) -> Protocol {
    match reason.protocol.to_ascii_lowercase().as_str() {
        "q.850" => Protocol::Q850,
        "sip" => Protocol::Sip,
        "preemption" => Protocol::Preemption,
        _ => Protocol::Other,
    }
}

/// A Reason value as a person would quote it.
pub(super) fn quote(reason: &Reason) -> String {
    if !reason.raw.is_empty() {
        return reason.raw.clone();
    }
    match (reason.cause, &reason.text) {
        (Some(cause), Some(text)) => format!("{};cause={cause};text=\"{text}\"", reason.protocol),
        (Some(cause), None) => format!("{};cause={cause}", reason.protocol),
        (None, Some(text)) => format!("{};text=\"{text}\"", reason.protocol),
        (None, None) => reason.protocol.clone(),
    }
}

/// Where RFC 8606 says a Reason was made, if it says so: at the user's, or in some network.
pub(super) fn made_by_user(reason: &Reason) -> Option<bool> {
    match reason.location.as_deref()?.to_ascii_uppercase().as_str() {
        "U" => Some(true),
        "LPN" | "LN" | "TN" | "RLN" | "RPN" | "INTL" | "BI" => Some(false),
        _ => None,
    }
}

/// What the reason for a diversion claims about the party that was called first.
pub(super) fn diversion(diversion: &Diversion) -> Option<Cause> {
    match (diversion.cause, diversion.reason.as_deref().map(str::to_ascii_lowercase).as_deref()) {
        (Some(486 | 600), _) | (_, Some("user-busy")) => Some(Cause::Busy),
        (Some(603), _) => Some(Cause::Declined),
        (Some(408 | 480), _) | (_, Some("no-answer")) => Some(Cause::NoAnswer),
        (_, Some("do-not-disturb")) => Some(Cause::Declined),
        _ => None,
    }
}

/// The Q.850 value that RFC 3398 §8.2.6.1 gives to a status: a translation, not a second witness.
pub(super) fn echo(status: u16) -> Option<u16> {
    match status {
        404 | 485 | 604 => Some(1),
        410 => Some(22),
        408 | 504 => Some(102),
        480 => Some(18),
        484 => Some(28),
        486 | 600 => Some(17),
        403 | 603 | 607 | 608 => Some(21),
        500 | 503 => Some(41),
        502 => Some(38),
        _ => None,
    }
}

/// What a Reason in the words of its own dialect claims, for people who want to see how it is understood: the code of
/// a cause, `normal`, `timer` or `nothing`.
#[must_use]
pub fn understood(rulebook: Rulebook, reason: &Reason) -> &'static str {
    match claim(rulebook, reason) {
        Claim::Cause(cause) => cause.code(),
        Claim::Normal => "normal",
        Claim::Timer => "timer",
        Claim::Nothing => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_in_the_wild_is_understood_or_ignored() {
        let lower = Reason { protocol: "q.850".into(), cause: Some(21), ..Reason::default() };
        assert_eq!(claim(Rulebook::V1_0, &lower), Claim::Cause(Cause::Declined));
        assert_eq!(claim(Rulebook::V1_0, &Reason::q850(0, "")), Claim::Nothing);
        assert_eq!(claim(Rulebook::V1_0, &Reason::sip(801, "")), Claim::Nothing);
        let words = Reason {
            protocol: "SIP".into(),
            raw: "SIP;description=\"User Hung Up\"".into(),
            ..Reason::default()
        };
        assert_eq!(claim(Rulebook::V1_0, &words), Claim::Cause(Cause::Hangup));
        assert_eq!(quote(&words), "SIP;description=\"User Hung Up\"");
    }

    #[test]
    fn normal_clearing_does_not_fit_a_refusal() {
        assert!(Claim::Normal.fits(Cause::Hangup));
        assert!(!Claim::Normal.fits(Cause::Busy));
    }
}
