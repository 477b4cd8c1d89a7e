//! Redaction as tables and as laws: what is replaced, that nothing personal is left in any format, and that everything
//! else is as it was.

use std::path::Path;

use callbox_events::schema::{Commit, StoredCommit};
use callbox_sip::wire::{Limits, parse};
use callbox_store::memory::MemoryJournal;
use callbox_store::recording::{self, Header};
use callbox_store::{Expect, Journal, JournalReader};
use proptest::prelude::*;

use super::*;
use crate::export::destination::Destination;
use crate::export::selection::Selection;
use crate::export::vcon::{Circumstances, Place, Vcon};
use crate::export::{
    Format, Sink, clf::Clf, csv::Csv, jsonl::Jsonl, parquet::Parquet, pcap::Pcap, tsdk::Tsdk,
};
use crate::filter::Filter;
use crate::personal::{Personal, call, invite, somebody};
use crate::stories;

const SECRET: &[u8] = b"a secret of sixteen bytes or more";

fn redactor(level: Level) -> Redactor {
    Redactor::new(level, Key::of(SECRET)).unwrap()
}

fn journal(calls: impl IntoIterator<Item = Vec<Commit>>) -> MemoryJournal {
    let journal = MemoryJournal::new();
    for commit in calls.into_iter().flatten() {
        let expect = Expect::of(&commit);
        journal.append(commit, expect).wait().unwrap();
    }
    journal
}

/// What an export holds, with what is compressed or encoded in it laid open.
fn exported(journal: &MemoryJournal, format: Format, redactor: Option<&Redactor>, dir: &Path) -> Vec<u8> {
    let path = dir.join(format!("{format:?}"));
    let out = Destination::file(&path, true).unwrap();
    let redacted = redactor.map(|redactor| redactor.level().code());
    let circumstances = Circumstances { now: Default::default(), watermark: 1, events: true, redacted };
    let mut sink = match format {
        Format::Jsonl => Sink::Calls(Box::new(Jsonl::new(out, true))),
        Format::Csv => Sink::Calls(Box::new(Csv::new(out).unwrap())),
        Format::Parquet => Sink::Calls(Box::new(Parquet::new(out).unwrap())),
        Format::Vcon => Sink::Calls(Box::new(Vcon::new(Place::Lines(out), circumstances, None))),
        Format::Tsdk => Sink::Calls(Box::new(Tsdk::new(out))),
        Format::Clf => Sink::Commits(Box::new(Clf::new(out))),
        Format::Pcap => Sink::Commits(Box::new(Pcap::new(out).unwrap())),
        Format::Recording => {
            let recording = crate::export::recording::Recording::new(out, &Header::default(), None);
            Sink::Commits(Box::new(recording.unwrap()))
        }
    };
    let filter = Filter::default();
    let selection = Selection::new(journal, &[], &filter).unwrap();
    let count = crate::export::run::run(journal, &selection, redactor, &mut sink).unwrap();
    assert_eq!(count, 1);
    sink.finish().unwrap();
    match format {
        Format::Parquet => rows(&path),
        Format::Jsonl
        | Format::Csv
        | Format::Vcon
        | Format::Tsdk
        | Format::Clf
        | Format::Pcap
        | Format::Recording => std::fs::read(&path).unwrap(),
    }
}

fn rows(path: &Path) -> Vec<u8> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| format!("{}\n", row.unwrap())).collect::<String>().into_bytes()
}

const FORMATS: [Format; 8] = [
    Format::Jsonl,
    Format::Csv,
    Format::Parquet,
    Format::Vcon,
    Format::Clf,
    Format::Tsdk,
    Format::Pcap,
    Format::Recording,
];

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn number() -> impl Strategy<Value = String> {
    "[1-9][0-9]{7,14}"
}

fn personal() -> impl Strategy<Value = Personal> {
    (number(), number(), number(), "[A-Z][a-z]{6,9}q").prop_map(|(caller, called, third, name)| Personal {
        caller,
        called,
        third,
        name,
    })
}

fn redacted(commits: Vec<StoredCommit>, level: Level) -> Call {
    redactor(level).call(&Call::of(commits).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// The promise itself: no number that went in comes out, in any format; with `all`, no name and no address either.
    #[test]
    fn nothing_personal_is_left_in_any_format(personal in personal()) {
        let journal = journal([call(&personal)]);
        let dir = tempfile::tempdir().unwrap();
        let numbers = [&personal.caller, &personal.called, &personal.third];
        let spaced = format!("{} {}", &personal.caller[..3], &personal.caller[3..5]);
        // That the search finds what is there.
        let open = exported(&journal, Format::Recording, None, dir.path());
        prop_assert!(numbers.iter().all(|number| holds(&open, number)));
        for format in FORMATS {
            for level in [Level::Numbers, Level::All] {
                let bytes = exported(&journal, format, Some(&redactor(level)), dir.path());
                for number in numbers.into_iter().chain([&spaced]) {
                    prop_assert!(!holds(&bytes, number), "{} in {:?} at {:?}", number, format, level);
                }
                if level == Level::All {
                    for other in [personal.name.as_str(), "corp.example", "10.1.2.3", "192.0.2.7", "127.0.0.1", "0a0b0c0d0e0f"] {
                        prop_assert!(!holds(&bytes, other), "{} in {:?}", other, format);
                    }
                    prop_assert!(!holds(&bytes, &[10, 1, 2, 3].map(char::from).iter().collect::<String>()));
                }
            }
        }
    }

    /// A redacted message is a message: it parses, its length is right, its description is still one.
    #[test]
    fn messages_stay_messages(personal in personal()) {
        let journal = journal([call(&personal)]);
        let id = journal.latest().unwrap().unwrap();
        for level in [Level::Numbers, Level::All] {
            let call = redacted(journal.read(id).unwrap(), level);
            let bytes = call.commits[0].commit.wire[0].bytes.clone();
            let before = parse(invite(&personal).into(), &Limits::default()).unwrap();
            let after = parse(bytes.into(), &Limits::default()).unwrap();
            prop_assert_eq!(after.cseq(), before.cseq());
            prop_assert_eq!(after.vias().count(), before.vias().count());
            prop_assert!(after.has_sdp());
            let sdp = String::from_utf8(after.body.to_vec()).unwrap();
            prop_assert!(sdp.contains(" 3812345678 3812345679 IN IP4 "), "{}", sdp);
            prop_assert!(sdp.contains("m=audio 49170 RTP/AVP 0 8 101\r\n"));
            prop_assert!(sdp.contains("a=ssrc:3912345678 cname:"));
            prop_assert!(sdp.contains("a=candidate:1 1 UDP 2130706431 "));
            // One number, one pseudonym: in the address, the asserted identity, the Contact and the record.
            let number = after.from().uri.split(['+', '@']).nth(1).unwrap().to_owned();
            prop_assert!(after.contact().unwrap().uri.contains(&number));
            prop_assert!(call.summary.from.contains(&number));
            prop_assert!(call.summary.sip_call_id == after.call_id());
            let asserted = after.header(&callbox_sip::wire::HeaderName::PAssertedIdentity).unwrap();
            prop_assert!(asserted.contains(&number));
        }
    }
}

#[test]
fn verdicts_stay_what_they_were() {
    let calls = stories::all().into_iter().chain([call(&somebody()), stories::the_engine_crashes()]);
    for commits in calls {
        let journal = journal([commits]);
        let id = journal.latest().unwrap().unwrap();
        let before = Call::of(journal.read(id).unwrap()).unwrap();
        for level in [Level::Numbers, Level::All] {
            let after = redacted(journal.read(id).unwrap(), level);
            let of = |call: &Call| {
                let verdict = &call.why.verdict;
                let evidence: Vec<u64> = verdict.evidence.iter().map(|row| row.event).collect();
                (
                    verdict.cause,
                    verdict.ended_by,
                    verdict.act,
                    verdict.confidence,
                    verdict.summary.clone(),
                    evidence,
                )
            };
            assert_eq!(of(&after), of(&before));
            assert_eq!(after.summary.started_at, before.summary.started_at);
            assert_eq!(callbox_events::view::rerun(&after.commits).divergence, None);
        }
    }
}

#[test]
fn a_key_makes_pseudonyms_stable_and_another_one_others() {
    let journal = journal([call(&somebody())]);
    let dir = tempfile::tempdir().unwrap();
    let with = |secret: &[u8]| {
        let redactor = Redactor::new(Level::All, Key::of(secret)).unwrap();
        FORMATS.map(|format| exported(&journal, format, Some(&redactor), dir.path()))
    };
    assert_eq!(with(SECRET), with(SECRET));
    let (one, other) = (with(SECRET), with(b"another secret of some length"));
    // The projection has nothing personal in it but the Call-ID.
    assert!(one.iter().zip(&other).all(|(one, other)| one != other));
}

#[test]
fn a_redacted_recording_verifies_and_its_commitments_open_with_the_key_alone() {
    let journal = journal([call(&somebody())]);
    let dir = tempfile::tempdir().unwrap();
    exported(&journal, Format::Recording, Some(&redactor(Level::Numbers)), dir.path());
    let path = dir.path().join("Recording");
    assert!(recording::verify(&path, &mut |_| ()).unwrap().is_sound());
    let recording = recording::Recording::open(&path).unwrap();
    let id = journal.latest().unwrap().unwrap();
    let (originals, published) = (journal.read(id).unwrap(), recording.commitments(id).unwrap());
    assert_eq!(published.len(), originals.len());
    let opened = |key: &Key| -> Vec<[u8; 32]> {
        originals.iter().map(|one| key::commitment(key, one, &schema::encode(&one.commit).unwrap())).collect()
    };
    assert_eq!(opened(&Key::of(SECRET)), published);
    assert_ne!(opened(&Key::of(b"a guess of the redaction key")), published);
    let links: Vec<_> = recording.read(id).unwrap().iter().map(|stored| stored.hash).collect();
    assert!(
        originals.iter().all(|stored| !links.contains(&stored.hash)),
        "the store's links would allow guessing"
    );
}

#[test]
fn what_is_not_personal_survives_byte_for_byte() {
    for commits in stories::all() {
        let journal = journal([commits]);
        let id = journal.latest().unwrap().unwrap();
        let commits = journal.read(id).unwrap();
        if commits.iter().any(|stored| serde_json::to_string(&stored.commit).unwrap().contains("4930123456"))
        {
            continue;
        }
        let call = redacted(commits.clone(), Level::Numbers);
        let plain = |commits: &[StoredCommit]| -> Vec<Commit> {
            commits.iter().map(|stored| Commit { wire: Vec::new(), ..stored.commit.clone() }).collect()
        };
        assert_eq!(plain(&call.commits), plain(&commits));
    }
}
