//! Keys, checkpoints and proofs on the command line: what an operator does, and what an auditor sees.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(dead_code, reason = "the tests of the other commands use more of what they share")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use callbox_events::schema::Commit;
use callbox_store::Journal;
use callbox_store::proof::beat::{Liveness, Presence};
use callbox_store::proof::key::SigningKey;
use callbox_store::sled::{Options, SledJournal};
use serde_json::Value;
use support::{Store, callbox, stories};
use tempfile::TempDir;

/// A key and a place for files.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().unwrap() };
        let key = desk.path("key");
        callbox(&["key", "new", "-o", &key, "--name", "callbox.example/desk"]).ok();
        desk
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn public_key(&self) -> String {
        self.path("key.pub")
    }

    fn options(&self) -> Options {
        let key = SigningKey::parse(&fs::read_to_string(self.path("key")).unwrap()).unwrap();
        let signing_key = Some(Arc::new(key));
        Options { signing_key, checkpoint_interval: Duration::ZERO, ..Options::default() }
    }

    /// A store whose checkpoints are signed: one over each call.
    fn store(&self, calls: Vec<Vec<Commit>>) -> Store {
        let (store, journal) = Store::with(self.options(), []);
        write(&journal, calls);
        store
    }
}

fn write(journal: &SledJournal, calls: Vec<Vec<Commit>>) {
    for call in calls {
        for commit in call {
            let expect = callbox_store::Expect::of(&commit);
            journal.append(commit, expect).wait().unwrap();
        }
        journal.checkpoint();
    }
}

/// Without the times of this run.
fn timeless(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(" 20") {
        let (before, time) = rest.split_at(at + 1);
        out.push_str(before);
        let end =
            time.find(|char: char| !char.is_ascii_digit() && !" -:.".contains(char)).unwrap_or(time.len());
        let (time, behind) = time.split_at(end);
        out.push_str(if time.len() > 20 { "TIME " } else { time });
        rest = behind;
    }
    out + rest
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_key_is_private_never_overwritten_and_shows_its_public_half() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let mode = fs::metadata(desk.path("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let public = fs::read_to_string(desk.public_key()).unwrap();
    assert!(public.starts_with("callbox.example/desk+"), "{public}");
    assert_eq!(callbox(&["key", "show", &desk.path("key")]).ok(), public);
    let again = callbox(&["key", "new", "-o", &desk.path("key")]);
    assert_eq!(again.code, 5);
    assert!(again.stderr.contains("a key is never overwritten"), "{}", again.stderr);
    let named = callbox(&["key", "new", "-o", &desk.path("other"), "--name", "a b"]);
    assert_eq!((named.code, named.stderr.contains("no space")), (2, true), "{}", named.stderr);
    assert!(!Path::new(&desk.path("other")).exists());
    let wrong = callbox(&["key", "show", &desk.public_key()]);
    assert_eq!((wrong.code, wrong.stderr.contains("PRIVATE+KEY")), (2, true), "{}", wrong.stderr);
}

#[test]
fn verify_says_what_the_key_vouches_for() {
    let desk = Desk::new();
    let store = desk.store(stories::all());
    insta::assert_snapshot!(
        "verify_signed",
        timeless(&store.callbox(&["verify", "--public-key", &desk.public_key()]).ok())
    );
    insta::assert_snapshot!("verify_without_key", store.callbox(&["verify"]).ok());
    let report = json(&store.callbox(&["verify", "--json", "--public-key", &desk.public_key()]).ok());
    let checkpoints = &report["checkpoints"];
    assert_eq!((&checkpoints["kept"], &checkpoints["signed"]), (&7.into(), &7.into()));
    assert_eq!(checkpoints["vouched"]["commits"], report["commits"]);

    let unsigned = Store::of(stories::all()).callbox(&["verify", "--public-key", &desk.public_key()]);
    assert_eq!(unsigned.code, 1);
    assert!(unsigned.stdout.contains("none is signed by callbox.example/desk"), "{}", unsigned.stdout);
    let nonsense = store.callbox(&["verify", "--public-key", "no+such+key"]);
    assert_eq!((nonsense.code, nonsense.stderr.contains("neither a file nor a public key")), (2, true));
}

#[test]
fn a_checkpoint_kept_elsewhere_shows_that_the_store_was_made_anew() {
    let desk = Desk::new();
    let store = desk.store(stories::all());
    let kept = desk.path("kept");
    fs::copy(store.path().join("checkpoints"), &kept).unwrap();
    let args = ["verify", "--public-key", &desk.public_key(), "--checkpoint", &kept];
    assert!(store.callbox(&args).ok().contains("compared with 7 checkpoints kept elsewhere"));
    // Made anew with the same key, without the second call: sound by itself.
    let mut fewer = stories::all();
    fewer.remove(1);
    let forged = desk.store(fewer);
    forged.callbox(&args[..3]).ok();
    let told = forged.callbox(&args);
    assert_eq!(told.code, 1);
    assert!(told.stdout.contains("that was kept elsewhere: the journal's first"), "{}", told.stdout);
}

#[test]
fn a_call_is_proven_without_the_store() {
    let desk = Desk::new();
    let (file, key) = (desk.path("call.proof"), desk.public_key());
    {
        let store = desk.store(stories::all());
        let call = "a84b4c76e66710@127.0.0.1";
        store.callbox(&["prove", call, "-o", &file]).ok();
        let again = store.callbox(&["prove", call, "-o", &file]);
        assert_eq!((again.code, again.stderr.contains("is not overwritten")), (5, true), "{}", again.stderr);
        assert_eq!(store.callbox(&["prove", call]).ok(), fs::read_to_string(&file).unwrap());
        let unknown = store.callbox(&["prove", "nobody@nowhere"]);
        assert_eq!(unknown.code, 3);
        let early = store.callbox(&["prove", "latest", "--checkpoint", "1"]);
        assert_eq!((early.code, early.stderr.contains("nothing of call")), (3, true), "{}", early.stderr);
    }
    let verified = timeless(&callbox(&["verify", "--proof", &file, "--public-key", &key]).ok());
    let root = verified.find("root ").map(|at| verified[at..at + 49].to_owned()).unwrap();
    insta::assert_snapshot!("verify_proof_of_a_call", verified.replace(&root, "root ROOT"));
    let proven = json(&callbox(&["verify", "--proof", &file, "--public-key", &key, "--json"]).ok());
    assert_eq!((&proven["sound"], &proven["proven"]["complete"]), (&true.into(), &true.into()));

    let text = fs::read_to_string(&file).unwrap();
    let payload = text.find("\"payload\":\"").unwrap() + 40;
    let swapped = if text.as_bytes()[payload] == b'A' { "B" } else { "A" };
    let mut changed = text.clone();
    changed.replace_range(payload..=payload, swapped);
    let foreign = Desk::new();
    for (content, public, told) in [
        (changed.as_str(), &key, "not proven"),
        (&text.replace("callbox.example/desk", "callbox.example/dusk"), &key, "not signed"),
        (&text.replace("events", "Events"), &key, "forged"),
        (&text, &foreign.public_key(), "not signed"),
        ("{}", &key, "it is no proof of callbox"),
    ] {
        let file = desk.path("changed.proof");
        fs::write(&file, content).unwrap();
        let ran = callbox(&["verify", "--proof", &file, "--public-key", public]);
        assert_eq!(ran.code, 1, "{told}: {}", ran.all());
        assert!(ran.stdout.contains(told), "{told}: {}", ran.all());
    }
}

#[test]
fn stretches_and_growth_are_proven_without_the_store() {
    let desk = Desk::new();
    let store = desk.store(stories::all());
    let (stretch, growth, key) = (desk.path("stretch"), desk.path("growth"), desk.public_key());
    store.callbox(&["prove", "--events", "7..20", "-o", &stretch]).ok();
    let proven = json(&callbox(&["verify", "--proof", &stretch, "--public-key", &key, "--json"]).ok());
    let statement = &proven["proven"];
    let (first, last) = (statement["first_seq"].as_u64().unwrap(), statement["last_seq"].as_u64().unwrap());
    assert!(first <= 7 && last >= 20 && statement["events"] == last - first + 1, "{statement}");

    store.callbox(&["prove", "--since", "1h", "-o", &desk.path("all")]).ok();
    let all = json(&callbox(&["verify", "--proof", &desk.path("all"), "--public-key", &key, "--json"]).ok());
    assert_eq!((&all["proven"]["first_seq"], &all["proven"]["events"]), (&0.into(), &43.into()));

    store.callbox(&["prove", "--consistency", "2", "latest", "-o", &growth]).ok();
    let verified = callbox(&["verify", "--proof", &growth, "--public-key", &key]).ok();
    assert!(
        verified.starts_with("proven  the journal of 35 commits goes on from that of 11\n"),
        "{verified}"
    );
    let reversed = store.callbox(&["prove", "--consistency", "latest", "2"]);
    assert_eq!((reversed.code, reversed.stderr.contains("name the older checkpoint first")), (2, true));
    for args in [&["prove", "--events", "9..3"][..], &["prove"], &["prove", "latest", "--events", "0..3"]] {
        assert_eq!(store.callbox(args).code, 2, "{args:?}");
    }
    let missing = store.callbox(&["prove", "latest", "--checkpoint", "99"]);
    assert_eq!((missing.code, missing.stderr.contains("the store has no checkpoint 99")), (3, true));
}

/// Somebody who listens and hears nothing.
struct Silence;

impl Liveness for Silence {
    fn presence(&self) -> Presence {
        Presence { node: "desk".into(), listening: vec!["udp:127.0.0.1:5060".into()], received: 0, sent: 0 }
    }
}

#[test]
fn beats_show_that_nothing_came_although_somebody_listened() {
    let desk = Desk::new();
    let (store, first) = Store::with(desk.options(), []);
    assert_eq!(store.callbox(&["beats"]).ok(), "nobody said that it was listening\n");
    let silence: Arc<dyn Liveness> = Arc::new(Silence);
    first.attend(Arc::downgrade(&silence));
    first.checkpoint();
    drop(first);
    let second = SledJournal::open(store.path(), desk.options()).unwrap();
    second.attend(Arc::downgrade(&silence));
    second.checkpoint();
    second.checkpoint();
    let lines = store.callbox(&["beats", "--json", "--public-key", &desk.public_key()]).ok();
    let lines: Vec<Value> = lines.lines().map(json).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["listening", "listening", "gap"]);
    let interval = &lines[1]["interval"];
    assert_eq!((&interval["received"], &interval["signed"]), (&0.into(), &true.into()));
    assert_eq!(lines[2]["interval"]["from"], lines[0]["interval"]["until"]);
    assert_eq!(lines[2]["interval"]["until"], lines[1]["interval"]["from"]);
    let text = store.callbox(&["beats"]).ok();
    assert!(text.contains("0 messages in, 0 out, 0 events · udp:127.0.0.1:5060"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("gap")).count(), 1, "{text}");
    assert_eq!(
        store.callbox(&["beats", "--until", "2001-01-01"]).ok(),
        "nobody said that it was listening\n"
    );
    assert_eq!(callbox(&["beats", "--store", &desk.path("nothing")]).code, 3);
}

#[test]
fn a_recording_proves_its_calls_to_whoever_has_the_public_key() {
    let desk = Desk::new();
    let store = desk.store(stories::all());
    let (some, redacted, again) =
        (desk.path("some.recording"), desk.path("r.recording"), desk.path("again.recording"));
    store.callbox(&["export", "--family", "refused", "-o", &some]).ok();
    // It notes that the pseudonyms are good for this export only.
    assert_eq!(store.callbox(&["export", "--family", "refused", "--redact", "all", "-o", &redacted]).code, 0);
    callbox(&["export", "--recording", &some, "-o", &again]).ok();
    let verify = |file: &str, more: &[&str]| callbox(&[&["verify", "--recording", file], more].concat());

    let with_key = ["--public-key", &desk.public_key()];
    let told = verify(&some, &with_key).ok();
    assert!(told.contains("every checksum, sequence number and chain holds\nproven  "), "{told}");
    assert!(told.contains("stand in the journal of the checkpoint of 20"), "{told}");
    assert!(told.ends_with("signed by callbox.example/desk\n"), "{told}");
    let report = json(&verify(&some, &[&with_key[..], &["--json"]].concat()).ok());
    assert_eq!(report["checkpoints"]["vouched"]["commits"], report["commits"]);
    let told = verify(&some, &[]).ok();
    assert!(told.contains("its signature was not looked at: that takes --public-key"), "{told}");

    let stranger = Desk::new();
    for (file, key, code, what) in [
        (&some, stranger.public_key(), 1, "the checkpoint: it is not signed by callbox.example/desk"),
        (&again, desk.public_key(), 1, "the checkpoint: there is none, so nothing in here is vouched for"),
        (&redacted, desk.public_key(), 0, "under   a checkpoint of the original journal"),
    ] {
        let ran = verify(file, &["--public-key", &key]);
        assert_eq!(ran.code, code, "{}", ran.stdout);
        assert!(ran.stdout.contains(what), "{what}\n{}", ran.stdout);
    }
    assert!(verify(&again, &[]).ok().contains("there is no checkpoint in it"));
}

#[test]
fn what_is_added_to_a_signed_store_is_signed_too() {
    let desk = Desk::new();
    let (store, other) = (desk.store(vec![stories::bob_hangs_up()]), Store::of([stories::we_decline()]));
    let recording = desk.path("other.recording");
    other.callbox(&["export", "--format", "recording", "-o", &recording]);
    let refused = store.callbox(&["import", &recording]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("--signing-key FILE"), "{}", refused.stderr);
    store.callbox(&["import", &recording, "--signing-key", &desk.path("key")]).ok();
    let verified = store.callbox(&["verify", "--public-key", &desk.public_key()]).ok();
    assert!(verified.contains("2 calls"), "{verified}");
}
