//! From a verdict to one of the SDK's reason codes.

use callbox_events::call::Act;
use callbox_events::verdict::{Cause, Verdict};

use super::codes::{FIRST_STATUS, REASON_BASE, STATUSES};

/// Why a call ended, in the SDK's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A SIP status that the SDK has a code for; 200 stands for a normal end.
    Status(u16),
    /// Too many calls.
    TooManyCalls,
    /// There is no such call.
    NoSuchCall,
    /// Nothing came back.
    NoResponse,
    /// Anything else.
    Other,
    /// The connection failed.
    TransportFailed,
    /// The encrypted connection failed.
    TlsFailed,
    /// The session was not refreshed.
    SessionTimer,
    /// No media came.
    NoStream,
}

impl Reason {
    /// The whole code: 0x03000000 and the number.
    pub fn code(self) -> u32 {
        REASON_BASE
            + match self {
                Self::Status(status) => return code_of(status).unwrap_or(REASON_BASE + 0x9a),
                Self::TooManyCalls => 0x14,
                Self::NoSuchCall => 0x16,
                Self::NoResponse => 0x95,
                Self::Other => 0x9a,
                Self::TransportFailed => 0xa9,
                Self::TlsFailed => 0xaa,
                Self::SessionTimer => 0xab,
                Self::NoStream => 0xac,
            }
    }

    /// The SIP status it stands for.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status),
            Self::TooManyCalls
            | Self::NoSuchCall
            | Self::NoResponse
            | Self::Other
            | Self::TransportFailed
            | Self::TlsFailed
            | Self::SessionTimer
            | Self::NoStream => None,
        }
    }

    /// What the SDK would have said of a call with this verdict: the final status as it was, where the call ended by
    /// one that the SDK knows; otherwise what the cause comes to. `encrypted` is how the call's messages travelled.
    pub fn of(verdict: &Verdict, encrypted: bool) -> Self {
        if verdict.cause == Cause::TransportFailed && encrypted {
            return Self::TlsFailed;
        }
        let by_status = verdict.act == Some(Act::FinalResponse) && cause(verdict.cause).status().is_some();
        let known =
            verdict.sip.status.filter(|status| by_status && *status >= 300 && code_of(*status).is_some());
        known.map_or_else(|| cause(verdict.cause), Self::Status)
    }
}

fn code_of(status: u16) -> Option<u32> {
    let number = (FIRST_STATUS..).zip(STATUSES).find(|(_, known)| *known == status)?.0;
    Some(REASON_BASE + number)
}

/// What a cause comes to if no status says it better.
fn cause(cause: Cause) -> Reason {
    match cause {
        Cause::Hangup
        | Cause::ConferenceEnded
        | Cause::Transferred
        | Cause::Replaced
        | Cause::MaxDuration
        | Cause::CreditExhausted
        | Cause::Idle => Reason::Status(200),
        Cause::Cancelled | Cause::AnsweredElsewhere | Cause::PickedUp | Cause::ForkLost => {
            Reason::Status(487)
        }
        Cause::Busy => Reason::Status(486),
        Cause::BusyEverywhere => Reason::Status(600),
        Cause::Declined | Cause::DeclinedElsewhere | Cause::Unwanted => Reason::Status(603),
        Cause::Unavailable | Cause::DoNotDisturb | Cause::NotRegistered => Reason::Status(480),
        Cause::NoAnswer => Reason::Status(408),
        Cause::NotFound => Reason::Status(404),
        Cause::Gone => Reason::Status(410),
        Cause::BadNumber => Reason::Status(484),
        Cause::NoRoute => Reason::Status(483),
        Cause::BadUri => Reason::Status(416),
        Cause::AuthFailed => Reason::Status(401),
        Cause::Forbidden | Cause::Screened | Cause::IdentityRejected | Cause::Barred => Reason::Status(403),
        Cause::PaymentRequired => Reason::Status(402),
        Cause::MediaRejected | Cause::MissingMedia => Reason::Status(488),
        Cause::ExtensionRequired => Reason::Status(420),
        Cause::EncryptionRequired => Reason::Status(493),
        Cause::MessageTooLarge => Reason::Status(513),
        Cause::ServiceUnavailable | Cause::Congestion | Cause::RateLimited | Cause::OutOfService => {
            Reason::Status(503)
        }
        Cause::ServerError => Reason::Status(500),
        Cause::GatewayTimeout => Reason::Status(504),
        Cause::DialogGone | Cause::DialogMismatch => Reason::Status(481),
        Cause::MergedRequest => Reason::Status(482),
        Cause::GlareUnresolved => Reason::Status(491),
        Cause::Malformed => Reason::Status(400),
        Cause::MethodRefused => Reason::Status(405),
        Cause::NoResponse
        | Cause::AckMissing
        | Cause::PrackMissing
        | Cause::FinalMissing
        | Cause::KeepaliveLost => Reason::NoResponse,
        Cause::TransportFailed => Reason::TransportFailed,
        Cause::SessionExpired => Reason::SessionTimer,
        Cause::MediaTimeout
        | Cause::IceFailed
        | Cause::MediaSecurityFailed
        | Cause::ConsentExpired
        | Cause::DeviceFailed => Reason::NoStream,
        Cause::MaxCalls => Reason::TooManyCalls,
        Cause::Redirected
        | Cause::RedirectFailed
        | Cause::DnsFailed
        | Cause::IntervalTooSmall
        | Cause::PreconditionFailed
        | Cause::Preempted
        | Cause::Unsolicited
        | Cause::AdminKill
        | Cause::Shutdown
        | Cause::EngineLost
        | Cause::StorageFailed
        | Cause::ResourcesExhausted
        | Cause::InternalError
        | Cause::ApplicationLost
        | Cause::RecordGap
        | Cause::CaptureEnded
        | Cause::Contradictory
        | Cause::Alive => Reason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vendor's table, written down on its own: number, status.
    const TABLE: &str = "61 200, 62 400, 63 401, 64 402, 65 403, 66 404, 67 405, 68 406, 69 407, 6a 408, 6b 410, \
        6c 413, 6d 414, 6e 415, 6f 416, 70 420, 71 421, 72 480, 73 481, 74 482, 75 483, 76 484, 77 485, 78 486, \
        79 487, 7a 488, 7b 491, 7c 493, 7d 500, 7e 501, 7f 502, 80 503, 81 504, 82 505, 83 513, 84 600, 85 603, \
        86 604, 87 606";

    #[test]
    fn every_status_of_the_table_has_its_number() {
        for row in TABLE.split(", ") {
            let (number, status) = row.trim().split_once(' ').unwrap();
            let number = u32::from_str_radix(number, 16).unwrap();
            let status: u16 = status.parse().unwrap();
            assert_eq!(Reason::Status(status).code(), 0x0300_0000 + number, "{status}");
        }
        assert_eq!(TABLE.split(", ").count(), STATUSES.len());
        assert_eq!(Reason::Status(607).code(), 0x0300_009a, "a status without a number is another reason");
    }

    #[test]
    fn the_reasons_without_a_status_have_theirs() {
        for (cause_of, number) in [
            (Cause::NoResponse, 0x95),
            (Cause::TransportFailed, 0xa9),
            (Cause::SessionExpired, 0xab),
            (Cause::MediaTimeout, 0xac),
            (Cause::MaxCalls, 0x14),
            (Cause::EngineLost, 0x9a),
        ] {
            assert_eq!(cause(cause_of).code(), 0x0300_0000 + number, "{cause_of}");
        }
        assert_eq!(Reason::NoSuchCall.code(), 0x0300_0016);
        assert_eq!(Reason::TlsFailed.code(), 0x0300_00aa);
    }

    #[test]
    fn every_cause_comes_to_a_code_of_the_table() {
        for one in Cause::ALL {
            if let Some(status) = cause(*one).status() {
                assert!(STATUSES.contains(&status), "{one} comes to {status}, which has no code");
            }
        }
    }
}
