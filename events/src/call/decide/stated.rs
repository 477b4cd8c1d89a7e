//! How the cause that an application states travels: the final status of a reject, and the Reason value.

use crate::sip::Reason;
use crate::verdict::{Cause, Family};

/// The final status that says this cause, if the call is still to be rejected.
pub(super) fn status(cause: Cause) -> u16 {
    match cause {
        Cause::Busy | Cause::MaxCalls => 486,
        Cause::BusyEverywhere => 600,
        // RFC 3261 §21.4.18 names both: not there, and not to be disturbed.
        Cause::Unavailable | Cause::DoNotDisturb | Cause::NoAnswer | Cause::NotRegistered => 480,
        Cause::Unwanted => 607,
        Cause::NotFound => 404,
        Cause::Gone => 410,
        Cause::BadNumber => 484,
        Cause::BadUri => 416,
        Cause::NoRoute => 404,
        Cause::OutOfService | Cause::DnsFailed => 502,
        Cause::AuthFailed | Cause::Forbidden | Cause::Barred | Cause::IdentityRejected => 403,
        Cause::PaymentRequired | Cause::CreditExhausted => 402,
        Cause::Screened => 608,
        Cause::RateLimited | Cause::ServiceUnavailable | Cause::Congestion => 503,
        Cause::MessageTooLarge => 513,
        Cause::PreconditionFailed => 580,
        Cause::GatewayTimeout => 504,
        Cause::Malformed => 400,
        Cause::MethodRefused => 405,
        cause => by_family(cause.family()),
    }
}

fn by_family(family: Family) -> u16 {
    match family {
        Family::Incompatible | Family::MediaLost => 488,
        Family::Overloaded | Family::SignallingLost | Family::LocalSystem => 500,
        Family::Cleared
        | Family::Abandoned
        | Family::Refused
        | Family::Unanswered
        | Family::Elsewhere
        | Family::Moved
        | Family::Unreachable
        | Family::Blocked
        | Family::Limit
        | Family::Protocol
        | Family::Unknown => super::endings::DEFAULT_REFUSAL,
    }
}

/// The Reason value that tells the other side. Where no standard value says it, the code itself stands in the text,
/// so that the record over there can name the same cause.
pub(super) fn reason(cause: Cause, words: Option<&str>) -> Reason {
    let (protocol, number, usual) = match cause {
        // RFC 3326 §2.
        Cause::AnsweredElsewhere | Cause::PickedUp | Cause::ForkLost => {
            ("SIP", 200, "Call completed elsewhere")
        }
        Cause::DeclinedElsewhere => ("SIP", 603, "Declined elsewhere"),
        // RFC 4411 §5.
        Cause::Preempted => ("preemption", 1, "UA Preemption"),
        Cause::SessionExpired => ("SIP", 408, "Session timer expired"),
        Cause::NoAnswer => ("Q.850", 19, "No answer"),
        Cause::Busy | Cause::BusyEverywhere => ("Q.850", 17, "User busy"),
        Cause::Declined => ("Q.850", 21, "Call rejected"),
        Cause::Unavailable => ("Q.850", 20, "Subscriber absent"),
        Cause::NotFound => ("Q.850", 1, "Unallocated number"),
        Cause::Gone => ("Q.850", 22, "Number changed"),
        Cause::BadNumber => ("Q.850", 28, "Invalid number format"),
        Cause::Hangup | Cause::Cancelled => ("Q.850", 16, "Normal call clearing"),
        // Normal, unspecified.
        cause => ("Q.850", 31, cause.code()),
    };
    Reason::new(protocol, number, words.unwrap_or(usual))
}
