//! The file `HOLDS`: which calls must stay, whatever their age, because somebody said so (a legal hold).
//!
//! One JSON object a line, only ever appended to, so that it also tells who held what when, and who let it go:
//!
//! ```text
//! {"at":"2026-11-25T10:02:31.000000Z","hold":"case-7","reason":"claim 7","calls":["6f…"]}
//! {"at":"2026-11-25T10:02:31.000000Z","hold":"case-7","reason":"claim 7","since":"2026-10-01T00:00:00.000000Z"}
//! {"at":"2027-02-01T09:00:00.000000Z","release":"case-7","reason":"settled"}
//! ```
//!
//! Entries of one name add up until the name is released. A line that can't be read holds everything: what was meant
//! by it may not be lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use callbox_events::time::rfc3339;
use callbox_events::{CallId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::layout;

/// The most calls of one line; more make several.
const CALLS_A_LINE: usize = 1_000;

/// The most characters of a name or a reason.
pub const MAX_TEXT: usize = 500;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    #[serde(with = "rfc3339")]
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    release: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<CallId>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    until: Option<Timestamp>,
}

/// What is to be held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// These calls.
    Calls(Vec<CallId>),
    /// Every call that began in this time; without a bound it is open there.
    Time {
        /// From then on.
        since: Option<Timestamp>,
        /// Up to then, not included.
        until: Option<Timestamp>,
    },
}

/// A hold that was not released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// When it was placed first.
    pub at: Timestamp,
    /// The newest reason given.
    pub reason: String,
    /// The calls it names.
    pub calls: BTreeSet<CallId>,
    /// The times it names: since, until.
    pub times: Vec<(Option<Timestamp>, Option<Timestamp>)>,
}

/// All holds of a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holds {
    /// By name.
    pub active: BTreeMap<String, Hold>,
    /// Lines that can't be read, by number. They hold everything.
    pub unreadable: Vec<usize>,
}

/// Why a hold was not placed or released.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// A name or a reason that is empty, too long, or has control characters.
    #[error("{0} needs 1 to {MAX_TEXT} characters, all printable")]
    Text(&'static str),
    /// Nothing is held under this name.
    #[error("nothing is held under the name `{0}`")]
    Unknown(String),
    /// Nothing was named.
    #[error("no call and no time was named")]
    Nothing,
    /// The system's.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Holds {
    /// What is held in this store.
    ///
    /// # Errors
    /// The system's.
    pub fn read(store: &Path) -> io::Result<Self> {
        match fs::read(store.join(layout::HOLDS)) {
            Ok(bytes) => Ok(Self::parse(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn parse(bytes: &[u8]) -> Self {
        let mut holds = Self::default();
        for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let read = serde_json::from_slice::<Line>(line).ok();
            if read.and_then(|line| holds.take(line)).is_none() {
                holds.unreadable.push(number + 1);
            }
        }
        holds
    }

    /// `None` for a line that neither holds nor releases.
    fn take(&mut self, line: Line) -> Option<()> {
        if let Some(name) = line.release {
            self.active.remove(&name);
            return Some(());
        }
        let new = || Hold { at: line.at, reason: String::new(), calls: BTreeSet::new(), times: Vec::new() };
        let hold = self.active.entry(line.hold?).or_insert_with(new);
        hold.reason = line.reason;
        if line.calls.is_empty() {
            hold.times.push((line.since, line.until));
        }
        hold.calls.extend(line.calls);
        Some(())
    }

    /// Whether this call must stay, which began at `at`.
    #[must_use]
    pub fn hold(&self, call: CallId, at: Timestamp) -> bool {
        let within = |(since, until): &(Option<Timestamp>, Option<Timestamp>)| {
            since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until)
        };
        !self.unreadable.is_empty()
            || self.active.values().any(|hold| hold.calls.contains(&call) || hold.times.iter().any(within))
    }
}

/// Holds something under a name, in addition to what is held under it already.
///
/// # Errors
/// [`HoldError`].
pub fn place(store: &Path, name: &str, reason: &str, scope: &Scope, now: Timestamp) -> Result<(), HoldError> {
    printable("a name", name)?;
    printable("a reason", reason)?;
    let line = |calls: &[CallId], since, until| Line {
        at: now,
        hold: Some(name.to_owned()),
        release: None,
        reason: reason.to_owned(),
        calls: calls.to_vec(),
        since,
        until,
    };
    let lines: Vec<Line> = match scope {
        Scope::Calls(calls) => calls.chunks(CALLS_A_LINE).map(|calls| line(calls, None, None)).collect(),
        Scope::Time { since, until } => vec![line(&[], *since, *until)],
    };
    if lines.is_empty() {
        return Err(HoldError::Nothing);
    }
    append(store, |_| Ok(lines))
}

/// Lets go what is held under a name.
///
/// # Errors
/// [`HoldError`].
pub fn release(store: &Path, name: &str, reason: &str, now: Timestamp) -> Result<(), HoldError> {
    printable("a reason", reason)?;
    append(store, |holds| {
        if !holds.active.contains_key(name) {
            return Err(HoldError::Unknown(name.to_owned()));
        }
        Ok(vec![Line {
            at: now,
            hold: None,
            release: Some(name.to_owned()),
            reason: reason.to_owned(),
            calls: Vec::new(),
            since: None,
            until: None,
        }])
    })
}

fn printable(what: &'static str, text: &str) -> Result<(), HoldError> {
    let length = text.chars().count();
    let fits = (1..=MAX_TEXT).contains(&length) && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(HoldError::Text(what)) }
}

/// Appends lines that depend on what is held so far; durable when it returns. Others who append wait meanwhile.
fn append(store: &Path, lines: impl FnOnce(&Holds) -> Result<Vec<Line>, HoldError>) -> Result<(), HoldError> {
    let path = store.join(layout::HOLDS);
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    file.lock()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut text = String::new();
    if bytes.last().is_some_and(|last| *last != b'\n') {
        // Somebody was killed while writing: his line is told as unreadable, ours begins behind it.
        text.push('\n');
    }
    for line in lines(&Holds::parse(&bytes))? {
        text.push_str(&serde_json::to_string(&line).map_err(io::Error::other)?);
        text.push('\n');
    }
    file.seek(SeekFrom::End(0))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    layout::sync_dir(store)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: u8) -> CallId {
        CallId::from_bytes([number; 16])
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn holds_add_up_until_they_are_released() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path();
        assert_eq!(Holds::read(store).unwrap(), Holds::default());
        place(store, "a", "claim", &Scope::Calls(vec![call(1)]), at(10)).unwrap();
        place(store, "a", "claim, again", &Scope::Calls(vec![call(2)]), at(11)).unwrap();
        place(store, "b", "audit", &Scope::Time { since: Some(at(5)), until: Some(at(8)) }, at(12)).unwrap();
        let holds = Holds::read(store).unwrap();
        let held = |number, seconds| Holds::read(store).unwrap().hold(call(number), at(seconds));
        assert_eq!((held(1, 0), held(2, 0), held(3, 0)), (true, true, false));
        assert_eq!((held(3, 4), held(3, 5), held(3, 7), held(3, 8)), (false, true, true, false));
        assert_eq!((holds.active["a"].at, holds.active["a"].reason.as_str()), (at(10), "claim, again"));
        release(store, "a", "settled", at(20)).unwrap();
        assert_eq!((held(1, 0), held(1, 6)), (false, true));
        assert!(matches!(release(store, "a", "again", at(21)), Err(HoldError::Unknown(name)) if name == "a"));
    }

    #[test]
    fn more_calls_than_a_line_takes_are_all_held() {
        let dir = tempfile::tempdir().unwrap();
        let calls: Vec<CallId> = (0..2_500u32)
            .map(|number| {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&number.to_be_bytes());
                CallId::from_bytes(bytes)
            })
            .collect();
        place(dir.path(), "many", "all of them", &Scope::Calls(calls.clone()), at(1)).unwrap();
        assert_eq!(Holds::read(dir.path()).unwrap().active["many"].calls, calls.into_iter().collect());
    }

    #[test]
    fn what_can_not_be_read_holds_everything_and_hides_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path();
        place(store, "a", "claim", &Scope::Calls(vec![call(1)]), at(10)).unwrap();
        let mut torn = fs::read(store.join(layout::HOLDS)).unwrap();
        torn.extend_from_slice(b"{\"at\":\"2026-11-25T10:");
        fs::write(store.join(layout::HOLDS), torn).unwrap();
        place(store, "b", "claim", &Scope::Calls(vec![call(2)]), at(11)).unwrap();
        let holds = Holds::read(store).unwrap();
        assert_eq!((holds.active.len(), holds.unreadable.as_slice()), (2, &[2][..]));
        assert!(holds.hold(call(9), at(0)));
        fs::write(store.join(layout::HOLDS), "{\"at\":\"2026-11-25T10:02:31Z\",\"later\":1}\n").unwrap();
        assert_eq!(Holds::read(store).unwrap().unreadable, [1]);
    }

    #[test]
    fn nobody_holds_under_no_name_or_without_a_reason() {
        let dir = tempfile::tempdir().unwrap();
        let one = Scope::Calls(vec![call(1)]);
        let long = "x".repeat(MAX_TEXT + 1);
        for (name, reason) in [("", "r"), ("n", ""), ("n\n", "r"), (long.as_str(), "r")] {
            assert!(matches!(place(dir.path(), name, reason, &one, at(1)), Err(HoldError::Text(_))));
        }
        let none = place(dir.path(), "n", "r", &Scope::Calls(Vec::new()), at(1));
        assert!(matches!(none, Err(HoldError::Nothing)));
        assert!(!dir.path().join(layout::HOLDS).exists());
    }
}
