//! Values that options take, each with its grammar and its complaint.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use callbox_events::call::{IncomingPolicy, RecoveryPolicy, RefusalKind};
use callbox_events::sip::{Peer, Transport};
use callbox_events::time::parse_span;
use serde::Deserialize;

/// A text that is no value of its option.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidValue(String);

fn invalid(message: impl Into<String>) -> InvalidValue {
    InvalidValue(message.into())
}

macro_rules! read_as_text {
    ($($name:ty),+) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, InvalidValue> {
                text.parse()
            }
        }
    )+};
}
read_as_text!(Listener, Incoming, OnRestart, Span);

/// A place to listen at: `udp:127.0.0.1:5060`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Listener(pub Peer);

impl FromStr for Listener {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (transport, addr) = text
            .split_once(':')
            .ok_or_else(|| invalid("expected TRANSPORT:IP:PORT, such as udp:127.0.0.1:5060"))?;
        let transport = match transport {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            "tls" | "ws" | "wss" => {
                return Err(invalid(format!(
                    "{transport}: listeners are not in this version; use udp: or tcp:"
                )));
            }
            _ => return Err(invalid("unknown transport; use udp: or tcp:")),
        };
        let addr: SocketAddr = addr.parse().map_err(|_| {
            invalid("expected a numeric IP and a port, such as udp:127.0.0.1:5060 or tcp:[::1]:5060")
        })?;
        Ok(Self(Peer { transport, addr }))
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What happens to a new call without a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum Incoming {
    /// 180 at once, then wait.
    #[default]
    Ring,
    /// 200 at once.
    Answer,
    /// This final status at once.
    Reject(u16),
    /// 486 at once.
    Busy,
}

/// The status of a reject that names none (SCENARIOS: 603).
const DECLINE: u16 = 603;

impl FromStr for Incoming {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text.split_once(':') {
            None => match text {
                "ring" => Ok(Self::Ring),
                "answer" => Ok(Self::Answer),
                "reject" => Ok(Self::Reject(DECLINE)),
                "busy" => Ok(Self::Busy),
                _ => Err(invalid("expected ring, answer, reject, reject:STATUS or busy")),
            },
            Some(("reject", status)) => match status.parse() {
                Ok(status) if (300..700).contains(&status) => Ok(Self::Reject(status)),
                Ok(_) | Err(_) => Err(invalid("a reject needs a final status from 300 to 699")),
            },
            Some(_) => Err(invalid("expected ring, answer, reject, reject:STATUS or busy")),
        }
    }
}

impl Incoming {
    /// The engine's policy. A delay given for the act itself replaces "at once".
    #[must_use]
    pub fn policy(self, ring_after: Option<u64>, answer_after: Option<u64>) -> IncomingPolicy {
        match self {
            Self::Ring if ring_after.is_some() => IncomingPolicy::Wait,
            Self::Ring => IncomingPolicy::Ring,
            Self::Answer if answer_after.is_some() => IncomingPolicy::Wait,
            Self::Answer => IncomingPolicy::Answer,
            Self::Reject(status) => IncomingPolicy::Refuse { status, why: RefusalKind::Configured },
            Self::Busy => IncomingPolicy::Refuse { status: 486, why: RefusalKind::Busy },
        }
    }
}

/// What happens to connected calls when the engine comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OnRestart(pub RecoveryPolicy);

impl FromStr for OnRestart {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "resume" => Ok(Self(RecoveryPolicy::Resume)),
            "end" => Ok(Self(RecoveryPolicy::End)),
            _ => Err(invalid("expected resume or end")),
        }
    }
}

/// A time in seconds, with decimals if need be.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Seconds(f64);

/// Longest time an option takes: a year.
const LONGEST_SECS: f64 = 31_536_000.0;

impl Seconds {
    /// In whole milliseconds.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to LONGEST_SECS by construction"
    )]
    pub fn millis(self) -> u64 {
        (self.0 * 1000.0).round() as u64
    }
}

impl TryFrom<f64> for Seconds {
    type Error = InvalidValue;

    fn try_from(secs: f64) -> Result<Self, InvalidValue> {
        if (0.0..=LONGEST_SECS).contains(&secs) {
            Ok(Self(secs))
        } else {
            Err(invalid("expected seconds, from 0 to a year"))
        }
    }
}

impl FromStr for Seconds {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        text.parse::<f64>().map_err(|_| invalid("expected seconds, such as 20 or 2.5"))?.try_into()
    }
}

/// A long time: `90s`, `15m`, `24h`, `30d`, `2w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let span = parse_span(text).filter(|span| !span.is_zero()).map(Self);
        span.ok_or_else(|| invalid("expected a time with its unit, such as 24h, 30d or 2w"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_told_apart_from_mistakes() {
        for good in ["udp:127.0.0.1:5060", "tcp:127.0.0.1:0", "udp:[::1]:5060"] {
            assert_eq!(good.parse::<Listener>().map(|l| l.to_string()), Ok(good.to_owned()));
        }
        for (bad, complaint) in [
            ("5060", "expected TRANSPORT"),
            ("tls:127.0.0.1:5061", "not in this version"),
            ("ws:127.0.0.1:80", "not in this version"),
            ("wss:127.0.0.1:443", "not in this version"),
            ("sctp:127.0.0.1:5060", "unknown transport"),
            ("udp:localhost:5060", "numeric IP"),
            ("udp:127.0.0.1:99999", "numeric IP"),
        ] {
            let told = bad.parse::<Listener>().expect_err(bad).to_string();
            assert!(told.contains(complaint), "{bad}: {told}");
        }
    }

    #[test]
    fn what_happens_to_incoming_calls_follows_word_and_delays() {
        use IncomingPolicy as P;
        let refuse = |status, why| P::Refuse { status, why };
        for (word, ring, answer, policy) in [
            ("ring", None, None, P::Ring),
            ("ring", Some(0), None, P::Wait),
            ("ring", None, Some(200), P::Ring),
            ("answer", None, None, P::Answer),
            ("answer", Some(5), Some(200), P::Wait),
            ("reject", None, None, refuse(603, RefusalKind::Configured)),
            ("reject:480", None, None, refuse(480, RefusalKind::Configured)),
            ("busy", None, None, refuse(486, RefusalKind::Busy)),
        ] {
            assert_eq!(word.parse::<Incoming>().expect(word).policy(ring, answer), policy, "{word}");
        }
        for bad in ["", "reject:", "reject:200", "reject:700", "reject:x", "busy:486"] {
            assert!(bad.parse::<Incoming>().is_err(), "{bad}");
        }
    }

    #[test]
    fn long_times_have_a_unit() {
        assert_eq!("30d".parse(), Ok(Span(Duration::from_secs(30 * 86_400))));
        for bad in ["", "30", "0d", "d", "1y", "-1d"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_may_have_decimals_but_no_sign() {
        assert_eq!("2.5".parse::<Seconds>().map(Seconds::millis), Ok(2500));
        assert!("-1".parse::<Seconds>().is_err());
        assert!("nan".parse::<Seconds>().is_err());
        assert!("inf".parse::<Seconds>().is_err());
    }
}
