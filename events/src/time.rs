//! Time as a value. Nobody here reads a clock: the shell does, in one file, and passes the reading in.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: microseconds since 1970-01-01T00:00:00Z, never decreasing within one engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point `micros` microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// RFC 3339 in UTC with microseconds: `2026-11-23T06:38:00.000123Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = i64::try_from(self.0).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_microsecond(micros) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => write!(f, "after year 9999"),
        }
    }
}

/// A text that is no RFC 3339 time from 1970 on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a time reads like 2026-11-23T06:38:00Z")]
pub struct InvalidTimestamp;

/// Reads RFC 3339, any offset.
impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let time: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        u64::try_from(time.as_microsecond()).map(Self).map_err(|_| InvalidTimestamp)
    }
}

/// A length of time as people type it: `500ms`, `45s`, `15m`, `2h`, `1d`, `1w`; none if it is anything else.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(unit);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    };
    count.parse::<u64>().ok()?.checked_mul(millis).map(Duration::from_millis)
}

/// For `#[serde(with = "rfc3339")]`: a [`Timestamp`] as RFC 3339 text, for JSON that people read.
pub mod rfc3339 {
    use super::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes the time as text.
    ///
    /// # Errors
    /// Only those of the serializer.
    pub fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(time)
    }

    /// Reads the time from text.
    ///
    /// # Errors
    /// Those of the deserializer, and text that is no RFC 3339 time from 1970 on.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }

    /// The same for an optional time; absent is `null`.
    pub mod option {
        use super::Timestamp;
        use serde::{Deserialize, Deserializer, Serializer, de};

        /// Writes the time as text, or `null`.
        ///
        /// # Errors
        /// Only those of the serializer.
        pub fn serialize<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => serializer.collect_str(time),
                None => serializer.serialize_none(),
            }
        }

        /// Reads the time from text or `null`.
        ///
        /// # Errors
        /// Those of the deserializer, and text that is no RFC 3339 time from 1970 on.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_rfc_3339_with_microseconds() {
        assert_eq!(Timestamp::from_micros(1_700_000_000_000_123).to_string(), "2023-11-14T22:13:20.000123Z");
        assert_eq!(Timestamp::from_micros(0).to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp::from_micros(u64::MAX).to_string(), "after year 9999");
    }

    #[test]
    fn reads_back_what_it_shows() {
        let time = Timestamp::from_micros(1_700_000_000_000_123);
        assert_eq!(time.to_string().parse(), Ok(time));
        assert_eq!("yesterday".parse::<Timestamp>(), Err(InvalidTimestamp));
        assert_eq!("1969-12-31T23:59:59Z".parse::<Timestamp>(), Err(InvalidTimestamp));
    }

    #[test]
    fn arithmetic_saturates() {
        let start = Timestamp::from_micros(5);
        assert_eq!(start - Duration::from_secs(1), Timestamp::from_micros(0));
        assert_eq!(start.since(Timestamp::from_micros(9)), Duration::ZERO);
    }
}
