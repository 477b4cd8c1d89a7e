//! `callbox export`, `--recording` and `callbox import` as people and programs see them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]

mod clf;
#[allow(dead_code, reason = "the tests of the command line use more of it")]
mod support;

use std::path::{Path, PathBuf};

use callbox_events::schema::Commit;
use serde_json::Value;
use support::{Ran, Store, callbox, stories};
use tempfile::TempDir;

/// The told calls with messages that have the headers every message has.
fn calls() -> Vec<Vec<Commit>> {
    let mut calls = stories::all();
    for message in calls.iter_mut().flatten().flat_map(|commit| &mut commit.wire) {
        let text = String::from_utf8(message.bytes.clone()).unwrap();
        let headers = "\r\nMax-Forwards: 70\r\nFrom: \"Alice\" <sip:alice@127.0.0.1>;tag=ours\r\n\
                       To: <sip:bob@127.0.0.1>\r\nContact: <sip:us@127.0.0.1:5060>\r\nCall-ID:";
        message.bytes = text.replacen("\r\nCall-ID:", headers, 1).into_bytes();
    }
    calls
}

/// A store, and a directory to export into.
struct Desk {
    store: Store,
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { store: Store::of(calls()), dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn export(&self, args: &[&str]) -> Ran {
        self.store.callbox(&[&["export"], args].concat()).hiding(self.dir.path().to_str().unwrap())
    }

    /// Exports into a file of this name; its path.
    fn file(&self, name: &str, args: &[&str]) -> PathBuf {
        let path = self.path(name);
        self.export(&[args, &["-o", path.to_str().unwrap()]].concat()).ok();
        path
    }

    fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn on(recording: &Path, args: &[&str]) -> Ran {
    callbox(&[args, &["--recording", recording.to_str().unwrap()]].concat())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const DECLINED: &str = "77aa01@192.0.2.7";

#[test]
fn each_text_format_shows_a_call_in_its_own_way() {
    let desk = Desk::new();
    for format in ["jsonl", "csv", "tsdk", "clf"] {
        insta::assert_snapshot!(format, desk.export(&[DECLINED, "--format", format]).ok());
    }
    insta::assert_snapshot!("columns", desk.export(&["--columns"]).ok());
}

#[test]
fn a_line_of_json_is_the_call_and_its_verdict() {
    let desk = Desk::new();
    let exported = lines(&desk.export(&["--format", "jsonl", "--events"]).ok());
    assert_eq!(exported.len(), 7);
    for line in &exported {
        let id = line["call_id"].as_str().unwrap();
        let why: Value = serde_json::from_str(&desk.store.callbox(&["why", id, "--json"]).ok()).unwrap();
        assert_eq!(line["verdict"], why["verdict"]);
        let shown = lines(&desk.store.callbox(&["show", id, "--json"]).ok());
        assert_eq!(line["recorded"].as_array().unwrap(), &shown);
    }
    let of_list = lines(&desk.store.callbox(&["list", "--json"]).ok());
    for listed in of_list {
        let line = exported.iter().find(|line| line["call_id"] == listed["call_id"]).unwrap();
        let fields = listed.as_object().unwrap();
        assert!(fields.iter().all(|(name, value)| line[name] == *value));
    }
}

#[test]
fn the_filters_are_those_of_list_and_calls_can_be_named() {
    let desk = Desk::new();
    for args in [&["--family", "refused"][..], &["--since", "2026-11-23T06:40:00Z"], &["--live"], &[]] {
        let listed = desk.store.callbox(&[&["list", "--json"], args].concat()).ok();
        for format in ["jsonl", "tsdk"] {
            let exported = lines(&desk.export(&[&["--format", format], args].concat()).ok());
            let mut ids: Vec<&str> = exported.iter().map(|line| line["call_id"].as_str().unwrap()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), listed.lines().count(), "{args:?} as {format}");
            assert!(ids.iter().all(|id| listed.contains(id)));
        }
    }
    let named = desk.export(&["latest", DECLINED, "latest", "--format", "jsonl"]).ok();
    assert_eq!(named.lines().count(), 2, "a call that is named twice is exported once");
}

#[test]
fn what_can_not_be_done_is_said_with_what_to_do() {
    let desk = Desk::new();
    let (taken, short) = (desk.path("taken.csv"), desk.path("short.key"));
    std::fs::write(&taken, "precious").unwrap();
    std::fs::write(&short, "secret\n").unwrap();
    let [taken_name, short] = [&taken, &short].map(|path| path.to_str().unwrap());
    let empty = Store::of([]);
    insta::assert_snapshot!("empty_store", empty.callbox(&["export", "--format", "csv"]).all());
    for (name, args) in [
        ("no_format", &["-o", "calls.txt"][..]),
        ("unknown_format", &["--format", "xml"]),
        ("no_match", &["--format", "jsonl", "--cause", "screened"]),
        ("unknown_call", &["nobody", "--format", "jsonl"]),
        ("exists", &["-o", taken_name]),
        ("stray_option", &["--format", "csv", "--events"]),
        ("short_key", &["--format", "csv", "--redact", "all", "--redact-key", short]),
        ("no_sign_key", &["--format", "vcon", "--sign-key", "absent.pem"]),
    ] {
        insta::assert_snapshot!(format!("export_{name}"), desk.export(args).all());
    }
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "precious");
    desk.file("taken.csv", &["--force"]);
    assert!(std::fs::read_to_string(&taken).unwrap().starts_with("call_id,"));
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let desk = Desk::new();
    for format in ["jsonl", "csv", "parquet", "vcon", "clf", "tsdk", "pcap", "recording"] {
        let path = desk.path("none");
        let path = path.to_str().unwrap();
        let ran = desk.export(&["--format", format, "--cause", "screened", "-o", path]);
        assert_eq!((ran.code, desk.left()), (3, vec![]), "{format}");
    }
}

#[test]
fn nobody_minds_if_the_reader_goes_away() {
    let desk = Desk::new();
    for format in ["jsonl", "csv", "parquet", "pcap", "recording"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_callbox"));
        command.args(["export", "--format", format, "--store"]).arg(desk.store.path()).stdout(writer);
        let output = command.output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{format}");
    }
}

#[test]
fn a_live_store_is_exported_through_its_engine() {
    let (store, journal) = Store::kept_open(calls());
    assert_eq!(store.callbox(&["export", "--format", "jsonl"]).ok().lines().count(), 7);
    drop(journal);
}

#[test]
fn the_log_decodes_by_its_pointers() {
    let desk = Desk::new();
    let log = desk.export(&["--format", "clf"]).ok();
    let records = clf::decode(log.as_bytes());
    let messages: usize = calls().iter().flatten().map(|commit| commit.wire.len()).sum();
    assert_eq!(records.len(), messages);
    let of_call: Vec<_> = records.iter().filter(|record| record.call_id == DECLINED).collect();
    let seen: Vec<(&str, &str, &str)> =
        of_call.iter().map(|r| (r.flags.as_str(), r.cseq.as_str(), r.status.as_str())).collect();
    assert_eq!(
        seen,
        [("RORUU", "1 INVITE", "-"), ("rOSUU", "1 INVITE", "180"), ("rOSUU", "1 INVITE", "603")]
    );
    let invite = of_call[0];
    assert_eq!(invite.timestamp, "1795416000.000");
    assert_eq!((invite.source.as_str(), invite.destination.as_str()), ("127.0.0.1:5070", "127.0.0.1:5060"));
    assert_eq!((invite.from.as_str(), invite.from_tag.as_str()), ("sip:alice@127.0.0.1", "ours"));
    assert_eq!((invite.to.as_str(), invite.to_tag.as_str()), ("sip:bob@127.0.0.1", "-"));
    assert_eq!((invite.server_txn.as_str(), invite.client_txn.as_str()), ("z9hG4bK-1", "-"));
    assert_eq!(invite.optional, ["Contact: <sip:us@127.0.0.1:5060>"]);
    assert_eq!(of_call[2].optional[1], "Reason-Phrase: Decline");
    let sent = records.iter().find(|record| record.flags == "ROSUU").unwrap();
    assert_eq!((sent.server_txn.as_str(), sent.client_txn.as_str()), ("-", "z9hG4bK-1"));
}

#[test]
fn a_recording_answers_every_command_as_its_store_does() {
    let desk = Desk::new();
    let recording = desk.file("all.recording", &[]);
    for args in [
        &["list"][..],
        &["list", "--json", "--family", "refused"],
        &["why", "latest"],
        &["show", DECLINED, "--raw"],
        &["show", DECLINED, "--json"],
        &["ladder", "latest"],
        &["step", "latest", "--at", "1"],
        &["check"],
        &["diff", "5f1e77d0c2@127.0.0.1", "0d93ab51@127.0.0.1"],
        &["stats", "--by", "hour"],
        &["tail", "--from", "0", "--json"],
        &["export", "--format", "csv"],
        &["export", "--format", "clf"],
    ] {
        assert_eq!(on(&recording, args).all(), desk.store.callbox(args).all(), "{args:?}");
    }
    // Checkpoints are over a whole journal: they stay with the store.
    let verified = desk.store.callbox(&["verify"]).ok();
    assert_eq!(on(&recording, &["verify"]).ok().lines().next(), verified.lines().next());
    let some = desk.file("some.recording", &["--family", "refused"]);
    assert_eq!(
        on(&some, &["list", "--json"]).ok(),
        desk.store.callbox(&["list", "--json", "--family", "refused"]).ok()
    );
    assert_eq!(on(&some, &["verify"]).code, 0);
}

#[test]
fn a_damaged_recording_says_where_and_gives_the_rest() {
    let desk = Desk::new();
    let recording = desk.file("all.recording", &[]);
    let mut bytes = std::fs::read(&recording).unwrap();
    let place = bytes.windows(11).position(|window| window == b"603 Decline").unwrap();
    bytes[place] ^= 1;
    std::fs::write(&recording, &bytes).unwrap();
    let listed = on(&recording, &["list"]);
    assert_eq!((listed.code, listed.stdout.lines().count()), (0, 8));
    assert!(listed.stderr.contains("is damaged at byte"), "{}", listed.stderr);
    insta::assert_snapshot!("verify_damaged_recording", on(&recording, &["verify"]).all());
    std::fs::write(&recording, &bytes[..bytes.len() / 2]).unwrap();
    let verified = on(&recording, &["verify"]);
    assert_eq!(verified.code, 1);
    assert!(verified.stdout.contains("was the file cut off?"), "{}", verified.stdout);
    std::fs::write(&recording, "no recording at all").unwrap();
    assert_eq!(on(&recording, &["list"]).code, 4);
    assert_eq!(on(&desk.path("absent"), &["list"]).code, 3);
}

#[test]
fn a_recording_can_be_taken_into_a_store_again_and_again() {
    let desk = Desk::new();
    let recording = desk.file("some.recording", &["--family", "refused"]);
    let (recording, target) = (recording.to_str().unwrap(), desk.path("target"));
    let target = target.to_str().unwrap();
    let import = || callbox(&["import", recording, "--store", target]);
    let of_target = |args: &[&str]| callbox(&[args, &["--store", target]].concat());
    assert_eq!(import().ok(), "imported  2 calls with 8 commits; 10 events new\n");
    assert_eq!(import().ok(), "imported  2 calls with 8 commits; 0 events new\n");
    let refused = ["list", "--json", "--family", "refused"];
    assert_eq!(of_target(&refused).ok(), desk.store.callbox(&refused).ok());
    assert_eq!(of_target(&["verify"]).code, 0);
    assert_eq!(of_target(&["check"]).code, 0);
    // The store it came from, and one where one of the calls went another way.
    assert!(desk.store.callbox(&["import", recording]).ok().contains("; 0 events new"));
    let mut other = stories::we_decline();
    other[1].node = "elsewhere".into();
    let other = Store::of([other]);
    let ran = other.callbox(&["import", recording]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.starts_with("conflict  the store has another record of call "), "{}", ran.stdout);
    assert_eq!(other.callbox(&["check"]).code, 0);
}

#[test]
fn what_is_no_recording_is_not_imported_and_a_store_in_use_is_left_alone() {
    let desk = Desk::new();
    let recording = desk.file("all.recording", &[]);
    let text = desk.path("notes.txt");
    std::fs::write(&text, "notes").unwrap();
    let ran = desk.store.callbox(&["import", text.to_str().unwrap()]);
    insta::assert_snapshot!("import_unknown", ran.hiding(desk.dir.path().to_str().unwrap()).all());
    let (busy, journal) = Store::kept_open([]);
    assert_eq!(busy.callbox(&["import", recording.to_str().unwrap()]).code, 4);
    drop(journal);
}

#[test]
fn vcons_are_documents_in_a_stream_or_files_in_a_directory() {
    let desk = Desk::new();
    let stream = lines(&desk.export(&["--format", "vcon", "--events"]).ok());
    assert_eq!(stream.len(), 7);
    let of = |cause: &str| {
        let about = |vcon: &&Value| {
            vcon["analysis"][0]["body"].as_str().unwrap().contains(&format!("\"cause\":\"{cause}\""))
        };
        stream.iter().find(about).unwrap()
    };
    for (cause, kind, disposition) in [
        ("declined", "incomplete", Value::from("failed")),
        ("busy", "incomplete", "busy".into()),
        ("no_answer", "incomplete", "no-answer".into()),
        ("cancelled", "incomplete", "hung-up".into()),
        ("hangup", "recording", Value::Null),
    ] {
        let dialog = &of(cause)["dialog"][0];
        assert_eq!((&dialog["type"], &dialog["disposition"]), (&kind.into(), &disposition), "{cause}");
    }
    let vcon = of("declined");
    assert_eq!(vcon["vcon"], "0.4.0");
    assert_eq!(vcon["parties"][0]["sip"], "sip:+4930123456@192.0.2.7");
    let statement: Value = serde_json::from_str(vcon["attachments"][0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&statement["first_event"], &statement["last_event"], &statement["released"]),
        (&0.into(), &4.into(), &true.into())
    );
    let events: Value = serde_json::from_str(vcon["attachments"][1]["body"].as_str().unwrap()).unwrap();
    assert_eq!(events[4]["hash"], statement["chain"]["link"]);
    let dir = desk.path("vcons/");
    desk.export(&["--format", "vcon", "-o", dir.to_str().unwrap()]).ok();
    let name = format!("{}.vcon.json", vcon["uuid"].as_str().unwrap());
    let file: Value = serde_json::from_slice(&std::fs::read(dir.join(name)).unwrap()).unwrap();
    assert_eq!((&file["uuid"], &file["parties"]), (&vcon["uuid"], &vcon["parties"]));
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 7);
}

#[test]
fn redaction_is_said_and_a_key_makes_it_stable() {
    let desk = Desk::new();
    let once = desk.export(&["--format", "csv", "--redact", "numbers"]);
    assert_eq!(once.code, 0);
    assert!(once.stderr.starts_with("note: the pseudonyms are good for this export only"), "{}", once.stderr);
    assert!(!once.stdout.contains("4930123456"));
    let key = desk.path("key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef\n").unwrap();
    let key = key.to_str().unwrap();
    let stable = || desk.export(&["--format", "csv", "--redact", "all", "--redact-key", key]).ok();
    assert_eq!(stable(), stable());
    assert!(!stable().contains("127.0.0.1"));
    let vcon =
        lines(&desk.export(&["latest", "--format", "vcon", "--redact", "all", "--redact-key", key]).ok());
    assert_eq!(vcon[0]["redacted"]["type"], "all");
    assert_ne!(vcon[0]["redacted"]["uuid"], vcon[0]["uuid"]);
}
