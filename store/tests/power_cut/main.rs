//! The power is cut at any point: what was acknowledged is there afterwards, whole and in its place.
//!
//! A process writes under strace, which records every write and every sync. From that record the directory is laid out
//! as it could look after a cut at any point of it ([`disk`], [`fate`]): what was not synced is lost, kept, torn or
//! shuffled; names too. Each such directory is opened, compared with what had been acknowledged before the cut, written
//! to, and verified ([`work::check`]).
//!
//! `CALLBOX_POWER_CUTS` sets the number of cuts of the longest story (100 by default), `CALLBOX_POWER_SEED` the seed. Of the
//! directories that fail some are kept, and named.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

mod disk;
mod fate;
mod trace;
mod work;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use disk::{Disk, Image};
use fate::{CONTENTS, Contents, Fate, NAMES, Names, Random};
use trace::{Act, Event};
use work::{Acked, Ending};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// Directories that come and go: in memory where possible, as nothing about them has to last.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// A process's way through: what was on the disk before, and what it did.
struct Story {
    name: &'static str,
    root: PathBuf,
    before: Image,
    acked: Vec<Acked>,
    events: Vec<Event>,
}

impl Story {
    /// Runs writers one after another, each under strace.
    fn record(name: &'static str, root: &Path, acked: Vec<Acked>, writers: &[(u64, u64, Ending)]) -> Self {
        let before = disk::load(root);
        let traces = scratch();
        let mut events: Vec<Event> = Vec::new();
        for (first, calls, ending) in writers {
            let base = events.iter().map(|event| event.end + 1).max().unwrap_or(0);
            let mut writer = work::writer(root, *first, *calls, *ending);
            let more = trace::record(&mut writer, &traces.path().join("trace"));
            events.extend(more.into_iter().map(|event| event.later(base)));
        }
        Self { name, root: root.to_owned(), before, acked, events }
    }

    /// The same story, ended by a kill at this line: what was under way then is there for a successor.
    fn killed_at(&self, line: usize) -> Self {
        let events = self.events.iter().filter(|event| event.begin <= line);
        let events = events.map(|event| Event { end: event.end.min(line), ..event.clone() }).collect();
        let (root, before, acked) = (self.root.clone(), self.before.clone(), self.acked.clone());
        Self { name: "writing, kill, writing", root, before, acked, events }
    }

    /// Lays out what a process would find after this story, and goes on with another writer there.
    fn followed_by(mut self, writer: &(u64, u64, Ending)) -> Self {
        let mut disk = Disk::new(&self.root, &self.before);
        self.events.iter().for_each(|event| disk.begin(event));
        let left = disk.cut(&mut Fate { contents: Contents::Kept, names: Names::Kept, random: Random(0) });
        std::fs::remove_dir_all(&self.root).unwrap();
        std::fs::create_dir(&self.root).unwrap();
        disk::lay_out(&left, &self.root);
        let more = Self::record("", &self.root, Vec::new(), std::slice::from_ref(writer));
        let base = self.events.iter().map(|event| event.end + 1).max().unwrap_or(0);
        self.events.extend(more.events.into_iter().map(|event| event.later(base)));
        self
    }

    fn acks(&self) -> usize {
        self.events.iter().map(|event| work::acked(event).len()).sum()
    }

    /// Where to cut: half of the places anywhere, half around what is rare (names, lengths, syncs of directories).
    fn places(&self, count: usize, random: &mut Random) -> Vec<usize> {
        let is_rare = |event: &&Event| match &event.act {
            Act::Create { .. }
            | Act::Resize { .. }
            | Act::Allot { .. }
            | Act::MakeDir { .. }
            | Act::Rename { .. }
            | Act::Remove { .. } => true,
            Act::Write { .. } | Act::Sync { .. } | Act::Say { .. } => false,
        };
        let mine = |event: &&Event| match &event.act {
            Act::Create { path, .. }
            | Act::Write { path, .. }
            | Act::Resize { path, .. }
            | Act::Allot { path, .. }
            | Act::MakeDir { path }
            | Act::Remove { path }
            | Act::Sync { path } => path.starts_with(&self.root),
            Act::Rename { from, .. } => from.starts_with(&self.root),
            Act::Say { .. } => true,
        };
        let all: Vec<usize> =
            self.events.iter().filter(mine).flat_map(|event| [event.begin, event.end]).collect();
        let rare: Vec<usize> = self
            .events
            .iter()
            .filter(mine)
            .filter(is_rare)
            .flat_map(|event| [event.begin, event.end])
            .collect();
        let mut places: Vec<usize> = (0..count)
            .map(|number| {
                let from = if number % 2 == 0 { &all } else { &rare };
                (from[random.below(from.len())] + random.below(4)).saturating_sub(1)
            })
            .collect();
        places.sort_unstable();
        places
    }
}

/// A directory as the cut left it, and what must be in it.
struct State {
    what: String,
    fate: (Contents, Names),
    image: Image,
    acked: Vec<Acked>,
}

/// Cuts a story at these places (lines of its trace, ascending), and hands each state over.
fn cut(story: &Story, places: &[usize], seed: u64, mut take: impl FnMut(State)) {
    let mut disk = Disk::new(&story.root, &story.before);
    let mut acked = story.acked.clone();
    let mut ends: Vec<&Event> = story.events.iter().collect();
    ends.sort_by_key(|event| event.end);
    let mut ends = ends.into_iter().peekable();
    let mut begins = story.events.iter().peekable();
    let mut last = String::new();
    for (number, place) in places.iter().enumerate() {
        // In the order of lines: a call's end may lie before another one's beginning.
        loop {
            let begin = begins.peek().map_or(usize::MAX, |event| event.begin);
            let end = ends.peek().map_or(usize::MAX, |event| event.end);
            if begin.min(end) > *place {
                break;
            }
            if begin <= end {
                let Some(event) = begins.next() else { break };
                disk.begin(event);
                acked.extend(work::acked(event));
                last = event.act.name();
            } else if let Some(event) = ends.next() {
                disk.end(event);
            }
        }
        let random = Random(seed ^ (number as u64) << 20);
        let (contents, names) =
            (CONTENTS[number % CONTENTS.len()], NAMES[(number / CONTENTS.len()) % NAMES.len()]);
        let mut fate = Fate { contents, names, random };
        let image = disk.cut(&mut fate);
        let what = format!(
            "{}, seed {seed}, cut {number} at line {place} after `{last}`, contents {contents:?}, names {names:?}",
            story.name
        );
        take(State { what, fate: (contents, names), image, acked: acked.clone() });
    }
}

/// At most so many directories that failed are kept for a look.
const MOST_KEPT: usize = 3;

/// Tried and survived, by fate.
type Table = BTreeMap<(Contents, Names), (u32, u32)>;

/// Cuts a story so many times and checks every state, on two threads.
fn survive(story: &Story, count: usize) {
    let seed = setting("CALLBOX_POWER_SEED", 20_261_125);
    let places = story.places(count, &mut Random(seed));
    let (sender, receiver) = sync_channel::<State>(2);
    let receiver = Mutex::new(receiver);
    let (table, failures) = (Mutex::new(Table::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| check_states(&receiver, &table, &failures));
        }
        cut(story, &places, seed, |state| sender.send(state).unwrap());
        drop(sender);
    });
    let (table, failures) = (table.into_inner().unwrap(), failures.into_inner().unwrap());
    println!(
        "{}: {} events, {} acknowledgements, {count} cuts",
        story.name,
        story.events.len(),
        story.acks()
    );
    println!("{:10} {:8} {:>6} {:>9}", "contents", "names", "tried", "survived");
    for ((contents, names), (tried, survived)) in &table {
        println!("{:10} {:8} {tried:6} {survived:9}", format!("{contents:?}"), format!("{names:?}"));
    }
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(table.values().map(|(tried, _)| *tried as usize).sum::<usize>(), count);
}

fn check_states(states: &Mutex<Receiver<State>>, table: &Mutex<Table>, failures: &Mutex<Vec<String>>) {
    loop {
        let Ok(state) = states.lock().unwrap().recv() else { return };
        let dir = scratch();
        disk::lay_out(&state.image, dir.path());
        let outcome = work::check(dir.path(), &state.acked);
        let mut table = table.lock().unwrap();
        let (tried, survived) = table.entry(state.fate).or_default();
        *tried += 1;
        *survived += u32::from(outcome.is_ok());
        drop(table);
        if let Err(why) = outcome {
            let mut failures = failures.lock().unwrap();
            let mut line = format!("{}: {why}", state.what);
            if failures.len() < MOST_KEPT {
                let kept = tempfile::Builder::new().prefix("callbox-power-cut-").tempdir().unwrap().keep();
                disk::lay_out(&state.image, &kept);
                line += &format!(" (kept in {})", kept.display());
            }
            failures.push(line);
        }
    }
}

/// sled's directories, oldest first.
fn volumes(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(work::store(root).join("log")).unwrap();
    let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

fn cuts() -> usize {
    setting("CALLBOX_POWER_CUTS", 100) as usize
}

#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut() {
    let root = tempfile::tempdir().unwrap();
    let writers = [(0, 48, Ending::Aborts), (1_000, 48, Ending::Closes)];
    let story = Story::record("writing, abort, writing, close, writing", root.path(), Vec::new(), &writers);
    assert!(story.acks() > 200, "the writers hardly ran: {}", story.acks());
    let segments = std::fs::read_dir(work::store(root.path()).join("wal")).unwrap().count();
    assert!(segments > 3, "{segments} segments");
    assert!(volumes(root.path()).len() > 1, "{:?}", volumes(root.path()));
    survive(&story, cuts());
}

#[test]
fn nor_while_the_oldest_volumes_are_removed() {
    let root = tempfile::tempdir().unwrap();
    let first = Story::record("filling", root.path(), Vec::new(), &[(0, 60, Ending::Closes)]);
    let acked: Vec<Acked> = first.events.iter().flat_map(work::acked).collect();
    let before = volumes(root.path());
    assert!(before.len() > 2, "{before:?}");
    let writers = [(2_000, 8, Ending::Removes)];
    let story = Story::record("removing volumes", root.path(), acked, &writers);
    assert!(!before[0].exists() && !before[1].exists(), "they were not removed");
    survive(&story, cuts() / 2);
}

#[test]
fn nor_while_sled_is_made_again_from_the_log() {
    let root = tempfile::tempdir().unwrap();
    let first = Story::record("filling", root.path(), Vec::new(), &[(0, 40, Ending::Closes)]);
    let acked: Vec<Acked> = first.events.iter().flat_map(work::acked).collect();
    let db = volumes(root.path()).pop().unwrap().join("db");
    let length = std::fs::metadata(&db).unwrap().len();
    std::fs::File::options().write(true).open(&db).unwrap().set_len(length / 2).unwrap();
    std::fs::write(db.with_file_name("conf"), "not what sled wrote").unwrap();
    let story = Story::record("making sled again", root.path(), acked, &[(2_000, 12, Ending::Closes)]);
    assert!(work::store(root.path()).join("aside").exists(), "it was not made again");
    survive(&story, cuts() / 2);
}

/// What the killed process had not synced, its successor finds, goes on with, and has to sync.
#[test]
fn nor_by_a_cut_that_follows_a_kill() {
    let root = tempfile::tempdir().unwrap();
    let story = Story::record("filling", root.path(), Vec::new(), &[(0, 36, Ending::Closes)]);
    let begun = |event: &&Event| match &event.act {
        Act::Create { path, .. } => path.parent().is_some_and(|dir| dir.ends_with("wal")),
        Act::Write { .. }
        | Act::Resize { .. }
        | Act::Allot { .. }
        | Act::MakeDir { .. }
        | Act::Rename { .. }
        | Act::Remove { .. }
        | Act::Sync { .. }
        | Act::Say { .. } => false,
    };
    // While a segment of the log is begun: its name is there, but not synced; a call or two later its header is.
    let places: Vec<usize> = story.events.iter().filter(begun).map(|event| event.end).skip(1).collect();
    assert!(places.len() > 2, "{} segments", places.len());
    for (later, place) in [1, 2, 3].into_iter().zip(places) {
        let killed = story.killed_at(place + later);
        survive(&killed.followed_by(&(4_000 + place as u64, 4, Ending::Closes)), cuts().div_ceil(6));
    }
}

#[test]
fn nor_by_a_second_cut_while_the_store_recovers_from_the_first() {
    let root = tempfile::tempdir().unwrap();
    let story = Story::record("filling", root.path(), Vec::new(), &[(0, 24, Ending::Closes)]);
    let seed = setting("CALLBOX_POWER_SEED", 20_261_125);
    let places = story.places(400, &mut Random(seed));
    let (mut number, mut stories) = (0, Vec::new());
    // One state of each kind of content, from somewhere late in the story.
    cut(&story, &places, seed, |state| {
        number += 1;
        if number > 370 && stories.len() < 3 && number % 10 == 3 {
            let again = tempfile::tempdir().unwrap();
            disk::lay_out(&state.image, again.path());
            let writers = [(3_000, 6, Ending::Closes)];
            stories.push((Story::record("recovering", again.path(), state.acked, &writers), again));
        }
    });
    assert_eq!(stories.len(), 3);
    for (story, _root) in &stories {
        survive(story, cuts().div_ceil(6));
    }
}

#[test]
#[ignore = "a process of another test"]
fn child_that_writes() {
    work::write();
}
