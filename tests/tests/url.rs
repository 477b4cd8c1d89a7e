//! `callbox --url`: an engine elsewhere answers as it does to a reader beside it, and whatever goes wrong on the way is told
//! and never taken for an answer.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use callbox_events::CallId;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::{Expect, Journal};
use callbox_tests::cli::Cli;
use callbox_tests::daemon::{Daemon, Serve};
use callbox_tests::lab::Lab;
use callbox_tests::process::{Process, free_tcp_port};
use callbox_tests::wait;
use serde_json::{Value, json};

#[allow(dead_code, reason = "the tests of the command line tell more of them")]
#[path = "../../replay-tool/tests/support/stories.rs"]
mod stories;
#[allow(dead_code, reason = "the tests of the command line tell more of them")]
#[path = "../../replay-tool/tests/support/story.rs"]
mod story;

/// A daemon whose journal begins with the told calls, so many times, with messages of so many bytes.
struct Engine {
    daemon: Daemon,
    lab: Lab,
}

impl Engine {
    fn start(times: u8, filler: usize, args: &[&str]) -> Self {
        let lab = Lab::new();
        let journal = SledJournal::open(lab.store(), Options::default()).expect("a store");
        let mut appended = Vec::new();
        for time in 0..times {
            for (index, call) in stories::all().into_iter().enumerate() {
                for mut commit in call {
                    if time > 0 {
                        let mut id = *commit.call.as_bytes();
                        (id[14], id[15]) = (time, u8::try_from(index).expect("few stories"));
                        commit.call = CallId::from_bytes(id);
                    }
                    for message in &mut commit.wire {
                        let end = message.bytes.len() - 4;
                        let filler = format!("\r\nX-Filler: {}", "x".repeat(filler));
                        message.bytes.splice(end..end, filler.into_bytes());
                    }
                    let expect = Expect::of(&commit);
                    appended.push(journal.append(commit, expect));
                }
            }
        }
        for append in appended {
            append.wait().expect("appended");
        }
        journal.close().expect("closed");
        drop(journal);
        let daemon = Serve::new(&lab).hurried().with(args).start();
        Self { daemon, lab }
    }

    fn beside(&self) -> Cli {
        Cli::store(&self.lab.store())
    }

    fn afar(&self) -> Cli {
        Cli::url(self.daemon.ready.http)
    }
}

/// The code of a failure that was told as JSON; its hint must be there too.
fn code(output: &Output) -> (i32, String) {
    let told = String::from_utf8_lossy(&output.stderr);
    let told = told.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{output:?}"));
    let error: Value = serde_json::from_str(told).expect("JSON");
    assert!(error["error"]["hint"].is_string(), "{told}");
    (output.status.code().expect("an end"), error["error"]["code"].as_str().expect("a code").to_owned())
}

#[test]
fn every_reading_command_says_the_same_from_afar_as_beside_the_engine() {
    let engine = Engine::start(1, 10, &["--checkpoint-interval", "0"]);
    let to = format!("sip:bob@127.0.0.1:{}", callbox_tests::process::free_udp_port());
    let placed = engine.daemon.api().place(&json!({"to": to, "from": "sip:alice@127.0.0.1"}));
    let call = "5f1e77d0c2@127.0.0.1";
    let commands: &[&[&str]] = &[
        &["list"],
        &["list", "--family", "refused", "--sort", "duration", "--limit", "1"],
        &["show", call],
        &["show", call, "--raw"],
        &["show", &placed[..12]],
        &["why", "latest"],
        &["why", call, "--lang", "zh"],
        &["ladder", call],
        &["ladder", call, "--format", "svg"],
        &["step", call, "--at", "1"],
        &["check"],
        &["check", call],
        &["diff", call, "0d93ab51@127.0.0.1"],
        &["rejudge"],
        &["what-if", call, "--set", "no_answer=1s"],
        &["verify"],
        &["prove", call],
        &["prove", "--events", "0..3"],
        &["prove", "--consistency", "1", "latest"],
        &["beats"],
        &["stats"],
        &["stats", "--by", "hour"],
        &["export", "--format", "jsonl"],
        &["export", "--format", "csv"],
        &["export", "--format", "clf"],
        &["why", "nobody@nowhere"],
        &["why", "1"],
    ];
    for args in commands.iter().flat_map(|args| [args.to_vec(), [args, &["--json"][..]].concat()]) {
        // The engine lives: what it writes between two runs may differ, and then differs beside it too.
        let same = || {
            let run = |cli: Cli| {
                let Output { status, stdout, stderr } = cli.run(&args);
                (status.code(), String::from_utf8(stdout), String::from_utf8(stderr))
            };
            let [before, afar, after] = [engine.beside(), engine.afar(), engine.beside()].map(run);
            (before == after).then(|| assert_eq!(afar, before, "{args:?}"))
        };
        wait::until(&format!("the same answer twice beside the engine to {args:?}"), wait::SOON, same);
    }
    engine.daemon.crash();
}

#[test]
fn files_are_made_from_afar_and_two_engines_joined() {
    let engine = Engine::start(1, 10, &[]);
    let port = engine.daemon.ready.http.to_string();
    for (format, verified) in [("recording", true), ("parquet", false), ("pcap", false)] {
        let file = engine.lab.path().join(format);
        let file = file.to_str().expect("text");
        assert!(engine.afar().text(&["export", "--format", format, "-o", file]).starts_with("exported"));
        if verified {
            assert!(Cli::nowhere().text(&["verify", "--recording", file]).starts_with("sound"));
            let listed = Cli::nowhere().text(&["list", "--json", "--recording", file]);
            assert_eq!(listed, engine.afar().text(&["list", "--json"]));
        }
    }
    let url = format!("http://127.0.0.1:{port}");
    let store = engine.lab.store();
    let store = store.to_str().expect("text");
    let [afar, beside] = [&url, store].map(|side| Cli::nowhere().text(&["join", side, side]));
    assert_eq!(afar, beside);
    engine.daemon.crash();
}

/// Follows from the beginning.
fn tail(cli: &Cli, name: &str, engine: &Engine) -> Process {
    let mut command = cli.command(&["tail", "--from", "0", "--json"]);
    Process::start(name, &mut command, engine.lab.path(), false)
}

/// Waits until it has printed this.
fn heard(process: &Process, what: &str) {
    wait::until(what, wait::SOON, || process.printed().contains(what).then_some(()));
}

#[test]
fn whoever_follows_sees_the_last_calls_end_and_ends_with_the_engine() {
    let engine = Engine::start(1, 10, &[]);
    let mut following =
        [("afar", engine.afar()), ("beside", engine.beside())].map(|(name, cli)| tail(&cli, name, &engine));
    let to = format!("sip:bob@127.0.0.1:{}", callbox_tests::process::free_udp_port());
    let call = engine.daemon.api().place(&json!({"to": to, "from": "sip:alice@127.0.0.1"}));
    following.iter().for_each(|process| heard(process, &call));
    let Engine { daemon, lab } = engine;
    daemon.stop();
    let statuses = following.each_mut().map(|process| process.wait(wait::SOON).code());
    let [afar, beside] = following.each_ref().map(Process::printed);
    assert_eq!(statuses, [Some(0), Some(0)], "{afar}\n{beside}");
    assert_eq!(afar, beside);
    assert_eq!(afar, Cli::store(&lab.store()).text(&["tail", "--from", "0", "--json"]), "to the very end");
}

#[test]
fn an_engine_that_is_killed_is_no_end_of_its_journal() {
    let engine = Engine::start(1, 10, &[]);
    let mut following =
        [("afar", engine.afar()), ("beside", engine.beside())].map(|(name, cli)| tail(&cli, name, &engine));
    following.iter().for_each(|process| heard(process, "c0ffee"));
    let tail =
        engine.beside().list().iter().map(|call| call["events"].as_u64().expect("a number")).sum::<u64>();
    following.iter().for_each(|process| heard(process, &format!("\"seq\":{}", tail - 1)));
    engine.daemon.crash();
    for process in &mut following {
        let status = process.wait(wait::SOON);
        let printed = process.printed();
        assert_eq!(status.code(), Some(5), "{printed}");
        assert!(printed.contains("\"code\":\"connection_lost\""), "{printed}");
        assert!(printed.contains(&format!("`callbox tail --from {tail}` goes on from here")), "{printed}");
    }
}

#[test]
fn an_engine_that_is_killed_in_the_midst_of_an_answer_leaves_half_of_it_and_an_error() {
    // More than all buffers on the way hold.
    let engine = Engine::start(16, 30_000, &[]);
    let mut command = engine.afar().command(&["export", "--format", "jsonl", "--json"]);
    let started = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut exporting = started.expect("callbox runs");
    let mut out = exporting.stdout.take().expect("piped");
    let mut first = [0; 1];
    out.read_exact(&mut first).expect("it begins");
    // It waits for us now, and the engine for it.
    engine.daemon.crash();
    std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    let ended = exporting.wait_with_output().expect("its end");
    assert_eq!(code(&ended), (5, "connection_lost".into()));
}

/// Stands between `callbox` and an engine and lets only so many bytes of each answer pass.
struct Cut {
    port: u16,
    bytes: Arc<AtomicUsize>,
}

impl Cut {
    fn before(engine: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let bytes = Arc::new(AtomicUsize::new(usize::MAX));
        let limit = Arc::clone(&bytes);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let limit = limit.load(Ordering::Relaxed) as u64;
                std::thread::spawn(move || pass(client, engine, limit));
            }
        });
        Self { port, bytes }
    }
}

fn pass(mut client: TcpStream, engine: u16, limit: u64) -> std::io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, engine))?;
    let (mut asked, mut ask) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || std::io::copy(&mut asked, &mut ask));
    std::io::copy(&mut server.take(limit), &mut client)?;
    client.shutdown(Shutdown::Both)
}

#[test]
fn an_answer_that_is_cut_anywhere_is_an_error_and_never_shorter_news() {
    let engine = Engine::start(1, 10, &[]);
    let cut = Cut::before(engine.daemon.ready.http);
    let afar = Cli::url(cut.port);
    let whole = afar.text(&["list", "--json"]);
    assert_eq!(whole, engine.beside().text(&["list", "--json"]));
    // The first question, for the tail, has an answer of some 200 bytes; the commits have many more.
    for bytes in (0..200).step_by(23).chain((200..8_000).step_by(997)) {
        cut.bytes.store(bytes, Ordering::Relaxed);
        let listed = afar.run(&["list", "--json"]);
        let (exit, code) = code(&listed);
        assert!(matches!(exit, 4 | 5), "{bytes}: {code}");
        assert!(
            ["connection_lost", "engine_unreachable", "not_an_engine"].contains(&code.as_str()),
            "{bytes}: {code}"
        );
        assert_eq!(String::from_utf8_lossy(&listed.stdout), "", "{bytes}");
        let verified = afar.run(&["verify", "--json"]);
        assert!(matches!(verified.status.code(), Some(4 | 5)), "lost is not damaged: {verified:?}");
    }
    engine.daemon.crash();
}

#[test]
fn the_token_comes_from_a_file_and_each_mistake_with_it_is_told() {
    let lab = Lab::new();
    let file = |name: &str, text: &str| {
        let path = lab.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.into_os_string()
    };
    let (right, wrong) = (file("right", "correct-horse\n"), file("wrong", "battery-staple\n"));
    let daemon = Serve::new(&lab).with(&["--http-token-file", right.to_str().expect("text")]).start();
    let afar = Cli::url(daemon.ready.http);
    let with = |path: &OsStr| afar.clone().with(&[OsStr::new("--url-token-file"), path]);
    assert_eq!(with(&right).text(&["list"]), "no calls\n");
    let output =
        afar.command(&["list"]).env("CALLBOX_URL_TOKEN_FILE", &right).output().expect("callbox runs");
    assert!(output.status.success(), "{output:?}");
    let refused = with(&wrong).run(&["list", "--json"]);
    assert!(!String::from_utf8_lossy(&refused.stderr).contains("battery"), "never shown");
    assert_eq!(code(&refused), (5, "token_refused".into()));
    assert_eq!(code(&afar.run(&["list", "--json"])), (5, "token_missing".into()));
    for path in [file("empty", ""), file("two", "two words"), "/nowhere".into()] {
        assert_eq!(code(&with(&path).run(&["list", "--json"])), (2, "token_not_read".into()), "{path:?}");
    }
    daemon.stop();
}

/// Answers everybody with these bytes; its port.
fn stranger(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("its number").port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let _ = client.read(&mut [0; 4_096]);
            let _ = client.write_all(&answer);
        }
    });
    port
}

#[test]
fn whoever_else_answers_is_told_apart() {
    let http = |head: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    let greeting = |version: u8| [b"callbox\n\0".as_slice(), &[version]].concat();
    let cases: Vec<(Vec<u8>, (i32, &str))> = vec![
        (http("200 OK", b"<p>hello"), (5, "connection_lost")),
        (http("200 OK", b"<!DOCTYPE html><p>hello"), (4, "not_an_engine")),
        (http("404 Not Found", b"<p>nothing here"), (4, "not_an_engine")),
        (http("302 Found\r\nLocation: http://127.0.0.1:1/", b""), (4, "not_an_engine")),
        (
            http("404 Not Found", br#"{"error":{"code":"unknown_path","message":"x","hint":null}}"#),
            (4, "engine_version"),
        ),
        (http("200 OK", &greeting(9)), (4, "engine_version")),
        (http("200 OK", &greeting(1)), (5, "connection_lost")),
        (http("200 OK", &[greeting(1), b"\xff\xff\xff\xff".repeat(9)].concat()), (4, "store_unavailable")),
        (
            http("503 Service Unavailable", br#"{"error":{"code":"too_many_readers","message":"x"}}"#),
            (5, "engine_busy"),
        ),
        (b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), (4, "not_an_engine")),
        (Vec::new(), (5, "engine_unreachable")),
        (b"HTTP/1.1 200 OK\r\n".repeat(5_000), (4, "not_an_engine")),
    ];
    for (answer, told) in cases {
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(60)]).into_owned();
        let failed = Cli::url(stranger(answer)).run(&["tail", "--from", "0", "--json"]);
        assert_eq!(code(&failed), (told.0, told.1.to_owned()), "{shown}");
    }
    assert_eq!(code(&Cli::url(free_tcp_port()).run(&["list", "--json"])), (5, "engine_unreachable".into()));
}

#[test]
fn one_source_is_named_and_what_is_typed_wins_over_what_is_set() {
    let engine = Engine::start(1, 10, &[]);
    let listed = engine.beside().text(&["list", "--json"]);
    let url = format!("http://127.0.0.1:{}", engine.daemon.ready.http);
    let set = |args: &[&str], store: &OsStr| {
        Cli::nowhere().command(args).env("CALLBOX_STORE", store).output().expect("callbox runs")
    };
    let other = set(&["list", "--json", "--url", &url], OsStr::new("/nowhere"));
    assert_eq!(String::from_utf8_lossy(&other.stdout), listed);
    let store = engine.lab.store();
    assert_eq!(String::from_utf8_lossy(&set(&["list", "--json"], store.as_os_str()).stdout), listed);

    let nowhere = |args: &[&str]| code(&Cli::nowhere().run(&[args, &["--json"]].concat()));
    for two in [
        ["--store", "x", "--url", &url],
        ["--recording", "x", "--url", &url],
        ["--store", "x", "--recording", "y"],
    ] {
        assert_eq!(nowhere(&[&["list"], &two[..]].concat()), (2, "several_sources".into()), "{two:?}");
    }
    for writing in [&["import", "x.pcap"][..], &["verify", "--repair", "x"]] {
        for reading in [["--url", &url], ["--recording", "x"]] {
            let set = Cli::nowhere()
                .command(&[writing, &reading, &["--json"]].concat())
                .env("CALLBOX_STORE", &store)
                .output();
            assert_eq!(
                code(&set.expect("callbox runs")),
                (2, "needs_store".into()),
                "{writing:?} {reading:?}"
            );
        }
    }
    assert_eq!(nowhere(&["list", "--url", "https://127.0.0.1:1"]), (2, "tls_not_supported".into()));
    assert_eq!(nowhere(&["list", "--url", "127.0.0.1:8080"]), (2, "bad_url".into()));
    engine.daemon.crash();
}
