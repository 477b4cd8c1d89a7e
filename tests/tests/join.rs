//! Two engines that call each other, each with its journal: `callbox join` puts both records together. A relay between
//! them that tells another status is found out.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use callbox_tests::cli::Cli;
use callbox_tests::daemon::{Daemon, Serve};
use callbox_tests::lab::Lab;
use serde_json::{Value, json};

struct Two {
    labs: [Lab; 2],
    a: Daemon,
    b: Daemon,
}

impl Two {
    fn start(callee: &[&str]) -> Self {
        let labs = [Lab::new(), Lab::new()];
        let a = Serve::new(&labs[0]).hurried().start();
        let b = Serve::new(&labs[1]).hurried().with(callee).start();
        Self { labs, a, b }
    }

    /// A calls B at `target`.
    fn call(&self, target: SocketAddr) -> String {
        self.a.api().place(&json!({"to": format!("sip:bob@{target}"), "from": "sip:alice@127.0.0.1"}))
    }

    fn b_udp(&self) -> SocketAddr {
        self.b.udp().parse().expect("an address")
    }

    /// Both records put together: exit code, pairs, and the summary.
    fn join(labs: &[Lab; 2], more: &[&str]) -> (i32, Vec<Value>) {
        let [a, b] = [labs[0].store(), labs[1].store()];
        let (a, b) = (a.to_str().expect("text"), b.to_str().expect("text"));
        let output = Cli::nowhere().run(&[&["join", a, b, "--json"], more].concat());
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(err.is_empty(), "{err}");
        let lines = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (output.status.code().unwrap_or(-1), lines)
    }
}

#[test]
fn two_engines_agree_on_their_calls_while_they_run_and_afterwards() {
    let two = Two::start(&["--incoming", "ring"]);
    let (mut at_a, mut at_b) = (two.a.events(0), two.b.events(0));
    let talk = two.call(two.b_udp());
    let answered = at_b.incoming();
    two.b.api().command(&answered, "accept", &json!({}));
    at_a.wait(&talk, "connected");
    at_b.wait(&answered, "connected");
    two.a.api().hangup(&talk);
    at_b.wait(&answered, "ended");
    let cancelled = two.call(two.b_udp());
    at_a.wait(&cancelled, "ringing");
    two.a.api().hangup(&cancelled);
    at_a.wait(&cancelled, "released");
    let declined = two.call(two.b_udp());
    at_a.wait(&declined, "ringing");
    let of_b = two.b.api().calls(true);
    let of_b = of_b.iter().find(|call| call["ended_at"].is_null()).expect("it rings");
    two.b.api().hangup(of_b["call_id"].as_str().expect("an id"));
    at_a.wait(&declined, "released");
    at_a.wait(&talk, "released");

    let (live_code, live) = Two::join(&two.labs, &[]);
    let Two { labs, a, b } = two;
    a.stop();
    b.stop();
    let (code, lines) = Two::join(&labs, &[]);
    assert_eq!((live_code, code), (0, 0), "{lines:#?}");
    assert_eq!(live.len(), lines.len(), "a running engine's store reads the same");
    let (summary, pairs) = lines.split_last().expect("a summary");
    assert_eq!(pairs.len(), 3, "{lines:#?}");
    for pair in pairs {
        assert_eq!((&pair["agrees"], &pair["joined_by"]), (&true.into(), &"call_id".into()), "{pair:#}");
        assert_eq!(pair["lost"], json!([]), "{pair:#}");
    }
    // Both engines have the clock of this machine.
    let clocks = &summary["summary"]["clocks"];
    let bound = |name: &str| clocks[name].as_i64().expect("a bound");
    assert!(bound("at_least_us") <= 0 && bound("at_most_us") >= 0, "{clocks}");
    let causes: Vec<&str> = pairs.iter().filter_map(|pair| pair["a"]["verdict"]["cause"].as_str()).collect();
    assert_eq!(causes, ["hangup", "cancelled", "declined"]);

    let (_, one) = Two::join(&labs, &["--call", &talk]);
    let rows = one[0]["ladder"]["rows"].as_array().expect("rows").len();
    assert!(rows > 15, "both records in one ladder: {rows} rows");
}

#[test]
fn a_relay_that_tells_another_status_is_found_out() {
    let two = Two::start(&["--incoming", "reject:603"]);
    let relay = Relay::to(two.b_udp(), ("SIP/2.0 603 Decline", "SIP/2.0 480 Temporarily Unavailable"));
    let mut at_a = two.a.events(0);
    let call = two.call(relay.address);
    at_a.wait(&call, "released");
    assert_eq!(two.a.api().why(&call)["verdict"]["sip"]["status"], 480);
    let Two { labs, a, b } = two;
    a.stop();
    b.stop();
    drop(relay);
    let (code, lines) = Two::join(&labs, &[]);
    assert_eq!(code, 1, "{lines:#?}");
    let codes: Vec<&Value> =
        lines[0]["contradictions"].as_array().expect("a list").iter().map(|found| &found["code"]).collect();
    assert_eq!(codes, ["status_changed"]);
}

/// Something between that changes a word.
struct Relay {
    address: SocketAddr,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    fn to(callee: SocketAddr, (word, other): (&'static str, &'static str)) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has free ports");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a positive time");
        let address = socket.local_addr().expect("a bound socket has an address");
        let done = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            let (mut buffer, mut caller) = (vec![0_u8; 65_536], None);
            while !stop.load(Ordering::Relaxed) {
                let Ok((count, from)) = socket.recv_from(&mut buffer) else { continue };
                let text = String::from_utf8_lossy(&buffer[..count]).replace(word, other);
                let to = if from == callee {
                    caller
                } else {
                    caller = Some(from);
                    Some(callee)
                };
                if let Some(to) = to {
                    let _ = socket.send_to(text.as_bytes(), to);
                }
            }
        });
        Self { address, done, thread: Some(thread) }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
