//! Times as people type them: `2026-11-23T06:38:00Z`, `2026-11-23 06:38`, `2026-11-23`, `06:38`, `90s`, `15m`, `2h`, `1d`.

use callbox_events::Timestamp;
use callbox_events::time::parse_span;

/// Reads a time; relative ones count back from now. All in UTC unless an offset is given.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    at(text, now())
}

/// The one clock reading of this program: for times typed relative to now, and for when an export was made.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::default() + since
}

fn at(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    let today = || now.to_string().get(..10).unwrap_or_default().to_owned();
    if let Some(ago) = parse_span(text) {
        return Ok(now - ago);
    }
    let candidates = [
        text.to_owned(),
        text.replacen(' ', "T", 1),
        format!("{}Z", text.replacen(' ', "T", 1)),
        format!("{}:00Z", text.replacen(' ', "T", 1)),
        format!("{text}T00:00:00Z"),
        format!("{}T{text}Z", today()),
        format!("{}T{text}:00Z", today()),
    ];
    candidates.iter().find_map(|candidate| candidate.parse().ok()).ok_or_else(|| {
        "a time reads like 2026-11-23T06:38:00Z, 2026-11-23, 06:38, or 15m, 2h, 1d ago".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_type_them() {
        let now: Timestamp = "2026-11-23T06:38:00Z".parse().unwrap();
        for (typed, meant) in [
            ("2026-11-23T06:38:00Z", "2026-11-23T06:38:00.000000Z"),
            ("2026-11-23T07:38:00.25+01:00", "2026-11-23T06:38:00.250000Z"),
            ("2026-11-22 05:06:07", "2026-11-22T05:06:07.000000Z"),
            ("2026-11-22 05:06", "2026-11-22T05:06:00.000000Z"),
            ("2026-11-22", "2026-11-22T00:00:00.000000Z"),
            ("05:06", "2026-11-23T05:06:00.000000Z"),
            ("05:06:07", "2026-11-23T05:06:07.000000Z"),
            ("90s", "2026-11-23T06:36:30.000000Z"),
            ("15m", "2026-11-23T06:23:00.000000Z"),
            ("1d", "2026-11-22T06:38:00.000000Z"),
        ] {
            assert_eq!(at(typed, now).map(|time| time.to_string()), Ok(meant.to_owned()), "{typed}");
        }
        assert!(at("yesterday", now).is_err());
        assert!(at("", now).is_err());
    }
}
