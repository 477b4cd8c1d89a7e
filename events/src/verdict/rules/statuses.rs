//! The table of final statuses: what each says by itself. Evidence, to be weighed with Reason, phase and time.

use super::super::families::Cause;

/// The leaf that a final status (300-699) of the initial INVITE says by itself. An unknown one is taken as the x00 of
/// its class (RFC 3261 §8.1.3.2).
pub(in crate::verdict) fn leaf(status: u16) -> Cause {
    match status {
        300..=399 => Cause::Redirected,
        401 | 407 => Cause::AuthFailed,
        402 => Cause::PaymentRequired,
        403 | 470 => Cause::Forbidden,
        404 | 604 => Cause::NotFound,
        405 | 489 | 501 => Cause::MethodRefused,
        406 | 415 | 488 | 606 => Cause::MediaRejected,
        408 => Cause::NoAnswer,
        410 => Cause::Gone,
        413 | 513 => Cause::MessageTooLarge,
        414 | 416 | 417 => Cause::BadUri,
        420 | 421 | 439 => Cause::ExtensionRequired,
        422 | 423 => Cause::IntervalTooSmall,
        428 | 429 | 436..=438 => Cause::IdentityRejected,
        430 => Cause::TransportFailed,
        433 | 608 => Cause::Screened,
        480 => Cause::Unavailable,
        481 => Cause::DialogMismatch,
        482 | 483 | 440 => Cause::NoRoute,
        484 | 485 => Cause::BadNumber,
        486 => Cause::Busy,
        487 => Cause::Cancelled,
        491 => Cause::GlareUnresolved,
        493 | 494 => Cause::EncryptionRequired,
        503 => Cause::ServiceUnavailable,
        504 => Cause::GatewayTimeout,
        505 => Cause::Malformed,
        580 => Cause::PreconditionFailed,
        500..=599 => Cause::ServerError,
        600 => Cause::BusyEverywhere,
        607 => Cause::Unwanted,
        601..=699 => Cause::Declined,
        _ => Cause::Malformed,
    }
}

/// Whether this status is of RFC 3261 or one of its extensions that we know; others are taken by their class.
pub(super) fn is_known(status: u16) -> bool {
    matches!(
        status,
        300 | 301 | 302 | 305 | 380 | 400..=408 | 410 | 412..=417 | 420..=425 | 428..=430 | 433 | 436..=440
            | 469 | 470 | 480..=489 | 491 | 493 | 494 | 500..=505 | 513 | 555 | 580 | 600 | 603 | 604
            | 606..=608
    )
}

/// Whether this status is, as a rule, made by the called user agent; the others by something on the way.
pub(super) fn is_made_by_callee(status: u16) -> bool {
    matches!(status, 406 | 415 | 420 | 421 | 422 | 480 | 486 | 487 | 488 | 491 | 493 | 600 | 603 | 606 | 607)
}
