//! Tones in the audio of a capture: what `callbox import` and `callbox why` make of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(dead_code, reason = "the other tests of the command line use more of what they share")]

#[path = "support/packets.rs"]
mod packets;
#[path = "support/scene.rs"]
mod scene;
mod support;
#[path = "support/tones.rs"]
mod tones;

use callbox_sip::observe::tones::g711::Law;
use scene::{ALICE, Millis, SERVER, Scene};
use serde_json::Value;
use support::callbox;
use tones::{BUSY, Sound};

/// What the server plays to Alice.
fn audio(scene: Scene, from: Millis, sounds: &[Sound<'_>]) -> Scene {
    let (source, destination) = (format!("{SERVER}:7000"), format!("{ALICE}:4000"));
    tones::payloads(Law::A, sounds).iter().enumerate().fold(scene, |scene, (number, audio)| {
        let packet = tones::rtp(0x80, Law::A, number, &[], audio);
        scene.datagram(from + number as u64 * 20, &source, &destination, &packet)
    })
}

/// Imports it; gives what the import said and the verdict of each call, by Call-ID.
fn judged(scene: Scene) -> (Value, impl Fn(&str) -> Value) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("tones.pcap"), scene.capture().bytes).unwrap();
    let said = callbox(&["import", &path("tones.pcap"), "--store", &path("store"), "--json"]).ok();
    assert_eq!(callbox(&["check", "--store", &path("store")]).code, 0, "every call can be decided again");
    let why = move |call: &str| {
        let store = dir.path().join("store");
        let told = callbox(&["why", call, "--store", store.to_str().unwrap(), "--json"]).ok();
        serde_json::from_str::<Value>(&told).unwrap()["verdict"].clone()
    };
    (serde_json::from_str(&said).unwrap(), why)
}

/// The evidence that says so, and the number of its event.
fn evidence<'a>(verdict: &'a Value, says: &str) -> Option<&'a Value> {
    verdict["evidence"].as_array().unwrap().iter().find(|row| row["says"].as_str().unwrap().contains(says))
}

#[test]
fn a_busy_tone_before_the_cancel_says_what_the_cancel_hides() {
    let scene = Scene::default().cancelled("busy", 0, 100, 6_000);
    let (said, why) = judged(audio(scene, 150, &BUSY.repeat(5)));
    assert_eq!(said["tones"], 1);
    let verdict = why("busy");
    assert_eq!((&verdict["cause"], &verdict["answer_kind"]), (&"cancelled".into(), &"announcement".into()));
    let hidden = &verdict["underlying"];
    assert_eq!((&hidden["cause"], &hidden["confidence"]), (&"busy".into(), &"strong".into()));
    let clue = evidence(&verdict, "a busy tone was heard").unwrap();
    assert_eq!(clue["rule"], "clue.tone");
    assert_eq!(clue["event"], hidden["evidence"][0]["event"]);
}

#[test]
fn each_tone_is_told_by_its_name() {
    let sit: [Sound<'_>; 3] = [(&[950.0], 330), (&[1400.0], 330), (&[1800.0], 330)];
    let ringback: [Sound<'_>; 2] = [(&[440.0, 480.0], 2_000), (&[], 4_000)];
    let fast: [Sound<'_>; 2] = [(&[480.0, 620.0], 250), (&[], 250)];
    for (name, sounds, kind, says) in [
        (
            "sit",
            [&sit[..], &[(&[], 3_000)]].concat(),
            "announcement",
            "the special information tone was heard",
        ),
        ("ringback", ringback.repeat(2), "unknown", "the ringing was heard in the audio"),
        ("congestion", fast.repeat(10), "announcement", "a congestion tone was heard"),
    ] {
        let scene = Scene::default().cancelled(name, 0, 100, 13_000);
        let (said, why) = judged(audio(scene, 150, &sounds));
        let verdict = why(name);
        assert_eq!((&said["tones"], &verdict["answer_kind"]), (&1.into(), &kind.into()), "{name}: {verdict}");
        assert!(evidence(&verdict, says).is_some() && verdict["underlying"].is_null(), "{name}: {verdict}");
        assert_eq!(verdict["cause"], "cancelled", "a tone is never the cause");
    }
}

#[test]
fn a_tone_is_of_the_call_that_was_there_when_it_sounded() {
    let scene = Scene::default().cancelled("first", 0, 100, 4_000).cancelled("second", 8_000, 8_100, 14_000);
    let (said, why) = judged(audio(scene, 8_150, &BUSY.repeat(5)));
    assert_eq!((&said["tones"], &why("second")["underlying"]["cause"]), (&1.into(), &"busy".into()));
    assert!(why("first")["underlying"].is_null());
}

#[test]
fn what_sounds_after_the_end_is_nobodys() {
    let scene = Scene::default().cancelled("over", 0, 100, 1_000);
    let (said, why) = judged(audio(scene, 1_500, &BUSY.repeat(5)));
    assert_eq!(said["tones"], 0);
    assert!(why("over")["underlying"].is_null());
}
