//! A reader and an other end that is broken, malicious or something else: errors, never half an answer, never a panic,
//! never more memory than an honest one takes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use callbox_events::schema;
use callbox_store::live::protocol::{Document, NotUnderstood, Reply, Request, greet};
use callbox_store::live::{Beside, Connect, LiveReader, Raw};
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::put;
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::verify::{Brought, verify_reader_with};
use callbox_store::{Cursor, Journal, JournalReader, ReadError, Subscription};
use proptest::prelude::*;

/// Answers each question as `answer` says.
#[derive(Clone)]
struct Stranger(Arc<dyn Fn(Request) -> Vec<u8> + Send + Sync>);

impl std::fmt::Debug for Stranger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stranger")
    }
}

impl Connect for Stranger {
    fn ask(&self, question: &[u8]) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::Cursor::new(self.0(Request::asked(question).unwrap()))))
    }
}

/// A reader of what a stranger says, which began well.
fn reader(answer: impl Fn(Request) -> Vec<u8> + Send + Sync + 'static) -> LiveReader {
    LiveReader::open(Stranger(Arc::new(answer))).unwrap()
}

fn said(replies: &[Reply]) -> Vec<u8> {
    let mut bytes = Vec::new();
    greet(&mut bytes).unwrap();
    replies.iter().for_each(|reply| reply.write(&mut bytes).unwrap());
    bytes
}

/// What the store's own process answers.
fn honest(store: &Path, request: Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut answer = Beside(store.to_owned()).ask(&request.question().unwrap()).unwrap();
    answer.read_to_end(&mut bytes).unwrap();
    bytes
}

fn store() -> (tempfile::TempDir, SledJournal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path(), Options::default()).unwrap();
    for number in 0..3 {
        put(&journal, offered(number));
        put(&journal, commit(number, 1, 2, 300));
        put(&journal, released(number, 3));
    }
    journal.checkpoint();
    (dir, journal)
}

/// Asks everything; the first error.
fn everything(reader: &LiveReader) -> Result<(), ReadError> {
    reader.tail()?;
    reader.latest()?;
    reader.head(call(1))?;
    reader.read(call(1))?;
    reader.calls()?.collect::<Result<Vec<_>, _>>()?;
    reader.read_all(Cursor::START)?.collect::<Result<Vec<_>, _>>()?;
    reader.kept()?.for_each(drop);
    Ok(())
}

/// One question, asked to the end of its answer.
type Ask = fn(&LiveReader) -> Result<(), ReadError>;

#[test]
fn an_answer_that_breaks_off_anywhere_is_an_error() {
    let (dir, _journal) = store();
    let asked: [(Request, Ask); 7] = [
        (Request::Tail, |reader| reader.tail().map(drop)),
        (Request::Latest, |reader| reader.latest().map(drop)),
        (Request::Head(call(1)), |reader| reader.head(call(1)).map(drop)),
        (Request::Read(call(1)), |reader| reader.read(call(1)).map(drop)),
        (Request::Calls, |reader| reader.calls()?.try_for_each(|call| call.map(drop))),
        (Request::ReadAll(Cursor::START, 0), |reader| {
            reader.read_all(Cursor::START)?.try_for_each(|commit| commit.map(drop))
        }),
        (Request::Document(Document::Checkpoints), |reader| reader.kept().map(drop)),
    ];
    for (request, ask) in asked {
        let whole = honest(dir.path(), request);
        for cut in 0..whole.len() {
            let (half, tail) = (whole[..cut].to_vec(), said(&[Reply::Cursor(Cursor::START), Reply::End]));
            let opened = std::sync::atomic::AtomicBool::new(false);
            let reader = reader(move |_| {
                let first = !opened.swap(true, std::sync::atomic::Ordering::Relaxed);
                if first { tail.clone() } else { half.clone() }
            });
            let error = ask(&reader).err().unwrap_or_else(|| panic!("{request:?} cut at {cut} is no error"));
            let fits = matches!(error, ReadError::Interrupted { .. } | ReadError::Unavailable { .. });
            assert!(fits, "{request:?} cut at {cut}: {error}");
        }
        ask(&LiveReader::open(Beside(dir.path().to_owned())).unwrap()).unwrap();
    }
}

#[test]
fn whoever_is_no_callbox_or_another_one_is_told_by_name() {
    let open = |bytes: &'static [u8]| LiveReader::open(Stranger(Arc::new(move |_| bytes.to_vec())));
    let why = |bytes| NotUnderstood::of(&open(bytes).unwrap_err());
    assert_eq!(why(b"<!DOCTYPE html><p>hello"), Some(NotUnderstood::Foreign));
    assert_eq!(why(b"callbox\n\x00\x07"), Some(NotUnderstood::Version { found: 7 }));
    assert_eq!(why(b"callbo"), None);
}

#[test]
fn checkpoints_come_as_the_store_keeps_them_and_are_compared() {
    let (dir, journal) = store();
    let beside = LiveReader::open(Beside(dir.path().to_owned())).unwrap();
    let texts = |kept: callbox_store::proof::audit::Kept<'_>| {
        kept.map(|entry| entry.unwrap().to_text()).collect::<String>()
    };
    assert_eq!(texts(beside.kept().unwrap()), texts(callbox_store::seal::kept(dir.path()).unwrap()));

    let verify = || {
        let kept = beside.kept().unwrap();
        verify_reader_with(&beside, kept, &Brought::default(), &mut |_| {}).unwrap()
    };
    let report = verify();
    assert!(report.is_sound() && report.seals.checkpoints == 1, "{report:?}");
    assert_eq!(report.seals.covered.unwrap().events, journal.tail().unwrap().seq());

    let file = dir.path().join("checkpoints");
    let text = std::fs::read_to_string(&file).unwrap();
    let root = text.lines().nth(2).unwrap();
    let other = root.chars().rev().skip(1).collect::<String>() + "=";
    std::fs::write(&file, text.replace(root, &other)).unwrap();
    assert!(!verify().is_sound(), "a root that is not the journal's");
}

fn raws(dir: &Path) -> Vec<Raw> {
    let mut answer = honest(dir, Request::ReadAll(Cursor::START, 0)).split_off(10);
    let mut raws = Vec::new();
    while let Reply::Commit(raw) = Reply::read(&mut answer.as_slice()).unwrap() {
        let length = u32::from_be_bytes(answer[..4].try_into().unwrap()) as usize;
        answer.drain(..4 + length);
        raws.push(raw);
    }
    raws
}

/// A reader to whom `lie` is told instead of commits.
fn lied(lie: Vec<Reply>) -> LiveReader {
    reader(move |request| match request {
        Request::ReadAll(..) | Request::Read(_) => said(&lie),
        _ => said(&[Reply::Cursor(Cursor::at(1_000)), Reply::End]),
    })
}

#[test]
fn commits_that_can_not_be_are_refused() {
    let (dir, _journal) = store();
    let all: Vec<Reply> = raws(dir.path()).into_iter().map(Reply::Commit).collect();
    let collect =
        |reader: &LiveReader| reader.read_all(Cursor::START).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let ended = |replies: &[Reply]| [replies, &[Reply::End]].concat();
    assert_eq!(collect(&lied(ended(&all))).map(|all| all.len()), Ok(9));
    let [first, second] = [&all[0], &all[1]].map(Clone::clone);
    for lie in [
        vec![second.clone(), first.clone()],
        vec![first.clone(), first.clone()],
        vec![first.clone(), Reply::Cursor(Cursor::START)],
        vec![first.clone(), Reply::Piece(vec![0; 100])],
    ] {
        let error = collect(&lied(ended(&lie))).unwrap_err();
        assert!(matches!(error, ReadError::Unavailable { .. }), "{error}");
    }
    let Reply::Commit(raw) = first else { panic!("a commit") };
    let far = Raw { seq: u64::MAX, ..raw };
    assert!(collect(&lied(ended(&[Reply::Commit(far)]))).is_err(), "a number beyond all numbers");
    assert!(lied(ended(&all)).read(call(1)).is_err(), "commits of other calls too");
    let two = lied(vec![]);
    assert!(matches!(two.latest().unwrap_err(), ReadError::Unavailable { .. }), "a cursor is no call");
}

fn next(following: &mut Subscription) -> Result<callbox_store::Next, ReadError> {
    following.next_timeout(Duration::from_secs(30))
}

#[test]
fn a_tail_that_is_never_reached_ends_in_an_error_instead_of_asking_for_ever() {
    let reader = reader(|request| match request {
        Request::ReadAll(..) | Request::Document(_) => said(&[Reply::End]),
        Request::Watch(_) => said(&[Reply::Cursor(Cursor::at(u64::MAX)), Reply::End]),
        _ => said(&[Reply::Cursor(Cursor::START), Reply::End]),
    });
    let mut following = reader.subscribe(Cursor::START).unwrap();
    let error = next(&mut following).unwrap_err();
    assert!(matches!(error, ReadError::Unavailable { .. }), "{error}");
}

#[test]
fn whoever_follows_tells_the_end_of_the_journal_from_the_end_of_the_connection() {
    let (dir, journal) = store();
    let tail = journal.tail().unwrap();
    let commits = honest(dir.path(), Request::ReadAll(Cursor::START, 64));
    let following = |last: Vec<Reply>| {
        let commits = commits.clone();
        let reader = reader(move |request| match request {
            Request::ReadAll(..) => commits.clone(),
            Request::Watch(_) => said(&last),
            Request::Document(_) => said(&[Reply::End]),
            _ => said(&[Reply::Cursor(tail), Reply::End]),
        });
        let mut following = reader.subscribe(Cursor::START).unwrap();
        for _ in 0..9 {
            assert!(matches!(next(&mut following), Ok(callbox_store::Next::Commit(_))));
        }
        next(&mut following)
    };
    assert_eq!(following(vec![Reply::Cursor(tail), Reply::End]), Ok(callbox_store::Next::Closed));
    let broken = following(vec![Reply::Cursor(tail)]);
    assert!(matches!(broken, Err(ReadError::Interrupted { .. })), "{broken:?}");
}

#[test]
fn whoever_follows_gets_the_last_commits_of_a_journal_that_is_dropped() {
    let (dir, journal) = store();
    let mut following: Vec<Subscription> = (0..8)
        .map(|_| {
            LiveReader::open(Beside(PathBuf::from(dir.path()))).unwrap().subscribe(Cursor::START).unwrap()
        })
        .collect();
    put(&journal, offered(9));
    let dropped = std::thread::spawn(move || drop(journal));
    for following in &mut following {
        let mut commits = 0;
        while let callbox_store::Next::Commit(_) = next(following).unwrap() {
            commits += 1;
        }
        assert_eq!(commits, 10);
    }
    dropped.join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_an_answer_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let answer = [said(&[]), bytes].concat();
        let reader = reader(move |_| answer.clone());
        let _ = everything(&reader);
    }

    #[test]
    fn a_changed_answer_is_refused_or_in_order(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let commits = changed(sample(), &changes);
        let reader = reader(move |request| match request {
            Request::Tail => said(&[Reply::Cursor(Cursor::START), Reply::End]),
            _ => commits.clone(),
        });
        let mut at = 0;
        for stored in reader.read_all(Cursor::START).into_iter().flatten().flatten() {
            prop_assert!(at == 0 || stored.seq >= at);
            at = Cursor::after(&stored).seq();
        }
        let _ = everything(&reader);
    }
}

fn changed(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    for (at, byte) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    bytes
}

/// An honest answer without a store.
fn sample() -> Vec<u8> {
    let commits = [offered(0), offered(1), released(0, 1), released(1, 1)];
    let mut seq = 0;
    let mut replies: Vec<Reply> = Vec::new();
    for commit in commits {
        let payload = schema::encode(&commit).unwrap();
        replies.push(Reply::Commit(Raw { seq, hash: [0; 32], payload }));
        seq += commit.events.len() as u64;
    }
    replies.push(Reply::End);
    said(&replies)
}
