//! What was written stays readable for ever: stores of every released format, as the callbox of that time left them.
//!
//! `frozen/format-N/stores.tar.zst` holds three of them with the same calls: `closed` as it should be, `killed` with a
//! young end that never reached sled, `newer-schema` with one commit of a schema yet to come behind its end.
//! `frozen/format-N/says.txt` is all that every callbox must read in them. Neither is ever changed. For a new format:
//! `examples/freeze.rs` makes the stores, `tar -c closed killed newer-schema | zstd -19` packs them, `CALLBOX_FREEZE=1`
//! makes these tests write a text that is missing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;
use callbox_events::verdict::{Rulebook, judge_with};
use callbox_store::proof::bundle::{Proof, Proven};
use callbox_store::proof::key::{PublicKey, SigningKey};
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::put;
use callbox_store::testing::rerun::assert_decided_again;
use callbox_store::testing::ruin;
use callbox_store::testing::sample::{call, offered, released};
use callbox_store::verify::{Brought, Report, verify, verify_with};
use callbox_store::{Cursor, Journal, JournalReader, OpenError, ReadError, prove, reader, seal};

/// Every format, and the newest rulebook of its time that never changes any more.
const FORMATS: [(&str, Rulebook); 2] = [("format-2", Rulebook::V1_0), ("format-3", Rulebook::V1_0)];

/// What signed their checkpoints.
const KEY: &str = "callbox.example/frozen+382d7a22+AYE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";

fn here(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen").join(format)
}

/// The stores of a format, unpacked.
fn thaw(format: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.args(["-x", "--no-same-owner", "-C"]).arg(dir.path()).stdin(Stdio::piped());
    let mut tar = tar.spawn().unwrap();
    let packed = File::open(here(format).join("stores.tar.zst")).unwrap();
    zstd::stream::copy_decode(packed, tar.stdin.take().unwrap()).unwrap();
    assert!(tar.wait().unwrap().success());
    dir
}

/// Every file of a directory, with what it holds.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    ruin::files(dir).into_iter().map(|file| (file.clone(), fs::read(dir.join(file)).unwrap())).collect()
}

/// All that a reader says of these calls: verdict, chain, and each commit with its place, cause, events and messages.
fn told(reader: &dyn JournalReader, rulebook: Rulebook, calls: impl IntoIterator<Item = CallId>) -> String {
    let mut text = String::new();
    for call in calls {
        let commits = reader.read(call).unwrap();
        let verdict = judge_with(rulebook, commits.iter().map(|stored| &stored.commit));
        let (by, sure) = (verdict.ended_by, verdict.confidence);
        writeln!(text, "{call} {} by {}/{}, {sure}", verdict.cause, by.side, by.agent).unwrap();
        commits.iter().for_each(|stored| tell_commit(&mut text, stored));
        let head = reader.head(call).unwrap().unwrap();
        writeln!(text, "  chain {}", hex(&head.hash)).unwrap();
    }
    text
}

fn tell_commit(text: &mut String, stored: &StoredCommit) {
    let commit = &stored.commit;
    let (seq, version, at, cause) = (stored.seq, commit.version, commit.at, commit.input.cause());
    write!(text, "  {seq} +{version} {at} {cause}").unwrap();
    for happened in &commit.events {
        write!(text, " {}>{}", happened.event.kind().code(), happened.phase).unwrap();
    }
    for message in &commit.wire {
        write!(text, " {:?}:{}", message.direction, message.bytes.len()).unwrap();
    }
    text.push('\n');
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn everything(reader: &dyn JournalReader, rulebook: Rulebook) -> String {
    let calls: Vec<CallId> = reader.calls().unwrap().map(Result::unwrap).collect();
    told(reader, rulebook, calls)
}

#[track_caller]
fn same(format: &str, told: &str) {
    let path = here(format).join("says.txt");
    if std::env::var_os("CALLBOX_FREEZE").is_some() && !path.exists() {
        fs::write(&path, told).unwrap();
    }
    let frozen = fs::read_to_string(&path).unwrap_or_default();
    let differs = frozen.lines().zip(told.lines()).position(|(frozen, told)| frozen != told);
    let line = differs.unwrap_or_else(|| frozen.lines().count().min(told.lines().count()));
    let (was, is) = (frozen.lines().nth(line), told.lines().nth(line));
    assert!(frozen == told, "{} line {}:\n was {was:?}\n is  {is:?}", path.display(), line + 1);
}

fn audited(store: &Path, key: &str) -> Report {
    let brought = Brought { keys: vec![PublicKey::parse(key).unwrap()], checkpoints: Vec::new() };
    verify_with(store, &brought, &mut |_| {}).unwrap()
}

#[test]
fn a_reader_says_of_them_what_was_always_said_and_changes_nothing() {
    for (format, rulebook) in FORMATS {
        let stores = thaw(format);
        for name in ["closed", "killed"] {
            let store = stores.path().join(name);
            let before = files(&store);
            assert!(before.len() > 10, "several segments");
            let reader = reader::open(&store).unwrap();
            same(format, &everything(&*reader, rulebook));
            assert_decided_again(&*reader);
            drop(reader);
            let mut after = files(&store);
            // The lock file holds nothing and may come into being.
            after.retain(|path, _| before.contains_key(path) || !path.ends_with("LOCK"));
            assert!(before == after, "{format}/{name} is changed");
        }
    }
}

#[test]
fn their_checkpoints_and_proofs_still_hold() {
    for (format, _) in FORMATS {
        let stores = thaw(format);
        for (name, checkpoints, covered) in [("closed", 24, 310), ("killed", 23, 306)] {
            let store = stores.path().join(name);
            let report = audited(&store, KEY);
            assert_eq!(report.damages, [], "{format}/{name}");
            assert_eq!((report.calls, report.commits, report.events), (52, 310, 358));
            let seals = &report.seals;
            assert_eq!((seals.checkpoints, seals.vouched.unwrap().commits), (checkpoints, covered));
            assert!(seals.signed > 5 && seals.unsigned > 5, "{seals:?}");

            let reader = reader::open(&store).unwrap();
            let newest = seal::kept(&store).unwrap().last().unwrap().unwrap();
            for call in reader.calls().unwrap().map(Result::unwrap) {
                let proof = prove::call(&*reader, call, &newest, &mut |_| {}).unwrap();
                let document = Proof::from(proof).to_json().unwrap();
                let proven = Proof::parse(document.as_bytes()).unwrap().verify().unwrap();
                let Proven::Call(proven, _) = proven else { panic!("another proof") };
                assert_eq!(proven.call_id, call);
            }
        }
        let stranger = SigningKey::from_seed("callbox.example/frozen", &[3; 32]).unwrap();
        assert!(!audited(&stores.path().join("closed"), &stranger.public().to_string()).is_sound());
    }
}

#[test]
fn a_writer_goes_on_in_them() {
    for (format, rulebook) in FORMATS {
        let stores = thaw(format);
        for name in ["closed", "killed"] {
            let store = stores.path().join(name);
            let open = || SledJournal::open(&store, Options::default()).unwrap();
            let journal = open();
            let old: Vec<CallId> = journal.calls().unwrap().map(Result::unwrap).collect();
            same(format, &told(&journal, rulebook, old.clone()));
            put(&journal, offered(7));
            journal.close().unwrap();
            drop(journal);
            let journal = open();
            put(&journal, released(7, 1));
            same(format, &told(&journal, rulebook, old.clone()));
            journal.close().unwrap();
            drop(journal);
            let reader = reader::open(&store).unwrap();
            same(format, &told(&*reader, rulebook, old));
            assert_eq!(reader.read(call(7)).unwrap().len(), 2);
            let report = verify(&store, &mut |_| {}).unwrap();
            assert_eq!(report.damages, [], "{format}/{name}");
            assert_eq!((report.calls, report.seals.covered.unwrap().commits), (53, 312));
        }
    }
}

#[test]
fn a_store_of_a_format_yet_to_come_is_refused_untouched() {
    for (format, _) in FORMATS {
        let stores = thaw(format);
        let store = stores.path().join("closed");
        fs::write(store.join("FORMAT"), "callbox journal\nformat 99\n").unwrap();
        let before = files(&store);
        let refusals = [
            reader::open(&store).err(),
            SledJournal::open(&store, Options::default()).err(),
            verify(&store, &mut |_| {}).err(),
        ];
        for refusal in refusals {
            let error = refusal.unwrap();
            assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error}");
            assert!(
                error.to_string().contains("has format version 99; this callbox reads up to "),
                "{error}"
            );
            assert!(error.hint().contains("the callbox that wrote it"));
        }
        assert!(before == files(&store), "it is changed");
    }
}

#[test]
fn a_commit_of_a_schema_yet_to_come_is_named_and_the_others_are_read() {
    for (format, rulebook) in FORMATS {
        let stores = thaw(format);
        let store = stores.path().join("newer-schema");
        let newer = call(1);
        let check = |reader: &dyn JournalReader| {
            let error = reader.read(newer).unwrap_err();
            assert!(matches!(error, ReadError::TooNew { found: 99, .. }), "{error}");
            assert!(error.to_string().contains("sequence 358 was written with schema version 99"), "{error}");
            let calls = reader.calls().unwrap().map(Result::unwrap).filter(|call| *call != newer);
            same(format, &told(reader, rulebook, calls));
            let all: Vec<_> = reader.read_all(Cursor::START).unwrap().collect();
            assert_eq!(all.len(), 311);
            assert!(all[..310].iter().all(Result::is_ok));
            assert_eq!(all[310].as_ref().unwrap_err(), &error);
        };
        check(&*reader::open(&store).unwrap());
        let report = audited(&store, KEY);
        assert_eq!(report.damages.len(), 1, "{:?}", report.damages);
        assert_eq!(report.damages[0].place, "sequence 358");
        check(&SledJournal::open(&store, Options::default()).unwrap());
    }
}
