//! `POST /v1/journal`: what is no question is refused, and whoever reads can't keep others from reading or calling.

#![allow(clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use callbox_store::Cursor;
use callbox_store::live::protocol::Request;
use support::{BOUND, Daemon};

/// As many follow at once as may.
const FOLLOWED: usize = 24;

/// Asks; the status, and the connection with the rest of the answer.
fn ask(daemon: &Daemon, request: Request) -> (u16, TcpStream) {
    let mut stream = TcpStream::connect(daemon.http).expect("the API");
    stream.set_read_timeout(Some(BOUND)).expect("a timeout");
    let question = request.question().expect("bytes");
    let (host, length) = (daemon.http, question.len());
    let head = format!("POST /v1/journal HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), &question].concat()).expect("sent");
    let mut status = [0; 12];
    stream.read_exact(&mut status).expect("an answer");
    (String::from_utf8_lossy(&status[9..]).parse().expect("a status"), stream)
}

#[test]
fn what_is_no_question_is_refused_with_status_code_and_hint() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(dir.path(), &[]);
    let huge = "callbox\n".repeat(1_000);
    for (method, body, status, code) in [
        ("GET", "", 405, "method_not_allowed"),
        ("PUT", "callbox\n\0\u{1}\u{1}", 405, "method_not_allowed"),
        ("POST", "", 400, "not_a_question"),
        ("POST", "{}", 400, "not_a_question"),
        ("POST", "callbox\n", 400, "not_a_question"),
        ("POST", "callbox\n\0\u{7}\u{1}", 400, "other_version"),
        ("POST", "callbox\n\0\u{1}", 400, "unknown_request"),
        ("POST", "callbox\n\0\u{1}\u{63}", 400, "unknown_request"),
        ("POST", "callbox\n\0\u{1}\u{3}short", 400, "unknown_request"),
        ("POST", "callbox\n\0\u{1}\u{1}\u{1}", 400, "unknown_request"),
        ("POST", &huge, 413, "too_large"),
    ] {
        let answer = daemon.request(method, "/v1/journal", body);
        let shown = &body[..body.len().min(20)];
        assert_eq!((answer.status, answer.error_code().as_str()), (status, code), "{method} {shown:?}");
    }
    let answer = daemon.request("POST", "/v1/journal", "callbox\n\0\u{1}\u{1}");
    assert_eq!(answer.status, 200);
    assert!(answer.head.to_ascii_lowercase().contains("cache-control: no-store"), "{}", answer.head);
    assert!(answer.text.starts_with("callbox\n\0\u{1}") && answer.text.ends_with('.'), "{:?}", answer.text);
    let answer =
        daemon.raw("POST", "/v1/journal", "Origin: https://elsewhere.example\r\n", "callbox\n\0\u{1}\u{1}");
    assert_eq!((answer.status, answer.error_code().as_str()), (403, "foreign_origin"));
    let (status, log) = daemon.stop();
    assert!(status.success() && !log.contains("panicked"), "{log}");
}

#[test]
fn those_who_follow_are_bounded_and_leave_room_to_those_who_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(dir.path(), &[]);
    let watch = Request::Watch(Cursor::START);
    let mut following: Vec<TcpStream> = (0..FOLLOWED)
        .map(|_| {
            let (status, stream) = ask(&daemon, watch);
            assert_eq!(status, 200);
            stream
        })
        .collect();
    assert_eq!(ask(&daemon, watch).0, 503, "one too many");
    assert_eq!(ask(&daemon, Request::Tail).0, 200, "reading is another matter");
    assert_eq!(daemon.request("GET", "/healthz", "").status, 200);

    following.pop();
    let since = Instant::now();
    while ask(&daemon, watch).0 != 200 {
        assert!(since.elapsed() < BOUND, "a place becomes free when somebody leaves");
        std::thread::sleep(Duration::from_millis(20));
    }

    let (status, log) = daemon.stop();
    assert!(status.success(), "{log}");
    for mut stream in following {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("an end");
        assert!(
            rest.ends_with(b"\0\0\0\x01.\r\n0\r\n\r\n"),
            "told as the journal's end, within and around the answer"
        );
    }
}

#[test]
fn nobody_erases_anything_over_http() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(dir.path(), &["--erasable"]);
    let (status, mut stream) = ask(&daemon, Request::Erase(1, 0, 0));
    let mut rest = vec![0; 600];
    let length = stream.read(&mut rest).expect("the reason");
    assert_eq!(status, 403);
    assert!(String::from_utf8_lossy(&rest[..length]).contains("not_from_afar"));
    daemon.stop();
}
