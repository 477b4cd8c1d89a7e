//! Times and durations as people read them.

use std::time::Duration;

use callbox_events::Timestamp;

/// Since the beginning, in seconds: `+0.000`, `+12.401`. Milliseconds are what people compare; `--json` has the rest.
pub fn offset(offset: Duration) -> String {
    format!("+{}.{:03}", offset.as_secs(), offset.subsec_millis())
}

/// A length of time: `340ms`, `12.4s`, `3m07s`, `2h04m`.
pub fn length(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0 => format!("{millis}ms"),
        1..60 => format!("{seconds}.{}s", millis % 1000 / 100),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A point in time to the second, UTC: `2026-11-23 06:38:00`.
pub fn second(at: Timestamp) -> String {
    at.to_string().get(..19).unwrap_or_default().replacen('T', " ", 1)
}

/// A point in time in full, UTC: `2026-11-23 06:38:00.000123`.
pub fn full(at: Timestamp) -> String {
    at.to_string().trim_end_matches('Z').replacen('T', " ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_unit_that_fits() {
        for (millis, shown) in [
            (0, "0ms"),
            (999, "999ms"),
            (1_000, "1.0s"),
            (12_456, "12.4s"),
            (187_000, "3m07s"),
            (7_440_000, "2h04m"),
        ] {
            assert_eq!(length(millis), shown);
        }
    }
}
