//! Tones in the audio of a capture: what `callbox import` and `callbox why` make of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(dead_code, reason = "the other tests of the command line use more of what they share")]

#[path = "support/packets.rs"]
mod packets;
mod support;
#[path = "support/tones.rs"]
mod tones;

use callbox_sip::observe::tones::g711::Law;
use packets::{Pcap, datagram, ether};
use serde_json::Value;
use support::callbox;
use tones::{BUSY, Sound};

const ALICE: &str = "192.0.2.1";
const SERVER: &str = "192.0.2.9";
/// A time within the capture, in milliseconds.
type Millis = u64;

/// A capture in the making: packets with their times, in any order.
#[derive(Default)]
struct Scene(Vec<(Millis, Vec<u8>)>);

impl Scene {
    /// A message of Alice's call `id`, in which she wants audio at port 4000 and the server at port 7000.
    fn sip(mut self, at: Millis, id: &str, start: &str, cseq: &str, sdp: bool) -> Self {
        let from_alice = !start.starts_with("SIP");
        let (source, destination, port) =
            if from_alice { (ALICE, SERVER, 4000) } else { (SERVER, ALICE, 7000) };
        let body = if sdp {
            format!(
                "v=0\r\no=- 1 1 IN IP4 {source}\r\ns=-\r\nc=IN IP4 {source}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"
            )
        } else {
            String::new()
        };
        let tag = if start.starts_with("INVITE") || start.starts_with("CANCEL") { "" } else { ";tag=s" };
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP {ALICE};branch=z9hG4bK{id}\r\nFrom: <sip:alice@{ALICE}>;tag=a{id}\r\n\
             To: <sip:bob@{SERVER}>{tag}\r\nCall-ID: {id}\r\nCSeq: {cseq}\r\nMax-Forwards: 70\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let (source, destination) = (format!("{source}:5060"), format!("{destination}:5060"));
        self.0.push((at, ether(&datagram(&source, &destination, text.as_bytes()))));
        self
    }

    /// Early media from `ringing` on, and Alice's CANCEL at `cancel`.
    fn cancelled(self, id: &str, from: Millis, ringing: Millis, cancel: Millis) -> Self {
        self.sip(from, id, "INVITE sip:bob@192.0.2.9 SIP/2.0", "1 INVITE", true)
            .sip(ringing, id, "SIP/2.0 183 Session Progress", "1 INVITE", true)
            .sip(cancel, id, "CANCEL sip:bob@192.0.2.9 SIP/2.0", "1 CANCEL", false)
            .sip(cancel + 5, id, "SIP/2.0 200 OK", "1 CANCEL", false)
            .sip(cancel + 6, id, "SIP/2.0 487 Request Terminated", "1 INVITE", false)
    }

    /// What the server plays to Alice.
    fn audio(mut self, from: Millis, sounds: &[Sound<'_>]) -> Self {
        for (number, audio) in tones::payloads(Law::A, sounds).iter().enumerate() {
            let packet = tones::rtp(0x80, Law::A, number, &[], audio);
            let (source, destination) = (format!("{SERVER}:7000"), format!("{ALICE}:4000"));
            self.0.push((from + number as u64 * 20, ether(&datagram(&source, &destination, &packet))));
        }
        self
    }

    /// Imports it; gives what the import said and the verdict of each call, by Call-ID.
    fn judged(mut self) -> (Value, impl Fn(&str) -> Value) {
        self.0.sort_by_key(|(at, _)| *at);
        let capture = self.0.iter().fold(Pcap::new(1), |file, (at, packet)| file.add(at * 1000, packet));
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("tones.pcap"), capture.bytes).unwrap();
        let said = callbox(&["import", &path("tones.pcap"), "--store", &path("store"), "--json"]).ok();
        assert_eq!(callbox(&["check", "--store", &path("store")]).code, 0, "every call can be decided again");
        let why = move |call: &str| {
            let store = dir.path().join("store");
            let told = callbox(&["why", call, "--store", store.to_str().unwrap(), "--json"]).ok();
            serde_json::from_str::<Value>(&told).unwrap()["verdict"].clone()
        };
        (serde_json::from_str(&said).unwrap(), why)
    }
}

/// The evidence that says so, and the number of its event.
fn evidence<'a>(verdict: &'a Value, says: &str) -> Option<&'a Value> {
    verdict["evidence"].as_array().unwrap().iter().find(|row| row["says"].as_str().unwrap().contains(says))
}

#[test]
fn a_busy_tone_before_the_cancel_says_what_the_cancel_hides() {
    let scene = Scene::default().cancelled("busy", 0, 100, 6_000).audio(150, &BUSY.repeat(5));
    let (said, why) = scene.judged();
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
        let scene = Scene::default().cancelled(name, 0, 100, 13_000).audio(150, &sounds);
        let (said, why) = scene.judged();
        let verdict = why(name);
        assert_eq!((&said["tones"], &verdict["answer_kind"]), (&1.into(), &kind.into()), "{name}: {verdict}");
        assert!(evidence(&verdict, says).is_some() && verdict["underlying"].is_null(), "{name}: {verdict}");
        assert_eq!(verdict["cause"], "cancelled", "a tone is never the cause");
    }
}

#[test]
fn a_tone_is_of_the_call_that_was_there_when_it_sounded() {
    let scene = Scene::default()
        .cancelled("first", 0, 100, 4_000)
        .cancelled("second", 8_000, 8_100, 14_000)
        .audio(8_150, &BUSY.repeat(5));
    let (said, why) = scene.judged();
    assert_eq!((&said["tones"], &why("second")["underlying"]["cause"]), (&1.into(), &"busy".into()));
    assert!(why("first")["underlying"].is_null());
}

#[test]
fn what_sounds_after_the_end_is_nobodys() {
    let scene = Scene::default().cancelled("over", 0, 100, 1_000).audio(1_500, &BUSY.repeat(5));
    let (said, why) = scene.judged();
    assert_eq!(said["tones"], 0);
    assert!(why("over")["underlying"].is_null());
}
