//! What a Reason value or a status *claims*. Testimony, never a cause by itself: the rules weigh it.
//!
//! Seen in the wild and therefore expected here: `Q.850;cause=16` on every 486, `Q.850;cause=0`, `SIP;cause=8xx`,
//! `q.850` in lower case, `SIP;description="User Hung Up"` without a cause.

use super::families::{Cause, Family};
use crate::sip::{Diversion, Reason};

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
                    )
            }
        }
    }
}

/// What a Reason value claims.
pub(super) fn claim(reason: &Reason) -> Claim {
    match (protocol(reason), reason.cause) {
        (Protocol::Q850, Some(cause)) => q850(cause),
        (Protocol::Sip, Some(status)) => sip(status),
        (Protocol::Preemption, _) => Claim::Cause(Cause::Preempted),
        (Protocol::Q850 | Protocol::Sip | Protocol::Other, _) => words(reason),
    }
}

/// The cause that a Reason value claims, if it claims one.
pub(super) fn claimed_cause(reason: &Reason) -> Option<Cause> {
    match claim(reason) {
        Claim::Cause(cause) => Some(cause),
        Claim::Normal | Claim::Timer | Claim::Nothing => None,
    }
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

fn q850(cause: u16) -> Claim {
    Claim::Cause(match cause {
        1 => Cause::NotFound,
        2 | 3 => Cause::NoRoute,
        8 | 9 => Cause::Preempted,
        16 => return Claim::Normal,
        17 => Cause::Busy,
        18 | 19 => Cause::NoAnswer,
        20 => Cause::Unavailable,
        21 => Cause::Declined,
        22 => Cause::Gone,
        26 => Cause::AnsweredElsewhere,
        27 | 38 => Cause::OutOfService,
        28 => Cause::BadNumber,
        34 | 41 | 42 | 44 | 47 => Cause::Congestion,
        52 | 54 | 57 => Cause::Barred,
        65 | 70 | 88 => Cause::MediaRejected,
        102 => return Claim::Timer,
        _ => return Claim::Nothing,
    })
}

fn sip(status: u16) -> Claim {
    Claim::Cause(match status {
        200 => Cause::AnsweredElsewhere,
        408 => return Claim::Timer,
        480 => Cause::Unavailable,
        481 => Cause::DialogGone,
        486 => Cause::Busy,
        487 => Cause::Cancelled,
        600 => Cause::BusyEverywhere,
        603 => Cause::Declined,
        607 => Cause::Unwanted,
        608 => Cause::Screened,
        404 | 604 => Cause::NotFound,
        488 | 606 => Cause::MediaRejected,
        503 => Cause::ServiceUnavailable,
        500..=599 => Cause::ServerError,
        _ => return Claim::Nothing,
    })
}

/// Last of all, the words: a phrase is the weakest testimony.
fn words(reason: &Reason) -> Claim {
    let text = format!("{} {}", reason.text.as_deref().unwrap_or(""), reason.raw).to_ascii_lowercase();
    let has = |word: &str| text.contains(word);
    if has("elsewhere") {
        Claim::Cause(Cause::AnsweredElsewhere)
    } else if has("hung up") || has("hangup") || has("hang up") {
        Claim::Cause(Cause::Hangup)
    } else if has("busy") {
        Claim::Cause(Cause::Busy)
    } else if has("no answer") || has("noanswer") {
        Claim::Cause(Cause::NoAnswer)
    } else if has("rtp") || has("media timeout") {
        Claim::Cause(Cause::MediaTimeout)
    } else {
        Claim::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_in_the_wild_is_understood_or_ignored() {
        let lower = Reason { protocol: "q.850".into(), cause: Some(21), ..Reason::default() };
        assert_eq!(claim(&lower), Claim::Cause(Cause::Declined));
        assert_eq!(claim(&Reason::q850(0, "")), Claim::Nothing);
        assert_eq!(claim(&Reason::sip(8_01, "")), Claim::Nothing);
        let words = Reason {
            protocol: "SIP".into(),
            raw: "SIP;description=\"User Hung Up\"".into(),
            ..Reason::default()
        };
        assert_eq!(claim(&words), Claim::Cause(Cause::Hangup));
        assert_eq!(quote(&words), "SIP;description=\"User Hung Up\"");
    }

    #[test]
    fn normal_clearing_does_not_fit_a_refusal() {
        assert!(Claim::Normal.fits(Cause::Hangup));
        assert!(!Claim::Normal.fits(Cause::Busy));
    }
}
