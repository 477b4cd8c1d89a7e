//! Checkpoints as a store makes them: what they cover, what survives, what they give away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Weak};
use std::time::Duration;

use callbox_events::Timestamp;
use callbox_events::call::{Event, Noted};
use callbox_events::schema::Commit;
use callbox_store::proof::beat::{Liveness, Presence};
use callbox_store::proof::coverage::Coverage;
use callbox_store::proof::entries::{Entries, Entry};
use callbox_store::proof::key::{PublicKey, SigningKey};
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::put;
use callbox_store::testing::sample::{commit, offered, released};
use callbox_store::verify::{Brought, Report, verify, verify_with};
use callbox_store::{Journal, OpenError, seal};

fn key() -> SigningKey {
    SigningKey::from_seed("callbox.example/test", &[7; 32]).unwrap()
}

fn public() -> PublicKey {
    key().public().clone()
}

/// Signs, and makes checkpoints only when asked to and at the end.
fn signed() -> Options {
    Options { signing_key: Some(Arc::new(key())), checkpoint_interval: Duration::ZERO, ..Options::default() }
}

fn open(dir: &Path, options: Options) -> SledJournal {
    SledJournal::open(dir, options).unwrap()
}

/// Writes these commits, with a checkpoint behind every `every`th.
fn write(journal: &SledJournal, commits: &[Commit], every: usize) {
    for (number, commit) in commits.iter().enumerate() {
        put(journal, commit.clone());
        if (number + 1) % every == 0 {
            journal.checkpoint();
        }
    }
}

/// Ten calls, one after another: 30 commits, 60 events.
fn story() -> Vec<Commit> {
    (0..10).flat_map(|number| [offered(number), commit(number, 1, 3, 300), released(number, 4)]).collect()
}

fn checkpoints(dir: &Path) -> Vec<Entry> {
    seal::kept(dir).unwrap().map(Result::unwrap).collect()
}

fn with_key(dir: &Path) -> Report {
    let brought = Brought { keys: vec![public()], checkpoints: Vec::new() };
    verify_with(dir, &brought, &mut |_| {}).unwrap()
}

/// What is wrong, as one text.
fn damages(report: &Report) -> String {
    report.damages.iter().map(|damage| format!("{}: {}\n", damage.place, damage.what)).collect()
}

#[test]
fn closing_seals_everything_and_the_key_vouches_for_it() {
    let dir = tempfile::tempdir().unwrap();
    write(&open(dir.path(), signed()), &story(), 7);
    let sizes: Vec<u64> = checkpoints(dir.path()).iter().map(|entry| entry.checkpoint.tree.size).collect();
    assert_eq!(sizes, [7, 14, 21, 28, 30]);
    let report = with_key(dir.path());
    assert_eq!(damages(&report), "");
    let reach = report.seals.vouched.unwrap();
    assert_eq!((reach.commits, reach.events), (30, 60));
    assert_eq!((report.seals.checkpoints, report.seals.signed, report.seals.unsigned), (5, 5, 0));
}

#[test]
fn without_a_key_checkpoints_are_made_and_nobody_vouches_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let unsigned = Options { signing_key: None, ..signed() };
    write(&open(dir.path(), unsigned.clone()), &story(), 7);
    let report = verify(dir.path(), &mut |_| {}).unwrap();
    assert_eq!(damages(&report), "");
    assert_eq!((report.seals.unsigned, report.seals.vouched), (5, None));
    assert_eq!(report.seals.covered.unwrap().commits, 30);
    let told = damages(&with_key(dir.path()));
    assert_eq!(told, "the checkpoints: none is signed by callbox.example/test\n");
    // A key that comes later vouches for all that was before; one that goes away is missed.
    put(&open(dir.path(), signed()), offered(50));
    assert_eq!(damages(&with_key(dir.path())), "");
    put(&open(dir.path(), unsigned), offered(51));
    assert!(damages(&with_key(dir.path())).contains("it is not signed, but earlier ones are"));
}

#[test]
fn the_tree_goes_on_over_openings_with_and_without_its_frontier() {
    let dir = tempfile::tempdir().unwrap();
    for (round, commits) in story().chunks(4).enumerate() {
        write(&open(dir.path(), signed()), commits, 3);
        if round % 2 == 0 {
            fs::remove_file(dir.path().join("FRONTIER")).unwrap();
        }
        if round == 3 {
            fs::write(
                dir.path().join("FRONTIER"),
                "callbox frontier 1\nentry 0\ncommits 1\nevents 1\nAA==\n",
            )
            .unwrap();
        }
        let report = with_key(dir.path());
        assert_eq!(damages(&report), "", "round {round}");
        assert_eq!(report.seals.vouched.unwrap().commits, report.commits);
    }
    let whole = tempfile::tempdir().unwrap();
    write(&open(whole.path(), signed()), &story(), 1_000);
    let root = |dir: &Path| checkpoints(dir).last().unwrap().checkpoint.tree;
    assert_eq!(root(dir.path()), root(whole.path()));
}

#[test]
fn opening_and_closing_without_work_adds_no_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    write(&open(dir.path(), signed()), &story(), 100);
    for _ in 0..3 {
        drop(open(dir.path(), signed()));
    }
    assert_eq!(checkpoints(dir.path()).len(), 1);
}

#[test]
fn an_interval_makes_checkpoints_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path(), Options { checkpoint_interval: Duration::from_millis(5), ..signed() });
    let (asked, was_asked) = mpsc::channel();
    let listener: Arc<dyn Liveness> = Arc::new(Listener { asked: Some(asked), ..Listener::default() });
    journal.attend(Arc::downgrade(&listener));
    for number in 0..3 {
        put(&journal, offered(number));
        let sealed = |entry: &Entry| entry.checkpoint.tree.size > number;
        while !checkpoints_beside(dir.path()).last().is_some_and(sealed) {
            was_asked.recv_timeout(Duration::from_secs(30)).expect("a checkpoint is made");
        }
    }
    let report = with_key(dir.path());
    assert_eq!(damages(&report), "", "beside the writer");
}

/// The checkpoints of a store that is written to: the last may be in the making.
fn checkpoints_beside(dir: &Path) -> Vec<Entry> {
    seal::kept(dir).unwrap().filter_map(Result::ok).collect()
}

#[test]
fn a_checkpoint_that_was_being_written_when_the_power_went_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    write(&open(dir.path(), signed()), &story(), 10);
    let path = dir.path().join("checkpoints");
    let whole = fs::read(&path).unwrap();
    for cut in [1, 2, 60, 150] {
        fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let report = with_key(dir.path());
        assert_eq!((damages(&report).as_str(), report.seals.cut), ("", true), "{cut} bytes cut");
        drop(open(dir.path(), signed()));
        let report = with_key(dir.path());
        assert_eq!((damages(&report).as_str(), report.seals.cut), ("", false), "{cut} bytes cut");
        assert_eq!(report.seals.vouched.unwrap().commits, 30, "what was cut off is sealed again");
        fs::write(&path, &whole).unwrap();
    }
}

/// A store as a forger with all knowledge but the key would leave it: every checksum and chain right, other content,
/// and the genuine checkpoints beside it.
fn forged(genuine: &Path, commits: &[Commit]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(&open(dir.path(), signed()), commits, 1_000);
    fs::remove_file(dir.path().join("FRONTIER")).unwrap();
    fs::copy(genuine.join("checkpoints"), dir.path().join("checkpoints")).unwrap();
    dir
}

#[test]
fn a_history_that_was_written_anew_is_told_with_its_place() {
    let genuine = tempfile::tempdir().unwrap();
    write(&open(genuine.path(), signed()), &story(), 5);
    type Forgery = (&'static str, fn(&mut Vec<Commit>), &'static str);
    let forgeries: [Forgery; 6] = [
        (
            "changed",
            |commits| {
                commits[13].events[0].event = Event::Noted(Noted { what: "something else".into() });
            },
            "from sequence 19 to 30",
        ),
        ("another time", |commits| commits[7].at = Timestamp::from_micros(1), "from sequence 10 to 19"),
        ("dropped", |commits| drop(commits.drain(9..12)), "from sequence 10 to 19"),
        ("swapped", |commits| commits.swap(2, 3), "from sequence 0 to 10"),
        ("put in", |commits| commits.insert(22, offered(77)), "from sequence 40 to 49"),
        ("cut off", |commits| commits.truncate(27), "it covers 30 commits, but the journal has 27"),
    ];
    for (name, forge, told) in forgeries {
        let mut commits = story();
        forge(&mut commits);
        let dir = forged(genuine.path(), &commits);
        let report = with_key(dir.path());
        let all = damages(&report);
        assert!(all.contains(told), "{name}: {all}");
        assert_eq!(report.damaged, 1, "{name}: told once, {all}");
    }
}

#[test]
fn the_file_of_checkpoints_gives_away_what_was_done_to_it() {
    let dir = tempfile::tempdir().unwrap();
    write(&open(dir.path(), signed()), &story(), 5);
    let path = dir.path().join("checkpoints");
    let entries = checkpoints(dir.path());
    let text = |entries: &[Entry]| entries.iter().map(Entry::to_text).collect::<String>();
    let mut cases: Vec<(&str, String, &str)> = Vec::new();
    let mut fewer = entries.clone();
    fewer.remove(2);
    cases.push(("taken out", text(&fewer), "it does not follow the one before it"));
    cases.push(("the first taken out", text(&entries[1..]), "it does not follow the one before it"));
    let mut swapped = entries.clone();
    swapped.swap(1, 2);
    cases.push(("swapped", text(&swapped), "it covers 10 commits, fewer than one before it"));
    let (before, last) =
        text(&entries).rsplit_once("time 202").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    cases.push(("a changed time", format!("{before}time 201{last}"), "it is older than the one before it"));
    cases.push((
        "a changed number",
        text(&entries).replacen("events 10", "events 11", 1),
        "its signature does not fit",
    ));
    cases.push(("a flipped bit", text(&entries).replacen('=', "<", 1), "its third line is no hash"));
    cases.push(("all gone", String::new(), "there are none: nothing is signed"));
    for (name, changed, told) in cases {
        fs::write(&path, changed).unwrap();
        let all = damages(&with_key(dir.path()));
        assert!(all.contains(told), "{name}: {all}");
    }
}

#[test]
fn a_checkpoint_kept_elsewhere_shows_an_old_state_and_a_fork() {
    let dir = tempfile::tempdir().unwrap();
    let commits = story();
    write(&open(dir.path(), signed()), &commits[..12], 4);
    let old = tempfile::tempdir().unwrap();
    write(&open(old.path(), signed()), &commits[..12], 4);
    let fork = tempfile::tempdir().unwrap();
    write(&open(fork.path(), signed()), &commits[..10], 4);
    write(
        &open(fork.path(), signed()),
        &[offered(70), offered(71), offered(72), offered(73), offered(74)],
        1,
    );
    write(&open(dir.path(), signed()), &commits[12..15], 100);
    let newest = checkpoints(dir.path()).pop().unwrap();
    let brought = Brought { keys: vec![public()], checkpoints: vec![newest] };
    let told = |dir: &Path| damages(&verify_with(dir, &brought, &mut |_| {}).unwrap());
    assert_eq!(told(dir.path()), "");
    let all = told(old.path());
    assert!(all.contains("kept elsewhere: it covers 15 commits, but the journal has 12"), "{all}");
    let all = told(fork.path());
    assert!(all.contains("that was kept elsewhere: the journal's first 15 commits are not those"), "{all}");
    assert_eq!(
        damages(&with_key(fork.path())),
        "",
        "a fork is sound by itself: hence the checkpoint from elsewhere"
    );
}

#[test]
fn a_log_that_is_shorter_than_its_checkpoints_does_not_open() {
    let genuine = tempfile::tempdir().unwrap();
    write(&open(genuine.path(), signed()), &story(), 5);
    let dir = forged(genuine.path(), &story()[..20]);
    let error = SledJournal::open(dir.path(), signed()).err().unwrap();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("a checkpoint covers everything before 60"), "{error}");
}

/// Somebody who listens.
#[derive(Debug, Default)]
struct Listener {
    received: AtomicU64,
    /// Told whenever a checkpoint is made.
    asked: Option<Sender<()>>,
}

impl Liveness for Listener {
    fn presence(&self) -> Presence {
        let received = self.received.load(Ordering::Relaxed);
        self.asked.iter().for_each(|asked| _ = asked.send(()));
        Presence {
            node: "a".into(),
            listening: vec!["udp:127.0.0.1:5060".into()],
            received,
            sent: 2 * received,
        }
    }
}

#[test]
fn beats_tell_when_somebody_listened_and_what_came() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..2 {
        let journal = open(dir.path(), signed());
        let listener: Arc<Listener> = Arc::default();
        let weak: Weak<Listener> = Arc::downgrade(&listener);
        journal.attend(weak);
        journal.checkpoint();
        listener.received.store(5, Ordering::Relaxed);
        put(&journal, offered(round));
        journal.checkpoint();
        journal.checkpoint();
    }
    let entries = checkpoints(dir.path());
    let beats: Vec<(u64, u64)> = entries
        .iter()
        .map(|entry| &entry.checkpoint.extension.beats[0])
        .map(|beat| (beat.received, beat.sent))
        .collect();
    assert_eq!(
        beats,
        [(0, 0), (5, 10), (0, 0), (0, 0), (5, 10), (0, 0)],
        "a listener that has gone is not spoken for"
    );
    let mut coverage = Coverage::new(None, None, &[]);
    entries.iter().for_each(|entry| coverage.add(entry));
    let (intervals, gaps) = coverage.finish();
    let told: Vec<_> = intervals.iter().map(|interval| (interval.received, interval.events)).collect();
    assert_eq!(told, [(5, 1), (5, 1)]);
    assert_eq!((gaps.len(), gaps[0].from, gaps[0].until), (1, intervals[0].until, intervals[1].from));
    assert_eq!(damages(&with_key(dir.path())), "");
}

#[test]
fn the_file_is_what_any_reader_of_signed_notes_expects() {
    let dir = tempfile::tempdir().unwrap();
    write(&open(dir.path(), signed()), &story(), 15);
    let text = fs::read_to_string(dir.path().join("checkpoints")).unwrap();
    assert!(text.starts_with("callbox.example/test\n15\n"), "{text}");
    assert!(text.contains("\nevents 30\n\n— callbox.example/test "), "{text}");
    assert_eq!(Entries::of(text.as_bytes()).count(), 2);
}
