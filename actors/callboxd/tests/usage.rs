//! What callboxd says to a wrong command line, a wrong file, an address in use, a store it can't have.

#![allow(clippy::expect_used, reason = "a failure here is the failure of a test")]

mod support;

use std::net::{TcpListener, UdpSocket};
use std::path::Path;

use support::{Daemon, run};

fn in_dir<'a>(dir: &'a Path, name: &str, text: &str) -> std::borrow::Cow<'a, str> {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("written");
    path.to_string_lossy().into_owned().into()
}

#[test]
fn a_wrong_command_line_is_told_with_exit_code_2() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("store");
    let store = store.to_str().expect("text");
    let udp = "udp:127.0.0.1:0";
    let cases: &[(&[&str], &str)] = &[
        (&[], "Usage"),
        (&["sing"], "sing"),
        (&["serve"], "store"),
        (&["serve", "--store", store], "listen"),
        (&["serve", "--store", store, "--listen", "127.0.0.1:5060"], "unknown transport"),
        (&["serve", "--store", store, "--listen", "udp:nowhere:5060"], "numeric IP"),
        (&["serve", "--store", store, "--listen", "tls:127.0.0.1:5061"], "not in this version"),
        (&["serve", "--store", store, "--listen", "ws:127.0.0.1:80"], "not in this version"),
        (&["serve", "--store", store, "--listen", "wss:127.0.0.1:443"], "not in this version"),
        (&["serve", "--store", store, "--listen", udp, "--http", "8080"], "--http"),
        (&["serve", "--store", store, "--listen", udp, "--http", "0.0.0.0:0"], "--http-token-file"),
        (&["serve", "--store", store, "--listen", udp, "--incoming", "reject:200"], "300 to 699"),
        (&["serve", "--store", store, "--listen", udp, "--incoming", "sing"], "ring, answer"),
        (&["serve", "--store", store, "--listen", udp, "--ring-after", "soon"], "--ring-after"),
        (&["serve", "--store", store, "--listen", udp, "--no-answer=-1"], "--no-answer"),
        (&["serve", "--store", store, "--listen", udp, "--volume", "11"], "--volume"),
        (&["serve", "--config", "/nowhere/callbox.toml"], "/nowhere/callbox.toml"),
    ];
    for (args, told) in cases {
        let (code, stderr) = run(args);
        assert_eq!(code, 2, "{args:?}: {stderr}");
        assert!(stderr.contains(told), "{args:?}: {stderr}");
    }
    assert!(!Path::new(store).exists(), "a wrong command line leaves no trace");
}

#[test]
fn a_wrong_file_is_told_with_the_place_in_it() {
    let dir = tempfile::tempdir().expect("a directory");
    for (text, told) in [
        ("store = ", "TOML parse error"),
        ("stoer = \"x\"", "stoer"),
        ("answer-after = \"soon\"", "answer-after"),
        ("listen = [\"tls:127.0.0.1:5061\"]", "not in this version"),
        ("listen = \"udp:127.0.0.1:5060\"", "listen"),
    ] {
        let file = in_dir(dir.path(), "callbox.toml", text);
        let (code, stderr) = run(&["serve", "--config", &file]);
        assert_eq!(code, 2, "{text}: {stderr}");
        assert!(stderr.contains(told), "{text}: {stderr}");
    }
}

#[test]
fn a_file_serves_as_flags_and_flags_override_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = "listen = [\"udp:127.0.0.1:0\", \"tcp:127.0.0.1:0\"]\nincoming = \"busy\"\nno-answer = 2\nt1 = 9999999\n";
    let file = in_dir(dir.path(), "callbox.toml", text);
    let store = dir.path().join("store");
    // T1 in the file is out of range: only the flag over it lets the daemon start.
    let daemon = Daemon::start(&store, &["--config", &file, "--t1", "100"]);
    assert!(daemon.stop().0.success());
}

#[test]
fn an_address_in_use_is_told_with_exit_code_5() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("store");
    let store = store.to_str().expect("text");
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let listen = format!("udp:{}", taken.local_addr().expect("an address"));
    let (code, stderr) = run(&["serve", "--store", store, "--listen", &listen]);
    assert_eq!(code, 5, "{stderr}");
    assert!(stderr.contains(&listen), "{stderr}");
    let http = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let http_addr = http.local_addr().expect("an address").to_string();
    let other = dir.path().join("other");
    let other = other.to_str().expect("text");
    let (code, stderr) =
        run(&["serve", "--store", other, "--listen", "udp:127.0.0.1:0", "--http", &http_addr]);
    assert_eq!(code, 5, "{stderr}");
    assert!(stderr.contains(&http_addr), "{stderr}");
    assert!(!Path::new(other).exists(), "the store is not touched");
}

#[test]
fn a_store_that_can_not_be_had_is_told_with_exit_code_4() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("store");
    let serve = |store: &Path| {
        let store = store.to_str().expect("text");
        run(&["serve", "--store", store, "--listen", "udp:127.0.0.1:0"])
    };
    let daemon = Daemon::start(&store, &[]);
    let (code, stderr) = serve(&store);
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("in use"), "{stderr}");
    assert_eq!(daemon.request("GET", "/healthz", "").status, 200, "the holder is not disturbed");
    assert!(daemon.stop().0.success());

    in_dir(&store, "FORMAT", "callbox journal\nformat 999\n");
    let (code, stderr) = serve(&store);
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("999"), "{stderr}");

    let foreign = dir.path().join("foreign");
    std::fs::create_dir(&foreign).expect("a directory");
    in_dir(&foreign, "letters.txt", "Dear Alice");
    let (code, stderr) = serve(&foreign);
    assert_eq!(code, 4, "{stderr}");
    assert!(foreign.join("letters.txt").exists());
}

#[test]
fn a_second_life_has_the_store_of_the_first() {
    let dir = tempfile::tempdir().expect("a directory");
    for _ in 0..2 {
        let daemon = Daemon::start(dir.path(), &[]);
        let (status, log) = daemon.stop();
        assert_eq!(status.code(), Some(0), "{log}");
    }
}
