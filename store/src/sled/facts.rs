//! What is known of a finished volume without opening it: where it ends, which calls and which time it holds.
//!
//! A text beside the volume's sled directory. It says nothing that the volume does not, and is made again from it when it
//! is missing or damaged; that it is there says that the volume is complete: all its records are in sled, all its calls
//! in sled's index.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use callbox_events::{CallId, Timestamp};

use super::log::{self, InTree};
use super::read;
use super::tree::Tree;
use crate::error::ReadError;
use crate::keys;
use crate::layout;
use crate::wal;

/// The first line.
const FORM: &str = "callbox volume 1";

/// More calls than this that began earlier are not named: then every call may be one of them.
const MOST_CARRIED: usize = 16_384;

/// The facts of a finished volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The global sequence number behind its last event: where the next volume begins.
    pub end: u64,
    /// Bytes of its segments of the write-ahead log.
    pub bytes: u64,
    /// When its first and its last commit were recorded.
    pub times: (Timestamp, Timestamp),
    /// The calls with commits in it.
    pub calls: Calls,
}

/// Which calls have commits in a volume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls {
    /// The lowest and the highest id of those that began in it.
    pub begun: Option<(CallId, CallId)>,
    /// Those that began earlier, in order; `None` if they are too many to be named.
    pub carried: Option<Vec<CallId>>,
}

impl Calls {
    fn gather(tree: &Arc<Tree>) -> Result<Self, ReadError> {
        let (mut begun, mut carried, mut last) = (None::<(CallId, CallId)>, Some(Vec::new()), None);
        for pair in tree.scan(&[keys::ROW], &[keys::ROW])? {
            let Some((call, version)) = keys::parse_row(&pair?.0).filter(|(call, _)| last != Some(*call))
            else {
                continue;
            };
            last = Some(call);
            if version == 0 {
                begun = Some((begun.map_or(call, |(lowest, _)| lowest), call));
            } else if let Some(calls) = &mut carried {
                calls.push(call);
                carried = carried.filter(|calls| calls.len() <= MOST_CARRIED);
            }
        }
        Ok(Self { begun, carried })
    }

    /// Whether a call may be one of them.
    pub fn may_hold(&self, call: CallId) -> bool {
        self.begun.is_some_and(|(lowest, highest)| (lowest..=highest).contains(&call))
            || self.carried.as_ref().is_none_or(|carried| carried.binary_search(&call).is_ok())
    }

    /// The lowest id that one of them can have.
    pub fn lowest(&self) -> CallId {
        let begun = self.begun.map(|(lowest, _)| lowest);
        let none = CallId::from_bytes([0; 16]);
        let Some(carried) = &self.carried else { return none };
        carried.first().copied().into_iter().chain(begun).min().unwrap_or(none)
    }

    /// The highest id of those that are named.
    pub fn highest(&self) -> Option<CallId> {
        let carried = self.carried.as_ref().and_then(|carried| carried.last().copied());
        self.begun.map(|(_, highest)| highest).max(carried)
    }
}

impl Facts {
    /// Gathers the facts of a volume that is whole in sled; `None` if it is empty.
    pub fn gather(store: &Path, first: u64, end: u64, tree: &Arc<Tree>) -> Result<Option<Self>, ReadError> {
        let Some(last) = tree.chunk_at(u64::MAX)?.filter(|seq| *seq >= first) else { return Ok(None) };
        let (Some(earliest), Some(latest)) = (time_of(tree, first, false)?, time_of(tree, last, true)?)
        else {
            return Ok(None);
        };
        let unavailable = |error: io::Error| ReadError::Unavailable { why: error.to_string() };
        let bytes = bytes(store, first, end).map_err(unavailable)?;
        Ok(Some(Self { end, bytes, times: (earliest, latest), calls: Calls::gather(tree)? }))
    }

    /// The facts as they were written; `None` if there are none, or they can't be read.
    pub fn read(store: &Path, first: u64) -> Option<Self> {
        Self::parse(&fs::read_to_string(layout::facts_file(store, first)).ok()?)
    }

    /// Writes them, durably.
    pub fn write(&self, store: &Path, first: u64) -> io::Result<()> {
        layout::replace(&layout::facts_file(store, first), self.to_text().as_bytes())?;
        layout::sync_dir(&store.join(layout::LOG))
    }

    fn to_text(&self) -> String {
        let Self { end, bytes, times, calls } = self;
        let mut text = format!("{FORM}\nend {end}\nbytes {bytes}\n");
        let _ = writeln!(text, "time {} {}", times.0.micros(), times.1.micros());
        if let Some((lowest, highest)) = calls.begun {
            let _ = writeln!(text, "begun {lowest} {highest}");
        }
        for call in calls.carried.iter().flatten() {
            let _ = writeln!(text, "carried {call}");
        }
        text.push_str(if calls.carried.is_some() { "all\n" } else { "more\n" });
        let sum = crc32c::crc32c(text.as_bytes());
        let _ = writeln!(text, "crc32c {sum:08x}");
        text
    }

    fn parse<'a>(text: &'a str) -> Option<Self> {
        let (body, sum) = text.strip_suffix('\n')?.rsplit_once("crc32c ")?;
        if format!("{:08x}", crc32c::crc32c(body.as_bytes())) != sum {
            return None;
        }
        let mut lines = body.lines().peekable();
        if lines.next() != Some(FORM) {
            return None;
        }
        let mut field = |name: &str| {
            let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(' ');
            value(lines.next_if(|line| value(line).is_some())?)
        };
        let (end, bytes) = (field("end")?.parse().ok()?, field("bytes")?.parse().ok()?);
        let (earliest, latest) = field("time")?.split_once(' ')?;
        let time = |text: &str| text.parse().ok().map(Timestamp::from_micros);
        let times = (time(earliest)?, time(latest)?);
        let begun = match field("begun").map(|begun| begun.split_once(' ')) {
            Some(both) => Some(both.and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)))?),
            None => None,
        };
        let carried = std::iter::from_fn(|| field("carried")).map(|call| call.parse().ok());
        let carried = carried.collect::<Option<Vec<_>>>()?;
        let carried = match lines.next()? {
            "all" => Some(carried),
            "more" => None,
            _ => return None,
        };
        Some(Self { end, bytes, times, calls: Calls { begun, carried } })
    }
}

/// The bytes of the segments of a volume.
pub fn bytes(store: &Path, first: u64, end: u64) -> io::Result<u64> {
    let segments = wal::segments(store)?.into_iter().filter(|segment| (first..end).contains(segment));
    segments.map(|segment| fs::metadata(wal::path(store, segment)).map(|file| file.len())).sum()
}

/// When the first or the last commit of a record in sled was recorded.
fn time_of(tree: &Arc<Tree>, seq: u64, last: bool) -> Result<Option<Timestamp>, ReadError> {
    let Some((found, record)) = InTree::new(tree, seq)?.next().transpose()? else { return Ok(None) };
    log::frames(found, &record).and_then(|frames| time_in(seq, &frames, last))
}

/// The same for the frames of a record.
pub fn time_in(seq: u64, frames: &[u8], last: bool) -> Result<Option<Timestamp>, ReadError> {
    let mut chosen = None;
    read::frames(seq, frames, |frame| {
        if last || chosen.is_none() {
            chosen = Some(frame);
        }
        Ok(())
    })?;
    chosen.map(|frame| frame.decode().map(|stored| stored.commit.at)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn call(byte: u8) -> CallId {
        CallId::from_bytes([byte; 16])
    }

    fn facts() -> Facts {
        let times = (Timestamp::from_micros(17), Timestamp::from_micros(u64::MAX));
        let calls = Calls { begun: Some((call(9), call(200))), carried: Some(vec![call(3), call(5)]) };
        Facts { end: 900, bytes: 1 << 40, times, calls }
    }

    #[test]
    fn they_name_who_may_be_there() {
        let Facts { calls, .. } = facts();
        let asked: Vec<u8> = (0..=255).filter(|byte| calls.may_hold(call(*byte))).collect();
        assert_eq!(asked, [3, 5].into_iter().chain(9..=200).collect::<Vec<_>>());
        assert_eq!((calls.lowest(), calls.highest()), (call(3), Some(call(200))));
        let many = Calls { carried: None, ..calls };
        assert!(many.may_hold(call(0)) && many.may_hold(call(255)), "anybody");
        assert_eq!(many.lowest(), call(0));
        assert!(!Calls { begun: None, carried: Some(Vec::new()) }.may_hold(call(0)));
    }

    #[test]
    fn they_read_back_and_any_change_is_seen() {
        let bare = Facts { calls: Calls::default(), ..facts() };
        assert_eq!(Facts::parse(&bare.to_text()), Some(bare));
        let text = facts().to_text();
        assert_eq!(Facts::parse(&text), Some(facts()));
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] ^= 1;
            let changed = String::from_utf8_lossy(&changed).into_owned();
            assert_eq!(Facts::parse(&changed), None, "byte {place}");
            assert_eq!(Facts::parse(&text[..place]), None, "cut at {place}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_facts_or_refused(text in ".{0,200}") {
            prop_assert_eq!(Facts::parse(&text), None);
        }
    }
}
