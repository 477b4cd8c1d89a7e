//! Torture over TCP, where a message has to be found in a stream first.

use std::time::Duration;

use callbox_tests::peers;
use callbox_tests::probe::{Request, Stream, header, status_of};
use callbox_tests::wait::SOON;
use callbox_tests::workspace::shared;

use super::target::Target;

fn options(stream: &Stream, label: &str) -> String {
    Request::new("OPTIONS", stream.address(), label).tcp().text()
}

#[test]
fn several_requests_in_one_segment_are_answered_one_by_one() {
    let target = Target::new();
    let mut stream = Stream::new(target.daemon.ready.tcp);
    let both = options(&stream, "first") + &options(&stream, "second");
    assert!(stream.send(both.as_bytes()));
    let answers: Vec<String> = (0..2).filter_map(|_| stream.receive(SOON)).collect();
    let calls: Vec<Option<&str>> = answers.iter().map(|answer| header(answer, "Call-ID")).collect();
    assert_eq!(calls, [Some("first@probe"), Some("second@probe")]);
    target.finish();
}

#[test]
fn a_request_that_comes_byte_by_byte_is_answered() {
    let target = Target::new();
    let mut stream = Stream::new(target.daemon.ready.tcp);
    for byte in options(&stream, "slow").as_bytes() {
        assert!(stream.send(&[*byte]));
    }
    let answer = stream.receive(SOON).expect("an answer");
    assert_eq!(status_of(&answer), Some(200), "{answer}");
    target.finish();
}

#[test]
fn a_keep_alive_is_passed_over() {
    let target = Target::new();
    let mut stream = Stream::new(target.daemon.ready.tcp);
    assert!(stream.send(b"\r\n\r\n"));
    let request = options(&stream, "alive");
    assert!(stream.send(request.as_bytes()));
    let answer = stream.receive(SOON).expect("an answer");
    assert!(answer.trim_start().starts_with("SIP/2.0 200"), "{answer}");
    target.finish();
}

#[test]
fn a_stream_that_lost_its_frame_harms_no_other() {
    let target = Target::new();
    let mut healthy = Stream::new(target.daemon.ready.tcp);
    let broken = |bend: fn(String) -> String| {
        let mut stream = Stream::new(target.daemon.ready.tcp);
        let text = bend(options(&stream, &target.label()));
        stream.send(text.as_bytes());
        // What it answers is its own affair (400, 413, 513 or nothing); it must come to an end or go on reading.
        let _ = stream.receive(Duration::from_millis(200));
    };
    broken(|text| text.replace("Content-Length: 0\r\n", ""));
    broken(|text| text.replace("Content-Length: 0", "Content-Length: -1"));
    broken(|text| text.replace("Content-Length: 0", "Content-Length: 99999999999999999999"));
    broken(|text| text.replace("Content-Length: 0", "Content-Length: 4000000000"));
    broken(|text| text.replace("\r\n\r\n", "\r\n"));
    broken(|text| text.replace("CSeq:", &format!("X: {}\r\nCSeq:", "y".repeat(300_000))));
    broken(|_| "\u{0}\u{1}\u{2}".repeat(100_000));
    broken(|_| "GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned());
    let request = options(&healthy, "healthy");
    assert!(healthy.send(request.as_bytes()), "the other connection is still open");
    let answer = healthy.receive(SOON).expect("an answer on the other connection");
    assert_eq!(status_of(&answer), Some(200));
    target.assert_well("broken streams");
    target.finish();
}

#[test]
fn the_messages_of_rfc_4475_in_streams() {
    let Some(folder) = shared("torture/rfc4475") else { return peers::skip_without_data("torture/rfc4475") };
    let target = Target::new();
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("readable").flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files {
        let mut stream = Stream::new(target.daemon.ready.tcp);
        stream.send(&std::fs::read(&file).expect("readable"));
        let _ = stream.receive(Duration::from_millis(30));
        target.assert_well(&format!("{} over TCP", file.display()));
    }
    target.finish();
}
