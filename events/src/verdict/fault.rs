//! Whose fault an end was: a table by cause. Blame is no by-product: it is the first thing people ask.

use super::families::Cause;
use super::vocabulary::Fault;
use crate::party::Side;

/// The fault that belongs to `cause` by `side`.
pub(super) fn of(cause: Cause, side: Side) -> Fault {
    match cause {
        Cause::Hangup
        | Cause::ConferenceEnded
        | Cause::Cancelled
        | Cause::Busy
        | Cause::BusyEverywhere
        | Cause::Declined
        | Cause::Unavailable
        | Cause::Unwanted
        | Cause::NoAnswer
        | Cause::AnsweredElsewhere
        | Cause::DeclinedElsewhere
        | Cause::PickedUp
        | Cause::ForkLost
        | Cause::Redirected
        | Cause::Transferred
        | Cause::Replaced
        | Cause::Alive => Fault::Normal,
        Cause::DoNotDisturb
        | Cause::Forbidden
        | Cause::PaymentRequired
        | Cause::Screened
        | Cause::Barred
        | Cause::RateLimited
        | Cause::MaxDuration
        | Cause::CreditExhausted
        | Cause::MaxCalls
        | Cause::Preempted
        | Cause::Idle
        | Cause::AdminKill
        | Cause::Shutdown => Fault::Policy,
        Cause::NotFound
        | Cause::Gone
        | Cause::BadNumber
        | Cause::BadUri
        | Cause::AuthFailed
        | Cause::IdentityRejected
        | Cause::MessageTooLarge
        | Cause::MissingMedia
        | Cause::IntervalTooSmall
        | Cause::Malformed => Fault::Caller,
        Cause::NotRegistered | Cause::MethodRefused => Fault::Callee,
        Cause::RedirectFailed
        | Cause::NoRoute
        | Cause::DnsFailed
        | Cause::OutOfService
        | Cause::ServiceUnavailable
        | Cause::GatewayTimeout
        | Cause::Congestion
        | Cause::NoResponse
        | Cause::AckMissing
        | Cause::PrackMissing
        | Cause::FinalMissing
        | Cause::TransportFailed
        | Cause::KeepaliveLost
        | Cause::MediaTimeout
        | Cause::IceFailed
        | Cause::ConsentExpired
        | Cause::MergedRequest => Fault::Network,
        Cause::ServerError => by_side(side, Fault::Network),
        Cause::DialogGone | Cause::SessionExpired | Cause::DeviceFailed => {
            by_side(side, Fault::Indeterminate)
        }
        Cause::MediaRejected
        | Cause::ExtensionRequired
        | Cause::EncryptionRequired
        | Cause::PreconditionFailed
        | Cause::MediaSecurityFailed
        | Cause::DialogMismatch
        | Cause::GlareUnresolved
        | Cause::Unsolicited
        | Cause::RecordGap
        | Cause::CaptureEnded
        | Cause::Contradictory => Fault::Indeterminate,
        Cause::EngineLost
        | Cause::StorageFailed
        | Cause::ResourcesExhausted
        | Cause::InternalError
        | Cause::ApplicationLost => Fault::Engine,
    }
}

fn by_side(side: Side, otherwise: Fault) -> Fault {
    match side {
        Side::Caller => Fault::Caller,
        Side::Callee => Fault::Callee,
        Side::Network => Fault::Network,
        Side::Both | Side::Nobody | Side::Unknown => otherwise,
    }
}
