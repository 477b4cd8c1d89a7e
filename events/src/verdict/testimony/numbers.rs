//! The numbers of Reason values: Q.850, SIP statuses, 3GPP and vendors.

use super::super::families::Cause;
use super::super::vocabulary::Rulebook;
use super::Claim;
use crate::sip::Reason;

/// ITU-T Q.850 cause values.
pub(super) fn q850(rulebook: Rulebook, cause: u16) -> Claim {
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
        _ if rulebook == Rulebook::V1_0 => return Claim::Nothing,
        25 => Cause::NoRoute,
        46 => Cause::Preempted,
        49 => Cause::PreconditionFailed,
        50 | 53 | 55 | 87 => Cause::Barred,
        95..=101 | 111 => Cause::Malformed,
        _ => return Claim::Nothing,
    })
}

/// SIP statuses. Those from 700 on are none: FreeSWITCH sends its own causes so.
pub(super) fn sip(rulebook: Rulebook, status: u16) -> Claim {
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
        _ if rulebook == Rulebook::V1_0 => return Claim::Nothing,
        402 => Cause::PaymentRequired,
        403 => Cause::Forbidden,
        410 => Cause::Gone,
        484 | 485 => Cause::BadNumber,
        700.. => return freeswitch(status),
        _ => return Claim::Nothing,
    })
}

/// Protocols of 3GPP TS 24.229 §7.2A.18 and of vendors, whatever their case.
pub(super) fn vendor(reason: &Reason) -> Option<Claim> {
    let protocol = reason.protocol.to_ascii_uppercase();
    Some(match (protocol.as_str(), reason.cause) {
        ("RELEASE_CAUSE", Some(cause)) => release_cause(cause),
        ("FAILURE_CAUSE", Some(cause)) => failure_cause(cause),
        ("FREESWITCH", Some(cause)) => freeswitch(cause),
        ("X.INT", _) => x_int(&reason.raw),
        _ => return None,
    })
}

/// Why an IMS function released the call.
fn release_cause(cause: u16) -> Claim {
    Claim::Cause(match cause {
        1 => Cause::Hangup,
        // No RTP, or the radio bearer lost.
        2 | 3 => Cause::MediaTimeout,
        4 => Cause::AckMissing,
        5 => Cause::NoResponse,
        6 => Cause::NoAnswer,
        _ => return Claim::Nothing,
    })
}

/// Why the access network could not go on.
fn failure_cause(cause: u16) -> Claim {
    Claim::Cause(match cause {
        1 => Cause::MediaTimeout,
        2 => Cause::TransportFailed,
        3 => Cause::PreconditionFailed,
        _ => return Claim::Nothing,
    })
}

/// FreeSWITCH's causes beyond Q.850. Newer versions number them from 700 and 800, older ones from 500 and 600.
fn freeswitch(cause: u16) -> Claim {
    Claim::Cause(match cause {
        500 | 700 => Cause::EngineLost,
        501 | 701 => Cause::Shutdown,
        502 | 702 => Cause::ForkLost,
        503 | 703 => Cause::AdminKill,
        600 | 601 | 800 | 801 => Cause::Transferred,
        602 | 802 => Cause::MaxDuration,
        603 | 803 => Cause::AuthFailed,
        604 | 804 => Cause::MediaTimeout,
        605 | 805 => Cause::PickedUp,
        606 | 806 => Cause::NotRegistered,
        607 | 807 => return Claim::Timer,
        608 | 609 | 808 | 809 => Cause::NoRoute,
        610 | 810 => Cause::BadUri,
        612 | 812 => Cause::NoAnswer,
        613 | 813 => Cause::MediaSecurityFailed,
        815 => Cause::BusyEverywhere,
        816 => Cause::Declined,
        817 => Cause::NotFound,
        818 => Cause::MediaRejected,
        819 => Cause::Unwanted,
        820 => Cause::IdentityRejected,
        _ => return Claim::Nothing,
    })
}

/// Mobile switches write a hexadecimal `reasoncode` of their own; two are public, and both mean a normal release.
fn x_int(raw: &str) -> Claim {
    let raw = raw.to_ascii_lowercase();
    let code = raw.split("reasoncode=0x").nth(1).and_then(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_hexdigit()).map_or(rest, |end| &rest[..end]);
        u64::from_str_radix(digits, 16).ok()
    });
    match code {
        Some(0 | 0x603) => Claim::Normal,
        Some(_) | None => Claim::Nothing,
    }
}
