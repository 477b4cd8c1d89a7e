//! The settings that a what-if may change: names, values, and where they sit in a call's policy.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::call::{IncomingPolicy, Policy, RecoveryPolicy, RefusalKind};
use crate::time::parse_span;

/// A rule of a call that can be changed after the fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "Setting::says documents each")]
pub enum Setting {
    NoAnswer,
    RingAfter,
    AnswerAfter,
    HangupAfter,
    AnnouncementMax,
    MaxDuration,
    EndGrace,
    T1,
    Incoming,
    Recovery,
}

/// What is wrong with a setting as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is no such setting.
    #[error("there is no setting `{0}`")]
    Unknown(String),
    /// The value does not fit.
    #[error("`{value}` is no value of {setting}: it takes {}", .setting.values())]
    Value {
        /// Of which setting.
        setting: Setting,
        /// What was typed.
        value: String,
    },
}

impl Setting {
    /// All of them, in the order in which they matter in a call.
    pub const ALL: [Self; 10] = [
        Self::NoAnswer,
        Self::RingAfter,
        Self::AnswerAfter,
        Self::HangupAfter,
        Self::AnnouncementMax,
        Self::MaxDuration,
        Self::EndGrace,
        Self::T1,
        Self::Incoming,
        Self::Recovery,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::RingAfter => "ring_after",
            Self::AnswerAfter => "answer_after",
            Self::HangupAfter => "hangup_after",
            Self::AnnouncementMax => "announcement_max",
            Self::MaxDuration => "max_duration",
            Self::EndGrace => "end_grace",
            Self::T1 => "t1",
            Self::Incoming => "incoming",
            Self::Recovery => "recovery",
        }
    }

    /// What it takes.
    #[must_use]
    pub fn values(self) -> &'static str {
        match self {
            Self::NoAnswer
            | Self::RingAfter
            | Self::AnswerAfter
            | Self::HangupAfter
            | Self::AnnouncementMax
            | Self::MaxDuration
            | Self::EndGrace => "a time (500ms, 45s, 2m) or off",
            Self::T1 => "a time (100ms, 500ms, 2s)",
            Self::Incoming => "wait, ring, answer, busy, or reject:STATUS (300 to 699)",
            Self::Recovery => "resume or end",
        }
    }

    /// What it does.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::NoAnswer => "an unanswered call is given up: the caller cancels, the callee answers 480",
            Self::RingAfter => "the callee rings by itself, counted from the INVITE",
            Self::AnswerAfter => "the callee answers by itself, counted from the INVITE",
            Self::HangupAfter => "this end hangs up by itself, counted from the connection",
            Self::AnnouncementMax => "this end leaves an answer with the marks of an announcement",
            Self::MaxDuration => "this end ends any conversation",
            Self::EndGrace => "the longest wait for the answer to our BYE",
            Self::T1 => "the round-trip estimate of RFC 3261; transactions give up after 64 of it",
            Self::Incoming => "what happens to an incoming call by itself",
            Self::Recovery => "what becomes of a conversation when the engine comes back from a crash",
        }
    }

    /// The value that `policy` has, as it would be typed.
    #[must_use]
    pub fn of(self, policy: &Policy) -> String {
        match self {
            Self::T1 => shown(Some(policy.sip.t1_ms.into())),
            Self::Recovery => match policy.recovery {
                RecoveryPolicy::Resume => "resume".into(),
                RecoveryPolicy::End => "end".into(),
            },
            Self::Incoming => match policy.incoming {
                IncomingPolicy::Wait => "wait".into(),
                IncomingPolicy::Ring => "ring".into(),
                IncomingPolicy::Answer => "answer".into(),
                IncomingPolicy::Refuse { status: 486, why: RefusalKind::Busy } => "busy".into(),
                IncomingPolicy::Refuse { status, .. } => format!("reject:{status}"),
            },
            Self::NoAnswer => shown(policy.no_answer_ms),
            Self::RingAfter => shown(policy.ring_after_ms),
            Self::AnswerAfter => shown(policy.answer_after_ms),
            Self::HangupAfter => shown(policy.hangup_after_ms),
            Self::AnnouncementMax => shown(policy.announcement_max_ms),
            Self::MaxDuration => shown(policy.max_duration_ms),
            Self::EndGrace => shown(policy.end_grace_ms),
        }
    }

    /// Puts the value as typed into `policy`.
    ///
    /// # Errors
    /// [`SettingError::Value`] if it does not fit; `policy` is then unchanged.
    pub fn put(self, policy: &mut Policy, value: &str) -> Result<(), SettingError> {
        let wrong = || SettingError::Value { setting: self, value: value.to_owned() };
        let time = || span_or_off(value).ok_or_else(wrong);
        match self {
            Self::T1 => {
                let ms = parse_span(value).map(millis).filter(|ms| *ms > 0);
                policy.sip.t1_ms = ms.and_then(|ms| u32::try_from(ms).ok()).ok_or_else(wrong)?;
            }
            Self::Recovery => {
                policy.recovery = match value {
                    "resume" => RecoveryPolicy::Resume,
                    "end" => RecoveryPolicy::End,
                    _ => return Err(wrong()),
                }
            }
            Self::Incoming => policy.incoming = incoming(value).ok_or_else(wrong)?,
            Self::NoAnswer => policy.no_answer_ms = time()?,
            Self::RingAfter => policy.ring_after_ms = time()?,
            Self::AnswerAfter => policy.answer_after_ms = time()?,
            Self::HangupAfter => policy.hangup_after_ms = time()?,
            Self::AnnouncementMax => policy.announcement_max_ms = time()?,
            Self::MaxDuration => policy.max_duration_ms = time()?,
            Self::EndGrace => policy.end_grace_ms = time()?,
        }
        Ok(())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Setting {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let found = Self::ALL.into_iter().find(|setting| setting.name() == text.replace('-', "_"));
        found.ok_or_else(|| SettingError::Unknown(text.to_owned()))
    }
}

fn incoming(value: &str) -> Option<IncomingPolicy> {
    Some(match value {
        "wait" => IncomingPolicy::Wait,
        "ring" => IncomingPolicy::Ring,
        "answer" => IncomingPolicy::Answer,
        "busy" => IncomingPolicy::Refuse { status: 486, why: RefusalKind::Busy },
        other => {
            let status = other.strip_prefix("reject:")?.parse().ok()?;
            let refusal = IncomingPolicy::Refuse { status, why: RefusalKind::Configured };
            return (300..=699).contains(&status).then_some(refusal);
        }
    })
}

/// Milliseconds, or none for `off`; the outer none is no value at all.
fn span_or_off(value: &str) -> Option<Option<u64>> {
    if value == "off" { Some(None) } else { parse_span(value).map(|span| Some(millis(span))) }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn shown(ms: Option<u64>) -> String {
    match ms {
        None => "off".into(),
        Some(ms) if ms % 1000 == 0 => format!("{}s", ms / 1000),
        Some(ms) => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_takes_what_it_shows_and_refuses_nonsense() {
        for (setting, values) in [
            (Setting::NoAnswer, &["45s", "off", "1500ms"][..]),
            (Setting::RingAfter, &["0s"]),
            (Setting::AnswerAfter, &["3s"]),
            (Setting::HangupAfter, &["120s"]),
            (Setting::AnnouncementMax, &["off"]),
            (Setting::MaxDuration, &["3600s"]),
            (Setting::EndGrace, &["2s"]),
            (Setting::T1, &["100ms", "2s"]),
            (Setting::Incoming, &["wait", "ring", "answer", "busy", "reject:603"]),
            (Setting::Recovery, &["resume", "end"]),
        ] {
            for value in values {
                let mut policy = Policy::default();
                assert_eq!(setting.put(&mut policy, value), Ok(()), "{setting}");
                assert_eq!(setting.of(&policy), *value, "{setting}");
                assert_eq!(setting.name().parse(), Ok(setting));
            }
            let mut policy = Policy::default();
            for wrong in ["", "soon", "-3s", "reject:200", "99999999999999999999s"] {
                assert!(setting.put(&mut policy, wrong).is_err(), "{setting} takes {wrong:?}");
            }
            assert_eq!(policy, Policy::default());
        }
        assert!("patience".parse::<Setting>().is_err());
    }
}
