//! Damage everywhere: in each file of a store, one byte is flipped, at places all over it; its end is cut off, at lengths
//! all over it; and it goes missing. Nothing panics; what is damaged is named; the journal is kept twice, so nothing of
//! it is lost by any single damage; and a repaired store is sound.
//!
//! `CALLBOX_DAMAGES` sets the number of flips and of cuts of each file (12 by default), `CALLBOX_DAMAGED` takes only files
//! whose path holds that.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use callbox_store::proof::key::SigningKey;
use callbox_store::repair::repair;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::put;
use callbox_store::testing::ruin::{by_call, contents, copy_of, files, flip, truncate};
use callbox_store::testing::sample::{commit, offered, released};
use callbox_store::verify::{Brought, Report, verify_with};
use callbox_store::{Journal, OpenError, reader};

/// What happens to a file.
#[derive(Debug, Clone, Copy)]
enum Harm {
    Flip(usize),
    Cut(u64),
    Remove,
}

/// A kind of harm, in the table.
type Row = (&'static str, &'static str);

/// Tried, and told by `verify`.
type Table = BTreeMap<Row, (u32, u32)>;

/// A signed store of some segments, closed; and what is in it.
struct Sound {
    dir: tempfile::TempDir,
    contents: Vec<Vec<u8>>,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path(), options()).unwrap();
    for number in 0..60 {
        put(&journal, offered(number));
        put(&journal, commit(number, 1, 2, 1_500));
        put(&journal, released(number, 3));
        if number % 12 == 11 {
            journal.checkpoint();
        }
    }
    drop(journal);
    let contents = contents(&*reader::open(dir.path()).unwrap()).unwrap();
    assert_eq!(contents.len(), 180);
    Sound { dir, contents }
});

fn key() -> SigningKey {
    SigningKey::from_seed("callbox.example/test", &[7; 32]).unwrap()
}

fn options() -> Options {
    Options {
        segment_bytes: 40 * 1024,
        signing_key: Some(Arc::new(key())),
        checkpoint_interval: Duration::ZERO,
        ..Options::default()
    }
}

/// Places all over a file of this length, both ends among them.
fn places(length: u64, count: usize) -> impl Iterator<Item = u64> {
    let steps = (count as u64).min(length).max(1);
    let between = move |step: u64| (length * step / steps + step % 7).min(length - 1);
    (0..steps).map(move |step| if step + 1 == steps { length - 1 } else { between(step) })
}

fn harms(file: &Path) -> Vec<Harm> {
    let count = std::env::var("CALLBOX_DAMAGES").map_or(12, |text| text.parse().unwrap());
    let length = fs::metadata(SOUND.dir.path().join(file)).unwrap().len();
    let mut harms = vec![Harm::Remove];
    if length > 0 {
        harms.extend(places(length, count).map(|place| Harm::Flip(place as usize)));
        harms.extend(places(length, count).map(Harm::Cut));
    }
    harms
}

/// A kind of file.
fn kind(file: &Path) -> &'static str {
    let first = file.iter().next().and_then(|name| name.to_str()).unwrap_or_default();
    match first {
        "wal" => "a segment of the log",
        "log" => "sled's files",
        "checkpoints" => "the checkpoints",
        "FORMAT" => "FORMAT",
        "WATERMARK" => "the watermark",
        // What nobody rests on: `FRONTIER` is believed only if a checkpoint vouches for it.
        _ => "other files",
    }
}

/// Whether `verify` has to tell it. Not all bytes of sled's files mean anything; an end of the checkpoints may be missing
/// as if it had never been; and who signed the first of them may not be known, as later ones vouch for it.
fn must_be_told(file: &Path, harm: Harm) -> bool {
    match (kind(file), harm) {
        ("a segment of the log", _) | ("the watermark", Harm::Flip(_)) => true,
        ("the checkpoints", Harm::Flip(place)) => {
            let text = fs::read_to_string(SOUND.dir.path().join(file)).unwrap();
            let signature = text.find('\u{2014}').unwrap();
            !(signature..signature + text[signature..].find('\n').unwrap()).contains(&place)
        }
        _ => false,
    }
}

fn audit(dir: &Path) -> Result<Report, OpenError> {
    let brought = Brought { keys: vec![key().public().clone()], checkpoints: Vec::new() };
    verify_with(dir, &brought, &mut |_| {})
}

/// Does the harm to a copy and looks at what is left of it; whether it was told.
fn suffer(file: &Path, harm: Harm, with_repair: bool) -> bool {
    let what = format!("{} {harm:?}", file.display());
    let damaged = copy_of(SOUND.dir.path());
    let target = damaged.path().join(file);
    match harm {
        Harm::Flip(place) => flip(&target, place),
        Harm::Cut(length) => truncate(&target, length),
        Harm::Remove => fs::remove_file(&target).unwrap(),
    }
    let report = match audit(damaged.path()) {
        Ok(report) => report,
        Err(error) => {
            assert!(file == Path::new("FORMAT"), "{what}: {error}");
            assert!(
                error.to_string().contains("FORMAT") || matches!(error, OpenError::Newer { .. }),
                "{error}"
            );
            // Nothing else is wrong: with that file as it was, everything is there.
            fs::copy(SOUND.dir.path().join(file), &target).unwrap();
            nothing_is_lost(damaged.path(), &what);
            return true;
        }
    };
    names_the_place(file, harm, &report, &what);
    if with_repair {
        let new = tempfile::tempdir().unwrap();
        let into = new.path().join("new");
        let repaired =
            repair(damaged.path(), &into, &mut |_| {}).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((repaired.lost.len(), repaired.incomplete.len()), (0, 0), "{what}");
        assert!(audit_repaired(&into).is_sound(), "{what}");
        assert!(contents(&*reader::open(&into).unwrap()).as_ref() == Ok(&SOUND.contents), "{what}");
    }
    nothing_is_lost(damaged.path(), &what);
    !report.is_sound() || report.seals.cut
}

/// The new store is signed by nobody.
fn audit_repaired(dir: &Path) -> Report {
    verify_with(dir, &Brought::default(), &mut |_| {}).unwrap()
}

/// Damage to a segment of the log is told with that segment and the byte where the damaged record begins, or with the
/// sequence number that only sled has now; damage to a checkpoint with its number.
fn names_the_place(file: &Path, harm: Harm, report: &Report, what: &str) {
    let places: Vec<&str> = report.damages.iter().map(|damage| damage.place.as_str()).collect();
    match (kind(file), harm) {
        ("a segment of the log", Harm::Flip(at)) => {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap();
            let segment = format!("segment {}, byte ", name.parse::<u64>().unwrap());
            let begins =
                places.iter().filter_map(|place| place.split_once(&segment)?.1.parse::<usize>().ok());
            let torn = places.iter().any(|place| place.starts_with("sequence "));
            assert!(begins.min().is_some_and(|begin| begin <= at) || torn, "{what}: {places:?}");
        }
        ("a segment of the log", Harm::Cut(_) | Harm::Remove) => {
            assert!(places.iter().any(|place| place.starts_with("sequence ")), "{what}: {places:?}");
        }
        ("the checkpoints", Harm::Flip(_)) => {
            assert!(places.iter().all(|place| place.contains("checkpoint")), "{what}: {places:?}");
        }
        ("the watermark", _) => {
            assert!(places.iter().all(|place| *place == "WATERMARK"), "{what}: {places:?}")
        }
        _ => {}
    }
}

fn nothing_is_lost(dir: &Path, what: &str) {
    let sound = &SOUND.contents;
    let reader = reader::open(dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(contents(&*reader).as_ref() == Ok(sound), "{what}: {:?}", contents(&*reader).err());
    assert_eq!(by_call(&*reader), Ok(sound.len()), "{what}");
    drop(reader);
    let journal = SledJournal::open(dir, options()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(contents(&journal).as_ref() == Ok(sound), "{what}: {:?}", contents(&journal).err());
    put(&journal, offered(99));
    drop(journal);
    let reader = reader::open(dir).unwrap_or_else(|error| panic!("{what}, written to: {error}"));
    assert_eq!(contents(&*reader).map(|all| all.len()), Ok(sound.len() + 1), "{what}, written to");
}

#[test]
fn no_single_damage_loses_anything() {
    let only = std::env::var("CALLBOX_DAMAGED").unwrap_or_default();
    let work: Vec<(PathBuf, Harm)> = files(SOUND.dir.path())
        .into_iter()
        .filter(|file| file.to_string_lossy().contains(&only))
        .flat_map(|file| harms(&file).into_iter().map(move |harm| (file.clone(), harm)))
        .collect();
    assert!(!work.is_empty());
    let (next, table) = (AtomicUsize::new(0), Mutex::new(Table::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((file, done)) = work.get(number) else { break };
                    let told = suffer(file, *done, number % 4 == 0);
                    let name = kind(file);
                    let always = must_be_told(file, *done);
                    let harm = match done {
                        Harm::Flip(_) => "flipped",
                        Harm::Cut(_) => "cut",
                        Harm::Remove => "removed",
                    };
                    assert!(told || !always, "{} {done:?}: not told", file.display());
                    let mut table = table.lock().unwrap();
                    let (tried, heard) = table.entry((name, harm)).or_default();
                    *tried += 1;
                    *heard += u32::from(told);
                }
            });
        }
    });
    println!("{:22} {:8} {:>6} {:>6}", "file", "harm", "tried", "told");
    for ((file, harm), (tried, told)) in table.into_inner().unwrap() {
        println!("{file:22} {harm:8} {tried:6} {told:6}");
    }
}
