//! The other axes of a verdict: phase, answer, fault, confidence, completeness, races, and which rules judged. Stable
//! codes, additive only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::families::{UnknownCode, written_as_code};
use crate::party::Role;

macro_rules! codes {
    ($($(#[$about:meta])* $name:ident { $($(#[$variant_about:meta])* $variant:ident $code:literal),+ $(,)? })+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_about])* #[serde(rename = $code)] $variant,)+ }

        impl $name {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable code, as in JSON.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
        written_as_code!($name);
    )+};
}

codes! {
    /// How far the call had come when its end was decided.
    VerdictPhase {
        /// No 18x yet.
        Setup "setup",
        /// An 18x without a session description.
        Ringing "ringing",
        /// An 18x with a session description.
        EarlyMedia "early_media",
        /// A 2xx, but no ACK yet.
        Answering "answering",
        /// A conversation.
        Connected "connected",
        /// A conversation, held by one side or both.
        Held "held",
        /// The end was already decided (only of calls that are not over).
        Ending "ending",
    }

    /// What answered. Never `party` by default: a bare 200 does not tell a human from a machine.
    AnswerKind {
        /// A person.
        Party "party",
        /// Voicemail, IVR.
        Automaton "automaton",
        /// A recorded message about the call itself.
        Announcement "announcement",
        /// There was an answer or early media, and nothing tells what it was.
        Unknown "unknown",
    }

    /// Whose fault the end was.
    Fault {
        /// Nobody's: calls end like this.
        Normal "normal",
        /// The caller's.
        Caller "caller",
        /// The called side's.
        Callee "callee",
        /// The network's.
        Network "network",
        /// A rule wanted it so.
        Policy "policy",
        /// The engine's.
        Engine "engine",
        /// The evidence does not tell.
        Indeterminate "indeterminate",
    }

    /// How sure the rulebook is. The order is from unsure to sure.
    Confidence {
        /// Nothing to judge by.
        None "none",
        /// An inference.
        Weak "weak",
        /// Testimony that agrees with the facts.
        Strong "strong",
        /// Our own act, or determined by the protocol.
        Certain "certain",
    }

    /// How much of the call the record holds.
    Completeness {
        /// All that this side saw.
        Full "full",
        /// Something is missing in between, or while the engine was down.
        Gap "gap",
        /// Only one direction was seen.
        OneSided "one_sided",
        /// The beginning or the end is missing.
        Truncated "truncated",
    }

    /// Two acts that crossed (RFC 5407 and more).
    RaceKind {
        /// The caller's CANCEL and the 2xx crossed.
        CancelVs200 "cancel_vs_200",
        /// A CANCEL and a final response other than 2xx, 487 or a refusal crossed.
        CancelVsFinal "cancel_vs_final",
        /// The CANCEL had to wait for a provisional response (RFC 3261 §9.1).
        CancelHeldForProvisional "cancel_held_for_provisional",
        /// Both sides sent BYE.
        ByeVsBye "bye_vs_bye",
        /// A BYE met a re-INVITE.
        ByeVsReinvite "bye_vs_reinvite",
        /// A BYE met a REFER.
        ByeVsRefer "bye_vs_refer",
        /// A BYE was wanted, or came, before the ACK.
        ByeBeforeAck "bye_before_ack",
        /// The same at the callee: our answer or a late attempt at it, and the caller's CANCEL.
        AnswerVsRemoteCancel "answer_vs_remote_cancel",
        /// Two forks answered.
        Two200s "two_200s",
        /// Both sides sent a re-INVITE.
        ReinviteGlare "reinvite_glare",
        /// An ACK was lost, or came too late.
        AckLost "ack_lost",
        /// A timer and the answer crossed.
        TimerVsAnswer "timer_vs_answer",
        /// The callee's refusal and the caller's CANCEL crossed.
        RejectVsCancel "reject_vs_cancel",
        /// A message came again after the end.
        RetransmissionAfterEnd "retransmission_after_end",
    }

    /// A released version of the rules; in order, the oldest first. What a version says never changes: better rules
    /// make a new one, and both stay.
    Rulebook {
        /// The first: calls of the engine, judged by commands, timers, packets, statuses and Reason values.
        V1_0 "1.0",
        /// Hears what the application states as the cause, the Reason dialects of 3GPP, Asterisk, FreeSWITCH and
        /// others, tones and answerers that were told, and doubts a 486 that comes after a long ringing.
        V1_1 "1.1",
    }

    /// Which way a call went, seen from the engine.
    Direction {
        /// We called.
        Outgoing "outgoing",
        /// We were called.
        Incoming "incoming",
        /// We only watched.
        Observed "observed",
    }
}

impl Rulebook {
    /// The one that judges unless another is asked for.
    pub const NEWEST: Self = Self::V1_1;
}

impl From<Role> for Direction {
    fn from(role: Role) -> Self {
        match role {
            Role::Caller => Self::Outgoing,
            Role::Callee => Self::Incoming,
        }
    }
}
