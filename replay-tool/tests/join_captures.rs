//! `callbox join` with captures and recordings in the place of stores.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use serde_json::{Value, json};
use support::two_ends::{CALL_ID, two_stores};
use support::{Ran, Store, callbox};

/// Alice's record and that of the other ends, as a store, a recording and a capture each.
struct Case {
    a: Store,
    b: Store,
    dir: tempfile::TempDir,
}

/// What a side is given as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Store,
    Recording,
    Capture,
}

impl Case {
    fn new() -> Self {
        let (a, b) = two_stores();
        let case = Self { a, b, dir: tempfile::tempdir().unwrap() };
        for (name, store) in [("a", &case.a), ("b", &case.b)] {
            for (ending, format) in [("pcap", "pcap"), ("callbox", "recording")] {
                let file = case.file(&format!("{name}.{ending}"));
                store.callbox(&["export", "--format", format, "-o", &file]).ok();
            }
        }
        case
    }

    fn file(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn side(&self, name: &str, kind: Kind) -> String {
        match kind {
            Kind::Store => (if name == "a" { &self.a } else { &self.b }).path().to_str().unwrap().to_owned(),
            Kind::Recording => self.file(&format!("{name}.callbox")),
            Kind::Capture => self.file(&format!("{name}.pcap")),
        }
    }

    fn join(&self, a: &str, b: &str, args: &[&str]) -> Ran {
        let ran = callbox(&[&["join", a, b], args].concat());
        ran.hiding(self.dir.path().to_str().unwrap())
    }
}

/// The documents of a run: the pairs, and the summary.
fn documents(ran: &Ran) -> (Vec<Value>, Value) {
    let mut all: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = all.pop().unwrap()["summary"].clone();
    all.retain(|document| document["only"].is_null());
    (all, summary)
}

#[test]
fn whatever_the_two_records_are_kept_in_they_say_the_same() {
    let case = Case::new();
    let kinds = [Kind::Store, Kind::Recording, Kind::Capture];
    for (of_a, of_b) in kinds.into_iter().flat_map(|one| kinds.map(|two| (one, two))) {
        let ran = case.join(&case.side("a", of_a), &case.side("b", of_b), &["--json"]);
        let what = format!("{of_a:?} and {of_b:?}: {}", ran.all());
        let (pairs, summary) = documents(&ran);
        assert_eq!((ran.code, pairs.len(), &summary["joined"]), (1, 2, &2.into()), "{what}");
        let (talk, changed) = (&pairs[0], &pairs[1]);
        assert_eq!((&talk["agrees"], &talk["joined_by"]), (&true.into(), &"call_id".into()), "{what}");
        assert_eq!((&talk["a"]["role"], &talk["b"]["role"]), (&"caller".into(), &"callee".into()), "{what}");
        for (side, kind) in [("a", of_a), ("b", of_b)] {
            let own = if side == "a" { "outgoing" } else { "incoming" };
            let direction = if kind == Kind::Capture { "observed" } else { own };
            assert_eq!(talk[side]["direction"], direction, "{what}");
            let verdict = &talk[side]["verdict"];
            assert_eq!((&verdict["cause"], &verdict["side"]), (&"hangup".into(), &"callee".into()), "{what}");
        }
        assert_eq!(talk["lost"], json!([]), "{what}");
        let codes: Vec<&Value> =
            changed["contradictions"].as_array().unwrap().iter().map(|found| &found["code"]).collect();
        assert_eq!(codes, ["status_changed"], "{what}");
        let ahead = &summary["clocks"]["b_ahead"];
        let (offset, within) =
            (ahead["offset_us"].as_i64().unwrap(), ahead["uncertainty_us"].as_i64().unwrap());
        assert!((offset - 250_000).abs() <= within, "{what}");
    }
}

/// The order of two captures is that of the command line; which one is nearer to the caller their clocks tell.
#[test]
fn two_captures_find_out_which_is_nearer_to_the_caller() {
    let case = Case::new();
    let (a, b) = (case.side("a", Kind::Capture), case.side("b", Kind::Capture));
    for (one, two, roles) in [(&a, &b, ["caller", "callee"]), (&b, &a, ["callee", "caller"])] {
        let (pairs, summary) = documents(&case.join(one, two, &["--json"]));
        assert_eq!([&pairs[0]["a"]["role"], &pairs[0]["b"]["role"]], roles, "{pairs:#?}");
        let offset = summary["clocks"]["b_ahead"]["offset_us"].as_i64().unwrap();
        assert_eq!(offset > 0, roles[0] == "caller", "{summary}");
    }
}

#[test]
fn a_call_of_an_engine_and_of_a_capture_is_one_ladder() {
    let case = Case::new();
    let (a, b) = (case.side("a", Kind::Store), case.side("b", Kind::Capture));
    insta::assert_snapshot!("store_and_capture", case.join(&a, &b, &["--call", CALL_ID]).ok());
}

#[test]
fn a_capture_of_one_way_alone_proves_nothing_by_what_it_lacks() {
    let case = Case::new();
    // What Bob sends, without what he receives: every packet of the file from his port on.
    let whole = std::fs::read(case.side("b", Kind::Capture)).unwrap();
    let (head, mut rest) = whole.split_at(24);
    let mut one_way = head.to_vec();
    while let Some(length) = rest.get(8..12) {
        let length = 16 + u32::from_le_bytes(length.try_into().unwrap()) as usize;
        let (packet, behind) = rest.split_at(length);
        let from_bob =
            [b"SIP/2.0 ", b"BYE sip:"].iter().any(|start| packet.windows(8).any(|part| part == *start));
        if from_bob {
            one_way.extend_from_slice(packet);
        }
        rest = behind;
    }
    std::fs::write(case.file("one_way.pcap"), one_way).unwrap();
    let ran = case.join(&case.side("a", Kind::Store), &case.file("one_way.pcap"), &["--json"]);
    let (pairs, _) = documents(&ran);
    let talk = pairs.iter().find(|pair| pair["a"]["sip_call_id"] == CALL_ID).unwrap();
    assert_eq!((&talk["agrees"], &talk["lost"]), (&true.into(), &json!([])), "{talk:#}");
}

#[test]
fn a_broken_capture_is_read_as_far_as_it_goes_and_says_where_it_broke() {
    let case = Case::new();
    let whole = std::fs::read(case.side("b", Kind::Capture)).unwrap();
    std::fs::write(case.file("broken.pcap"), &whole[..whole.len() - 7]).unwrap();
    let ran = case.join(&case.side("a", Kind::Store), &case.file("broken.pcap"), &["--json"]);
    assert_eq!(documents(&ran).0.len(), 2, "{}", ran.all());
    assert!(ran.stderr.starts_with("warning: STORE/broken.pcap: it breaks at byte "), "{}", ran.stderr);
}

#[test]
fn what_is_no_record_is_named() {
    let case = Case::new();
    std::fs::write(case.file("text"), "just some text, long enough").unwrap();
    let a = case.side("a", Kind::Store);
    for (file, code, exit) in [("text", "not_a_capture", 5), ("nowhere", "store_not_found", 3)] {
        let ran = case.join(&a, &case.file(file), &["--json"]);
        let error: Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!((ran.code, &error["error"]["code"]), (exit, &code.into()), "{}", ran.stderr);
        assert!(
            error["error"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()) && ran.stdout.is_empty()
        );
    }
}
