//! Where a journal begins whose oldest commits were removed on purpose.
//!
//! A checkpoint that was made afterwards says so in a line of its own, under its signature, so that nobody can take
//! something out and call it retention, or bring it back unseen.

use std::fmt;
use std::str::FromStr;

use callbox_events::Timestamp;

use super::checkpoint::decimal;

/// The oldest commits, which were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// How many.
    pub commits: u64,
    /// Their events: the global sequence number of the first commit that is kept.
    pub events: u64,
    /// When the newest of them was recorded.
    pub until: Timestamp,
}

/// `commits=48213 events=61544 until=2026-11-25T10:02:31.123456Z`.
impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "commits={} events={} until={}", self.commits, self.events, self.until)
    }
}

/// It isn't one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not say how many commits and events were removed, and until when")]
pub struct NoCut;

impl FromStr for Cut {
    type Err = NoCut;

    fn from_str(text: &str) -> Result<Self, NoCut> {
        let (mut commits, mut events, mut until) = (None, None, None);
        for field in text.split(' ') {
            let (key, value) = field.split_once('=').ok_or(NoCut)?;
            match key {
                "commits" => commits = decimal(value),
                "events" => events = decimal(value),
                "until" => until = value.parse().ok(),
                // A field of a later version.
                _ => {}
            }
        }
        let all = || Some(Self { commits: commits?, events: events?, until: until? });
        all().ok_or(NoCut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_and_what_is_none_is_refused() {
        let cut = Cut { commits: 3, events: 7, until: Timestamp::from_micros(1_700_000_000_000_000) };
        assert_eq!(cut.to_string().parse(), Ok(cut));
        assert_eq!(format!("{cut} why=age").parse(), Ok(cut));
        for wrong in [
            "",
            "commits=3",
            "commits=03 events=7 until=2026-11-25T10:02:31Z",
            "commits=3 events=7 until=2026-11-25T10:02:31Z  -~",
            "commits=3 events=x until=2026-11-25T10:02:31Z",
            "commits=3 events=7",
        ] {
            assert_eq!(wrong.parse::<Cut>(), Err(NoCut), "{wrong}");
        }
    }
}
