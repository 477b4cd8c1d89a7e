//! Families and causes: the public, stable vocabulary of why a call ended. Additive only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is no code of this vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such code in the vocabulary of verdicts")]
pub struct UnknownCode;

macro_rules! families {
    ($($(#[$about:meta])* $family:ident $family_code:literal {
        $($(#[$cause_about:meta])* $cause:ident $cause_code:literal),+ $(,)?
    })+) => {
        /// The first axis of a verdict: what kind of end it was.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Family { $($(#[$about])* #[serde(rename = $family_code)] $family,)+ }

        /// The proximate cause of an end: one leaf of one [`Family`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Cause { $($($(#[$cause_about])* #[serde(rename = $cause_code)] $cause,)+)+ }

        impl Family {
            /// All families.
            pub const ALL: &[Self] = &[$(Self::$family),+];

            /// The stable code, as in JSON.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$family => $family_code),+ }
            }
        }

        impl Cause {
            /// All causes, family by family.
            pub const ALL: &[Self] = &[$($(Self::$cause),+),+];

            /// The stable code, as in JSON.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $($(Self::$cause => $cause_code),+),+ }
            }

            /// The family this cause belongs to.
            #[must_use]
            pub fn family(self) -> Family {
                match self { $($(Self::$cause)|+ => Family::$family),+ }
            }
        }
    };
}

families! {
    /// Answered, then deliberately ended.
    Cleared "cleared" {
        /// One side, or both at once, hung up.
        Hangup "hangup",
        /// The conference closed.
        ConferenceEnded "conference_ended",
    }
    /// The caller stopped before the answer.
    Abandoned "abandoned" {
        /// The caller cancelled.
        Cancelled "cancelled",
    }
    /// The called side said no.
    Refused "refused" {
        /// 486.
        Busy "busy",
        /// 600.
        BusyEverywhere "busy_everywhere",
        /// A reject command, or a bare 603.
        Declined "declined",
        /// 480 with Q.850 20 or 21, or with Retry-After.
        Unavailable "unavailable",
        /// The called side's own policy.
        DoNotDisturb "do_not_disturb",
        /// 607 (RFC 8197).
        Unwanted "unwanted",
    }
    /// Nobody took it in time.
    Unanswered "unanswered" {
        /// A timer ran out while it rang; the agent and side say whose.
        NoAnswer "no_answer",
    }
    /// Another device or person took it.
    Elsewhere "elsewhere" {
        /// Answered on another device.
        AnsweredElsewhere "answered_elsewhere",
        /// Declined on another device.
        DeclinedElsewhere "declined_elsewhere",
        /// Replaces on an early dialog (RFC 3891).
        PickedUp "picked_up",
        /// Another fork won.
        ForkLost "fork_lost",
    }
    /// The call went on elsewhere.
    Moved "moved" {
        /// 3xx.
        Redirected "redirected",
        /// 3xx whose targets failed or looped.
        RedirectFailed "redirect_failed",
        /// REFER done, then BYE.
        Transferred "transferred",
        /// Replaces on a confirmed dialog (RFC 3891).
        Replaced "replaced",
    }
    /// The called side could not be found or reached.
    Unreachable "unreachable" {
        /// 404, 604.
        NotFound "not_found",
        /// 410.
        Gone "gone",
        /// 484, 485.
        BadNumber "bad_number",
        /// 482, 483.
        NoRoute "no_route",
        /// 480 without ringing.
        NotRegistered "not_registered",
        /// The name could not be resolved.
        DnsFailed "dns_failed",
        /// 414, 416, or a URI we can't use.
        BadUri "bad_uri",
        /// Q.850 27, 38.
        OutOfService "out_of_service",
    }
    /// Somebody did not allow it.
    Blocked "blocked" {
        /// 401 or 407 that credentials did not satisfy.
        AuthFailed "auth_failed",
        /// 403.
        Forbidden "forbidden",
        /// 402.
        PaymentRequired "payment_required",
        /// 608 (RFC 8688), 603+.
        Screened "screened",
        /// 428, 436-438 (RFC 8224).
        IdentityRejected "identity_rejected",
        /// Q.850 52, 54, 57.
        Barred "barred",
        /// Too many calls in too short a time.
        RateLimited "rate_limited",
    }
    /// The two ends don't fit.
    Incompatible "incompatible" {
        /// 488, 606, 415.
        MediaRejected "media_rejected",
        /// 420, 421.
        ExtensionRequired "extension_required",
        /// 493, 494.
        EncryptionRequired "encryption_required",
        /// 422 (RFC 4028).
        IntervalTooSmall "interval_too_small",
        /// 413, 513.
        MessageTooLarge "message_too_large",
        /// No session description where one was needed.
        MissingMedia "missing_media",
    }
    /// Something between had no capacity.
    Overloaded "overloaded" {
        /// 503.
        ServiceUnavailable "service_unavailable",
        /// Other 5xx.
        ServerError "server_error",
        /// 504.
        GatewayTimeout "gateway_timeout",
        /// Q.850 34, 41, 42, 44, 47.
        Congestion "congestion",
        /// 580 (RFC 3312).
        PreconditionFailed "precondition_failed",
    }
    /// Signalling broke down.
    SignallingLost "signalling_lost" {
        /// Nothing came back before timer B: not the same as nobody answering the phone.
        NoResponse "no_response",
        /// No ACK for 64·T1 after the 2xx.
        AckMissing "ack_missing",
        /// No PRACK (RFC 3262).
        PrackMissing "prack_missing",
        /// A provisional response came, a final one never.
        FinalMissing "final_missing",
        /// A message could not be sent, or its connection broke.
        TransportFailed "transport_failed",
        /// The session was not refreshed (RFC 4028).
        SessionExpired "session_expired",
        /// 481 or 408 in the dialog (RFC 5057).
        DialogGone "dialog_gone",
        /// The keep-alive got no answer.
        KeepaliveLost "keepalive_lost",
    }
    /// Media broke down.
    MediaLost "media_lost" {
        /// No RTP.
        MediaTimeout "media_timeout",
        /// ICE found no path.
        IceFailed "ice_failed",
        /// SRTP or DTLS failed.
        MediaSecurityFailed "media_security_failed",
        /// STUN consent was not renewed (RFC 7675).
        ConsentExpired "consent_expired",
        /// The sound device failed.
        DeviceFailed "device_failed",
    }
    /// A limit was reached.
    Limit "limit" {
        /// The conversation had its time.
        MaxDuration "max_duration",
        /// No credit left.
        CreditExhausted "credit_exhausted",
        /// Too many calls at once.
        MaxCalls "max_calls",
        /// A more important call took the resources (RFC 4411).
        Preempted "preempted",
        /// Nothing happened for too long.
        Idle "idle",
    }
    /// Somebody broke the protocol.
    Protocol "protocol" {
        /// 400 and its like.
        Malformed "malformed",
        /// 481 to something outside any dialog.
        DialogMismatch "dialog_mismatch",
        /// 482 for a request that came on two ways.
        MergedRequest "merged_request",
        /// 491 without end.
        GlareUnresolved "glare_unresolved",
        /// 405, 501.
        MethodRefused "method_refused",
        /// A message nobody asked for.
        Unsolicited "unsolicited",
    }
    /// The engine itself, or who runs it.
    LocalSystem "local_system" {
        /// An administrator ended it.
        AdminKill "admin_kill",
        /// The engine was shut down.
        Shutdown "shutdown",
        /// The engine crashed: the end lies in an interval.
        EngineLost "engine_lost",
        /// The journal failed.
        StorageFailed "storage_failed",
        /// Out of memory, descriptors, ports.
        ResourcesExhausted "resources_exhausted",
        /// A fault in this call.
        InternalError "internal_error",
        /// The application went away.
        ApplicationLost "application_lost",
    }
    /// The record does not tell: an honest answer.
    Unknown "unknown" {
        /// The record has a hole where the end should be.
        RecordGap "record_gap",
        /// The capture stopped before the call did.
        CaptureEnded "capture_ended",
        /// The evidence contradicts itself.
        Contradictory "contradictory",
        /// The call is not over.
        Alive "alive",
    }
}

impl Cause {
    /// Whether an application may state this cause when it ends a call. The others only the record can tell: that it
    /// has a hole, that the engine crashed, that a transaction ran out of time.
    #[must_use]
    pub fn can_be_stated(self) -> bool {
        let recorded = matches!(
            self,
            Self::NoResponse | Self::AckMissing | Self::FinalMissing | Self::EngineLost | Self::Redirected
        );
        self.family() != Family::Unknown && !recorded
    }
}

macro_rules! written_as_code {
    ($($name:ty),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.code())
            }
        }
        impl FromStr for $name {
            type Err = UnknownCode;

            fn from_str(text: &str) -> Result<Self, UnknownCode> {
                Self::ALL.iter().copied().find(|one| one.code() == text).ok_or(UnknownCode)
            }
        }
    )+};
}
pub(super) use written_as_code;
written_as_code!(Family, Cause);
