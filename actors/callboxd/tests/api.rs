//! The control API: every mistake has its answer, and nobody foreign gets in.

mod support;

use support::Daemon;

const NOBODY: &str = "00112233445566778899aabbccddeeff";

#[test]
fn every_mistake_is_answered_with_status_code_and_hint() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(dir.path(), &[]);
    let long = format!("{{\"to\":\"sip:{}@127.0.0.1\"}}", "x".repeat(2_000));
    let huge = format!("{{\"to\":\"{}\"}}", "x".repeat(20_000));
    let call = |rest: &str| format!("/v1/calls/{NOBODY}{rest}");
    let to = |to: &str| format!("{{\"to\":\"{to}\"}}");
    let cases: &[(&str, String, String, u16, &str)] = &[
        ("POST", "/v1/calls".into(), "".into(), 400, "invalid_json"),
        ("POST", "/v1/calls".into(), "{\"to\":".into(), 400, "invalid_json"),
        ("POST", "/v1/calls".into(), "call bob".into(), 400, "invalid_json"),
        ("POST", "/v1/calls".into(), "[1]".into(), 400, "invalid_field"),
        ("POST", "/v1/calls".into(), "{}".into(), 400, "invalid_field"),
        ("POST", "/v1/calls".into(), "{\"to\":7}".into(), 400, "invalid_field"),
        ("POST", "/v1/calls".into(), "{\"to\":\"sip:b@h\",\"too\":1}".into(), 400, "invalid_field"),
        (
            "POST",
            "/v1/calls".into(),
            "{\"to\":\"sip:b@h\",\"no_answer_ms\":\"1\"}".into(),
            400,
            "invalid_field",
        ),
        ("POST", "/v1/calls".into(), to("sip:b@127.0.0.1\\r\\nEvil: 1"), 400, "invalid_field"),
        ("POST", "/v1/calls".into(), long, 400, "invalid_field"),
        ("POST", "/v1/calls".into(), huge, 413, "too_large"),
        ("POST", "/v1/calls".into(), to("bob"), 400, "invalid_uri"),
        ("POST", "/v1/calls".into(), to("tel:+15551234"), 400, "invalid_uri"),
        ("POST", "/v1/calls".into(), to("sip:bob@127.0.0.1;transport=tcp"), 400, "no_transport"),
        ("DELETE", "/v1/calls".into(), "".into(), 405, "method_not_allowed"),
        ("GET", "/v1/calls?state=dead".into(), "".into(), 400, "invalid_query"),
        ("GET", "/v1/calls/xyz".into(), "".into(), 404, "unknown_call"),
        ("GET", call(""), "".into(), 404, "unknown_call"),
        ("GET", call("/why"), "".into(), 404, "unknown_call"),
        ("POST", call("/why"), "".into(), 405, "method_not_allowed"),
        ("POST", call("/ring"), "".into(), 404, "unknown_call"),
        ("POST", "/v1/calls/xyz/accept".into(), "".into(), 404, "unknown_call"),
        ("POST", call("/hangup"), "{\"status\":200}".into(), 400, "invalid_field"),
        ("POST", call("/hangup"), "{\"origin\":\"ghost\"}".into(), 400, "invalid_field"),
        ("POST", call("/hangup"), "{\"status\":\"486\"}".into(), 400, "invalid_field"),
        ("POST", call("/divert"), "".into(), 400, "invalid_json"),
        ("POST", call("/dtmf"), "{\"digits\":\"12#\"}".into(), 501, "not_supported"),
        ("POST", call("/transfer"), to("sip:c@127.0.0.1"), 501, "not_supported"),
        ("POST", call("/sing"), "".into(), 404, "unknown_path"),
        ("GET", call("/ring"), "".into(), 405, "method_not_allowed"),
        ("GET", "/v1/events?from=x".into(), "".into(), 400, "invalid_query"),
        ("GET", "/v1/events?from=999999".into(), "".into(), 400, "beyond_the_end"),
        ("POST", "/v1/events".into(), "".into(), 405, "method_not_allowed"),
        ("GET", "/".into(), "".into(), 404, "unknown_path"),
        ("GET", "/v2/calls".into(), "".into(), 404, "unknown_path"),
    ];
    for (method, path, body, status, code) in cases {
        let answer = daemon.request(method, path, body);
        let shown = &body[..body.len().min(60)];
        assert_eq!(answer.status, *status, "{method} {path} {shown}: {}", answer.text);
        assert_eq!(answer.error_code(), *code, "{method} {path} {shown}");
    }
    assert_eq!(daemon.get("/v1/calls").as_array().map(Vec::len), Some(0), "no mistake became a call");
    let (status, log) = daemon.stop();
    assert!(status.success(), "{log}");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(dir.path(), &[]);
    let answer = daemon.request("PUT", "/v1/calls", "{}");
    assert!(answer.head.to_ascii_lowercase().contains("allow: get, post"), "{}", answer.head);
}

#[test]
fn with_a_token_nothing_but_the_health_check_is_open() {
    let dir = tempfile::tempdir().expect("a directory");
    let token = dir.path().join("token");
    std::fs::write(&token, "correct-horse\n").expect("written");
    let token = token.to_str().expect("text");
    let daemon = Daemon::start(&dir.path().join("store"), &["--http-token-file", token]);
    for headers in ["", "Authorization: Bearer wrong-horse\r\n", "Authorization: Basic correct-horse\r\n"] {
        for path in ["/v1/calls", "/metrics", "/nowhere"] {
            let answer = daemon.raw("GET", path, headers, "");
            assert_eq!(
                (answer.status, answer.error_code().as_str()),
                (401, "unauthorized"),
                "{path} {headers}"
            );
            assert!(answer.head.to_ascii_lowercase().contains("www-authenticate: bearer"));
        }
    }
    assert_eq!(daemon.raw("GET", "/healthz", "", "").status, 200);
    let bearer = "Authorization: Bearer correct-horse\r\n";
    assert_eq!(daemon.raw("GET", "/v1/calls", bearer, "").status, 200);
    let (_, log) = daemon.stop();
    assert!(!log.contains("correct-horse"), "a token is never logged");
}

#[test]
fn foreign_web_pages_can_not_reach_the_engine() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(dir.path(), &[]);
    let body = "{\"to\":\"sip:b@127.0.0.1:9\"}";
    for headers in ["Origin: https://elsewhere.example\r\n", "Host: rebound.example\r\n", "Origin: null\r\n"]
    {
        let answer = daemon.raw("POST", "/v1/calls", headers, body);
        assert_eq!((answer.status, answer.error_code().as_str()), (403, "foreign_origin"), "{headers}");
    }
    let own = format!("Origin: http://{}\r\n", daemon.http);
    assert_eq!(daemon.raw("GET", "/v1/calls", &own, "").status, 200);
}

#[test]
fn metrics_are_prometheus_text() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(dir.path(), &[]);
    let answer = daemon.request("GET", "/metrics", "");
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("text/plain; version=0.0.4"), "{}", answer.head);
    for line in answer.text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("name and value");
        assert!(name.starts_with("callbox_") && value.parse::<f64>().is_ok(), "{line}");
    }
    assert!(answer.text.contains("\ncallbox_calls_live 0\n"), "{}", answer.text);
}
