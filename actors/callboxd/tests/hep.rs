//! The mirror: HEP packets in, observed calls in the journal.

#![allow(clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

mod support;

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use callbox_events::call::EventKind;
use callbox_store::{Cursor, Next, reader};
use support::{BOUND, Daemon, run};

/// A sender of HEP, as a SIP server has one.
struct Sender {
    socket: UdpSocket,
    to: SocketAddr,
    key: Option<&'static str>,
}

fn chunk(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 6).expect("short");
    [&[0, 0][..], &kind.to_be_bytes(), &length.to_be_bytes(), value].concat()
}

impl Sender {
    fn to(daemon: &Daemon, key: Option<&'static str>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        Self { socket, to: daemon.hep.expect("it takes HEP"), key }
    }

    fn raw(&self, packet: &[u8]) {
        self.socket.send_to(packet, self.to).expect("sent");
    }

    /// A message from host `from` to host `to` of 192.0.2.0/24, as seen just now.
    fn message(&self, from: u8, to: u8, message: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let seconds = u32::try_from(now.as_secs()).expect("before 2106");
        let mut chunks = [
            chunk(2, &[17]),
            chunk(3, &[192, 0, 2, from]),
            chunk(4, &[192, 0, 2, to]),
            chunk(7, &5060_u16.to_be_bytes()),
            chunk(8, &5060_u16.to_be_bytes()),
            chunk(9, &seconds.to_be_bytes()),
            chunk(10, &now.subsec_micros().to_be_bytes()),
            chunk(15, message.as_bytes()),
        ]
        .concat();
        chunks.extend(self.key.map(|key| chunk(14, key.as_bytes())).unwrap_or_default());
        let length = u16::try_from(chunks.len() + 6).expect("short");
        self.raw(&[b"HEP3", &length.to_be_bytes()[..], &chunks].concat());
    }

    /// A call that is answered and hung up by its caller.
    fn call(&self) {
        self.answered();
        self.hung_up();
    }

    fn answered(&self) {
        self.message(1, 2, &head("INVITE sip:bob@192.0.2.2 SIP/2.0", "1 INVITE", ""));
        self.message(2, 1, &head("SIP/2.0 180 Ringing", "1 INVITE", ";tag=b1"));
        self.message(2, 1, &head("SIP/2.0 200 OK", "1 INVITE", ";tag=b1"));
        self.message(1, 2, &head("ACK sip:bob@192.0.2.2 SIP/2.0", "1 ACK", ";tag=b1"));
    }

    fn hung_up(&self) {
        self.message(1, 2, &head("BYE sip:bob@192.0.2.2 SIP/2.0", "2 BYE", ";tag=b1"));
        self.message(2, 1, &head("SIP/2.0 200 OK", "2 BYE", ";tag=b1"));
    }
}

fn head(start: &str, cseq: &str, tag: &str) -> String {
    format!(
        "{start}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{}\r\nFrom: <sip:alice@192.0.2.1>;tag=a1\r\n\
         To: <sip:bob@192.0.2.2>{tag}\r\nCall-ID: mirrored@192.0.2.1\r\nCSeq: {cseq}\r\n\
         Contact: <sip:x@192.0.2.9>\r\nContent-Length: 0\r\n\r\n",
        &cseq[..1]
    )
}

/// A mirror that is killed, by SIGKILL, in the midst of a call; gives the call.
fn killed_in_conversation(store: &Path) -> String {
    let daemon = Daemon::start(store, &["--hep", "udp:127.0.0.1:0"]);
    Sender::to(&daemon, None).answered();
    let call = wait_for(store, EventKind::Connected);
    drop(daemon);
    call
}

/// Waits until the journal in `store` has an event of this kind; gives its call.
fn wait_for(store: &Path, kind: EventKind) -> String {
    let reader = reader::open(store).expect("a store");
    let mut events = reader.subscribe(Cursor::START).expect("a subscription");
    loop {
        match events.next_timeout(BOUND).expect("a journal") {
            Next::Commit(stored) => {
                if stored.commit.events.iter().any(|happened| happened.event.kind() == kind) {
                    return stored.commit.call.to_string();
                }
            }
            Next::Timeout | Next::Closed => panic!("no {kind:?} came"),
        }
    }
}

/// The value of a metric.
fn metric(daemon: &Daemon, name: &str) -> u64 {
    let text = daemon.request("GET", "/metrics", "").text;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().expect("a number")
}

#[test]
fn a_mirrored_call_is_told_like_any_other() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(dir.path(), &["--hep", "udp:127.0.0.1:0"]);
    let sender = Sender::to(&daemon, None);
    sender.raw(b"HEP3\x00\x50cut off");
    sender.raw(b"what is this");
    sender.raw(b"HEP3\x00\x0d\0\0\0\x0b\0\x07\x05");
    sender.call();
    let call = wait_for(dir.path(), EventKind::Ended);
    let why = daemon.get(&format!("/v1/calls/{call}/why"));
    assert_eq!((&why["direction"], &why["sip_call_id"]), (&"observed".into(), &"mirrored@192.0.2.1".into()));
    assert_eq!(why["verdict"]["cause"], "hangup");
    assert_eq!(why["verdict"]["ended_by"]["side"], "caller");
    for (result, count) in [("taken", 6), ("malformed", 2), ("other", 1), ("dropped", 0)] {
        let name = format!("callbox_hep_packets_total{{result=\"{result}\"}}");
        assert_eq!(metric(&daemon, &name), count, "{result}");
    }
    assert_eq!(metric(&daemon, "callbox_hep_calls_total"), 1);
    assert_eq!(metric(&daemon, "callbox_hep_unwritten_total"), 0);
    let (status, said) = daemon.stop();
    assert!(status.success(), "{said}");
    assert!(!said.contains("alice") && !said.contains("bob"), "no names in the log");
}

#[test]
fn who_follows_the_events_is_told_of_mirrored_calls() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(dir.path(), &["--hep", "udp:127.0.0.1:0"]);
    let mut live = daemon.events("?from=0", "");
    Sender::to(&daemon, None).call();
    let told = live.up_to("ended");
    let names: Vec<&str> = told.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["started", "ringing", "answered", "connected", "ending", "ended"]);
    let call = wait_for(dir.path(), EventKind::Ended);
    for event in &told {
        assert_eq!((&event.data["observed"], &event.data["call_id"]), (&true.into(), &call.as_str().into()));
    }
    assert_eq!(told[0].data["data"]["to"], "sip:bob@192.0.2.2");
    let again = daemon.events("?from=0", "").up_to("ended");
    assert_eq!(
        again.iter().map(|event| event.id).collect::<Vec<_>>(),
        told.iter().map(|event| event.id).collect::<Vec<_>>()
    );
    assert!(daemon.stop().0.success());
}

#[test]
fn a_call_that_is_open_when_the_mirror_closes_ends_as_far_as_it_was_seen() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(dir.path(), &["--hep", "udp:127.0.0.1:0"]);
    Sender::to(&daemon, None).message(
        1,
        2,
        "INVITE sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
         From: <sip:alice@192.0.2.1>;tag=a1\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: open@192.0.2.1\r\n\
         CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
    );
    let call = wait_for(dir.path(), EventKind::Observed);
    assert!(daemon.stop().0.success());
    let daemon = Daemon::start(dir.path(), &[]);
    let listed = daemon.get(&format!("/v1/calls/{call}"));
    assert_eq!((&listed["cause"], &listed["family"]), (&"capture_ended".into(), &"unknown".into()));
    assert!(daemon.stop().0.success());
}

#[test]
fn a_call_that_a_killed_mirror_left_open_goes_on_with_the_next_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let call = killed_in_conversation(dir.path());
    let daemon = Daemon::start(dir.path(), &["--hep", "udp:127.0.0.1:0"]);
    assert_eq!(metric(&daemon, "callbox_hep_resumed_total"), 1);
    assert_eq!(daemon.get(&format!("/v1/calls/{call}"))["cause"], "alive");
    Sender::to(&daemon, None).hung_up();
    assert_eq!(wait_for(dir.path(), EventKind::Ended), call);
    let verdict = daemon.get(&format!("/v1/calls/{call}/why"))["verdict"].clone();
    assert_eq!((&verdict["cause"], &verdict["ended_by"]["side"]), (&"hangup".into(), &"caller".into()));
    assert_eq!((&verdict["completeness"], &verdict["phase"]), (&"gap".into(), &"connected".into()));
    assert_eq!(metric(&daemon, "callbox_hep_calls_total"), 0, "it is no new call");
    assert!(daemon.stop().0.success());
}

#[test]
fn a_call_of_which_nothing_comes_any_more_after_the_mirror_was_killed_is_given_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let call = killed_in_conversation(dir.path());
    let daemon = Daemon::start(dir.path(), &["--hep", "udp:127.0.0.1:0", "--hep-idle", "0.5"]);
    assert_eq!(wait_for(dir.path(), EventKind::Ended), call);
    let verdict = daemon.get(&format!("/v1/calls/{call}/why"))["verdict"].clone();
    assert_eq!((&verdict["cause"], &verdict["confidence"]), (&"capture_ended".into(), &"none".into()));
    assert_eq!(verdict["completeness"], "truncated");
    assert!(daemon.stop().0.success());
}

#[test]
fn a_daemon_without_a_mirror_ends_what_a_killed_one_left_open() {
    let dir = tempfile::tempdir().expect("a directory");
    let call = killed_in_conversation(dir.path());
    let daemon = Daemon::start(dir.path(), &[]);
    assert_eq!(daemon.get(&format!("/v1/calls/{call}"))["cause"], "capture_ended");
    assert!(daemon.stop().0.success());
}

#[test]
fn packets_without_the_password_are_not_believed() {
    let dir = tempfile::tempdir().expect("a directory");
    let password = dir.path().join("password");
    std::fs::write(&password, "correct-horse\n").expect("written");
    let password = password.to_str().expect("a path");
    let store = dir.path().join("store");
    let daemon = Daemon::start(&store, &["--hep", "udp:127.0.0.1:0", "--hep-password-file", password]);
    Sender::to(&daemon, None).call();
    Sender::to(&daemon, Some("battery-staple")).call();
    Sender::to(&daemon, Some("correct-horse")).call();
    wait_for(&store, EventKind::Ended);
    assert_eq!(metric(&daemon, "callbox_hep_packets_total{result=\"unauthorised\"}"), 12);
    assert_eq!(metric(&daemon, "callbox_hep_packets_total{result=\"taken\"}"), 6);
    assert!(daemon.stop().0.success());
}

#[test]
fn addresses_that_are_not_allowed_are_strangers() {
    let dir = tempfile::tempdir().expect("a directory");
    let flags = ["--hep", "udp:127.0.0.1:0", "--hep-allow", "192.0.2.0/24", "--hep-allow", "127.0.0.9"];
    let daemon = Daemon::start(dir.path(), &flags);
    Sender::to(&daemon, None).call();
    let socket = UdpSocket::bind("127.0.0.9:0").expect("a socket");
    Sender { socket, ..Sender::to(&daemon, None) }.call();
    wait_for(dir.path(), EventKind::Ended);
    assert_eq!(metric(&daemon, "callbox_hep_packets_total{result=\"stranger\"}"), 6);
    assert_eq!(metric(&daemon, "callbox_hep_calls_total"), 1);
    assert!(daemon.stop().0.success());
}

#[test]
fn a_mirror_for_everybody_must_be_asked_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().to_str().expect("a path");
    let (code, said) =
        run(&["serve", "--store", store, "--listen", "udp:127.0.0.1:0", "--hep", "udp:0.0.0.0:0"]);
    assert_eq!(code, 2);
    assert!(said.contains("--hep-allow any"), "{said}");
}
