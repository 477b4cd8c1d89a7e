//! Calls that an observer left open because it was killed: what `callbox import` makes of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(dead_code, reason = "the other tests of the command line use more of what they share")]

#[path = "support/packets.rs"]
mod packets;
#[path = "support/scene.rs"]
mod scene;
mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use callbox_events::call::EventKind;
use callbox_store::{Cursor, Next, reader};
use scene::{Millis, Scene};
use serde_json::Value;
use support::{Ran, callbox};

/// Far longer than anything here takes.
const BOUND: Duration = Duration::from_secs(30);
const HOUR: Millis = 3_600_000;

/// A folder for a store and captures.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// An import of a capture that comes through a pipe and never ends, killed when the store has this event.
    fn import_and_kill(&self, scene: &Scene, kind: EventKind) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_callbox"))
            .args(["import", "-", "--store", &self.path("store")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(&scene.capture().bytes).unwrap();
        wait_for(Path::new(&self.path("store")), kind);
        child.kill().unwrap();
        child.wait().unwrap();
        drop(pipe);
    }

    fn import(&self, scene: &Scene) -> Value {
        std::fs::write(self.path("calls.pcap"), scene.capture().bytes).unwrap();
        let ran = callbox(&["import", &self.path("calls.pcap"), "--store", &self.path("store"), "--json"]);
        serde_json::from_str(&ran.ok()).unwrap()
    }

    fn callbox(&self, args: &[&str]) -> Ran {
        callbox(&[args, &["--store", &self.path("store")]].concat())
    }

    /// The calls, once it is sure that the store is sound.
    fn calls(&self) -> Vec<Value> {
        for command in ["check", "verify"] {
            let ran = self.callbox(&[command]);
            assert_eq!(ran.code, 0, "{command}: {}", ran.stdout);
        }
        let listed = self.callbox(&["list", "--json"]).ok();
        listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Waits until the journal in `store` has an event of this kind.
fn wait_for(store: &Path, kind: EventKind) {
    let began = std::time::Instant::now();
    let reader = loop {
        match reader::open(store) {
            Ok(reader) => break reader,
            // It is being made.
            Err(_) if began.elapsed() < BOUND => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    let mut events = reader.subscribe(Cursor::START).unwrap();
    while let Next::Commit(stored) = events.next_timeout(BOUND).unwrap() {
        if stored.commit.events.iter().any(|happened| happened.event.kind() == kind) {
            return;
        }
    }
    panic!("no {kind:?} came");
}

/// A call that is answered, and something behind it so that nothing of it is waited with.
fn begun() -> Scene {
    Scene::default().answered("open", 0).sip(
        5_000,
        "next",
        "OPTIONS sip:bob@192.0.2.9 SIP/2.0",
        "1 OPTIONS",
        false,
    )
}

#[test]
fn a_later_capture_goes_on_with_a_call_and_importing_it_again_changes_nothing() {
    let place = Place::new();
    place.import_and_kill(&begun(), EventKind::Connected);
    assert_eq!(place.calls()[0]["cause"], "alive");
    let rest = Scene::default().hung_up("open", 9_000);
    let said = place.import(&rest);
    assert_eq!((&said["calls"], &said["taken_up"]), (&0.into(), &1.into()), "{said}");
    let calls = place.calls();
    assert_eq!((calls.len(), &calls[0]["cause"], &calls[0]["side"]), (1, &"hangup".into(), &"caller".into()));
    let why: Value = serde_json::from_str(&place.callbox(&["why", "open", "--json"]).ok()).unwrap();
    assert_eq!(why["verdict"]["completeness"], "gap");
    let again = place.import(&rest);
    assert_eq!((&again["calls"], &again["events"]), (&0.into(), &0.into()), "{again}");
    assert_eq!(place.calls(), calls);
}

#[test]
fn an_import_that_was_killed_is_finished_by_importing_the_same_capture() {
    let (place, whole) = (Place::new(), begun().hung_up("open", 9_000));
    place.import_and_kill(&begun(), EventKind::Connected);
    let said = place.import(&whole);
    assert_eq!((&said["taken_up"], &said["already_there"]), (&0.into(), &1.into()), "{said}");
    let undisturbed = Place::new();
    undisturbed.import(&whole);
    assert_eq!(place.calls(), undisturbed.calls());
}

#[test]
fn a_call_of_which_a_much_later_capture_shows_nothing_is_given_up() {
    let place = Place::new();
    place.import_and_kill(&begun(), EventKind::Connected);
    let other = |at| Scene::default().answered("other", at).hung_up("other", at + 9_000);
    place.import(&other(2 * HOUR));
    assert_eq!(place.calls()[0]["cause"], "alive", "it may still go on");
    place.import(&other(6 * HOUR));
    let calls = place.calls();
    assert_eq!((calls.len(), &calls[0]["cause"]), (3, &"capture_ended".into()));
    assert_eq!(place.callbox(&["list", "--live", "--json"]).ok().lines().count(), 0);
}
